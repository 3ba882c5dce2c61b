"""From the tables of writings in a release to the answers that they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crowdloom.studies.releasing.opening import OpenRelease
from crowdloom.studies.releasing.restoring_records import Key, Row, read_records
from crowdloom.studies.releasing.writing_tables import ATTEMPTS, STEM
from crowdloom.tasks.coach_rows import writing_of_rows


def read_writing_answers(release: OpenRelease) -> dict[Key, dict[str, Any]]:
    """The answers that have a writing; empty where the release has no such tables.

    Raises ImportFileError for rows that are of no writing.
    """
    return read_records(release, STEM, (ATTEMPTS,), _answer)


def _answer(row: Row, attempts: Sequence[Row]) -> dict[str, Any]:
    return {"writing": writing_of_rows(row, attempts).model_dump(mode="json")}
