"""What people really earn by the hour, and the addition that lifts the median person to the design's floor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from crowdloom.studies.cost import per_hour
from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import PaymentError
from crowdloom.studies.ledger import owe
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.posted import Posted
from crowdloom.studies.tables import Payment, Submission


@dataclass(frozen=True)
class FairPay:
    """Of the completed submissions of a posting: how many, the median minutes, and what these earn in an hour."""

    people: int
    median_minutes: float | None
    per_hour: Money | None
    """Reward and additions, for the median minutes; None where nobody completed, or for volunteers."""
    floor: Money | None
    """The higher of the design's floor and the platform's minimum."""
    top_up: Money | None
    """What each person lacks so that the median person earns the floor; None where nothing is lacking."""
    to_top_up: int = 0
    """How many people would get it: who is not rejected, and has none yet."""

    def sentence(self) -> str:
        """What it comes to, in words."""
        if self.median_minutes is None:
            return "nobody has completed yet"
        took = f"the median person took {self.median_minutes:.1f} minutes"
        if self.per_hour is None:
            return took
        if self.floor is None:
            return f"{took}, which makes {self.per_hour} an hour"
        if self.top_up is None:
            return f"{took}, which makes {self.per_hour} an hour: not below the floor of {self.floor}"
        return (
            f"{took}, which makes {self.per_hour} an hour: below the floor of {self.floor}. An addition of "
            f"{self.top_up} to each reward mends it: crowdloom bonus STUDY --top-up"
        )


def fair_pay(connection: Connection, posted: Posted) -> FairPay:
    """How a posting's people are paid, from the times that they really took (start to last answer)."""
    rows = connection.execute(
        select(Submission.started_at, Submission.completed_at).where(
            Submission.posting_id == posted.id, Submission.state == "completed", Submission.completed_at.is_not(None)
        )
    ).all()
    minutes = median((row.completed_at - row.started_at).total_seconds() / 60 for row in rows) if rows else None
    reward = posted.design.people.reward
    floor = _floor(posted)
    if minutes is None or reward is None:
        return FairPay(len(rows), minutes, None, floor, None)
    added = _added(connection, posted)
    earned = reward.amount + added
    rate = Money(amount=per_hour(earned, max(minutes, 0.01)), currency=reward.currency)
    lacking = math.ceil(Decimal(floor.amount) * Decimal(str(minutes)) / 60) - earned if floor else 0
    top_up = Money(amount=lacking, currency=reward.currency) if lacking > 0 else None
    return FairPay(len(rows), minutes, rate, floor, top_up, _without_top_up(connection, posted) if top_up else 0)


def _without_top_up(connection: Connection, posted: Posted) -> int:
    has_one = select(Payment.submission_id).where(Payment.purpose == "top_up", Payment.state != "cancelled")
    return connection.execute(
        select(func.count()).where(*_to_be_paid(posted), Submission.id.not_in(has_one))
    ).scalar_one()


def _to_be_paid(posted: Posted) -> Any:
    return (
        Submission.posting_id == posted.id,
        Submission.state == "completed",
        or_(Submission.review.is_(None), Submission.review == "approved"),
    )


def _added(connection: Connection, posted: Posted) -> int:
    """The addition that everybody has: nothing, while somebody who completed since still lacks it."""
    rows = connection.scalars(
        select(func.coalesce(Payment.amount, 0))
        .select_from(Submission)
        .outerjoin(
            Payment,
            and_(Payment.submission_id == Submission.id, Payment.purpose == "top_up", Payment.state != "cancelled"),
        )
        .where(*_to_be_paid(posted))
    ).all()
    return min(rows, default=0)


def _floor(posted: Posted) -> Money | None:
    reward = posted.design.people.reward
    if reward is None:
        return None
    minimum = PLATFORMS[posted.platform].capabilities.hourly_minimum.get(reward.currency, 0)
    own = posted.design.people.hourly_floor
    amount = max(minimum, own.amount if own else 0)
    return Money(amount=amount, currency=reward.currency) if amount else None


def owe_top_ups(connection: Connection, posted: Posted) -> int:
    """Write down the addition for everybody who completed and is not rejected; how many are new.

    Raises PaymentError where nothing is lacking.
    """
    found = fair_pay(connection, posted)
    if found.top_up is None:
        raise PaymentError(f"{posted.design.name} needs no addition: {found.sentence()}")
    ids = connection.scalars(select(Submission.id).where(*_to_be_paid(posted))).all()
    return sum(owe(connection, id_, "top_up", found.top_up) for id_ in ids)
