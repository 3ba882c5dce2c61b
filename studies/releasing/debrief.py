"""The debrief answers of a release: questions with options, and those with free text only where asked for."""

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


def write_debrief(
    connection: Connection,
    answers: Answers,
    passes: Sequence[Pass],
    names: Pseudonyms,
    scrubber: Scrubber,
    release: Path,
    *,
    free_text: bool,
) -> Table | None:
    """Write the table `debrief`; None where nothing that may be in it was asked."""
    asked = _questions(connection, answers, free_text=free_text)
    if not asked:
        return None
    origins = dict(zip(answers.submissions.tolist(), (one.origin for one in passes), strict=True))
    rows: dict[int, dict[str, Any]] = {}
    for number, values in connection.execute(
        select(Event.submission_id, Event.values)
        .join(Submission, Submission.id == Event.submission_id)
        .join(Posting, Posting.id == Submission.posting_id)
        .where(Event.kind == KIND, Posting.design_id.in_(answers.designs))
        .order_by(Event.submission_id, Event.id)
    ):
        if number in origins:
            rows[number] = {name: _answer(values.get(name), asks, scrubber) for name, asks in asked.items()}
    columns = [subs.SUBMISSION, subs.PARTICIPANT, *(_column(name, asks) for name, asks in asked.items())]
    with TableWriter(release, KIND, "one row for each submission that answered the closing questions", columns) as w:
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
    """A question over all versions of the design: what could be chosen, and whether anything else is released."""

    options: tuple[str, ...]
    typed: bool


def _questions(connection: Connection, answers: Answers, *, free_text: bool) -> dict[str, _Asked]:
    found: dict[str, _Asked] = {}
    for values in connection.scalars(select(Design.values).where(Design.id.in_(answers.designs)).order_by(Design.id)):
        for question in values.get("debrief", ()):
            options, before = question.get("options", ()), found.get(question["question"], _Asked((), False))
            found[question["question"]] = _Asked(
                tuple(dict.fromkeys((*before.options, *options))), before.typed or (free_text and not options)
            )
    return {name: asks for name, asks in found.items() if asks.options or asks.typed}


def _column(name: str, asks: _Asked) -> Column:
    name = ADDRESSES.clean(name)
    if asks.typed:
        return Column(name, "text", "the answer typed to this question, without e-mail addresses and ids", listed=False)
    options = ", ".join(map(ADDRESSES.clean, asks.options))
    return Column(name, "text", "the answer chosen to this question", values=f"one of: {options}")


def _answer(said: Any, asks: _Asked, scrubber: Scrubber) -> str | None:
    if not isinstance(said, str) or not said:
        return None
    if said in asks.options:
        return ADDRESSES.clean(said)  # as the design says it
    return scrubber.clean(said) if asks.typed else None
