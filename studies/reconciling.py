"""Our store beside the platform: every difference, with what would mend it. Nothing is paid here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from crowdloom.studies.adding_places import plan_places
from crowdloom.studies.arrivals import HANDED_IN
from crowdloom.studies.database import Store, now
from crowdloom.studies.errors import PlatformError
from crowdloom.studies.ledger import payments
from crowdloom.studies.paying import owe_rewards, resolve
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.platforms.protocol import Account
from crowdloom.studies.polling import Polled, poll
from crowdloom.studies.posted import Posted
from crowdloom.studies.review import stray_code
from crowdloom.studies.tables import Listing, RemoteSubmission, Submission


@dataclass(frozen=True)
class Difference:
    """Something in which the store and the platform differ, or that waits for the researcher."""

    kind: str
    who: str
    """Our code of the submission, or the platform's id where we know none, or the listing's."""
    what: str
    mend: str


@dataclass(frozen=True)
class Reconciled:
    """What was found: the poll, how many payments were resolved by reading, and the differences that stay."""

    polled: Polled
    confirmed: int
    differences: list[Difference]


def reconcile(store: Store, posted: Posted, account: Account | None, *, moment: datetime | None = None) -> Reconciled:
    """Ask the platform, resolve what is unknown by reading, and list every difference that stays.

    `account` is None for a platform that has none. Raises PlatformError where it cannot be asked.
    """
    at = moment or now()
    if posted.is_forgotten:
        return Reconciled(Polled(), 0, [])  # nothing is left by which the two could be compared
    with store.write() as connection:
        owe_rewards(connection, posted)
    if account is None:
        with store.read() as connection:
            return Reconciled(Polled(), 0, _owed(connection, posted))
    polled = poll(store, posted, account)
    resolved = resolve(store, posted, account, moment=lambda: at)
    with store.read() as connection:
        differences = [
            *_listings(connection, posted),
            *_submissions(connection, posted),
            *_owed(connection, posted),
            *[
                Difference("payment unknown", code, sentence, f"wait, then: crowdloom reconcile {posted.design.name}")
                for code, sentence in resolved.unknown
            ],
        ]
    differences += _foreign_bonuses(store, posted, account)
    # Two of the platform's for one of ours say the same once.
    return Reconciled(polled, resolved.confirmed, list(dict.fromkeys(differences)))


def _listings(connection: Connection, posted: Posted) -> list[Difference]:
    study, found = posted.design.name, []
    rows = connection.execute(
        select(Listing.remote_id, Listing.state).where(Listing.posting_id == posted.id, Listing.submission_id.is_(None))
    ).all()
    for row in rows:
        who = row.remote_id or "a planned listing"
        if row.remote_id is None and posted.state != "closed":
            mend = f"crowdloom publish {study} --on {posted.platform}"
            found.append(Difference("listing missing", who, "is written down here, but not on the platform", mend))
        elif posted.state == "open" and row.state in ("draft", "paused", "closed"):
            mend = f"crowdloom resume {study}, or crowdloom close {study}"
            if row.state == "closed":
                mend = f"crowdloom add-places {study}, or crowdloom close {study}"
            found.append(Difference("listing not open", who, f"is {row.state} there, and open here", mend))
        elif posted.state == "closed" and row.state in ("open", "paused"):
            found.append(
                Difference("listing open", who, f"is {row.state} there, and closed here", f"crowdloom close {study}")
            )
    if posted.state == "open":
        for plan in plan_places(connection, posted):
            if plan.is_planned or plan.before == plan.after:
                continue  # said above
            what = f"has {plan.before} places, and {plan.after} are needed to fill what is open here"
            found.append(
                Difference("places lacking", plan.remote_id or "a new listing", what, f"crowdloom add-places {study}")
            )
    return found


def _submissions(connection: Connection, posted: Posted) -> list[Difference]:
    rows = connection.execute(
        select(
            RemoteSubmission.remote_id,
            RemoteSubmission.state.label("there"),
            RemoteSubmission.code,
            Submission.id,
            Submission.pseudonym,
            Submission.state.label("here"),
            Submission.review,
        )
        .outerjoin(Submission, Submission.id == RemoteSubmission.submission_id)
        .where(RemoteSubmission.posting_id == posted.id, RemoteSubmission.remote_id.is_not(None))
        .order_by(RemoteSubmission.id)
    ).all()
    handed_in = Counter(row.id for row in rows if row.id is not None and row.there in ("submitted", "approved"))
    over = {row.id for row in rows if row.there in HANDED_IN}
    # Who gave one back and handed in another has nothing left to hand in.
    rows = [row for row in rows if row.there in HANDED_IN or row.id is None or row.id not in over]
    found = [difference for row in rows if (difference := _submission(posted, row, handed_in)) is not None]
    known = {row.id for row in rows} | over
    lost = connection.execute(
        select(Submission.id, Submission.pseudonym).where(
            Submission.posting_id == posted.id, Submission.state == "completed"
        )
    ).all()
    found += [
        Difference(
            "not handed in",
            row.pseudonym,
            "is complete here, and the platform shows nothing of it",
            _hand_in(posted, row.pseudonym),
        )
        for row in lost
        if row.id not in known
    ]
    return found


def _hand_in(posted: Posted, code: str) -> str:
    return (
        "they can open their link again and hand it in; where that is too late: "
        f"crowdloom add-places {posted.design.name} --for {code}"
    )


_DECISIONS = {
    ("approved", None): ("approved there", "is approved there, and not reviewed here", "--approve {}"),
    ("approved", "rejected"): ("decided twice", "is approved there, and rejected here", "--approve {}"),
    ("rejected", None): ("rejected there", "is rejected there, and not here", "--reject {} --reason …"),
    ("rejected", "approved"): ("decided twice", "is rejected there, and approved here", "--reject {} --reason …"),
    ("submitted", "rejected"): ("rejected here", "is rejected here, and not there", "--reject {} --reason …"),
    ("submitted", None): ("not reviewed", "was handed in", "--approve-all"),
}
"""By the platform's state of a complete submission and by our review: what is said, and what mends it."""


def _submission(posted: Posted, row: Any, handed_in: Counter[int]) -> Difference | None:
    """What is to be said of one submission of the platform's, if anything."""
    codes = posted.values.get("codes", {})
    if row.id is None:
        return _nobodys(row, posted.design.name)
    who, there = row.pseudonym, row.there.replace("_", " ")
    if row.here != "completed":
        return _unfinished(posted, row, codes)
    if row.there not in HANDED_IN and row.review == "rejected":
        return None
    if row.there not in HANDED_IN:
        what = f"is complete here, and {there} there"
        return Difference("not handed in", who, what, _hand_in(posted, who))
    if row.there == "submitted" and handed_in[row.id] > 1:
        what = f"{row.remote_id} was handed in for the same work as another one"
        return Difference("handed in twice", who, what, "reject it on the platform: the work is paid once")
    return _undecided(posted, row, codes)


def _unfinished(posted: Posted, row: Any, codes: dict[str, str]) -> Difference | None:
    if row.review is not None:
        return _undecided(posted, row, codes)
    if row.there != "submitted" or row.code in _exits(codes):
        return None
    who, what = row.pseudonym, f"was handed in there, and is {row.here.replace('_', ' ')} here"
    mend = f"crowdloom review {posted.design.name} --approve {who}, or --reject {who} --reason …"
    return Difference("handed in unfinished", who, what, mend)


def _nobodys(row: Any, study: str) -> Difference | None:
    if row.there not in ("submitted", "approved"):
        return None
    code = stray_code(row.remote_id)
    what = f"was handed in there as {row.remote_id} ({row.there}), and nobody began it here, so it has no answers"
    mend = "it is paid already" if row.there == "approved" else f"crowdloom review {study} --reject {code} --reason …"
    return Difference("unknown here", code, what, mend)


def _undecided(posted: Posted, row: Any, codes: dict[str, str]) -> Difference | None:
    review = f"crowdloom review {posted.design.name}"
    expected = (None, codes.get("completed"), codes.get("failed_attention_check"))
    if (row.there, row.review) == ("submitted", None) and codes and row.code not in expected:
        return Difference("wrong code", row.pseudonym, f"is complete, and came with the code {row.code}", review)
    decision = _DECISIONS.get((row.there, row.review))
    if decision is None:
        return None
    kind, what, mend = decision
    return Difference(kind, row.pseudonym, what, f"{review} {mend.format(row.pseudonym)}")


def _exits(codes: dict[str, str]) -> set[str | None]:
    return {codes.get("no_consent"), codes.get("screened_out")} - {None}


def _owed(connection: Connection, posted: Posted) -> list[Difference]:
    pays = PLATFORMS[posted.platform].capabilities.pays
    study = posted.design.name
    found = []
    for due in payments(connection, posted, states=("pending",)):
        what = f"is owed {due.amount} ({due.purpose.replace('_', '-')})"
        if pays and due.remote_state not in ("submitted", "approved"):
            mend = "it can be paid once it is handed in on the platform"
        else:
            mend = f"crowdloom pay {study}"
        found.append(Difference("owed", due.code, what + (f"; {due.message}" if due.message else ""), mend))
    return found


def _foreign_bonuses(store: Store, posted: Posted, account: Account) -> list[Difference]:
    """Bonuses that the platform shows and the ledger does not know, or the other way round."""
    with store.read() as connection:
        ledger = payments(connection, posted, states=("confirmed", "sent", "unknown"), purposes=("bonus", "top_up"))
        rows = connection.execute(
            select(RemoteSubmission.remote_id, Listing.remote_id.label("listing"), Submission.pseudonym)
            .join(Listing, Listing.id == RemoteSubmission.listing_id)
            .join(Submission, Submission.id == RemoteSubmission.submission_id)
            .where(
                RemoteSubmission.posting_id == posted.id,
                RemoteSubmission.state.in_(("submitted", "approved")),
                RemoteSubmission.remote_id.is_not(None),
            )
        ).all()
    code = {row.remote_id: row.pseudonym for row in rows}
    shown: Counter[tuple[str, int]] = Counter()
    try:
        for listing in sorted({row.listing for row in rows}):
            ids = [row.remote_id for row in rows if row.listing == listing]
            shown.update((bonus.submission, bonus.amount) for bonus in account.bonuses(listing, ids))
    except PlatformError as error:
        return [Difference("bonuses unread", posted.platform, str(error), f"crowdloom reconcile {posted.design.name}")]
    ours = Counter((str(due.remote_id), due.amount.amount) for due in ledger)
    confirmed = Counter((str(due.remote_id), due.amount.amount) for due in ledger if due.state == "confirmed")
    money = posted.design.people.reward
    found = []
    for (remote_id, amount), number in (shown - ours).items():
        said = money.model_copy(update={"amount": amount}) if money else amount
        what = f"the platform shows {number} bonus of {said} that was not paid from here"
        found.append(Difference("bonus by hand", code.get(remote_id, remote_id), what, "nothing, if you meant it"))
    for (remote_id, amount), number in (confirmed - shown).items():
        said = money.model_copy(update={"amount": amount}) if money else amount
        what = f"{number} bonus of {said} is confirmed here, and the platform does not show it"
        found.append(Difference("bonus missing", code.get(remote_id, remote_id), what, "ask the platform's support"))
    return found
