"""Paying from the pages: each checks the amount that the researcher saw before anything is written or sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, select

from crowdloom.studies.database import Store
from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import OptionError, PaymentError
from crowdloom.studies.fair_pay import fair_pay, owe_top_ups
from crowdloom.studies.ledger import Purpose, payments
from crowdloom.studies.masking import mask
from crowdloom.studies.owed import agreed_so_far, amount_of, can_be_paid, check_agreed
from crowdloom.studies.paying import Paid, check_spending, owe_rewards, pay, resolve
from crowdloom.studies.platform_jobs import BonusRow, Result
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.polling import poll
from crowdloom.studies.posted import Posted, find_postings
from crowdloom.studies.posting import current_design
from crowdloom.studies.tables import Payment, Submission
from crowdloom.studies.words import count

Say = Callable[[float, str], None]


def pay_owed(
    store: Store, posted: Posted, purposes: Sequence[Purpose], expected: int, since: datetime, say: Say
) -> Result:
    """Pay what a posting owes. Raises PaymentError, and nothing is paid, where it is not what was expected."""
    if not PLATFORMS[posted.platform].capabilities.pays:
        raise OptionError(f"{posted.platform} moves no money; download the list, pay, and record that you did")
    account = posted.account()
    poll(store, posted, account)
    resolved = resolve(store, posted, account, purposes)  # what an attempt that died had claimed is owed again
    say(0.3, "asked the platform what was handed in")
    with store.write() as connection:
        owe_rewards(connection, posted)
        dues = payments(connection, posted, purposes=purposes)
        check_agreed(
            posted,
            amount_of(filter(partial(can_be_paid, posted.platform), dues)) + agreed_so_far(dues, since),
            expected,
        )
    lines = _pay(store, posted, purposes, say)
    if resolved.confirmed:
        lines.append(f"Before that, {count(resolved.confirmed, 'payment')} confirmed by what the platform shows.")
    return Result(lines=lines)


def _pay(store: Store, posted: Posted, purposes: Sequence[Purpose], say: Say) -> list[str]:
    say(0.4, f"paying on {posted.platform}")
    return _lines(f"{posted.platform}, version {posted.version}", pay(store, posted, posted.account(), purposes))


def _lines(name: str, paid: Paid) -> list[str]:
    return [
        f"{name}: {count(paid.confirmed, 'payment')} confirmed, {paid.under_way} under way.",
        *[f"Unknown: {code}: {mask(sentence)}" for code, sentence in paid.unknown],
        *[f"Refused: {code}: {mask(sentence)}" for code, sentence in paid.refused],
        *[
            f"Waiting: {code}: nothing was handed in on the platform, so it cannot pay."
            for code in dict.fromkeys(paid.not_handed_in)
        ],
    ]


def preview_bonus(store: Store, study: str) -> Result:
    """Who gets the bonus by the design's rule, and what giving it now would come to."""
    from crowdloom.studies.bonuses import bonuses_due  # numpy, which only the worker needs

    with store.read() as connection:
        rows = bonuses_due(connection, study)
        given = {row.code: row.bonus for row in rows if row.bonus is not None}
        new = _not_yet_owed(connection, list(given))
        pending = [
            due
            for posted in _of_current_version(connection, study)
            for due in payments(connection, posted, states=("pending",), purposes=("bonus",))
        ]
    amount = sum(given[code].amount for code in new) + amount_of(pending)
    currency = next((money.currency for money in given.values()), pending[0].amount.currency if pending else None)
    lines = ["Nobody gets a bonus yet: no item has answers of two people."]
    if given:
        total = Money(amount=sum(money.amount for money in given.values()), currency=str(currency))
        lines = [f"{len(given)} of {count(len(rows), 'submission')}, {total} in all."]
    return Result(
        lines=lines,
        bonuses=[
            BonusRow(code=row.code, agreement=row.agreement, bonus=str(row.bonus) if row.bonus else None)
            for row in rows
        ],
        expected=amount,
        currency=currency,
    )


def _not_yet_owed(connection: Connection, codes: Sequence[str]) -> list[str]:
    """Of these submissions, which are not rejected, those whose bonus the ledger does not have yet."""
    found: list[str] = []
    for start in range(0, len(codes), 500):
        written = select(Payment.submission_id).where(Payment.purpose == "bonus", Payment.state != "cancelled")
        found += connection.scalars(
            select(Submission.pseudonym).where(
                Submission.pseudonym.in_(codes[start : start + 500]),
                Submission.review.is_distinct_from("rejected"),
                Submission.id.not_in(written),
            )
        )
    return found


def _of_current_version(connection: Connection, study: str) -> list[Posted]:
    design_id, _ = current_design(connection, study)
    return [posted for posted in find_postings(connection, study) if posted.design_id == design_id]


def give_bonus(store: Store, study: str, expected: int, since: datetime, say: Say) -> Result:
    """Write the rule's bonuses down and pay them. Raises PaymentError, with nothing written, where the sum differs."""
    from crowdloom.studies.bonuses import owe_bonuses  # numpy, which only the worker needs

    with store.write() as connection:
        new = owe_bonuses(connection, study)
        chosen = _of_current_version(connection, study)
        amount = 0
        for posted in chosen:
            check_spending(connection, posted)
            amount += _agreed(connection, posted, "bonus", since)
        for posted in chosen[:1]:
            check_agreed(posted, amount, expected)
    return _written_and_paid(store, chosen, "bonus", new, say)


def top_up(store: Store, posted: Posted, expected: int, since: datetime, say: Say) -> Result:
    """Write a posting's additions down and pay them. Raises PaymentError, with nothing written, as above."""
    with store.write() as connection:
        lacking = fair_pay(connection, posted).top_up is not None
        if not lacking and not _agreed(connection, posted, "top_up", since):
            raise PaymentError("nothing is lacking any more: the median person earns the floor. Nothing was written")
        new = owe_top_ups(connection, posted) if lacking else 0
        check_spending(connection, posted)
        check_agreed(posted, _agreed(connection, posted, "top_up", since), expected)
    return _written_and_paid(store, [posted], "top_up", new, say)


def _agreed(connection: Connection, posted: Posted, purpose: Purpose, since: datetime) -> int:
    """All that is owed for this purpose, handed in there yet or not, and what was sent since it was agreed to."""
    dues = payments(connection, posted, purposes=(purpose,))
    return amount_of(due for due in dues if due.state == "pending") + agreed_so_far(dues, since)


def _written_and_paid(store: Store, chosen: Sequence[Posted], purpose: Purpose, new: int, say: Say) -> Result:
    lines = [f"{count(new, 'payment')} written to the ledger."]
    for posted in chosen:
        if PLATFORMS[posted.platform].capabilities.pays:
            poll(store, posted, posted.account())
            lines += _pay(store, posted, (purpose,), say)
        else:
            lines.append(f"{posted.platform} moves no money: the payments page says whom to pay.")
    return Result(lines=lines)
