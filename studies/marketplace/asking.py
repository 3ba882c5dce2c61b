"""A worker asks for a qualification."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from crowdloom.studies.marketplace.errors import NoSuchPageError, WorkError
from crowdloom.studies.marketplace.granting import grant
from crowdloom.studies.marketplace.identifiers import new_token
from crowdloom.studies.marketplace.tables import QualificationRequest, QualificationType, Worker


def request_qualification(connection: Connection, token: str, worker: Row[Any], now: datetime) -> bool:
    """Ask for a qualification; True where it is granted at once, False where its requester has to decide.

    Raises NoSuchPageError where there is none to ask for, WorkError where it is too early to ask again.
    """
    kind = connection.execute(
        select(QualificationType.__table__).where(
            QualificationType.token == token,
            QualificationType.requester_id.is_not(None),
            QualificationType.deleted_at.is_(None),
            QualificationType.status == "Active",
        )
    ).first()
    if kind is None:
        raise NoSuchPageError("There is no such qualification to ask for.")
    # One request of a worker at a time: two clicks at once must not make two.
    connection.execute(select(Worker.id).where(Worker.id == worker.id).with_for_update())
    last = connection.execute(
        select(QualificationRequest.__table__)
        .where(QualificationRequest.qualification_type_id == kind.id, QualificationRequest.worker_id == worker.id)
        .order_by(QualificationRequest.id.desc())
        .limit(1)
    ).first()
    if last is not None and last.state == "pending":
        return False  # asked already
    if last is not None and last.state == "rejected":
        if kind.retry_delay_s is None:
            raise WorkError("This qualification can be asked for only once.")
        if now < (again := last.submitted_at + timedelta(seconds=kind.retry_delay_s)):
            raise WorkError(f"You can ask for this qualification again from {again:%Y-%m-%d %H:%M} UTC on.")
    connection.execute(
        insert(QualificationRequest),
        {
            "token": new_token("3"),
            "qualification_type_id": kind.id,
            "worker_id": worker.id,
            "state": "granted" if kind.auto_granted else "pending",
            "submitted_at": now,
        },
    )
    if kind.auto_granted:
        grant(connection, kind.id, worker.id, kind.auto_granted_value, now)
    return bool(kind.auto_granted)
