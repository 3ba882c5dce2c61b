"""What a design checks of a completed submission; nothing here rejects anybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, select

from crowdloom.studies.design import Checks, Design
from crowdloom.studies.tables import Item, Response
from crowdloom.tasks import TASKS

_FEWEST = 5
"""Answers, below which that they are all alike says nothing."""
_AT_A_TIME = 500


@dataclass(frozen=True)
class Verdict:
    """One sentence for each check that a submission does not pass."""

    attention: tuple[str, ...] = ()
    """Items whose answer everybody knows were answered wrongly."""
    other: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """All of them; empty where the submission passes."""
        return self.attention + self.other


def check_submissions(connection: Connection, design: Design, submissions: Iterable[int]) -> dict[int, Verdict]:
    """The verdict on each of these submissions to a design, given by their internal ids."""
    ids = list(submissions)
    answers: dict[int, list[Row[Any]]] = {id_: [] for id_ in ids}
    for start in range(0, len(ids), _AT_A_TIME):
        rows = connection.execute(
            select(Response.submission_id, Response.answer, Response.rt_ms, Item.reference, Item.difficulty)
            .join(Item, Item.id == Response.item_id)
            .where(Response.submission_id.in_(ids[start : start + _AT_A_TIME]), Response.repeat_index == 0)
        )
        for row in rows:
            answers[row.submission_id].append(row)
    named = next((column.name for column in TASKS[design.task].columns if column.kind == "class"), None)
    return {id_: _judge(rows, design.checks, named) for id_, rows in answers.items()}


def _judge(answers: list[Row[Any]], checks: Checks, named: str | None) -> Verdict:
    attention, other = [], []
    if checks.easy_at_most is not None and checks.easy_right is not None and named is not None:
        easy = [
            row.answer.get(named) == row.reference
            for row in answers
            if row.difficulty is not None and row.difficulty <= checks.easy_at_most and row.reference is not None
        ]
        wanted = min(checks.easy_right, len(easy))
        if sum(easy) < wanted:
            attention.append(f"{sum(easy)} of {len(easy)} easy items right, {wanted} wanted")
    times = [row.rt_ms / 1000 for row in answers if row.rt_ms is not None]
    if checks.seconds_per_answer is not None and times and median(times) < checks.seconds_per_answer:
        other.append(f"{median(times):.1f} s per answer, at least {checks.seconds_per_answer:g} s wanted")
    classes = [row.answer.get(named) for row in answers] if named is not None else []
    if checks.same_answer is not None and len(classes) >= _FEWEST:
        name, most = Counter(classes).most_common(1)[0]
        if most / len(classes) > checks.same_answer:
            other.append(f"{most} of {len(classes)} answers are {name!r}, at most {checks.same_answer:.0%} wanted")
    return Verdict(tuple(attention), tuple(other))
