"""The writings of a study of the task `coach`, read back from the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import StudyError
from crowdloom.studies.reading import Answers, Scope, find_answers, read_frame
from crowdloom.studies.reading_sessions import MOST_NOTES
from crowdloom.studies.tables import Design
from crowdloom.studies.words import count
from crowdloom.studies.writing_records import TASK, Answered, each_answer
from crowdloom.tasks import TASKS
from crowdloom.tasks.coach_coaching import CONTROL
from crowdloom.tasks.coach_options import CoachOptions

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Writings:
    """The writings that count, and what is to be known of them."""

    frame: pd.DataFrame
    """The long frame; where the server has a record of its own, with what that says."""
    attempts: pd.DataFrame
    """See `analysis.coach_attempts`: of first answers."""
    never_coached: Sequence[str]
    """The classes that the design coaches for nobody."""
    notes: Sequence[str] = ()
    """What could not be used, is not as its page sent it, or cannot be confirmed; a sentence each."""


def read_writings(
    connection: Connection, study: str, scope: Scope = "accepted", version: int | None = None
) -> Writings:
    """The answers of each submission, by submissions in the order in which they began.

    Raises StudyError as `find_answers` does, and for a study of another task.
    """
    from crowdloom.analysis.coach_attempts import attempt_frame, attempt_rows

    answers = writings_of(connection, study, scope, version)
    frame = read_frame(connection, study, scope, version)
    place = {key: row for row, key in enumerate(zip(*(frame[name] for name in _KEY), strict=True))}
    rows: list[dict[str, Any]] = []
    heard, gone = Heard(), list[int]()
    for one in each_answer(connection, answers):
        heard.hear(one)
        if one.written is None:
            gone += [place[one.code, one.item, one.repeat_index]] if one.why else []
            continue
        if one.written.replaced:
            said = {"writing": one.written.writing.model_dump(mode="json")}
            values = TASKS[TASK].typed(said, answers.classes)
            row = place[one.code, one.item, one.repeat_index]
            for column, value in zip(answers.columns, values, strict=True):
                frame.at[row, column.name] = float("nan") if value is None else value
        if not one.repeat_index:
            rows += attempt_rows(one.written, answers.classes)
    return Writings(
        frame.drop(index=frame.index[gone]).reset_index(drop=True),
        attempt_frame(rows),
        never_coached(connection, answers),
        list(heard.sentences()),
    )


_KEY = ("submission", "item", "repeat_index")


def writings_of(connection: Connection, study: str, scope: Scope, version: int | None) -> Answers:
    """`find_answers`, for a study of this task. Raises StudyError for another."""
    answers = find_answers(connection, study, scope, version)
    if answers.task != TASK:
        raise StudyError(f"{study} is a study of the task {answers.task}; only {TASK} has writings")
    return answers


def never_coached(connection: Connection, answers: Answers) -> list[str]:
    """The classes that no condition coaches of those that coach at all, in any version that counts."""
    coaching = [set(said.never_coached) for said in options_of(connection, answers) if said.coaching != CONTROL]
    return [name for name in answers.classes if coaching and all(name in never for never in coaching)]


def options_of(connection: Connection, answers: Answers) -> list[CoachOptions]:
    """What each condition says to the task, of each version that counts."""
    rows = connection.scalars(select(Design.values).where(Design.id.in_(answers.designs)))
    designs = [DesignModel.model_validate(values) for values in rows]
    said = [design.task_options(arm) for design in designs for arm in design.arms()]
    return [options for options in said if isinstance(options, CoachOptions)]


@dataclass
class Heard:
    """What is to be told of the answers, as they come."""

    replaced: list[str] = field(default_factory=list)
    shorter: list[str] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)
    used: int = 0
    without: int = 0

    def hear(self, one: Answered) -> None:
        if one.written is None:
            self.unusable += [one.why] if one.why else []
            self.without += not one.why
            return
        name = f"{one.code} in {one.item}"
        self.used += 1
        self.replaced += [name] if one.written.replaced else []
        self.shorter += [name] if one.shorter else []
        self.alone += [name] if not one.confirmed and not one.shorter else []

    def sentences(self) -> Iterator[str]:
        if self.replaced:
            yield (
                f"Of {count(len(self.replaced), 'writing')} the page sent something else than the server's own record, "
                f"which counts: {_some(self.replaced)}."
            )
        if self.shorter:
            yield (
                f"Of {count(len(self.shorter), 'writing')} the server's own record lacks an attempt, so that what the "
                f"page sent counts: {_some(self.shorter)}."
            )
        if self.alone and len(self.alone) < self.used:
            yield (
                f"Of {count(len(self.alone), 'writing')} the server has no record of its own, so that what the page "
                f"sent counts: {_some(self.alone)}."
            )
        if self.without:
            yield (
                f"{count(self.without, 'answer')} {'has' if self.without == 1 else 'have'} no writing beside the "
                "numbers, as after the import of a file that had none; their numbers count."
            )
        yield from self.unusable[:MOST_NOTES]
        if (further := len(self.unusable) - MOST_NOTES) > 0:
            yield f"{further} further answers are left out in the same way."


def _some(names: Sequence[str]) -> str:
    """The first of them; of the others how many."""
    further = len(names) - MOST_NOTES
    return ", ".join(names[:MOST_NOTES]) + (f" and {further} more" if further > 0 else "")
