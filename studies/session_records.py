"""The answers of studies of sessions in a latent space, with the records that count.

What a page sends in the end has been in the participant's browser, where anybody can change it. What the last step of a
trial gave is the server's own, and goes before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlalchemy import Connection, func, select

from crowdloom.studies.reading import Answers, fetch_columns, read_submissions
from crowdloom.studies.tables import Design, Item, Job, Posting, Submission
from crowdloom.studies.words import count
from crowdloom.tasks.latent_records import SessionRecord
from crowdloom.tasks.protocol import Answer

if TYPE_CHECKING:
    from crowdloom.analysis.latent_frames import Session

TASK = "latent-session"
REPLACED = "replaced"
"""What an answer has beside its record where its page had sent another one than the server's."""
_TRAINED = (Job.step.in_(("open", "train")), Job.state == "done", Job.output.is_not(None))
"""Of jobs, those whose output has a record."""


@dataclass(frozen=True)
class Answered:
    """An answer of a study of sessions."""

    submission: int
    """Its position in `Answers.submissions`."""
    repeat_index: int
    session: Session | None
    why: str = ""
    """Why it has no session that can be used; empty where there is nothing but numbers, as in an older release."""
    trained: bool = False
    """Whether a worker of this store trained it, so that the record is the server's own."""


def each_answer(connection: Connection, answers: Answers) -> Iterator[Answered]:
    """All answers with their sessions, repeats included, by submissions in the order in which they began.

    Where the server has a record of its own, that is the session's, and `Session.replaced` says whether the page sent
    another one.
    """
    from crowdloom.analysis.latent_frames import Session

    origins = read_submissions(connection, answers)
    ours = server_records(connection, answers)
    columns = "item_id, repeat_index, answer"
    for positions, (item_ids, repeats, given) in fetch_columns(connection, answers, columns):
        for position, item_id, repeat, answer in zip(positions.tolist(), item_ids, repeats, given, strict=True):
            origin, item = origins[position], answers.items[answers.item_index[item_id]]
            said, own = _json(answer), ours.get((int(answers.submissions[position]), item_id, repeat))
            if "session" not in said and own is None:
                yield Answered(position, repeat, None)
                continue
            sent = _record(said.get("session"))
            record = sent if own is None else own
            if record is None or (why := _unusable(record, sent)):
                why = "it lacks what one has" if record is None else why
                called = f"session of {origin.submission} in {item}"
                yield Answered(position, repeat, None, f"The {called} is left out: {why}.", own is not None)
                continue
            session = Session(
                answers.study,
                origin.condition,
                origin.participant,
                origin.submission,
                item,
                record,
                repeat_index=repeat,
                words=said.get("strategy") or "",
                replaced=bool(said.get(REPLACED)) or (own is not None and own != sent),
            )
            yield Answered(position, repeat, session, trained=own is not None)


def _record(said: Any) -> SessionRecord | None:
    try:
        return SessionRecord.model_validate(said)
    except ValidationError:
        return None


def _unusable(record: SessionRecord, sent: SessionRecord | None) -> str:
    """Why a record cannot be used, in a clause; empty where it can. `sent` is that of the page."""
    from crowdloom.analysis.frame import FrameError
    from crowdloom.analysis.latent_frames import check_record

    try:
        check_record(record)
    except FrameError as error:
        return str(error)
    if sent is not None and sent.interactions and not record.interactions:
        return f"its page sent {count(len(sent.interactions), 'interaction')}, of which the server trained none"
    return ""


def recorded(connection: Connection, submission: int, trial: str, answer: Answer) -> Answer:
    """A page's answer with the server's own record of the trial, and marked as replaced where the page sent another.

    It stays as it is where no worker has trained anything in this trial.
    """
    last = (
        select(Job.output["record"])
        .where(Job.submission_id == submission, Job.task == TASK, Job.trial == trial, *_TRAINED)
        .order_by(Job.id.desc())
        .limit(1)
    )
    own, sent = _record(connection.execute(last).scalar()), _record(answer["session"])
    if own is None or own == sent or _unusable(own, sent):
        return answer
    return {**answer, "session": own.model_dump(mode="json"), REPLACED: True}


Trial = tuple[int, int, int]
"""Internal ids of the submission and the item, and which repeat it is."""


def server_records(connection: Connection, answers: Answers) -> dict[Trial, SessionRecord]:
    """The record after the last `open` or `train` of each trial that has one.

    There is none for sessions that no worker trained, such as those of an import, and none that another version of
    this software wrote so that it cannot be read.
    """
    studies = select(Design.study_id).where(Design.id.in_(answers.designs))
    tokens = {
        row.token: row.id for row in connection.execute(select(Item.token, Item.id).where(Item.study_id.in_(studies)))
    }
    last = (
        select(func.max(Job.id))
        .join(Submission, Submission.id == Job.submission_id)
        .join(Posting, Posting.id == Submission.posting_id)
        .where(Posting.design_id.in_(answers.designs), Job.task == answers.task, *_TRAINED)
        .group_by(Job.submission_id, Job.trial)
    )
    # Of the output the record alone: the points of all sessions together may be more than fits.
    rows = select(Job.submission_id, Job.trial, Job.output["record"]).where(Job.id.in_(last))
    found: dict[Trial, SessionRecord] = {}
    for submission, trial, record in connection.execute(rows):
        # A trial's name is its item's token, a dot, and which repeat it is; see `participation.position_of`.
        token, _, repeat = (trial or "").rpartition(".")
        if token not in tokens:
            continue
        try:
            found[submission, tokens[token], int(repeat)] = SessionRecord.model_validate(record)
        except ValidationError:
            continue
    return found


def _json(value: Any) -> Any:
    """A JSON column as the driver gives it: SQLite's gives the text, PostgreSQL's the value."""
    return json.loads(value) if isinstance(value, str | bytes) else value
