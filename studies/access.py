"""One-time links to the researcher's pages: printed once, used once and within an hour, kept only as a digest."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from sqlalchemy import Connection, insert, update

from crowdloom.studies.database import new_token, now
from crowdloom.studies.tables import Access

GOOD_FOR = timedelta(hours=1)


def new_access(connection: Connection) -> str:
    """A fresh one-time token."""
    token = new_token(24)
    connection.execute(insert(Access), {"sha256": _digest(token), "created_at": now()})
    return token


def use_access(connection: Connection, token: str) -> bool:
    """True for a token of the last hour that was never used; from then on it is."""
    used = connection.execute(
        update(Access)
        .where(Access.sha256 == _digest(token), Access.used_at.is_(None), Access.created_at > now() - GOOD_FOR)
        .values(used_at=now())
    )
    return used.rowcount == 1


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
