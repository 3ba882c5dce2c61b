"""What a researcher decides about submissions: approve, reject, leave out of the analysis."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from crowdloom.studies.allocation import add_event, fill_open_place, free, lock_design
from crowdloom.studies.database import insert_new, now
from crowdloom.studies.errors import OptionError, StudyError
from crowdloom.studies.posting import newest_design
from crowdloom.studies.tables import Design, Exclusion, Posting, Study, Submission


@dataclass(frozen=True)
class ToReview:
    """A completed submission: its pseudonym (the code on the receipt), when, surplus or not, its review so far."""

    code: str
    completed_at: datetime | None
    surplus: bool
    review: str | None


def completed(connection: Connection, study: str) -> list[ToReview]:
    """A study's completed submissions, oldest first. Raises StudyError for an unknown study."""
    newest_design(connection, study)
    rows = connection.execute(
        select(Submission.pseudonym, Submission.completed_at, Submission.surplus, Submission.review)
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .join(Study, Study.id == Design.study_id)
        .where(Study.name == study, Submission.state == "completed")
        .order_by(Submission.completed_at)
    ).all()
    return [ToReview(*row) for row in rows]


def review(connection: Connection, study: str, code: str, decision: str, reason: str | None = None) -> None:
    """Approve or reject a completed submission.

    A rejected one frees its place, and its answers stay. One that is approved after all takes an open
    place of its batch again, or is surplus where there is none. The same decision twice is no error.
    Raises StudyError for an unknown code, or one that is not complete.
    """
    submission_id = _find(connection, study, code)
    before = connection.execute(
        select(Submission.state, Submission.review, Submission.batch_id, Posting.design_id)
        .join(Posting, Posting.id == Submission.posting_id)
        .where(Submission.id == submission_id)
        .with_for_update(of=Submission, key_share=True)
    ).one()
    if before.state != "completed":
        raise StudyError(f"{code} is not complete, so there is nothing to review yet")
    if before.review == decision:
        return
    values: dict[str, Any] = {"review": decision, "reviewed_at": now()}
    if decision == "rejected":
        free(connection, submission_id, "rejected")
    elif before.review == "rejected":
        lock_design(connection, before.design_id)
        values["surplus"] = not fill_open_place(connection, before.batch_id, submission_id)
    connection.execute(update(Submission).where(Submission.id == submission_id).values(**values))
    add_event(connection, submission_id, decision, {"reason": reason})


def exclude(connection: Connection, study: str, code: str, reason: str) -> bool:
    """Leave a submission out of the analysis; False where it is left out already. The data stay."""
    if not reason.strip():
        raise OptionError("--reason is empty; say why the submission is left out, it is kept beside the data")
    row = {"submission_id": _find(connection, study, code), "reason": reason, "created_at": now()}
    added = connection.execute(insert_new(connection, Exclusion).returning(Exclusion.id), row).first()
    return added is not None


def _find(connection: Connection, study: str, code: str) -> int:
    found = connection.execute(
        select(Submission.id)
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .join(Study, Study.id == Design.study_id)
        .where(Study.name == study, Submission.pseudonym == code)
    ).scalar()
    if found is None:
        raise StudyError(f"{study!r} has no submission {code!r}; the codes stand in the export's column submission")
    return found
