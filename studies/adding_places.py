"""More places: as many as a study still lacks on its platform, or more responses for every item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select

from crowdloom.studies.arrivals import HANDED_IN
from crowdloom.studies.database import Store
from crowdloom.studies.errors import PlatformRefusedError, StudyError
from crowdloom.studies.platforms.protocol import LISTING_CANNOT_GROW
from crowdloom.studies.posted import Posted
from crowdloom.studies.publishing import add_listing, note_listing, put_up
from crowdloom.studies.tables import Batch, Condition, Listing, Place, RemoteSubmission, Submission


@dataclass(frozen=True)
class TopUp:
    """A listing and how many places it is to have in all, to reach all that the study still lacks."""

    listing_id: int
    remote_id: str
    """The platform's id of it."""
    batch_id: int | None
    before: int
    after: int


def plan_places(connection: Connection, posted: Posted) -> list[TopUp]:
    """Which listings of a posting lack places for what the study still lacks, by what was last heard of them.

    A listing's places are used up by what was handed in, rejected or not; what is under way still has its own. So it
    needs as many as were handed in, plus the places that are not filled here, plus those filled here that are not
    handed in yet.
    """
    listings = connection.execute(
        select(Listing.id, Listing.remote_id, Listing.batch_id, Listing.places)
        .where(
            Listing.posting_id == posted.id,
            Listing.state != "closed",
            Listing.submission_id.is_(None),
            Listing.remote_id.is_not(None),
        )
        .order_by(Listing.id)
    ).all()
    by_batch: dict[int | None, list[Any]] = {}
    for listing in listings:
        by_batch.setdefault(listing.batch_id, []).append(listing)
    plans = []
    for batch_id, ones in by_batch.items():
        of_batch = [Place.batch_id == batch_id] if batch_id is not None else []
        unfilled = connection.execute(
            select(func.count(Place.id))
            .join(Batch, Batch.id == Place.batch_id)
            .join(Condition, Condition.id == Batch.condition_id)
            .where(Condition.design_id == posted.design_id, Place.state != "filled", *of_batch)
        ).scalar_one()
        remote = select(func.count(RemoteSubmission.id)).where(
            RemoteSubmission.posting_id == posted.id, RemoteSubmission.listing_id.in_([one.id for one in ones])
        )
        handed_in = connection.execute(remote.where(RemoteSubmission.state.in_(HANDED_IN))).scalar_one()
        over = select(RemoteSubmission.submission_id).where(
            RemoteSubmission.posting_id == posted.id,
            RemoteSubmission.submission_id.is_not(None),
            RemoteSubmission.state.in_(HANDED_IN),
        )
        on_the_way = connection.execute(
            remote.join(Place, Place.submission_id == RemoteSubmission.submission_id).where(
                RemoteSubmission.state.in_(("arrived", "active")),
                Place.state == "filled",
                RemoteSubmission.submission_id.not_in(over),
            )
        ).scalar_one()
        lacking = handed_in + unfilled + on_the_way - sum(one.places for one in ones)
        if lacking > 0:
            last = ones[-1]
            plans.append(TopUp(last.id, last.remote_id, batch_id, last.places, last.places + lacking))
    return plans


def add_places(store: Store, posted: Posted, plans: list[TopUp]) -> list[str]:
    """Carry out `plan_places`; one sentence for each. A listing that cannot grow so far gets another beside it."""
    account = posted.account() if plans else None
    said = []
    for plan in plans:
        assert account is not None
        try:
            note_listing(store, plan.listing_id, account.set_places(plan.remote_id, plan.after))
            said.append(f"listing {plan.remote_id}: {plan.before} -> {plan.after} places")
        except PlatformRefusedError as error:
            if error.code != LISTING_CANNOT_GROW:
                raise
            with store.write() as connection:
                add_listing(connection, posted, plan.batch_id, plan.after - plan.before)
            put_up(store, posted.token)
            said.append(
                f"a new listing with {plan.after - plan.before} places beside {plan.remote_id}, which cannot grow"
            )
    return said


def let_hand_in(store: Store, posted: Posted, code: str) -> str:
    """Make a listing for one person alone, who completed a submission and could not hand it in; its id there.

    They take it, are led to their receipt, and hand in, so that they can be paid. Raises StudyError where
    the submission is not complete, or was handed in, or another such listing waits for it.
    """
    with store.write() as connection:
        row = connection.execute(
            select(Submission.id, Submission.state).where(
                Submission.posting_id == posted.id, Submission.pseudonym == code
            )
        ).first()
        if row is None or row.state != "completed":
            raise StudyError(f"{code} is no completed submission of {posted.design.name} on {posted.platform}")
        handed_in = connection.execute(
            select(RemoteSubmission.id).where(
                RemoteSubmission.submission_id == row.id, RemoteSubmission.state.in_(HANDED_IN)
            )
        ).first()
        if handed_in is not None:
            raise StudyError(f"{code} was handed in on {posted.platform}; review it, and it can be paid")
        waiting = connection.execute(
            select(Listing.token).where(Listing.submission_id == row.id, Listing.state != "closed")
        ).first()
        if waiting is None:
            add_listing(connection, posted, None, 1, row.id)
    with store.read() as connection:
        listing_id = connection.execute(
            select(Listing.id).where(Listing.submission_id == row.id, Listing.state != "closed")
        ).scalar_one()
    return put_up(store, posted.token, listing_id=listing_id)[0].remote_id


def want_more(connection: Connection, posted: Posted, responses_per_item: int) -> int:
    """Raise the responses wanted per item, in every condition, to this number; how many places were added."""
    batches = connection.execute(
        select(Batch.id, func.count(Place.id), func.max(Place.number))
        .join(Condition, Condition.id == Batch.condition_id)
        .join(Place, Place.batch_id == Batch.id)
        .where(Condition.design_id == posted.design_id)
        .group_by(Batch.id)
    ).all()
    rows = [
        {"batch_id": batch_id, "number": last + 1 + n, "state": "open"}
        for batch_id, there, last in batches
        for n in range(max(responses_per_item - there, 0))
    ]
    if rows:
        connection.execute(insert(Place), rows)
    return len(rows)
