"""What a worker sees: the groups of HITs they can do, their own work, earnings and messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, or_, select

from crowdloom.studies.marketplace.eligibility import explain, is_blocked, may, unmet
from crowdloom.studies.marketplace.requirements import Held
from crowdloom.studies.marketplace.tables import (
    GONE,
    HIT,
    Assignment,
    HITType,
    Message,
    Payment,
    Qualification,
    QualificationRequest,
    QualificationType,
    Requester,
)


@dataclass(frozen=True)
class Group:
    """HITs of one type, as a worker sees them in the list."""

    token: str
    title: str
    description: str
    requester: str
    reward: int
    duration_s: int
    available: int
    can_preview: bool
    missing: list[str]
    """What they would have to be to accept; empty where they qualify."""


def _is_available(worker: int, now: datetime) -> ColumnElement[bool]:
    """HITs that a worker could accept, qualifications aside; those that they work on are not among them."""
    live = and_(Assignment.hit_id == HIT.id, Assignment.state.not_in(GONE))
    taken = select(func.count()).where(live).scalar_subquery()
    theirs = exists().where(live, Assignment.worker_id == worker)
    return and_(HIT.disposed_at.is_(None), HIT.expiration > now, taken < HIT.max_assignments, ~theirs)


def list_groups(connection: Connection, worker: Row[Any], held: dict[str, Held], now: datetime) -> list[Group]:
    """The groups with HITs for a worker to discover; those that they qualify for come first, then the newest."""
    counted = (
        select(HIT.hit_type_id, func.count().label("available"), func.max(HIT.id).label("newest"))
        .where(_is_available(worker.id, now))
        .group_by(HIT.hit_type_id)
        .subquery()
    )
    rows = connection.execute(
        select(HITType.__table__, counted.c.available, Requester.name.label("requester"))
        .join(counted, counted.c.hit_type_id == HITType.id)
        .join(Requester, Requester.id == HITType.requester_id)
        .order_by(counted.c.newest.desc())
    )
    groups = [
        Group(
            row.group_token,
            row.title,
            row.description,
            row.requester,
            row.reward,
            row.assignment_duration_s,
            row.available,
            may(row.requirements, held, "preview"),
            explain(connection, _all_unmet(row.requirements, held)),
        )
        for row in rows.all()
        if may(row.requirements, held, "discover") and not is_blocked(connection, row.requester_id, worker)
    ]
    return sorted(groups, key=lambda group: bool(group.missing))


def _all_unmet(requirements: list[dict[str, Any]], held: dict[str, Held]) -> list[dict[str, Any]]:
    return [one for one in requirements if one in unmet(requirements, held, "accept")]


def next_in_group(connection: Connection, group: str, worker: Row[Any], now: datetime) -> str | None:
    """The id of the first HIT of a group, or of a HIT type, that a worker could accept."""
    return connection.scalar(
        select(HIT.token)
        .join(HITType, HITType.id == HIT.hit_type_id)
        .where(or_(HITType.group_token == group, HITType.token == group), _is_available(worker.id, now))
        .order_by(HIT.id)
        .limit(1)
    )


def find_hit(connection: Connection, token: str) -> Row[Any] | None:
    """A HIT that is not deleted, with its type's values and its requester's name."""
    return connection.execute(
        select(
            HIT.__table__,
            HITType.title,
            HITType.description,
            HITType.reward,
            HITType.assignment_duration_s,
            HITType.requirements,
            HITType.group_token,
            Requester.name.label("requester"),
        )
        .join(HITType, HITType.id == HIT.hit_type_id)
        .join(Requester, Requester.id == HIT.requester_id)
        .where(HIT.token == token, HIT.disposed_at.is_(None))
    ).first()


def find_work(connection: Connection, token: str, worker: Row[Any]) -> Row[Any] | None:
    """A worker's newest assignment of this id, with its HIT."""
    return connection.execute(
        _work(worker).where(Assignment.token == token).order_by(Assignment.id.desc()).limit(1)
    ).first()


LISTED = 200
"""How many rows a page shows at most; it says so where there are more."""


def list_work(connection: Connection, worker: Row[Any]) -> list[Row[Any]]:
    """A worker's newest assignments, the newest first; one more than are listed where there are more."""
    return list(connection.execute(_work(worker).order_by(Assignment.id.desc()).limit(LISTED + 1)))


def list_going_on(connection: Connection, worker: Row[Any]) -> list[Row[Any]]:
    """What a worker has accepted and not submitted yet, by when it must be."""
    query = _work(worker).where(Assignment.state == "accepted").order_by(Assignment.deadline)
    return list(connection.execute(query))


def _work(worker: Row[Any]) -> Any:
    bonus = (
        select(func.coalesce(func.sum(Payment.amount), 0))
        .where(Payment.assignment_id == Assignment.id, Payment.kind == "bonus")
        .scalar_subquery()
    )
    return (
        select(
            Assignment.__table__,
            HIT.token.label("hit_token"),
            HIT.question,
            HITType.title,
            HITType.group_token,
            Requester.name.label("requester"),
            bonus.label("bonus"),
        )
        .join(HIT, HIT.id == Assignment.hit_id)
        .join(HITType, HITType.id == HIT.hit_type_id)
        .join(Requester, Requester.id == HIT.requester_id)
        .where(Assignment.worker_id == worker.id)
    )


@dataclass(frozen=True)
class Earnings:
    """A worker's money, in cents."""

    rewards: int
    bonuses: int
    waiting: int
    """Rewards of work that is submitted and not reviewed yet."""


def sum_earnings(connection: Connection, worker: Row[Any]) -> Earnings:
    """What a worker has earned, and what may come."""
    summed = connection.execute(
        select(Payment.kind, func.sum(Payment.amount)).where(Payment.worker_id == worker.id).group_by(Payment.kind)
    )
    sums = {kind: int(total) for kind, total in summed}
    waiting = connection.scalar(
        select(func.sum(Assignment.reward)).where(Assignment.worker_id == worker.id, Assignment.state == "submitted")
    )
    return Earnings(sums.get("reward", 0), sums.get("bonus", 0), int(waiting or 0))


def list_messages(connection: Connection, worker: Row[Any]) -> list[Row[Any]]:
    """A worker's newest messages, the newest first; one more than are listed where there are more."""
    return list(
        connection.execute(
            select(Message.__table__, Requester.name.label("requester"))
            .join(Requester, Requester.id == Message.requester_id)
            .where(Message.worker_id == worker.id)
            .order_by(Message.id.desc())
            .limit(LISTED + 1)
        )
    )


def list_qualifications(connection: Connection, worker: Row[Any]) -> list[Row[Any]]:
    """The qualification types that a worker has, had, asked for or can ask for, by name."""
    request = (
        select(QualificationRequest.state)
        .where(
            QualificationRequest.qualification_type_id == QualificationType.id,
            QualificationRequest.worker_id == worker.id,
        )
        .order_by(QualificationRequest.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    held = and_(Qualification.qualification_type_id == QualificationType.id, Qualification.worker_id == worker.id)
    return list(
        connection.execute(
            select(
                QualificationType.__table__,
                Requester.name.label("requester"),
                Qualification.value,
                Qualification.status.label("held"),
                request.label("request"),
            )
            .outerjoin(Qualification, held)
            .outerjoin(Requester, Requester.id == QualificationType.requester_id)
            .where(
                QualificationType.deleted_at.is_(None),
                or_(Qualification.id.is_not(None), QualificationType.requester_id.is_not(None)),
                or_(Qualification.id.is_not(None), QualificationType.status == "Active"),
            )
            .order_by(func.lower(QualificationType.name), QualificationType.id)
            .limit(500)
        )
    )
