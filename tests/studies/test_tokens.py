"""Random names: people type and copy them, and commands take them as arguments."""

from __future__ import annotations

from crowdloom.studies.database import new_token


def test_tokens_can_be_typed() -> None:
    """Letters and digits only (an argument that began with a dash would be an option), none that look alike."""
    tokens = [new_token() for _ in range(2000)]
    assert all(token.isascii() and token.isalnum() and not set(token) & set("0O1lI") for token in tokens)
    assert len(set(tokens)) == len(tokens)
    assert {len(token) for token in tokens} == {17}
    assert len(new_token(24)) == 33
