"""Requesters' accounts: opening them, money, and how many requests they may make."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row, insert, select, update

from crowdloom.studies.database import insert_new
from crowdloom.studies.errors import OptionError
from crowdloom.studies.marketplace.errors import ThrottledError
from crowdloom.studies.marketplace.identifiers import new_token
from crowdloom.studies.marketplace.money import STARTING_BALANCE
from crowdloom.studies.marketplace.tables import Requester

_BURST_S = 2
"""An account that was quiet may make the requests of so many seconds at once."""


def add_requester(connection: Connection, name: str, now: datetime) -> tuple[str, str]:
    """Open an account; its access key id and its secret, which is told here only. Raises OptionError for no name."""
    if not 1 <= len(name.strip()) <= 100:
        raise OptionError("a requester's name has 1 to 100 characters")
    key, secret = new_token("AKIA", 20), secrets.token_urlsafe(30)
    connection.execute(
        insert(Requester),
        {"access_key": key, "secret": secret, "name": name.strip(), "balance": STARTING_BALANCE, "created_at": now},
    )
    return key, secret


def open_account(connection: Connection, access_key: str, now: datetime) -> None:
    """Open an account for an access key that came with a request from this machine; one that is there stays."""
    connection.execute(
        insert_new(connection, cast(Any, Requester)),
        {"access_key": access_key, "name": access_key[:100], "balance": STARTING_BALANCE, "created_at": now},
    )


def find_requester(connection: Connection, access_key: str) -> Row[Any] | None:
    """An account by its access key id."""
    return connection.execute(select(Requester.__table__).where(Requester.access_key == access_key)).first()


def deposit(connection: Connection, access_key: str, cents: int) -> None:
    """Add money to an account. Raises OptionError for an unknown one, and for nothing."""
    if cents < 1:
        raise OptionError("a deposit is 0.01 or more")
    added = connection.execute(
        update(Requester).where(Requester.access_key == access_key).values(balance=Requester.balance + cents)
    )
    if added.rowcount != 1:
        raise OptionError(f"no requester has the access key {access_key!r}")


def count_request(connection: Connection, requester: int, rate: float, now: datetime) -> None:
    """Take one request off an account's allowance, which refills at `rate` a second. Raises ThrottledError."""
    row = connection.execute(
        select(Requester.allowance, Requester.allowance_at).where(Requester.id == requester).with_for_update()
    ).one()
    most = max(rate * _BURST_S, 1.0)
    refilled = 0.0 if row.allowance is None else (now - row.allowance_at).total_seconds() * rate
    left = min(most, refilled + (most if row.allowance is None else row.allowance)) - 1
    if left < 0:
        raise ThrottledError
    connection.execute(update(Requester).where(Requester.id == requester).values(allowance=left, allowance_at=now))
