"""Paying what the ledger owes, so that a crash at any moment pays nobody twice and forgets nobody.

Rewards are paid by approving. Approving twice is harmless on every platform. Bonuses are not: on MTurk a
repeated token protects them, on Prolific nothing does, so that what may have been sent is first looked for there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

from sqlalchemy import Connection, func, select

from crowdloom.studies.allocation import places_left
from crowdloom.studies.database import Store, now
from crowdloom.studies.errors import PaymentError, PlatformError, PlatformRefusedError, PlatformUnsureError
from crowdloom.studies.ledger import (
    PURPOSES,
    Due,
    Purpose,
    claim,
    confirm_outright,
    owe,
    payments,
    refer,
    settle,
    spent,
)
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.platforms.protocol import Account, Bonus, Capabilities, PaidBonus
from crowdloom.studies.posted import Posted
from crowdloom.studies.tables import Listing, Posting, Submission

CLAIM = timedelta(minutes=2)
"""After this a claim without a reference is a crashed process's: no call of ours takes as long."""


@dataclass
class Paid:
    """What came of paying, each as (submission code, sentence); `confirmed` counts those that the platform shows."""

    confirmed: int = 0
    under_way: int = 0
    """Sent, but the platform does not show them yet."""
    unknown: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    not_handed_in: list[str] = field(default_factory=list)
    """Codes of submissions that the platform cannot pay, because nothing was handed in there."""


def owe_rewards(connection: Connection, posted: Posted) -> int:
    """Write down the reward of every approved submission of a posting; how many are new."""
    if posted.design.people.reward is None:
        return 0
    approved = connection.scalars(
        select(Submission.id).where(Submission.posting_id == posted.id, Submission.review == "approved")
    ).all()
    return sum(owe(connection, id_, "reward", posted.design.people.reward) for id_ in approved)


def check_spending(connection: Connection, posted: Posted) -> None:
    """Raise PaymentError where a study would cost more than its design's cap, before bonuses or additions are written.

    What counts is all that the ledger holds, and the rewards of everybody who may still get one, with the fees: what
    is given beyond the rewards must never stand in the way of a reward.
    """
    cap = posted.design.people.spending_cap
    if cap is None:
        return
    rewards, extra = spent(connection, posted.study_id)
    rewards = max(rewards, _may_be_rewarded(connection, posted))
    listings = connection.scalars(select(Listing.places).where(Listing.posting_id == posted.id)).all() or [1]
    fee = PLATFORMS[posted.platform].fee(listings, extra, posted.design)
    # What the fee comes to depends on the size of a listing, and so is taken from all of them in proportion.
    reward = posted.design.people.reward.amount if posted.design.people.reward else 0
    promised = sum(listings) * reward
    on_rewards = math.ceil(fee.on_rewards * rewards / promised) if promised else 0
    if rewards + on_rewards + extra + fee.on_bonuses > cap.amount:
        total = cap.model_copy(update={"amount": rewards + on_rewards + extra + fee.on_bonuses})
        raise PaymentError(
            f"with this {posted.design.name} could cost {total}, fees and everybody's reward included, above the "
            f"design's people.spending_cap of {cap}; nothing was written or paid. Rewards are paid in any case"
        )


def _may_be_rewarded(connection: Connection, posted: Posted) -> int:
    """What the rewards come to of all who completed and are not rejected, and of all places that are left."""
    if posted.design.people.reward is None:
        return 0
    completed = connection.execute(
        select(func.count())
        .select_from(Submission)
        .join(Posting, Posting.id == Submission.posting_id)
        .where(
            Posting.design_id == posted.design_id,
            Submission.state == "completed",
            Submission.review.is_distinct_from("rejected"),
        )
    ).scalar_one()
    places = places_left(connection, posted.design_id)
    left = places["open"] + places["held"] if posted.state != "closed" else 0
    return (completed + left) * posted.design.people.reward.amount


def pay(
    store: Store,
    posted: Posted,
    account: Account,
    purposes: Sequence[Purpose] = PURPOSES,
    *,
    moment: Callable[[], datetime] = now,
) -> Paid:
    """Pay what a posting owes: first the rewards, then bonuses and top-ups.

    Call `polling.poll` before, so that it is known what was handed in. Raises CredentialsError where the account
    cannot be used; what a single submission ran into stands in the result.
    """
    capabilities = PLATFORMS[posted.platform].capabilities
    paid = Paid()
    if "reward" in purposes:
        _pay_rewards(store, posted, account, capabilities, paid, moment)
    extra = [purpose for purpose in purposes if purpose != "reward"]
    if extra:
        _pay_bonuses(store, posted, account, capabilities, extra, paid, moment)
    resolved = resolve(store, posted, account, purposes, moment=moment)
    paid.confirmed += resolved.confirmed
    paid.under_way, paid.unknown = resolved.under_way, resolved.unknown
    return paid


def _pay_rewards(
    store: Store,
    posted: Posted,
    account: Account,
    capabilities: Capabilities,
    paid: Paid,
    moment: Callable[[], datetime],
) -> None:
    with store.read() as connection:
        dues = payments(connection, posted, states=("pending",), purposes=("reward",))
    payable, overriding = [], []
    for due in dues:
        if due.remote_state == "approved":
            with store.write() as connection:
                confirm_outright(connection, due, "the platform had approved it already")
            paid.confirmed += 1
        elif due.remote_state == "submitted":
            payable.append(due)
        elif due.remote_state == "rejected" and capabilities.approves_rejected:
            overriding.append(due)
        elif due.remote_state in ("rejected", "screened_out"):
            paid.refused.append((due.code, f"the platform has it as {due.remote_state.replace('_', ' ')}"))
        else:
            paid.not_handed_in.append(due.code)
    size = capabilities.approvals_at_once
    for start in range(0, len(payable), size):
        some = payable[start : start + size]
        if not _approve(store, account, some, paid if len(some) == 1 else Paid(), moment) and len(some) > 1:
            for due in some:  # one that cannot be approved must not keep the others from it
                _approve(store, account, [due], paid, moment)
    for due in overriding:
        with store.write() as connection:
            claimed = claim(connection, [due], moment())
        if claimed:
            _call(store, claimed, paid, partial(account.override_rejection, str(due.remote_id)))


def _approve(store: Store, account: Account, dues: Sequence[Due], paid: Paid, moment: Callable[[], datetime]) -> bool:
    """Approve these together; False where they were not. What another process has claimed is left to it."""
    with store.write() as connection:
        claimed = claim(connection, dues, moment())
    remote_ids = [str(due.remote_id) for due in claimed]
    return not claimed or _call(store, claimed, paid, partial(account.approve, remote_ids))


def _pay_bonuses(
    store: Store,
    posted: Posted,
    account: Account,
    capabilities: Capabilities,
    purposes: Sequence[Purpose],
    paid: Paid,
    moment: Callable[[], datetime],
) -> None:
    with store.read() as connection:
        dues = payments(connection, posted, states=("pending",), purposes=purposes, with_people=True)
    paid.not_handed_in += [due.code for due in dues if due.remote_state not in ("submitted", "approved")]
    payable = [due for due in dues if due.remote_state in ("submitted", "approved")]
    # One purpose at a time: one call may name a submission only once.
    payable.sort(key=lambda due: (due.listing or "", due.purpose, due.id))
    for (listing, _), together in groupby(payable, key=lambda due: (due.listing or "", due.purpose)):
        rest = list(together)
        for start in range(0, len(rest), capabilities.bonuses_at_once):
            with store.write() as connection:
                claimed = claim(connection, rest[start : start + capabilities.bonuses_at_once], moment())
            if claimed:
                _pay_claimed(store, posted, account, listing, claimed, paid)


def _pay_claimed(
    store: Store, posted: Posted, account: Account, listing: str, claimed: Sequence[Due], paid: Paid
) -> None:
    bonuses = [
        Bonus(due.token, str(due.remote_id), str(due.participant), due.amount, _reason(posted, due)) for due in claimed
    ]
    reference = ""

    def prepare() -> None:
        nonlocal reference
        reference = account.prepare_bonuses(listing, bonuses)

    # Setting bonuses up pays nobody, so whatever goes wrong here leaves them owed.
    if not _call(store, claimed, paid, prepare, unsure="pending"):
        return
    with store.write() as connection:
        referred = refer(connection, claimed, reference)
    if not referred:
        return  # this process stood still for so long that its claims were taken back
    _call(store, claimed, paid, lambda: account.pay_bonuses(reference, bonuses))


def _reason(posted: Posted, due: Due) -> str:
    what = "A bonus" if due.purpose == "bonus" else "An addition to your reward, because the study took longer"
    return f"{what} for “{posted.design.title}”. Thank you!"


def _call(store: Store, claimed: Sequence[Due], paid: Paid, do: Callable[[], None], unsure: str = "unknown") -> bool:
    """Ask the platform, and write down at once what its answer, or its silence, says of these payments."""
    try:
        do()
    except PlatformRefusedError as error:
        paid.refused += [(due.code, _said(error.code, str(error))) for due in claimed]
        with store.write() as connection:
            settle(connection, [due.id for due in claimed], "pending", _said(error.code, str(error)))
        return False
    except PlatformUnsureError as error:
        with store.write() as connection:
            settle(connection, [due.id for due in claimed], unsure, _said(error.code, str(error)))
        return False
    return True


def _said(code: str | None, message: str) -> str:
    """The message with the code, unless it names it already; an id of somebody may hold its letters by chance."""
    named = not code or re.search(rf"\b{re.escape(code)}\b", message)
    return message if named else f"{message} ({code})"


def resolve(
    store: Store,
    posted: Posted,
    account: Account,
    purposes: Sequence[Purpose] = PURPOSES,
    *,
    moment: Callable[[], datetime] = now,
) -> Paid:
    """Find out by reading, and without paying anybody, what became of payments that were sent or are unknown.

    One that the platform shows is confirmed. One that it does not show is owed again as soon as that is
    certain: at once where a repeated call is harmless, else after `Capabilities.bonus_settles`. Until then it stays.
    """
    capabilities = PLATFORMS[posted.platform].capabilities
    found = Paid()
    with store.read() as connection:
        open_ones = payments(connection, posted, states=("sent", "unknown"), purposes=purposes)
    for due in open_ones:
        if due.purpose == "reward":
            _resolve_reward(store, account, capabilities, due, found, moment())
    extra = [due for due in open_ones if due.purpose != "reward"]
    for listing, of_listing in groupby(sorted(extra, key=lambda due: due.listing or ""), lambda due: due.listing or ""):
        _resolve_bonuses(store, posted, account, capabilities, listing, list(of_listing), found, moment())
    return found


def _resolve_reward(
    store: Store, account: Account, capabilities: Capabilities, due: Due, found: Paid, moment: datetime
) -> None:
    try:
        state = account.submission(str(due.remote_id)).state if due.remote_id else None
    except PlatformError as error:
        found.unknown.append((due.code, _said(error.code, str(error))))
        return
    with store.write() as connection:
        if state == "approved":
            found.confirmed += settle(connection, [due.id], "confirmed")
        elif state in ("rejected", "screened_out", "returned"):
            settle(connection, [due.id], "pending", f"the platform has the submission as {state.replace('_', ' ')}")
            found.refused.append((due.code, f"the platform has the submission as {state.replace('_', ' ')}"))
        elif due.sent_at is None or moment - due.sent_at >= min(CLAIM, capabilities.bonus_settles):
            # Approving again pays nothing twice, so nobody has to wait until it is certain.
            settle(connection, [due.id], "pending", "the platform does not show it as approved")
        else:
            found.under_way += 1


def _resolve_bonuses(
    store: Store,
    posted: Posted,
    account: Account,
    capabilities: Capabilities,
    listing: str,
    dues: list[Due],
    found: Paid,
    moment: datetime,
) -> None:
    claimed_only = [due for due in dues if due.reference is None]
    with store.write() as connection:
        for due in claimed_only:
            if due.sent_at is None or moment - due.sent_at >= CLAIM:
                settle(connection, [due.id], "pending", "the call that pays was not made", if_claimed=True)
            else:
                found.under_way += 1
        confirmed = payments(connection, posted, states=("confirmed",), purposes=("bonus", "top_up"))
    sent = [due for due in dues if due.reference is not None]
    if not sent:
        return
    try:
        shown = list(account.bonuses(listing, sorted({str(due.remote_id) for due in sent})))
    except PlatformError as error:
        found.unknown += [(due.code, _said(error.code, str(error))) for due in sent]
        return
    for due in confirmed:
        _take(shown, due)  # what an earlier payment of ours explains cannot be this one
    with store.write() as connection:
        for due in sent:
            if _take(shown, due):
                found.confirmed += settle(connection, [due.id], "confirmed")
            elif due.sent_at is None or moment - due.sent_at >= capabilities.bonus_settles:
                settle(connection, [due.id], "pending", "the platform does not show it as paid")
            elif due.state == "unknown":
                until = due.sent_at + capabilities.bonus_settles
                found.unknown.append((due.code, f"{due.message}; known for certain after {until:%H:%M} UTC"))
            else:
                found.under_way += 1


def _take(shown: list[PaidBonus], due: Due) -> bool:
    """Take out of what the platform shows the bonus that this payment explains; False where there is none."""
    for bonus in shown:
        same = bonus.token == due.token if bonus.token is not None else bonus.amount == due.amount.amount
        if bonus.submission == due.remote_id and same:
            shown.remove(bonus)
            return True
    return False
