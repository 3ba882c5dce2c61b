"""More places: as many as a study still lacks on its platform, or more responses for every item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, distinct, func, insert, select

from crowdloom.studies.arrivals import HANDED_IN
from crowdloom.studies.cost import Cost, cost_of, hands_out_batches
from crowdloom.studies.database import Store
from crowdloom.studies.errors import OptionError, PlatformRefusedError, StudyError
from crowdloom.studies.platforms.protocol import LISTING_CANNOT_GROW, Account, Listed
from crowdloom.studies.posted import Posted
from crowdloom.studies.publishing import add_listing, note_listing, put_up
from crowdloom.studies.tables import Batch, Condition, Listing, Place, RemoteSubmission, Submission


@dataclass(frozen=True)
class TopUp:
    """A listing and how many places it is to have in all, to reach all that the study still lacks."""

    listing_id: int | None
    """None for a batch that has no listing yet."""
    remote_id: str
    """The platform's id of it; empty where there is none yet."""
    batch_id: int | None
    before: int
    after: int
    is_planned: bool = False
    """It is written down here, and not on the platform yet."""
    is_closed: bool = False
    """The platform lets nobody in any more (time over, or ended there), so that it is to be opened again."""


def plan_places(connection: Connection, posted: Posted) -> list[TopUp]:
    """Which listings of a posting lack places for what the study still lacks, by what was last heard of them.

    A listing's places are used up by what was handed in, rejected or not; what is under way still has its own. So it
    needs as many as were handed in, plus the places that are not filled here, plus those complete here that are not
    handed in yet.
    """
    listings = connection.execute(
        select(Listing.id, Listing.batch_id, Listing.places, Listing.state, Listing.remote_id)
        .where(Listing.posting_id == posted.id, Listing.submission_id.is_(None))
        .order_by(Listing.id)
    ).all()
    by_batch: dict[int | None, list[Any]] = {batch_id: [] for batch_id in _batches(connection, posted)}
    for listing in listings:
        by_batch.setdefault(listing.batch_id, []).append(listing)
    plans = []
    for batch_id, ones in by_batch.items():
        unfilled = _unfilled(connection, posted, batch_id)
        if not ones:
            plans += [TopUp(None, "", batch_id, 0, unfilled)] if unfilled else []
            continue
        plans += [TopUp(one.id, "", batch_id, 0, one.places, is_planned=True) for one in ones if one.remote_id is None]
        created = [one for one in ones if one.remote_id is not None]
        lacking = _used_up(connection, posted, [one.id for one in ones]) + unfilled - sum(one.places for one in ones)
        alive = [one for one in ones if one.state != "closed"]
        if created and (lacking > 0 or (unfilled and not alive)):
            grows = next((one for one in reversed(created) if one.state != "closed"), created[-1])
            after = grows.places + max(lacking, 0)
            is_closed = grows.state == "closed"
            plans.append(TopUp(grows.id, grows.remote_id, batch_id, grows.places, after, is_closed=is_closed))
    return plans


def _batches(connection: Connection, posted: Posted) -> list[int | None]:
    """The batches that the platform is to hand out; None for all of them together."""
    if not hands_out_batches(posted.platform, posted.design):
        return [None]
    of_design = select(Batch.id).join(Condition, Condition.id == Batch.condition_id).order_by(Batch.id)
    return list(connection.scalars(of_design.where(Condition.design_id == posted.design_id)))


def _unfilled(connection: Connection, posted: Posted, batch_id: int | None) -> int:
    return connection.execute(
        select(func.count(Place.id))
        .join(Batch, Batch.id == Place.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .where(
            Condition.design_id == posted.design_id,
            Place.state != "filled",
            *([] if batch_id is None else [Place.batch_id == batch_id]),
        )
    ).scalar_one()


def _used_up(connection: Connection, posted: Posted, listings: list[int]) -> int:
    """The places of listings that were handed in, and those of people who are complete here and still to hand in."""
    there = (RemoteSubmission.posting_id == posted.id, RemoteSubmission.listing_id.in_(listings))
    handed_in = connection.execute(
        select(func.count(RemoteSubmission.id)).where(*there, RemoteSubmission.state.in_(HANDED_IN))
    ).scalar_one()
    # Somebody may have come by several assignments, giving back all but the last.
    done = select(RemoteSubmission.submission_id).where(
        RemoteSubmission.submission_id.is_not(None), RemoteSubmission.state.in_(HANDED_IN)
    )
    on_the_way = connection.execute(
        select(func.count(distinct(Submission.id)))
        .join(RemoteSubmission, RemoteSubmission.submission_id == Submission.id)
        .where(
            *there,
            RemoteSubmission.state.in_(("arrived", "active")),
            Submission.state == "completed",
            Submission.id.not_in(done),
        )
    ).scalar_one()
    return handed_in + on_the_way


def cost_of_plans(connection: Connection, posted: Posted, plans: list[TopUp]) -> tuple[Cost, Cost]:
    """What the new places can cost, and what the posting can cost in all with them; who was rejected is not paid."""
    places: dict[int | None, int] = {
        row.id: row.places
        for row in connection.execute(select(Listing.id, Listing.places).where(Listing.posting_id == posted.id))
    }
    new = []
    for plan in plans:
        new.append(plan.after - plan.before)
        if not plan.is_planned:
            places[plan.listing_id] = places.get(plan.listing_id, 0) + plan.after - plan.before
    rejected = connection.execute(
        select(RemoteSubmission.listing_id, func.count())
        .where(RemoteSubmission.posting_id == posted.id, RemoteSubmission.state == "rejected")
        .group_by(RemoteSubmission.listing_id)
    )
    for listing_id, number in rejected:
        places[listing_id] = places.get(listing_id, number) - number
    return cost_of(posted.design, posted.platform, new), cost_of(posted.design, posted.platform, list(places.values()))


def add_places(store: Store, posted: Posted, plans: list[TopUp]) -> list[str]:
    """Carry out `plan_places`; one sentence for each. A listing that cannot grow so far gets another beside it."""
    account = posted.account() if plans else None
    said = []
    for plan in plans:
        assert account is not None
        if plan.is_planned:
            said.append(f"the listing that was planned, with {plan.after} places")
            continue
        if plan.listing_id is None:
            with store.write() as connection:
                add_listing(connection, posted, plan.batch_id, plan.after)
            said.append(f"a new listing with {plan.after} places")
            continue
        try:
            listed = _grow(account, plan)
            note_listing(store, plan.listing_id, listed)
            said.append(f"listing {plan.remote_id}: {plan.before} -> {listed.places} places")
        except PlatformRefusedError as error:
            if error.code != LISTING_CANNOT_GROW:
                raise
            with store.write() as connection:
                add_listing(connection, posted, plan.batch_id, plan.after - plan.before)
            said.append(
                f"a new listing with {plan.after - plan.before} places beside {plan.remote_id}, which cannot grow"
            )
    with store.read() as connection:
        planned = select(Listing.id).where(
            Listing.posting_id == posted.id, Listing.remote_id.is_(None), Listing.submission_id.is_(None)
        )
        is_planned = connection.execute(planned).first() is not None
    if is_planned:
        put_up(store, posted.token)
    return said


def _grow(account: Account, plan: TopUp) -> Listed:
    listed = account.set_places(plan.remote_id, plan.after)
    if not plan.is_closed or listed.state != "closed":
        return listed
    try:
        return account.open(plan.remote_id)
    except PlatformRefusedError:
        # What was ended there goes on only by growing; the place too many is better than nobody.
        return account.set_places(plan.remote_id, plan.after + 1)


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
    """Raise the responses wanted per item, in every condition, to this number; how many places were added.

    Raises OptionError for fewer than are wanted already.
    """
    batches = connection.execute(
        select(Batch.id, func.count(Place.id), func.max(Place.number))
        .join(Condition, Condition.id == Batch.condition_id)
        .join(Place, Place.batch_id == Batch.id)
        .where(Condition.design_id == posted.design_id)
        .group_by(Batch.id)
    ).all()
    least = min((there for _, there, _ in batches), default=0)
    if responses_per_item < least:
        raise OptionError(f"{least} responses are wanted for each item already; {responses_per_item} is less than that")
    rows = [
        {"batch_id": batch_id, "number": last + 1 + n, "state": "open"}
        for batch_id, there, last in batches
        for n in range(max(responses_per_item - there, 0))
    ]
    if rows:
        connection.execute(insert(Place), rows)
    return len(rows)
