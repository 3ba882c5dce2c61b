"""The answers to the questionnaires of a study, as one long frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.reading import Scope, find_answers, read_submissions
from crowdloom.studies.tables import Design, Event, Posting, Submission

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "study",
    "submission",
    "participant",
    "condition",
    "version",
    "standing",
    "questionnaire",
    "after_item",
    "instrument",
    "about",
    "kind",
    "item",
    "text",
    "left",
    "right",
    "value",
    "at",
)


def read_questionnaires(
    connection: Connection, study: str, scope: Scope = "accepted", version: int | None = None
) -> pd.DataFrame:
    """A row for each item of each answer to a questionnaire, and one for each score: see `analysis.questionnaires`.

    Beside that frame's columns it has `study`, `version`, `standing` (see `reading.Origin`) and `at`, the time in UTC.
    `after_item` is the key of the item after which it was asked, None for those after the study.
    Submissions come in the order in which they began. Raises StudyError as `find_answers` does.
    """
    answers = find_answers(connection, study, scope, version)
    rows = connection.execute(
        select(Event.submission_id, Event.values, Event.at, Posting.design_id)
        .join(Submission, Submission.id == Event.submission_id)
        .join(Posting, Posting.id == Submission.posting_id)
        .where(Event.kind == "questionnaire", Posting.design_id.in_(answers.designs))
        .order_by(Event.submission_id, Event.id)
    ).all()
    if not rows:
        return _frame([])
    origins = dict(zip(answers.submissions.tolist(), read_submissions(connection, answers), strict=True))
    designs = {
        row.id: DesignModel.model_validate(row[1])
        for row in connection.execute(select(Design.id, Design.values).where(Design.id.in_(answers.designs)))
    }
    found = []
    for submission_id, said, at, design_id in rows:
        if (origin := origins.get(submission_id)) is None:
            continue
        asked = designs[design_id].questionnaires[said["number"] - 1].asked
        about = (study, origin.submission, origin.participant, origin.condition, origin.version, origin.standing)
        said_of = (*about, said["number"], said.get("item"), said["instrument"], asked.about, "item")
        for item in asked.items:
            value = float(said["ratings"][item.name])
            found.append((*said_of, item.name, item.text, item.left, item.right, value, at))
    return _frame(found)


def _frame(found: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    import pandas as pd

    from crowdloom.analysis.questionnaires import with_scores

    frame = pd.DataFrame(found, columns=list(COLUMNS)).astype({"value": float, "version": int, "questionnaire": int})
    return with_scores(frame.assign(at=pd.to_datetime(frame["at"], utc=True)))
