"""The debrief answers of a release: questions with options, and those with free text only where asked for."""

from __future__ import annotations

from collections.abc import Sequence
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
            rows[number] = {name: _answer(values.get(name), options, scrubber) for name, options in asked.items()}
    columns = [subs.SUBMISSION, subs.PARTICIPANT, *(_column(name, options) for name, options in asked.items())]
    with TableWriter(release, KIND, "one row for each submission that answered the closing questions", columns) as w:
        w.write(
            {
                "submission": [names.submission(origins[number].submission) for number in rows],
                "participant": [names.participant(origins[number].participant) for number in rows],
                **{ADDRESSES.clean(name): [row[name] for row in rows.values()] for name in asked},
            }
        )
    return w.table()


def _questions(connection: Connection, answers: Answers, *, free_text: bool) -> dict[str, tuple[str, ...]]:
    """The questions with their options over all versions; none for free text."""
    found: dict[str, tuple[str, ...]] = {}
    for values in connection.scalars(select(Design.values).where(Design.id.in_(answers.designs)).order_by(Design.id)):
        for question in values.get("debrief", ()):
            options = tuple(question.get("options", ()))
            before = found.get(question["question"], options)
            # A question that took free text in one version takes it in the release.
            found[question["question"]] = tuple(dict.fromkeys((*before, *options))) if before and options else ()
    return {name: options for name, options in found.items() if options or free_text}


def _column(name: str, options: tuple[str, ...]) -> Column:
    name = ADDRESSES.clean(name)
    if options:
        return Column(name, "text", "the answer chosen to this question", values=f"one of: {', '.join(options)}")
    return Column(name, "text", "the answer typed to this question, without e-mail addresses and ids", listed=False)


def _answer(said: Any, options: tuple[str, ...], scrubber: Scrubber) -> str | None:
    if not isinstance(said, str) or not said:
        return None
    if options:
        return said if said in options else None
    return scrubber.clean(said)
