"""The answers to background and debrief questions in a release.

Choices and numbers are always in it, what people typed in free text only where it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from crowdloom.studies.reading import Answers
from crowdloom.studies.releasing import submissions as subs
from crowdloom.studies.releasing.pseudonyms import Pseudonyms
from crowdloom.studies.releasing.scrubbing import ADDRESSES, Scrubber
from crowdloom.studies.releasing.submissions import Pass
from crowdloom.studies.releasing.tables import Column, Table, TableWriter
from crowdloom.studies.tables import Design, Event, Posting, Submission

KIND = "debrief"
BACKGROUND = "background"
_MEANINGS = {
    KIND: "one row for each submission that answered the closing questions",
    BACKGROUND: "one row for each submission that answered the questions before the first trial",
}


def write_debrief(
    connection: Connection,
    answers: Answers,
    passes: Sequence[Pass],
    names: Pseudonyms,
    scrubber: Scrubber,
    release: Path,
    *,
    free_text: bool,
    kind: str = KIND,
) -> Table | None:
    """Write the table `debrief`, or `background`; None where nothing that may be in it was asked."""
    asked = _questions(connection, answers, kind, free_text=free_text)
    if not asked:
        return None
    origins = dict(zip(answers.submissions.tolist(), (one.origin for one in passes), strict=True))
    rows: dict[int, dict[str, Any]] = {}
    for number, values in connection.execute(
        select(Event.submission_id, Event.values)
        .join(Submission, Submission.id == Event.submission_id)
        .join(Posting, Posting.id == Submission.posting_id)
        .where(Event.kind == kind, Posting.design_id.in_(answers.designs))
        .order_by(Event.submission_id, Event.id)
    ):
        if number in origins:
            rows[number] = {name: _answer(values.get(name), asks, scrubber) for name, asks in asked.items()}
    columns = [subs.SUBMISSION, subs.PARTICIPANT, *(_column(name, asks) for name, asks in asked.items())]
    with TableWriter(release, kind, _MEANINGS[kind], columns) as w:
        w.write(
            {
                "submission": [names.submission(origins[number].submission) for number in rows],
                "participant": [names.participant(origins[number].participant) for number in rows],
                **{ADDRESSES.clean(name): [row[name] for row in rows.values()] for name in asked},
            }
        )
    return w.table()


@dataclass(frozen=True)
class _Asked:
    """A question over all versions of the design: what could be chosen, and what else of it is released."""

    options: tuple[str, ...] = ()
    numbers: bool = False
    typed: bool = False

    @property
    def is_number(self) -> bool:
        """Whether nothing but numbers stands in its column."""
        return self.numbers and not self.options and not self.typed


def _questions(connection: Connection, answers: Answers, kind: str, *, free_text: bool) -> dict[str, _Asked]:
    found: dict[str, _Asked] = {}
    for values in connection.scalars(select(Design.values).where(Design.id.in_(answers.designs)).order_by(Design.id)):
        for question in values.get(kind, ()):
            options, before = question.get("options", ()), found.get(question["question"], _Asked())
            numbers = bool(question.get("scale") or question.get("number"))
            found[question["question"]] = _Asked(
                tuple(dict.fromkeys((*before.options, *options))),
                before.numbers or numbers,
                before.typed or (free_text and not options and not numbers),
            )
    return {name: asks for name, asks in found.items() if asks.options or asks.numbers or asks.typed}


def _column(name: str, asks: _Asked) -> Column:
    name = ADDRESSES.clean(name)
    if asks.is_number:
        return Column(name, "number", "the number given to this question")
    if asks.typed:
        return Column(name, "text", "the answer typed to this question, without e-mail addresses and ids", listed=False)
    options = ", ".join(map(ADDRESSES.clean, asks.options))
    also = ", or a number" if asks.numbers else ""
    return Column(name, "text", "the answer chosen to this question", values=f"one of: {options}{also}")


def _answer(said: Any, asks: _Asked, scrubber: Scrubber) -> str | float | None:
    if isinstance(said, (int, float)) and asks.numbers:
        return float(said) if asks.is_number else f"{said:g}"
    if not isinstance(said, str) or not said:
        return None
    if said in asks.options:
        return ADDRESSES.clean(said)  # as the design says it
    return scrubber.clean(said) if asks.typed else None
