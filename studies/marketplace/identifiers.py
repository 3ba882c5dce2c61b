"""Names in MTurk's alphabet."""

from __future__ import annotations

import secrets
import string

_LETTERS = string.ascii_uppercase + string.digits


def new_token(first: str = "3", length: int = 30) -> str:
    """A random name of A-Z and 0-9; the first letter says what it is of, as it did on MTurk."""
    return first + "".join(secrets.choice(_LETTERS) for _ in range(length - len(first)))


def new_worker_token() -> str:
    """A worker's id."""
    return new_token("A", 14)
