"""A HIT's state, worked out from its assignments and the clock, and the money that is on hold for it.

As MTurk's prepaid accounts did, a HIT takes its reward and fees out of the available balance when it is
created; what can no longer become due (a rejection, expiry) goes back, the rest is paid on approval.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, case, func, select, update

from crowdloom.studies.marketplace.errors import RequestError
from crowdloom.studies.marketplace.money import reward_fee, to_dollars
from crowdloom.studies.marketplace.paying import pay_reward
from crowdloom.studies.marketplace.tables import GONE, HIT, Assignment, HITType, Requester


@dataclass(frozen=True)
class Counts:
    """How many of a HIT's assignments are being worked on, submitted, and reviewed; and what the first two cost."""

    pending: int = 0
    submitted: int = 0
    completed: int = 0
    owed: int = 0

    @property
    def taken(self) -> int:
        """Those that nobody else can accept."""
        return self.pending + self.submitted + self.completed


def count_assignments(connection: Connection, hits: Iterable[int], now: datetime) -> dict[int, Counts]:
    """The counts of many HITs; those without assignments are left out."""
    pending = and_(Assignment.state == "accepted", Assignment.deadline > now)
    submitted = Assignment.state == "submitted"

    def total(condition: Any, value: Any = 1) -> Any:
        return func.sum(case((condition, value), else_=0))

    rows = connection.execute(
        select(
            Assignment.hit_id,
            total(pending),
            total(submitted),
            total(Assignment.state.in_(("approved", "rejected"))),
            total(pending | submitted, Assignment.reward + Assignment.fee),
        )
        .where(Assignment.hit_id.in_(list(hits)), Assignment.state.not_in(GONE))
        .group_by(Assignment.hit_id)
    )
    return {hit: Counts(*(int(value) for value in values)) for hit, *values in rows}


def status(hit: Row[Any], counts: Counts, now: datetime) -> str:
    """The HITStatus."""
    if hit.disposed_at is not None:
        return "Disposed"
    if hit.expiration > now and counts.taken < hit.max_assignments:
        return "Assignable"
    if counts.pending:
        return "Unassignable"
    return "Reviewing" if hit.reviewing else "Reviewable"


def lock_hit(connection: Connection, token: str, now: datetime, requester: int | None = None) -> Row[Any] | None:
    """A HIT by its token, held against other writers and brought up to `now`; None where there is none (of theirs)."""
    query = select(HIT.__table__).where(HIT.token == token)
    if requester is not None:
        query = query.where(HIT.requester_id == requester)
    found = connection.execute(query.with_for_update()).first()
    if found is not None:
        settle(connection, found.id, now)
    return found


def read_type(connection: Connection, hit: Row[Any]) -> Row[Any]:
    """The HIT type of a HIT."""
    return connection.execute(select(HITType.__table__).where(HITType.id == hit.hit_type_id)).one()


def settle(connection: Connection, hit: int, now: datetime) -> None:
    """Let what time alone does to a HIT happen: its time-outs, automatic approvals and expiry.

    The caller has locked the HIT's row.
    """
    due = and_(Assignment.hit_id == hit, Assignment.due_at <= now)
    for row in connection.execute(select(Assignment.__table__).where(due, Assignment.state == "submitted")).all():
        pay_reward(connection, row, row.due_at)
    connection.execute(
        update(Assignment).where(due, Assignment.state == "accepted").values(state="abandoned", due_at=None)
    )
    refresh_hold(connection, hit, now)


def refresh_hold(connection: Connection, hit_id: int, now: datetime) -> None:
    """Put on hold what a HIT can still cost, no more and no less.

    Raises RequestError (InsufficientFunds) where that is more than the requester has.
    """
    hit = connection.execute(
        select(HIT.__table__, HITType.reward).join(HITType, HITType.id == HIT.hit_type_id).where(HIT.id == hit_id)
    ).one()
    counts = count_assignments(connection, [hit.id], now).get(hit.id, Counts())
    is_open = hit.disposed_at is None and hit.expiration > now
    available = hit.max_assignments - counts.taken if is_open else 0
    held = counts.owed + available * (hit.reward + reward_fee(hit.reward, hit.max_assignments))
    until = hit.expiration if available else None
    if (held, until) == (hit.held, hit.hold_until):
        return
    set_aside(connection, hit.requester_id, held - hit.held)
    connection.execute(update(HIT).where(HIT.id == hit.id).values(held=held, hold_until=until))


def set_aside(connection: Connection, requester: int, cents: int) -> None:
    """Move money from available to on hold, or back. Raises RequestError (InsufficientFunds)."""
    moved = update(Requester).where(Requester.id == requester).values(on_hold=Requester.on_hold + cents)
    if cents > 0:
        moved = moved.where(Requester.balance - Requester.on_hold >= cents)
    if connection.execute(moved).rowcount != 1:
        raise insufficient_funds(connection, requester, cents)


def insufficient_funds(connection: Connection, requester: int, cents: int) -> RequestError:
    """The error for a requester who cannot pay that much."""
    row = connection.execute(select(Requester.balance, Requester.on_hold).where(Requester.id == requester)).one()
    return RequestError(
        "This Requester has insufficient funds in their account to complete this transaction. "
        f"AvailableBalance: {to_dollars(max(row.balance - row.on_hold, 0))}, needed: {to_dollars(cents)}.",
        "InsufficientFunds",
    )
