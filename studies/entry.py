"""The way into a study: who arrives by a posting's link, whether they may take part, and with which batch."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, and_, case, func, insert, or_, select, update

from crowdloom.studies.allocation import add_event, choose_batch, free_expired, lock_design, take_place
from crowdloom.studies.arrivals import check_same_work, free_given_back, free_idle, note_arrival
from crowdloom.studies.batches import trial_order
from crowdloom.studies.database import new_token, now
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import PlaceError, StudyError
from crowdloom.studies.identities import MARK, spellings, take_participant
from crowdloom.studies.item_orders import next_order
from crowdloom.studies.no_place import why_no_place
from crowdloom.studies.participation import leave, read_progress
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.platforms.protocol import Arrival
from crowdloom.studies.posting import SIMULATED
from crowdloom.studies.tables import (
    Batch,
    BatchItem,
    Condition,
    Design,
    Invitation,
    Listing,
    Participant,
    Place,
    Posting,
    Study,
    Submission,
)

_PARTICIPANT = re.compile(rf"(?!{MARK})[^\x00-\x20\x7f\ud800-\udfff]{{1,200}}")


@dataclass(frozen=True)
class Entry:
    """A posting, the design that it publishes, and the listing by which somebody came, if the link names one."""

    posting_id: int
    state: str
    platform: str
    values: dict[str, Any]
    study_id: int
    design_id: int
    design: DesignModel
    listing_id: int | None = None
    batch_id: int | None = None
    """The batch that this listing hands out; None where our server chooses."""

    @property
    def is_open(self) -> bool:
        """Whether people who have not begun are let in."""
        return self.state == "open"

    @property
    def where(self) -> dict[str, Any]:
        """The platform's service, as the posting remembers it."""
        return dict(self.values.get("where", {}))


@dataclass(frozen=True)
class Begun:
    """A submission that somebody has begun: its id, its participant's, the token of its pages, its state and batch."""

    id: int
    participant_id: int
    token: str
    state: str
    batch_id: int | None


def find_entry(connection: Connection, posting: str, listing: str | None = None) -> Entry:
    """The posting behind a link, and the listing that the link names. Raises StudyError for an unknown one."""
    row = connection.execute(
        select(
            Posting.id,
            Posting.platform,
            Posting.state,
            Posting.values.label("said"),
            Design.id.label("design_id"),
            Design.study_id,
            Design.values,
        )
        .join(Design, Design.id == Posting.design_id)
        .where(Posting.token == posting)
    ).first()
    if row is None:
        raise StudyError("This link leads to no study; check that it was copied completely.")
    design = DesignModel.model_validate(row.values)
    entry = Entry(row.id, row.state, row.platform, row.said, row.study_id, row.design_id, design)
    if listing is None:
        return entry
    of_posting = select(Listing.id, Listing.batch_id).where(Listing.posting_id == row.id, Listing.token == listing)
    found = connection.execute(of_posting).first()
    if found is None:
        raise StudyError("This link leads to no part of the study; check that it was copied completely.")
    return replace(entry, listing_id=found.id, batch_id=found.batch_id)


def check_open(entry: Entry) -> None:
    """Raise PlaceError where a posting is closed to people who have not begun."""
    if entry.state == "paused":
        raise PlaceError("This study is paused for the moment. Please try again later with the same link.")
    if not entry.is_open:
        raise PlaceError("This study is closed and takes no more participants. Thank you for your interest.")


def find_submission(connection: Connection, entry: Entry, participant: str) -> Begun | None:
    """The newest submission that this person has begun by this link, if any; of a listing's own batch first.

    Raises PlaceError for a name that no person can have.
    """
    if not _PARTICIPANT.fullmatch(participant):
        raise PlaceError("The participant's name in this link is not valid; use the link just as it was given to you.")
    row = connection.execute(
        select(Submission.id, Submission.participant_id, Submission.token, Submission.state, Submission.batch_id)
        .join(Participant, Participant.id == Submission.participant_id)
        .where(
            Submission.posting_id == entry.posting_id,
            Participant.platform == entry.platform,
            Participant.platform_id.in_(spellings(entry.platform, participant)),
        )
        .order_by(*_own_batch_first(entry), Submission.attempt.desc())
        .limit(1)
    ).first()
    return Begun(*row) if row is not None else None


def refuse(connection: Connection, entry: Entry, participant: str, arrival: Arrival | None = None) -> str | None:
    """Record that somebody does not consent: they hold no place (any more), and may change their mind.

    What is complete stays so: then the token of its pages, else None.
    Raises PlaceError where the posting is closed to them.
    """
    if find_submission(connection, entry, participant) is None:
        check_open(entry)
    person = take_participant(connection, entry.platform, participant)
    before = find_submission(connection, entry, participant)
    if before is None:
        submission, _ = _add_submission(connection, entry, person, attempt=1, state="refused", batch_id=None, order=[])
        add_event(connection, submission, "consent_refused", {})
        note_arrival(connection, entry.posting_id, entry.listing_id, person, submission, arrival)
    elif before.state != "refused" and _is_elsewhere(entry, before):
        return None  # they do not want this batch; what they do with another is not touched
    elif before.state == "started":
        add_event(connection, before.id, "consent_refused", {})
        leave(connection, read_progress(connection, before.token))
    elif before.state == "completed":
        return before.token
    return None


def join(connection: Connection, entry: Entry, participant: str, arrival: Arrival | None = None) -> str:
    """Begin, or find again, this person's submission; the token of its pages.

    Who has one that is under way gets it back; who refused may begin after all; who completed one gets
    another if the design allows it and there is room, else the one that they have.
    `arrival` is what their platform says of them. Somebody who begins is locked first, so that of two studies
    that exclude each other only one lets them in, however many arrive at once.
    Raises PlaceError, in words for the participant, where there is no place for them.
    """
    before = find_submission(connection, entry, participant)
    if before is None:
        check_open(entry)
    person = take_participant(connection, entry.platform, participant)
    lock_design(connection, entry.design_id)
    before = find_submission(connection, entry, participant)
    attempts = _begun(connection, entry.study_id, person)
    may_again = attempts < entry.design.people.submissions_per_participant
    completed = before is not None and before.state == "completed"
    if before is not None and completed and not may_again and _is_elsewhere(entry, before):
        raise PlaceError("You have already taken part in this study. Please return this one: it is another part of it.")
    if before is not None and before.state in ("started", "left") and _is_elsewhere(entry, before):
        if not may_again:
            raise PlaceError(
                "You have begun with another part of this study, and each person may do one part. Please return "
                "this one, and go on with the part that you began."
            )
        leave(connection, read_progress(connection, before.token))  # the platform gave them another batch
    elif before is not None and before.state != "refused" and not (completed and may_again and entry.is_open):
        return _again(connection, entry, before, arrival)
    check_open(entry)
    if not may_again:
        raise PlaceError("You have already taken part in this study, and it can be taken only once.")
    _check_exclusions(connection, entry, person)
    _check_invited(connection, entry, participant)
    free_expired(connection, entry.design_id)
    free_given_back(connection, entry.posting_id, person, arrival)
    _check_quota(connection, entry)
    batch_id = _choose(connection, entry, person)
    let_in = arrival is not None and arrival.submission is not None
    if batch_id is None and let_in and not PLATFORMS[entry.platform].capabilities.lists_active:
        free_idle(connection, entry.design_id, entry.batch_id)
        batch_id = _choose(connection, entry, person)
    if batch_id is None:
        if before is not None and completed and not _is_elsewhere(entry, before):
            return _again(connection, entry, before, arrival)
        raise PlaceError(why_no_place(connection, entry, attempts, person))
    rng = random.SystemRandom()
    items = list(
        connection.scalars(select(BatchItem.item_id).where(BatchItem.batch_id == batch_id).order_by(BatchItem.position))
    )
    order = (
        next_order(connection, batch_id, items, rng)
        if entry.design.batches.order == "counterbalanced"
        else trial_order(items, entry.design.batches.repeats, rng)
    )
    if before is not None and before.state == "refused":
        submission, token = before.id, before.token
        values = _values(entry, "started", batch_id, order)
        connection.execute(update(Submission).where(Submission.id == submission).values(**values))
    else:
        used = connection.execute(
            select(func.max(Submission.attempt)).where(
                Submission.posting_id == entry.posting_id, Submission.participant_id == person
            )
        ).scalar()
        submission, token = _add_submission(
            connection, entry, person, attempt=(used or 0) + 1, state="started", batch_id=batch_id, order=order
        )
    if not take_place(connection, batch_id, submission, entry.design.people.hold_minutes):
        raise PlaceError("The last place was taken this very moment. Please try again.")
    add_event(connection, submission, "consent_given", {"statements": list(entry.design.eligibility.statements)})
    note_arrival(connection, entry.posting_id, entry.listing_id, person, submission, arrival)
    return token


def _own_batch_first(entry: Entry) -> list[Any]:
    return [] if entry.batch_id is None else [case((Submission.batch_id == entry.batch_id, 0), else_=1)]


def _choose(connection: Connection, entry: Entry, person: int) -> int | None:
    only_one = entry.design.people.one_condition
    return choose_batch(connection, entry.design_id, person, entry.batch_id, one_condition=only_one)


def _is_elsewhere(entry: Entry, begun: Begun) -> bool:
    """Whether a submission is of another batch than the one that this listing hands out."""
    return entry.batch_id not in (None, begun.batch_id)


def _again(connection: Connection, entry: Entry, before: Begun, arrival: Arrival | None) -> str:
    """Somebody comes back to what they have begun, perhaps by another assignment after they gave one back."""
    if before.state == "completed":
        check_same_work(connection, before.id, arrival)
    free_given_back(connection, entry.posting_id, before.participant_id, arrival)
    note_arrival(connection, entry.posting_id, entry.listing_id, before.participant_id, before.id, arrival)
    return before.token


def can_begin_another(connection: Connection, entry: Entry, begun: Begun) -> bool:
    """Whether `join` would give somebody who completed this submission another one; frees expired places."""
    attempts = _begun(connection, entry.study_id, begun.participant_id)
    if attempts >= entry.design.people.submissions_per_participant or not entry.is_open:
        return False
    lock_design(connection, entry.design_id)
    free_expired(connection, entry.design_id)
    return _choose(connection, entry, begun.participant_id) is not None


def check_room(connection: Connection, entry: Entry, arrival: Arrival | None = None) -> None:
    """Raise PlaceError, before anybody reads the consent page, where it is closed or no place can be had now.

    Who comes with a submission of their platform's was let in by it: whether a place of somebody who gave theirs
    back can be had is found out when they consent.
    """
    check_open(entry)
    if arrival is not None and arrival.participant is not None:
        _check_invited(connection, entry, arrival.participant)
    _check_quota(connection, entry)
    if arrival is not None and arrival.submission is not None:
        return
    free_by_now = or_(Place.state == "open", and_(Place.state == "held", Place.held_until < now()))
    found = connection.execute(
        select(Place.id)
        .join(Batch, Batch.id == Place.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .where(Condition.design_id == entry.design_id, free_by_now)
        .limit(1)
    ).first()
    if found is None:
        raise PlaceError(why_no_place(connection, entry, attempts=0))


def check_invitation(entry: Entry) -> None:
    """Raise PlaceError for somebody who comes by the bare link of a posting that lets only invited people in."""
    if entry.platform == "link" and entry.design.link.invited_only and not entry.values.get(SIMULATED):
        raise PlaceError("This study is open to invited people; use the personal link that was sent to you.")


def _check_invited(connection: Connection, entry: Entry, participant: str) -> None:
    if entry.platform != "link" or not entry.design.link.invited_only:
        return
    invited = select(Invitation.id).where(Invitation.posting_id == entry.posting_id, Invitation.token == participant)
    if connection.execute(invited).first() is None:
        check_invitation(entry)


def _check_quota(connection: Connection, entry: Entry) -> None:
    """Completed submissions count, and those under way that still hold a place."""
    quota = entry.design.link.quota if entry.platform == "link" and not entry.values.get(SIMULATED) else None
    if quota is None:
        return
    taken = connection.execute(
        select(func.count())
        .select_from(Submission)
        .outerjoin(Place, and_(Place.submission_id == Submission.id, Place.state == "held", Place.held_until >= now()))
        .where(
            Submission.posting_id == entry.posting_id,
            or_(Submission.state == "completed", and_(Submission.state == "started", Place.id.is_not(None))),
        )
    ).scalar_one()
    if taken >= quota:
        raise PlaceError("This link has let in as many people as it may. Thank you for your interest.")


def _begun(connection: Connection, study_id: int, person: int) -> int:
    """How many submissions to a study, in all its versions and postings, a person has consented to."""
    return connection.execute(
        select(func.count())
        .select_from(Submission)
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .where(Design.study_id == study_id, Submission.participant_id == person, Submission.state != "refused")
    ).scalar_one()


def _check_exclusions(connection: Connection, entry: Entry, person: int) -> None:
    excluded = entry.design.eligibility.exclude_studies
    if not excluded:
        return
    took_part = connection.execute(
        select(Submission.id)
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .join(Study, Study.id == Design.study_id)
        .where(
            Submission.participant_id == person,
            Submission.state != "refused",
            or_(*(Study.name == s for s in excluded)),
        )
    ).first()
    if took_part is not None:
        raise PlaceError("You have taken part in a related study, so you cannot take part in this one.")


def _values(entry: Entry, state: str, batch_id: int | None, order: list[list[int]]) -> dict[str, Any]:
    classes = list(entry.design.classes)
    random.SystemRandom().shuffle(classes)
    return {
        "state": state,
        "batch_id": batch_id,
        "item_order": order,
        "class_order": classes,
        "stage": "instructions",
        "started_at": now(),
    }


def _add_submission(
    connection: Connection,
    entry: Entry,
    person: int,
    *,
    attempt: int,
    state: str,
    batch_id: int | None,
    order: list[list[int]],
) -> tuple[int, str]:
    token = new_token(24)
    row = {
        "token": token,
        "pseudonym": new_token(),
        "posting_id": entry.posting_id,
        "participant_id": person,
        "attempt": attempt,
        **_values(entry, state, batch_id, order),
    }
    key = connection.execute(insert(Submission).values(**row).returning(Submission.id)).scalar_one()
    return int(key), token
