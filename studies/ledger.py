"""The payment ledger: what is owed, and what became of it; every change is one guarded UPDATE and one event.

    pending ──claim──> sent ──> confirmed          the platform shows it
       ^                │ └───> unknown ──> …      nobody can know; the platform is asked, and asked again
       └────────────────┴───────────┘              it was certainly not paid

A row is claimed before the platform is called, so that of two processes that pay at once only one calls; a
crash leaves it claimed, which `settling` resolves by reading what the platform shows, never by guessing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, case, func, select, update

from crowdloom.studies.allocation import add_event
from crowdloom.studies.arrivals import HANDED_IN
from crowdloom.studies.database import insert_new, new_token, now
from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import IdentityError
from crowdloom.studies.identities import reveal
from crowdloom.studies.posted import Posted
from crowdloom.studies.tables import Design, Listing, Participant, Payment, Posting, RemoteSubmission, Submission

Purpose = Literal["reward", "bonus", "top_up"]
PURPOSES: tuple[Purpose, ...] = ("reward", "bonus", "top_up")

_SHORTEST_ID = 5  # what a panel calls people may be as short as a word


@dataclass(frozen=True)
class Due:
    """A payment with all that a call to the platform needs; `code` is our code of the submission."""

    id: int
    submission_id: int
    code: str
    purpose: Purpose
    amount: Money
    token: str
    state: str
    reference: str | None
    message: str | None
    sent_at: datetime | None
    remote_submission_id: int | None
    remote_id: str | None
    """The platform's id of the submission that it pays; None where nothing was handed in."""
    remote_state: str | None
    listing: str | None
    participant: str | None
    """The platform's id of the person."""


def owe(connection: Connection, submission_id: int, purpose: Purpose, amount: Money) -> bool:
    """Write down that a submission is owed money; False where it is already. One that was cancelled is owed again."""
    if amount.amount <= 0:
        return False
    row = {
        "submission_id": submission_id,
        "purpose": purpose,
        "token": new_token(),
        "amount": amount.amount,
        "currency": amount.currency,
        "state": "pending",
        "created_at": now(),
        "updated_at": now(),
    }
    if connection.execute(insert_new(connection, Payment).returning(Payment.id), row).first() is None:
        again = connection.execute(
            update(Payment)
            .where(Payment.submission_id == submission_id, Payment.purpose == purpose, Payment.state == "cancelled")
            .values(state="pending", amount=amount.amount, currency=amount.currency, message=None, updated_at=now())
        )
        if not again.rowcount:
            return False
    _note(connection, submission_id, purpose, "pending", str(amount))
    return True


def cancel(connection: Connection, submission_id: int, purpose: Purpose) -> bool:
    """Owe it no more, if it was never sent; False where there is nothing to cancel."""
    return bool(
        _change(
            connection,
            [Payment.submission_id == submission_id, Payment.purpose == purpose, Payment.state == "pending"],
            "cancelled",
        )
    )


def payments(
    connection: Connection,
    posted: Posted,
    *,
    states: Iterable[str] | None = None,
    purposes: Iterable[str] = PURPOSES,
    with_people: bool = False,
) -> list[Due]:
    """The payments of a posting, oldest first; `with_people` reads whom the platform pays, which may need the key."""
    wanted = [Payment.purpose.in_(list(purposes))]
    if states is not None:
        wanted.append(Payment.state.in_(list(states)))
    rows = connection.execute(
        select(
            Payment.id,
            Payment.submission_id,
            Submission.pseudonym.label("code"),
            Payment.purpose,
            Payment.amount,
            Payment.currency,
            Payment.token,
            Payment.state,
            Payment.reference,
            Payment.message,
            Payment.sent_at,
            Payment.remote_submission_id,
            Participant.platform,
            Participant.platform_id,
        )
        .join(Submission, Submission.id == Payment.submission_id)
        .join(Participant, Participant.id == Submission.participant_id)
        .where(Submission.posting_id == posted.id, *wanted)
        .order_by(Payment.id)
    ).all()
    handed_in = _handed_in(connection, posted)
    return [_due(row, handed_in, with_people) for row in rows]


def _due(row: Any, handed_in: dict[int, list[Any]], with_people: bool) -> Due:
    of_submission = handed_in.get(row.submission_id, [])
    # One that a call was made for stays the one, whatever else was handed in since.
    first = of_submission[0] if of_submission else None
    remote = next((one for one in of_submission if one.id == row.remote_submission_id), first)
    participant = None
    if with_people and row.platform_id is not None:
        participant = reveal(row.platform, row.platform_id)
    return Due(
        id=row.id,
        submission_id=row.submission_id,
        code=row.code,
        purpose=row.purpose,
        amount=Money(amount=row.amount, currency=row.currency),
        token=row.token,
        state=row.state,
        reference=row.reference,
        message=row.message,
        sent_at=row.sent_at,
        remote_submission_id=remote.id if remote else None,
        remote_id=remote.remote_id if remote else None,
        remote_state=remote.state if remote else None,
        listing=remote.listing if remote else None,
        participant=participant,
    )


def _handed_in(connection: Connection, posted: Posted) -> dict[int, list[Any]]:
    """What was handed in on the platform for each submission, the first that it did not refuse first."""
    rows = connection.execute(
        select(
            RemoteSubmission.id,
            RemoteSubmission.submission_id,
            RemoteSubmission.remote_id,
            RemoteSubmission.state,
            Listing.remote_id.label("listing"),
        )
        .outerjoin(Listing, Listing.id == RemoteSubmission.listing_id)
        .where(
            RemoteSubmission.posting_id == posted.id,
            RemoteSubmission.submission_id.is_not(None),
            RemoteSubmission.state.in_(HANDED_IN),
        )
        .order_by(RemoteSubmission.state.in_(("rejected", "screened_out")), RemoteSubmission.id)
    )
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.submission_id, []).append(row)
    return found


def claim(connection: Connection, dues: Sequence[Due], moment: datetime) -> list[Due]:
    """Claim pending payments before they are sent; those that this call claimed, and nobody else."""
    claimed = []
    for due in dues:
        changed = _change(
            connection,
            [Payment.id == due.id, Payment.state == "pending"],
            "sent",
            sent_at=moment,
            reference=None,
            message=None,
            remote_submission_id=due.remote_submission_id,
        )
        if changed:
            claimed.append(due)
    return claimed


def refer(connection: Connection, dues: Sequence[Due], reference: str) -> bool:
    """Write down the platform's reference just before the call that pays; False where a claim was lost meanwhile."""
    changed = connection.execute(
        update(Payment)
        .where(Payment.id.in_([due.id for due in dues]), Payment.state == "sent", Payment.reference.is_(None))
        .values(reference=reference, updated_at=now())
    )
    return bool(changed.rowcount == len(dues))


def settle(
    connection: Connection, due_ids: Iterable[int], state: str, message: str | None = None, *, if_claimed: bool = False
) -> int:
    """Move sent or unknown payments to what is known of them now; how many changed.

    `if_claimed` only where no reference was written, so that the call that pays was certainly not made.
    """
    changed = 0
    for id_ in due_ids:
        where = [Payment.id == id_, Payment.state.in_(("sent", "unknown")), Payment.state != state]
        if if_claimed:
            where.append(Payment.reference.is_(None))
        changed += len(_change(connection, where, state, message=message))
    return changed


def record_by_hand(connection: Connection, dues: Sequence[Due]) -> int:
    """What the researcher has paid by other means: confirmed at their word; how many."""
    changed = 0
    for due in dues:
        where = [Payment.id == due.id, Payment.state == "pending"]
        changed += len(_change(connection, where, "confirmed", message="paid by hand", sent_at=now()))
    return changed


def confirm_outright(connection: Connection, due: Due, message: str) -> None:
    """The platform shows as paid what we never sent (approved by itself, or by hand): nothing is left to pay."""
    _change(
        connection,
        [Payment.id == due.id, Payment.state.in_(("pending", "sent", "unknown"))],
        "confirmed",
        message=message,
        remote_submission_id=due.remote_submission_id,
    )


def spent(connection: Connection, study_id: int) -> tuple[int, int]:
    """All rewards, and all bonuses and additions, that a study has paid, sent or owes; in minor units, without fees."""
    is_reward = Payment.purpose == "reward"
    row = connection.execute(
        select(
            func.coalesce(func.sum(case((is_reward, Payment.amount), else_=0)), 0),
            func.coalesce(func.sum(case((is_reward, 0), else_=Payment.amount)), 0),
        )
        .join(Submission, Submission.id == Payment.submission_id)
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .where(Design.study_id == study_id, Payment.state != "cancelled")
    ).one()
    return int(row[0]), int(row[1])


def _change(connection: Connection, where: Sequence[Any], state: str, **values: Any) -> list[Any]:
    rows = connection.execute(
        update(Payment)
        .where(*where)
        .values(state=state, updated_at=now(), **values)
        .returning(Payment.id, Payment.submission_id, Payment.purpose, Payment.amount, Payment.currency)
    ).all()
    for row in rows:
        money = str(Money(amount=row.amount, currency=row.currency))
        message = values.get("message")
        if message and (kept := _without_ids(connection, row.submission_id, message)) != message:
            connection.execute(update(Payment).where(Payment.id == row.id).values(message=kept))
            message = kept
        _note(connection, row.submission_id, row.purpose, state, money, message)
    return list(rows)


def _without_ids(connection: Connection, submission_id: int, message: str) -> str:
    """A platform's words without its names for this submission and this person, which stand in one table each."""
    ids = set(
        connection.scalars(select(RemoteSubmission.remote_id).where(RemoteSubmission.submission_id == submission_id))
    )
    person = connection.execute(
        select(Participant.platform, Participant.platform_id)
        .join(Submission, Submission.participant_id == Participant.id)
        .where(Submission.id == submission_id)
    ).one()
    if person.platform_id is not None:
        with suppress(IdentityError):  # what became of a payment is written down without the key, too
            ids.add(reveal(person.platform, person.platform_id))
    for known in sorted(filter(None, ids), key=len, reverse=True):
        if len(known) >= _SHORTEST_ID:
            message = message.replace(known, "…")
    return message


def _note(
    connection: Connection, submission_id: int, purpose: str, state: str, amount: str, message: str | None = None
) -> None:
    said: dict[str, object] = {"purpose": purpose, "state": state, "amount": amount}
    if message:
        said["message"] = message
    add_event(connection, submission_id, "payment", said)
