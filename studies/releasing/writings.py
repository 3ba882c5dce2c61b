"""The writings of a release of a study of the task `coach`; see `writing_tables`."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from crowdloom.studies.reading import Answers
from crowdloom.studies.reading_writings import options_of
from crowdloom.studies.releasing.pseudonyms import Pseudonyms
from crowdloom.studies.releasing.submissions import Pass
from crowdloom.studies.releasing.tables import Column, Table, TableWriter
from crowdloom.studies.releasing.whence import read_whence
from crowdloom.studies.releasing.writing_tables import KEY, STEM, TABLES
from crowdloom.studies.writing_records import REPLACED, TASK, each_answer
from crowdloom.tasks.coach_imagined import NOBODY
from crowdloom.tasks.coach_records import Writing

if TYPE_CHECKING:
    from crowdloom.analysis.coach_attempts import Written


def write_writings(
    connection: Connection, answers: Answers, passes: Sequence[Pass], names: Pseudonyms, release: Path
) -> list[Table]:
    """Write the tables; none for a study of another task, and where no answer has a writing."""
    if answers.task != TASK:
        return []
    from_release = read_whence(connection, answers.study) is not None
    known = {options.coach for options in options_of(connection, answers)} | {NOBODY.partition(":")[0]}
    columns: dict[str, list[Column]] = {stem: [*KEY, *table.columns] for stem, table in TABLES.items()}
    writers: dict[str, TableWriter] = {}
    with ExitStack() as stack:
        for answered in each_answer(connection, answers):
            written = answered.written
            if written is None:
                continue
            if not writers:
                for stem, table in TABLES.items():
                    writers[stem] = stack.enter_context(TableWriter(release, stem, table.meaning, columns[stem]))
            whose = _whose(written, names, passes[answered.submission].origin.standing)
            record = written.writing if answered.confirmed or from_release else _without_texts(written.writing, known)
            for stem, table in TABLES.items():
                rows = [dict(row) for row in table.rows(record)]
                if stem == STEM:
                    rows[0][REPLACED] = written.replaced
                same = {name: [value] * len(rows) for name, value in whose.items()}
                own = columns[stem][len(KEY) :]
                writers[stem].write(same | {one.name: [row[one.name] for row in rows] for one in own})
    return [writer.table() for writer in writers.values()]


def _whose(written: Written, names: Pseudonyms, standing: str) -> dict[str, Any]:
    return {
        "submission": names.submission(written.submission),
        "participant": names.participant(written.participant),
        "condition": written.condition,
        "standing": standing,
        "item": written.item,
        "repeat_index": written.repeat_index,
    }


def _without_texts(record: Writing, known: Collection[str]) -> Writing:
    """The record without the coach's words, and without the coach's name where no design has that.

    It comes from a form of a page that no server confirms, and these might be anything that somebody wrote there.
    """
    attempts = [
        one
        if one.proposal is None
        else one.model_copy(update={"proposal": one.proposal.model_copy(update={"words": ""})})
        for one in record.attempts
    ]
    name, _, digest = record.coach.partition(":")
    is_one = name in known and re.fullmatch("[0-9a-f]{1,16}", digest)
    return record.model_copy(update={"attempts": attempts, "coach": record.coach if is_one else ""})
