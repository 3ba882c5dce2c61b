"""The answers of studies of the task `coach`, with the records that count.

What a page sends in the end has been in the participant's browser, where anybody can change it: what the recogniser
read, above all. What the server itself read stands in the events of the step `read`, and goes before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlalchemy import Connection, select

from crowdloom.studies.reading import Answers, Origin, read_submissions
from crowdloom.studies.session_records import REPLACED
from crowdloom.studies.tables import Design, Event, Item, Response
from crowdloom.tasks.coach_records import ATTEMPTS, Writing
from crowdloom.tasks.protocol import Answer, AnswerError

if TYPE_CHECKING:
    from crowdloom.analysis.coach_attempts import Written

TASK = "coach"
AT_A_TIME = 50
"""Submissions; of each, all strokes are in memory."""


@dataclass(frozen=True)
class Answered:
    """An answer of a study of writings."""

    submission: int
    """Its position in `Answers.submissions`."""
    code: str
    """The submission's pseudonym."""
    item: str
    repeat_index: int
    written: Written | None
    why: str = ""
    """Why it has no writing that can be used; empty where there is nothing but numbers, as in other imports."""
    confirmed: bool = False
    """Whether the server read both attempts, so that the record is its own."""
    shorter: bool = False
    """Whether the server read fewer attempts than the page sent, which counts then."""


def each_answer(connection: Connection, answers: Answers) -> Iterator[Answered]:
    """All answers with their writings, repeats included, by submissions in the order in which they began.

    Where the server has a record of both attempts, that is the writing's, and `Written.replaced` says whether the page
    sent another one.
    """
    origins, ids = read_submissions(connection, answers), answers.submissions.tolist()
    tokens = _tokens(connection, answers)
    for start in range(0, len(ids), AT_A_TIME):
        some = {number: start + place for place, number in enumerate(ids[start : start + AT_A_TIME])}
        ours = _server_records(connection, some)
        given = connection.execute(
            select(Response.submission_id, Response.item_id, Response.repeat_index, Response.answer)
            .where(Response.submission_id.in_(some))
            .order_by(Response.submission_id, Response.id)
        )
        for submission, item_id, repeat, answer in given:
            origin = origins[some[submission]]
            item = answers.items[answers.item_index[item_id]]
            own = ours.get((submission, f"{tokens.get(item_id, '')}.{repeat}"))
            yield _answered(
                Answered(some[submission], origin.submission, item, repeat, None), answers, origin, own, answer
            )


def recorded(connection: Connection, submission: int, trial: str, answer: Answer) -> Answer:
    """A page's answer with the server's own record of the trial, and marked as replaced where the page sent another.

    Raises AnswerError where the server did not read both attempts: then nobody knows what the recogniser would read.
    """
    own = _server_records(connection, [submission], trial).get((submission, trial))
    if own is None or len(own.attempts) < ATTEMPTS:
        raise AnswerError({"writing": "The recogniser has not read both attempts yet; reload the page to go on."})
    if _same(own, _writing(answer["writing"])):
        return answer
    return {**answer, "writing": own.model_dump(mode="json"), REPLACED: True}


def _answered(
    about: Answered, answers: Answers, origin: Origin, own: Writing | None, answer: dict[str, Any]
) -> Answered:
    """The answer with its record, or with why it has none."""
    from crowdloom.analysis.coach_attempts import Written

    if "writing" not in answer and own is None:
        return about
    sent = _writing(answer.get("writing"))
    confirmed = own is not None and len(own.attempts) == ATTEMPTS
    record = own if confirmed else sent
    if record is None or (why := _unusable(record, answers.classes)):
        why = "it lacks what one has" if record is None else why
        called = f"writing of {about.code} in {about.item}"
        return replace(about, why=f"The {called} is left out: {why}.", confirmed=confirmed)
    written = Written(
        answers.study,
        origin.condition,
        origin.participant,
        about.code,
        about.item,
        record,
        about.repeat_index,
        replaced=bool(answer.get(REPLACED)) or (confirmed and not _same(record, sent)),
    )
    return replace(about, written=written, confirmed=confirmed, shorter=own is not None and not confirmed)


def _same(one: Writing, other: Writing | None) -> bool:
    """Whether two records say the same of the trial; how often the page looked is no part of it."""
    return other is not None and one.model_copy(update={"looks": other.looks}) == other


def _unusable(record: Writing, classes: Sequence[str]) -> str:
    """Why a record cannot be used, in a clause; empty where it can."""
    if len(record.attempts) != ATTEMPTS:
        return f"it has {len(record.attempts)} of {ATTEMPTS} attempts"
    if record.asked not in classes:
        return "what was asked for is no class of the study"
    for attempt in record.attempts:
        for said in (attempt.reading, attempt.proposal):
            if said is not None and (len(said.probabilities) != len(classes) or said.read not in classes):
                return "what was read is of other classes than the study's"
    return ""


def _writing(said: Any) -> Writing | None:
    try:
        return Writing.model_validate(said)
    except ValidationError:
        return None


def _tokens(connection: Connection, answers: Answers) -> dict[int, str]:
    studies = select(Design.study_id).where(Design.id.in_(answers.designs))
    rows = connection.execute(select(Item.id, Item.token).where(Item.study_id.in_(studies)))
    return {row.id: row.token for row in rows}


def _server_records(
    connection: Connection, submissions: Collection[int], only: str | None = None
) -> dict[Any, Writing]:
    """By submission and trial (or `only` one), the writing after the last drawing that was done, as the server had it.

    There is none for trials that no server read, such as those of an import, and none that another version of this
    software wrote so that it cannot be read. A trial's name is its item's token, a dot, and which repeat it is.
    """
    said = Event.values
    named = [] if only is None else [said["trial"].as_string() == only]
    rows = connection.execute(
        select(Event.submission_id, said["trial"].as_string(), said["output"]["writing"])
        .where(Event.submission_id.in_(submissions), Event.kind == "live_step")
        .where(said["step"].as_string() == "read", said["input"]["done"].as_boolean(), *named)
        .order_by(Event.id)
    )
    found: dict[Any, Writing] = {}
    for submission, trial, writing in rows:
        if writing is not None and (record := _writing(writing)) is not None:
            found[submission, trial] = record
    return found
