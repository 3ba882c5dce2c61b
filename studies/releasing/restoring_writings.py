"""From the tables of writings in a release to the answers that they were."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from crowdloom.studies.errors import ImportFileError
from crowdloom.studies.releasing.opening import OpenRelease
from crowdloom.studies.releasing.restoring_sessions import Key, rows_by_answer
from crowdloom.studies.releasing.writing_tables import ATTEMPTS, STEM
from crowdloom.studies.writing_records import REPLACED
from crowdloom.tasks.coach_rows import writing_of_rows


def read_writing_answers(release: OpenRelease) -> dict[Key, dict[str, Any]]:
    """The answers that have a writing; empty where the release has no such tables.

    Raises ImportFileError for rows that are of no writing.
    """
    if not release.has(STEM):
        return {}
    whole, attempts = (rows_by_answer(release, stem) for stem in (STEM, ATTEMPTS))
    if strange := set(attempts) - set(whole):
        raise ImportFileError(
            f"{release.name}: {_named(min(strange, key=str))} is not in {STEM}, but in a table beside it"
        )
    found = {}
    for key, rows in whole.items():
        try:
            if len(rows) > 1:
                raise ValueError(f"it stands in {STEM} twice")
            record = writing_of_rows(rows[0], attempts.get(key, ()))
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(map(str, problem["loc"]))
            raise _unusable(release, key, f"{where}: {problem['msg']}") from error
        except (ValueError, TypeError, KeyError) as error:
            raise _unusable(release, key, str(error)) from error
        found[key] = {"writing": record.model_dump(mode="json")} | ({REPLACED: True} if rows[0][REPLACED] else {})
    return found


def _unusable(release: OpenRelease, key: Key, why: str) -> ImportFileError:
    return ImportFileError(f"{release.name}: {_named(key)} cannot be used: {why}")


def _named(key: Key) -> str:
    return f"the writing of {key[0]} in {key[1]}"
