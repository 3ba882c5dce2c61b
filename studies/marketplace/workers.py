"""Workers: inviting them, finding them, and what they hold of every qualification."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from crowdloom.studies.database import new_token
from crowdloom.studies.errors import OptionError
from crowdloom.studies.marketplace import system_qualifications as system
from crowdloom.studies.marketplace.identifiers import new_worker_token
from crowdloom.studies.marketplace.requirements import Held
from crowdloom.studies.marketplace.tables import Assignment, Qualification, QualificationType, Worker


def add_worker(
    connection: Connection,
    now: datetime,
    *,
    country: str = "US",
    subdivision: str | None = None,
    adult: bool = True,
    masters: bool = False,
    approved: int = 0,
    percent: int = 100,
) -> tuple[str, str]:
    """Add a person; their worker id, and the invitation that signs them in (told here only, kept as a digest).

    `approved` and `percent` are the history that they bring along: so many approved assignments, which are
    so many percent of those reviewed. Raises OptionError for a place or a history that cannot be.
    """
    if not re.fullmatch("[A-Z]{2}", country) or not re.fullmatch("[A-Z0-9]{2}|", subdivision or ""):
        raise OptionError(f"the place {'-'.join(filter(None, (country, subdivision)))} is none; write US or US-WA")
    if not 0 <= approved <= 1_000_000 or not 1 <= percent <= 100:
        raise OptionError(f"{approved} approved at {percent} % is no history; give up to 1000000 and 1 to 100 %")
    worker, invitation = new_worker_token(), new_token(24)
    connection.execute(
        insert(Worker),
        {
            "token": worker,
            "invitation_sha256": _digest(invitation),
            "country": country,
            "subdivision": subdivision or None,
            "approved_before": approved,
            "rejected_before": approved * (100 - percent) // percent,
            "created_at": now,
        },
    )
    for given, kind in (
        (adult, system.ADULT),
        (masters, system.MASTERS),
        (masters, system.MASTERS_IN_SANDBOX),
    ):
        if given:
            _grant_system(connection, worker, kind, now)
    return worker, invitation


def _grant_system(connection: Connection, worker: str, kind: str, now: datetime) -> None:
    connection.execute(
        insert(Qualification),
        {
            "worker_id": connection.scalars(select(Worker.id).where(Worker.token == worker)).one(),
            "qualification_type_id": connection.scalars(
                select(QualificationType.id).where(QualificationType.token == kind)
            ).one(),
            "value": 1,
            "status": "Granted",
            "granted_at": now,
        },
    )


def find_invited(connection: Connection, invitation: str) -> str | None:
    """The id of the worker whom an invitation is for."""
    return connection.scalar(select(Worker.token).where(Worker.invitation_sha256 == _digest(invitation)))


def find_worker(connection: Connection, token: str) -> Row[Any] | None:
    """A worker by their id."""
    return connection.execute(select(Worker.__table__).where(Worker.token == token)).first()


def _digest(invitation: str) -> str:
    return hashlib.sha256(invitation.encode()).hexdigest()


def held_by(connection: Connection, worker: Row[Any]) -> dict[str, Held]:
    """What a worker holds now, by qualification type."""
    counted = connection.execute(
        select(Assignment.state, func.count())
        .where(Assignment.worker_id == worker.id, Assignment.state.in_(("approved", "rejected")))
        .group_by(Assignment.state)
    )
    reviewed: dict[str, int] = dict(counted.all())
    approved = worker.approved_before + reviewed.get("approved", 0)
    rejected = worker.rejected_before + reviewed.get("rejected", 0)
    # Whoever was not reviewed yet has 100 %, as on MTurk.
    percent = 100 * approved // (approved + rejected) if approved + rejected else 100
    granted = connection.execute(
        select(QualificationType.token, Qualification.value)
        .join(Qualification, Qualification.qualification_type_id == QualificationType.id)
        .where(Qualification.worker_id == worker.id, Qualification.status == "Granted")
    )
    return {
        **{token: Held(value) for token, value in granted},
        system.LOCALE: Held(None, worker.country, worker.subdivision),
        system.PERCENT_APPROVED: Held(percent),
        system.NUMBER_APPROVED: Held(approved),
    }
