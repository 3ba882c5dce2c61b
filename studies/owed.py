"""What a posting owes, as the page shows it before a button is pressed and as the job counts it again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, exists, func, select

from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import PaymentError
from crowdloom.studies.ledger import PURPOSES, Due, payments
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.posted import Posted
from crowdloom.studies.tables import Listing, Payment, Submission


def can_be_paid(platform: str, due: Due) -> bool:
    """Whether the platform would pay it now, by what was last heard: a reward by approving what was handed in."""
    if due.purpose != "reward":
        return due.state == "pending" and due.remote_state in ("submitted", "approved")
    overrides = PLATFORMS[platform].capabilities.approves_rejected
    return due.state == "pending" and (
        due.remote_state == "submitted" or (overrides and due.remote_state == "rejected")
    )


def paid_there(due: Due) -> bool:
    """Whether the platform has paid this reward already, so that only our ledger lacks it."""
    return due.state == "pending" and due.purpose == "reward" and due.remote_state == "approved"


def amount_of(dues: Iterable[Due]) -> int:
    """The sum in minor units (a posting has one currency)."""
    return sum(due.amount.amount for due in dues)


def agreed_so_far(dues: Sequence[Due], since: datetime) -> int:
    """What was sent since the researcher agreed to an amount: what an attempt that died had got done of it."""
    return amount_of(
        due
        for due in dues
        if due.state in ("sent", "unknown", "confirmed") and due.sent_at is not None and due.sent_at >= since
    )


def check_agreed(posted: Posted, amount: int, expected: int) -> None:
    """Raise PaymentError where something else would be paid than the researcher saw on the button."""
    if amount != expected:
        currency = currency_of(posted)
        raise PaymentError(
            f"this would now come to {Money(amount=amount, currency=currency)}, and the button said "
            f"{Money(amount=expected, currency=currency)}; nothing was paid. Look at the page again and decide anew"
        )


def currency_of(posted: Posted) -> str:
    """In what a posting pays."""
    money = posted.design.people.reward or (posted.design.bonus.amount if posted.design.bonus else None)
    return money.currency if money else "USD"


def fee_on(connection: Connection, posted: Posted, dues: Sequence[Due]) -> int:
    """What the platform takes for paying these: of the rewards their part of the fee on all listings, rounded up."""
    rewards = [due for due in dues if due.purpose == "reward"]
    listings = connection.scalars(select(Listing.places).where(Listing.posting_id == posted.id)).all()
    extra = amount_of(due for due in dues if due.purpose != "reward")
    fee = PLATFORMS[posted.platform].fee(listings, extra, posted.design)
    places = sum(listings)
    return fee.on_bonuses + (math.ceil(fee.on_rewards * len(rewards) / places) if places else 0)


def not_written_down(connection: Connection, posted: Posted) -> int:
    """How many approved submissions have no reward in the ledger yet (approved on the command line, say)."""
    if posted.design.people.reward is None or posted.design.people.reward.amount == 0:
        return 0
    written = exists().where(
        Payment.submission_id == Submission.id, Payment.purpose == "reward", Payment.state != "cancelled"
    )
    return connection.execute(
        select(func.count(Submission.id)).where(
            Submission.posting_id == posted.id,
            Submission.state == "completed",
            Submission.review == "approved",
            ~written,
        )
    ).scalar_one()


def ledger_of(connection: Connection, posted: Posted, purposes: Iterable[str] = PURPOSES) -> list[Due]:
    """All payments of a posting, without people."""
    return payments(connection, posted, purposes=purposes)
