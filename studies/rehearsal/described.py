"""What `crowdloom describe` says of a rehearsal's answers, where the truth of labels alone does not say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

if TYPE_CHECKING:
    from crowdloom.analysis.describe import Summary, Table


@dataclass(frozen=True)
class Described:
    """Numbers with their names, and tables."""

    summary: Summary
    tables: list[Table]

    def record(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        tables = [{"title": table.title, "rows": table.records()} for table in self.tables]
        return {"summary": self.summary, "tables": tables}


def describe_answers(connection: Connection, study: str, version: int) -> Described | None:
    """Of the accepted answers; None for a task without typed columns, for plain soft labels, and without answers.

    Plain soft labels are held against the truth, which says more; those of mixed images are described, too.
    """
    from crowdloom.analysis.describe import TABLES, describe
    from crowdloom.studies.reading import find_answers, read_frame
    from crowdloom.studies.reading_items import read_items

    answers = find_answers(connection, study, version=version)
    if answers.task not in TABLES:
        return None
    frame = read_frame(connection, study, version=version)
    if not len(frame):
        return None
    items = read_items(connection, study, version)
    tables = TABLES[answers.task](frame, items, answers.classes)
    return Described(describe(answers.task, frame, items, answers.classes), tables) if tables else None
