"""Which columns the tables of a release are to have, so that they can be read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crowdloom.studies.releasing import (
    debrief,
    pictures,
    questionnaires,
    session_tables,
    submissions,
    writing_tables,
)
from crowdloom.studies.releasing.record_tables import KEY, RecordTable
from crowdloom.studies.releasing.responses import response_columns
from crowdloom.studies.releasing.study_file import ReleaseFile
from crowdloom.studies.releasing.tables import TYPES, Column
from crowdloom.tasks import TASKS

NEEDED = ("responses", "submissions", "items")
"""The tables without which nothing can be read back."""
_RECORDS: Sequence[Mapping[str, RecordTable[Any]]] = (session_tables.TABLES, writing_tables.TABLES)
"""The tables of records, of which a release has all of a kind or none."""
_ITEMS = (Column("item", "text", ""), Column("reference", "text", ""), Column("difficulty", "number", ""))


def lacking(said: ReleaseFile) -> str | None:
    """What a release lacks, or has of another kind, by its own words; None where it has all."""
    if said.task not in TASKS:
        return f"this crowdloom has no task {said.task!r}"
    wanted: dict[str, Sequence[Column]] = {
        "responses": response_columns(TASKS[said.task].columns, said.classes),
        "submissions": submissions.COLUMNS,
        "items": _ITEMS,
        "images": pictures.COLUMNS,
        debrief.KIND: (submissions.SUBMISSION, submissions.PARTICIPANT),
        debrief.BACKGROUND: (submissions.SUBMISSION, submissions.PARTICIPANT),
        questionnaires.STEM: questionnaires.COLUMNS,
        **{stem: (*KEY, *table.columns) for tables in _RECORDS for stem, table in tables.items()},
    }
    together = [stem for tables in _RECORDS for stem in tables if not said.tables.keys().isdisjoint(tables)]
    for stem in dict.fromkeys((*NEEDED, *together, *said.tables)):
        if stem not in said.tables:
            return f"it has no table {stem}"
        there = said.tables[stem]
        for column in wanted.get(stem, ()):
            if there.get(column.name) != column.kind:
                return f"the column {column.name} of {stem} is missing or no {column.kind}"
        if strange := [kind for kind in there.values() if kind not in TYPES]:
            return f"there is no kind of column {strange[0]!r}"
    return None
