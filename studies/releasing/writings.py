"""The writings of a release of a study of the task `coach`; see `writing_tables`."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from sqlalchemy import Connection

from crowdloom.studies.reading import Answers
from crowdloom.studies.reading_writings import options_of
from crowdloom.studies.releasing.pseudonyms import Pseudonyms
from crowdloom.studies.releasing.record_tables import RecordWriter
from crowdloom.studies.releasing.submissions import Pass
from crowdloom.studies.releasing.tables import Table
from crowdloom.studies.releasing.whence import read_whence
from crowdloom.studies.releasing.writing_tables import STEM, TABLES
from crowdloom.studies.session_records import REPLACED
from crowdloom.studies.writing_records import TASK, each_answer
from crowdloom.tasks.coach_imagined import NOBODY
from crowdloom.tasks.coach_records import Writing


def write_writings(
    connection: Connection, answers: Answers, passes: Sequence[Pass], names: Pseudonyms, release: Path
) -> list[Table]:
    """Write the tables; none for a study of another task, and where no answer has a writing."""
    if answers.task != TASK:
        return []
    from_release = read_whence(connection, answers.study) is not None
    known = {options.coach for options in options_of(connection, answers)} | {NOBODY.partition(":")[0]}
    with RecordWriter(release, TABLES, {}) as writer:
        for answered in each_answer(connection, answers):
            written = answered.written
            if written is None:
                continue
            record = written.writing if answered.confirmed or from_release else _without_texts(written.writing, known)
            rows = {stem: [dict(row) for row in table.rows(record)] for stem, table in TABLES.items()}
            rows[STEM][0][REPLACED] = written.replaced
            writer.write(written, names, passes[answered.submission].origin.standing, rows)
    return writer.tables()


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
