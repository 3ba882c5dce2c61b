"""Giving a qualification, and telling workers things."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, insert, update

from crowdloom.studies.database import insert_new
from crowdloom.studies.marketplace.tables import Message, Qualification


def grant(connection: Connection, kind: int, worker: int, value: int | None, now: datetime) -> None:
    """Give a worker a qualification, or another value of it."""
    values = {"value": value, "status": "Granted", "granted_at": now}
    connection.execute(
        insert_new(connection, cast(Any, Qualification)),
        {"qualification_type_id": kind, "worker_id": worker, **values},
    )
    connection.execute(
        update(Qualification)
        .where(Qualification.qualification_type_id == kind, Qualification.worker_id == worker)
        .values(values)
    )


def send(connection: Connection, requester: int, worker: int, subject: str, body: str, now: datetime) -> None:
    """Put a message into a worker's inbox."""
    connection.execute(
        insert(Message),
        {"requester_id": requester, "worker_id": worker, "subject": subject, "body": body, "sent_at": now},
    )
