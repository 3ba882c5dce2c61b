"""What machines learn from people's answers. The only folder in which torch may be imported."""
