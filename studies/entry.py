"""The way into a study: who arrives by a posting's link, whether they may take part, and with which batch."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from crowdloom.studies.allocation import add_event, choose_batch, free_expired, lock_design, places_left, take_place
from crowdloom.studies.batches import trial_order
from crowdloom.studies.database import insert_new, new_token, now
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import PlaceError, StudyError
from crowdloom.studies.participation import leave, read_progress
from crowdloom.studies.tables import Batch, BatchItem, Condition, Design, Participant, Place, Posting, Study, Submission

_PARTICIPANT = re.compile(r"[^\x00-\x20\x7f\ud800-\udfff]{1,200}")


@dataclass(frozen=True)
class Entry:
    """A posting and the design that it publishes."""

    posting_id: int
    is_open: bool
    platform: str
    study_id: int
    design_id: int
    design: DesignModel


@dataclass(frozen=True)
class Begun:
    """A submission that somebody has begun: its id, its participant's, the token of its pages, its state."""

    id: int
    participant_id: int
    token: str
    state: str


def find_entry(connection: Connection, posting: str) -> Entry:
    """The posting behind a link. Raises StudyError for an unknown one."""
    row = connection.execute(
        select(
            Posting.id, Posting.platform, Posting.state, Design.id.label("design_id"), Design.study_id, Design.values
        )
        .join(Design, Design.id == Posting.design_id)
        .where(Posting.token == posting)
    ).first()
    if row is None:
        raise StudyError("This link leads to no study; check that it was copied completely.")
    design = DesignModel.model_validate(row.values)
    return Entry(row.id, row.state == "open", row.platform, row.study_id, row.design_id, design)


def check_open(entry: Entry) -> None:
    """Raise PlaceError where a posting is closed to people who have not begun."""
    if not entry.is_open:
        raise PlaceError("This study is closed and takes no more participants. Thank you for your interest.")


def find_submission(connection: Connection, entry: Entry, participant: str) -> Begun | None:
    """The newest submission that this person has begun by this link, if any.

    Raises PlaceError for a name that no person can have.
    """
    if not _PARTICIPANT.fullmatch(participant):
        raise PlaceError("The participant's name in this link is not valid; use the link just as it was given to you.")
    row = connection.execute(
        select(Submission.id, Submission.participant_id, Submission.token, Submission.state)
        .join(Participant, Participant.id == Submission.participant_id)
        .where(
            Submission.posting_id == entry.posting_id,
            Participant.platform == entry.platform,
            Participant.platform_id == participant,
        )
        .order_by(Submission.attempt.desc())
        .limit(1)
    ).first()
    return Begun(*row) if row is not None else None


def refuse(connection: Connection, entry: Entry, participant: str) -> str | None:
    """Record that somebody does not consent: they hold no place (any more), and may change their mind.

    What is complete stays so: then the token of its pages, else None.
    Raises PlaceError where the posting is closed to them.
    """
    if find_submission(connection, entry, participant) is None:
        check_open(entry)
    person = _participant(connection, entry, participant)
    before = find_submission(connection, entry, participant)
    if before is None:
        submission, _ = _add_submission(connection, entry, person, attempt=1, state="refused", batch_id=None, order=[])
        add_event(connection, submission, "consent_refused", {})
    elif before.state == "started":
        add_event(connection, before.id, "consent_refused", {})
        leave(connection, read_progress(connection, before.token))
    elif before.state == "completed":
        return before.token
    return None


def join(connection: Connection, entry: Entry, participant: str) -> str:
    """Begin, or find again, this person's submission; the token of its pages.

    Who has one that is under way gets it back; who refused may begin after all; who completed one gets
    another if the design allows it and there is room, else the one that they have.
    Raises PlaceError, in words for the participant, where there is no place for them.
    """
    before = find_submission(connection, entry, participant)
    if before is None:
        check_open(entry)
    person = _participant(connection, entry, participant)
    lock_design(connection, entry.design_id)
    before = find_submission(connection, entry, participant)
    attempts = _begun(connection, entry.study_id, person)
    may_again = attempts < entry.design.people.submissions_per_participant
    completed = before is not None and before.state == "completed"
    if before is not None and before.state != "refused" and not (completed and may_again and entry.is_open):
        return before.token
    check_open(entry)
    if not may_again:
        raise PlaceError("You have already taken part in this study, and it can be taken only once.")
    _check_exclusions(connection, entry, person)
    free_expired(connection, entry.design_id)
    batch_id = choose_batch(connection, entry.design_id, person)
    if batch_id is None:
        if before is not None and completed:
            return before.token
        raise PlaceError(_why_no_place(connection, entry, attempts))
    rng = random.SystemRandom()
    items = list(
        connection.scalars(select(BatchItem.item_id).where(BatchItem.batch_id == batch_id).order_by(BatchItem.position))
    )
    order = trial_order(items, entry.design.batches.repeats, rng)
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
    return token


def can_begin_another(connection: Connection, entry: Entry, begun: Begun) -> bool:
    """Whether `join` would give somebody who completed this submission another one; frees expired places."""
    attempts = _begun(connection, entry.study_id, begun.participant_id)
    if attempts >= entry.design.people.submissions_per_participant or not entry.is_open:
        return False
    lock_design(connection, entry.design_id)
    free_expired(connection, entry.design_id)
    return choose_batch(connection, entry.design_id, begun.participant_id) is not None


def check_room(connection: Connection, entry: Entry) -> None:
    """Raise PlaceError, before anybody reads the consent page, where it is closed or no place can be had now."""
    check_open(entry)
    free_by_now = or_(Place.state == "open", and_(Place.state == "held", Place.held_until < now()))
    found = connection.execute(
        select(Place.id)
        .join(Batch, Batch.id == Place.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .where(Condition.design_id == entry.design_id, free_by_now)
        .limit(1)
    ).first()
    if found is None:
        raise PlaceError(_why_no_place(connection, entry, attempts=0))


def _participant(connection: Connection, entry: Entry, participant: str) -> int:
    row = {
        "pseudonym": new_token(),
        "platform": entry.platform,
        "platform_id": participant,
        "created_at": now(),
    }
    connection.execute(insert_new(connection, Participant), row)
    return connection.execute(
        select(Participant.id)
        .where(Participant.platform == entry.platform, Participant.platform_id == participant)
        .with_for_update()
    ).scalar_one()


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


def _why_no_place(connection: Connection, entry: Entry, attempts: int) -> str:
    places = places_left(connection, entry.design_id)
    if places["open"] and attempts:
        return "You have already judged all the images that are still open. Thank you!"
    if places["held"]:
        return (
            "All places are taken at this moment. One may become free if somebody leaves: "
            "please try again a little later with the same link."
        )
    return "This study has all the answers it needs. Thank you for your interest."


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
