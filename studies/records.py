"""What happened beside the answers, as tables: every event, and the answers to background and debrief questions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from crowdloom.studies.posting import newest_design
from crowdloom.studies.tables import Design, Event, Participant, Posting, Study, Submission

if TYPE_CHECKING:
    import pandas as pd


def read_events(connection: Connection, study: str) -> pd.DataFrame:
    """Every event of a study's submissions, oldest first: participant, submission, kind, at (UTC), values (JSON).

    Raises StudyError for an unknown study.
    """
    import pandas as pd

    newest_design(connection, study)
    rows = connection.execute(
        select(Participant.pseudonym, Submission.pseudonym, Event.kind, Event.at, Event.values)
        .join(Submission, Submission.id == Event.submission_id)
        .join(Participant, Participant.id == Submission.participant_id)
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .join(Study, Study.id == Design.study_id)
        .where(Study.name == study)
        .order_by(Event.id)
    ).all()
    return pd.DataFrame(
        {
            "participant": [row[0] for row in rows],
            "submission": [row[1] for row in rows],
            "kind": [row.kind for row in rows],
            "at": pd.to_datetime([row.at for row in rows], utc=True),
            "values": [json.dumps(row[4], ensure_ascii=False) for row in rows],
        }
    )


def read_debrief(connection: Connection, study: str) -> pd.DataFrame:
    """The answers to the debrief questions: participant, submission, at (UTC), and a column for each question.

    Raises StudyError for an unknown study.
    """
    return _read_asked(connection, study, "debrief")


def read_background(connection: Connection, study: str) -> pd.DataFrame:
    """The answers to the background questions, as `read_debrief` has its own; numbers are numbers.

    Raises StudyError for an unknown study.
    """
    return _read_asked(connection, study, "background")


def background_of(connection: Connection, study: str, code: str) -> dict[str, str | int | float]:
    """What the submission with this pseudonym answered to the background questions, by question; empty if nothing."""
    found = connection.execute(
        select(Event.values)
        .join(Submission, Submission.id == Event.submission_id)
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .join(Study, Study.id == Design.study_id)
        .where(Study.name == study, Submission.pseudonym == code, Event.kind == "background")
        .order_by(Event.id.desc())
    ).first()
    return dict(found[0]) if found is not None else {}


def _read_asked(connection: Connection, study: str, kind: str) -> pd.DataFrame:
    import pandas as pd

    events = read_events(connection, study)
    asked = events[events["kind"] == kind].reset_index(drop=True)
    answers = pd.DataFrame([json.loads(values) for values in asked["values"]], index=asked.index)
    return pd.concat([asked[["participant", "submission", "at"]], answers], axis=1)
