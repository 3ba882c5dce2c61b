"""What a study's answers say: its plan carried out, the flow of its participants, tables, figures, one report."""
