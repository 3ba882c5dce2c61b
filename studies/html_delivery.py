"""Answers that come back with an assignment, where a study needs no server of ours: into the store, once each.

The one exception to saving first: nothing is here before the marketplace hands it over. Nobody could be kept out
beforehand either; so what a person had no right to answer any more is dropped here, and may still be paid.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, or_, select, update
from sqlalchemy.orm import aliased

from crowdloom.studies.allocation import add_event, fill_open_place, free_expired, lock_design
from crowdloom.studies.database import new_token, now
from crowdloom.studies.errors import PlatformRefusedError
from crowdloom.studies.participation import ItemView, add_questionnaire, read_options, response_row
from crowdloom.studies.platforms.protocol import Remote
from crowdloom.studies.posted import Posted
from crowdloom.studies.self_contained import Parsed, parse_assignment
from crowdloom.studies.tables import (
    BatchItem,
    Design,
    Exclusion,
    Item,
    Posting,
    Response,
    Study,
    Submission,
)


def import_assignment(
    connection: Connection, posted: Posted, batch_id: int, person: int, remote: Remote, items: Sequence[ItemView]
) -> int:
    """Store the answers of one assignment; the id of its submission.

    A person who took part already, or is kept out, gets a submission without answers, left out of the analysis
    with the reason, so that they can be paid; what they answered is kept as an event. Answers that cannot be read at
    all make one that is not complete: it can be reviewed, and paid, all the same.
    """
    try:
        parsed = parse_assignment(posted.design, items, remote.answer or "", read_options(connection, batch_id))
    except PlatformRefusedError as error:
        submission = _add_submission(connection, posted, batch_id, person, remote, _UNREADABLE, "left")
        add_event(connection, submission, "answers_unreadable", {"reason": str(error)})
        return submission
    lock_design(connection, posted.design_id)
    free_expired(connection, posted.design_id)
    duplicate = _why_dropped(connection, posted, batch_id, person)
    submission = _add_submission(connection, posted, batch_id, person, remote, parsed, _state(parsed))
    add_event(connection, submission, "handed_over", {"assignment_state": remote.vendor_state})
    if not parsed.agreed or parsed.check_passed is False:
        return submission
    if duplicate is None:
        rows = [
            response_row(
                posted.design,
                submission,
                answer.item_id,
                answer.repeat_index,
                answer.position,
                answer.answer,
                rt_ms=answer.rt_ms,
                timing=answer.timing,
            )
            for answer in parsed.answers
        ]
        if rows:
            connection.execute(insert(Response), rows)
    else:
        answers = [[answer.item_id, answer.repeat_index, answer.answer] for answer in parsed.answers]
        add_event(connection, submission, "answers_dropped", {"reason": duplicate, "answers": answers})
    for number, ratings in parsed.questionnaires.items():
        add_questionnaire(connection, submission, posted.design, number, ratings)
    for number, why in parsed.questionnaires_refused.items():
        add_event(connection, submission, "questionnaire_refused", {"number": number + 1, "reason": why})
    if parsed.debrief:
        add_event(connection, submission, "debrief", dict(parsed.debrief))
    if parsed.refused:
        add_event(connection, submission, "answers_refused", dict(parsed.refused))
    unusable = f"{len(parsed.refused)} answers cannot be used" if parsed.refused else None
    if reason := duplicate or unusable:
        row = {"submission_id": submission, "reason": reason, "created_at": now()}
        connection.execute(insert(Exclusion), row)
    surplus = bool(reason) or not fill_open_place(connection, batch_id, submission)
    if surplus:
        connection.execute(update(Submission).where(Submission.id == submission).values(surplus=True))
    add_event(connection, submission, "completed", {"surplus": surplus})
    return submission


_UNREADABLE = Parsed(
    agreed=True, check_passed=None, checks_failed=0, item_order=[], class_order=[], answers=(), refused={}, debrief={}
)


def _state(parsed: Parsed) -> str:
    if not parsed.agreed:
        return "refused"
    return "failed_check" if parsed.check_passed is False else "completed"


def _why_dropped(connection: Connection, posted: Posted, batch_id: int, person: int) -> str | None:
    begun = (
        select(func.count(Submission.id))
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .join(Study, Study.id == Design.study_id)
        .where(Submission.participant_id == person, Submission.state != "refused")
    )
    own = connection.execute(begun.where(Study.id == posted.study_id)).scalar_one()
    if own >= posted.design.people.submissions_per_participant:
        return "the person had taken part already"
    excluded = posted.design.eligibility.exclude_studies
    if excluded and connection.execute(begun.where(or_(*(Study.name == name for name in excluded)))).scalar_one():
        return "the person had taken part in a related study"
    offered, had = aliased(Item), aliased(Item)
    again = connection.execute(
        select(Response.id)
        .join(Submission, Submission.id == Response.submission_id)
        .join(had, had.id == Response.item_id)
        .join(offered, (offered.study_id == had.study_id) & (offered.key == had.key))
        .join(BatchItem, BatchItem.item_id == offered.id)
        .where(Submission.participant_id == person, BatchItem.batch_id == batch_id)
        .limit(1)
    ).first()
    return "the person had answered these items already" if again is not None else None


def _add_submission(
    connection: Connection, posted: Posted, batch_id: int, person: int, remote: Remote, parsed: Parsed, state: str
) -> int:
    used = connection.execute(
        select(func.max(Submission.attempt)).where(
            Submission.posting_id == posted.id, Submission.participant_id == person
        )
    ).scalar()
    row = {
        "token": new_token(24),
        "pseudonym": new_token(),
        "posting_id": posted.id,
        "participant_id": person,
        "attempt": (used or 0) + 1,
        "state": state,
        "batch_id": batch_id,
        "item_order": parsed.item_order,
        "class_order": parsed.class_order,
        "checks_failed": parsed.checks_failed,
        "stage": "done",
        "started_at": remote.started_at or now(),
        "completed_at": (remote.submitted_at or now()) if state == "completed" else None,
    }
    key = connection.execute(insert(Submission).values(**row).returning(Submission.id)).scalar_one()
    return int(key)
