"""Asking a platform how its submissions stand. Only this sets what the platform says; webhooks bring it about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from crowdloom.studies.arrivals import GIVEN_BACK, give_back
from crowdloom.studies.cost import hands_out_batches
from crowdloom.studies.database import Store, now
from crowdloom.studies.errors import PlatformError
from crowdloom.studies.html_delivery import import_assignment
from crowdloom.studies.identities import reveal, take_participant
from crowdloom.studies.participation import ItemView
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.platforms.protocol import Account, Remote
from crowdloom.studies.posted import Posted
from crowdloom.studies.publishing import note_listing, own_group
from crowdloom.studies.self_contained import batch_items
from crowdloom.studies.tables import Listing, Participant, RemoteSubmission, Submission


@dataclass
class Polled:
    """What a poll found: submissions there in all, how many changed since the last, how many had answers to import."""

    seen: int = 0
    changed: int = 0
    imported: int = 0
    freed: int = 0
    """Places of people who gave their submission back on the platform."""


def poll(store: Store, posted: Posted, account: Account) -> Polled:
    """Bring our view of a posting's listings and submissions up to date. Raises PlatformError; asking again is safe."""
    polled = Polled()
    if posted.is_forgotten:
        return polled  # it would bring back what was erased
    with store.read() as connection:
        listings = connection.execute(
            select(Listing.__table__).where(Listing.posting_id == posted.id, Listing.remote_id.is_not(None))
        ).all()
    for listing in listings:
        note_listing(store, listing.id, account.listing(listing.remote_id))
        items = batch_items(store, listing.batch_id) if listing.content is not None else None
        for remote in account.submissions(listing.remote_id):
            with store.write() as connection:
                _take(connection, posted, listing, remote, items, polled)
    _group(store, posted, account)
    return polled


def poll_one(store: Store, posted: Posted, account: Account, remote_id: str) -> bool:
    """Bring one submission up to date, after the platform said that it changed; False for one of another posting."""
    if posted.is_forgotten:
        return False
    remote = account.submission(remote_id)
    with store.read() as connection:
        listing = connection.execute(
            select(Listing.__table__).where(Listing.posting_id == posted.id, Listing.remote_id == remote.listing)
        ).first()
    if listing is None:
        return False
    items = batch_items(store, listing.batch_id) if listing.content is not None else None
    with store.write() as connection:
        _take(connection, posted, listing, remote, items, Polled())
    return True


def _take(
    connection: Connection,
    posted: Posted,
    listing: Any,
    remote: Remote,
    items: Sequence[ItemView] | None,
    polled: Polled,
) -> None:
    person = take_participant(connection, posted.platform, remote.participant)
    before = connection.execute(
        select(RemoteSubmission.__table__)
        .where(
            RemoteSubmission.posting_id == posted.id,
            RemoteSubmission.remote_id == remote.id,
            RemoteSubmission.participant_id == person,
        )
        .with_for_update()
    ).first()
    polled.seen += 1
    values: dict[str, Any] = {
        "listing_id": listing.id,
        "state": remote.state,
        "vendor_state": remote.vendor_state,
        "code": remote.code,
        "submitted_at": remote.submitted_at,
        "seen_at": now(),
    }
    if remote.started_at is not None:
        values["started_at"] = remote.started_at
    submission = before.submission_id if before is not None else None
    if submission is None and items is None:
        submission = _submission_of(connection, posted, listing, person)
    if submission is None and items is not None and remote.answer is not None:
        submission = import_assignment(connection, posted, listing.batch_id, person, remote, items)
        polled.imported += submission is not None
    values["submission_id"] = submission
    if before is None:
        row = {"posting_id": posted.id, "participant_id": person, "remote_id": remote.id, **values}
        key = connection.execute(insert(RemoteSubmission).values(**row).returning(RemoteSubmission.id)).scalar_one()
    else:
        key = before.id
        connection.execute(update(RemoteSubmission).where(RemoteSubmission.id == key).values(**values))
    polled.changed += before is None or (before.state, before.vendor_state) != (remote.state, remote.vendor_state)
    if remote.state in GIVEN_BACK and (before is None or before.state not in GIVEN_BACK):
        others = connection.execute(
            select(RemoteSubmission.id).where(
                RemoteSubmission.submission_id == submission,
                RemoteSubmission.id != key,
                RemoteSubmission.state.not_in(GIVEN_BACK),
            )
        ).first()
        if submission is not None and others is None:  # they may have taken another one, and go on by that
            give_back(connection, key, submission, remote.state)
            connection.execute(update(RemoteSubmission).where(RemoteSubmission.id == key).values(state=remote.state))
            polled.freed += 1


def _submission_of(connection: Connection, posted: Posted, listing: Any, person: int) -> int | None:
    """Somebody's submission to this posting that no other of the platform's leads to."""
    taken = select(RemoteSubmission.submission_id).where(
        RemoteSubmission.posting_id == posted.id, RemoteSubmission.submission_id.is_not(None)
    )
    found = connection.execute(
        select(Submission.id)
        .where(
            Submission.posting_id == posted.id,
            Submission.participant_id == person,
            Submission.id.not_in(taken),
            *([] if listing.batch_id is None else [Submission.batch_id == listing.batch_id]),
        )
        .order_by(Submission.attempt.desc())
        .limit(1)
    ).scalar()
    return None if found is None else int(found)


def _group(store: Store, posted: Posted, account: Account) -> None:
    """Put everybody who has begun into the study's group there, so that other studies are not even offered to them."""
    if not PLATFORMS[posted.platform].capabilities.groups:
        return
    # Where the platform deals the batches, the group also keeps its people from a second one: who has only begun and
    # gave it back may still come again.
    done = [Submission.state == "completed"] if hands_out_batches(posted.platform, posted.design) else []
    with store.read() as connection:
        rows = connection.execute(
            select(RemoteSubmission.id, Participant.platform_id)
            .join(Participant, Participant.id == RemoteSubmission.participant_id)
            .join(Submission, Submission.id == RemoteSubmission.submission_id)
            .where(
                RemoteSubmission.posting_id == posted.id,
                RemoteSubmission.grouped.is_(False),
                Submission.state != "refused",
                Participant.platform_id.is_not(None),
                *done,
            )
        ).all()
    if not rows:
        return
    group = own_group(store, posted, account, posted.study_id, posted.design.name)
    people = sorted({reveal(posted.platform, str(row.platform_id)) for row in rows})
    try:
        account.add_to_group(group, people)
    except PlatformError:
        return  # our own server keeps them out in any case; the next poll tries again
    with store.write() as connection:
        connection.execute(
            update(RemoteSubmission).where(RemoteSubmission.id.in_([row.id for row in rows])).values(grouped=True)
        )
