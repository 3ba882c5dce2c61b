"""From the tables of sessions in a release to the answers that they were, and to what researchers called them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, insert, select

from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.latent_frames import check_record
from crowdloom.studies.errors import ImportFileError
from crowdloom.studies.releasing.opening import OpenRelease
from crowdloom.studies.releasing.restoring import Restored
from crowdloom.studies.releasing.restoring_people import People
from crowdloom.studies.releasing.session_tables import (
    CATEGORY,
    CLASSES,
    CURVES,
    INTERACTIONS,
    MOVEMENTS,
    STEM,
    WORDS,
)
from crowdloom.studies.session_records import REPLACED
from crowdloom.studies.tables import Adjudication, Response
from crowdloom.tasks import TASKS
from crowdloom.tasks.latent_rows import record_of_rows

Key = tuple[str, str, int]
"""Submission and item by their names in the release, and which repeat it is."""
Rows = Mapping[Key, Sequence[dict[str, Any]]]


def read_session_answers(release: OpenRelease) -> dict[Key, dict[str, Any]]:
    """The answers that have a session; empty where the release has no such tables.

    Raises ImportFileError for rows that are of no session.
    """
    if not release.has(STEM):
        return {}
    parts = [rows_by_answer(release, stem) for stem in (CURVES, INTERACTIONS, CLASSES, MOVEMENTS)]
    whole = rows_by_answer(release, STEM)
    if strange := set().union(*parts) - set(whole):
        raise ImportFileError(
            f"{release.name}: {_named(min(strange, key=str))} is not in {STEM}, but in a table beside it"
        )
    found = {}
    for key, rows in whole.items():
        try:
            if len(rows) > 1:
                raise ValueError(f"it stands in {STEM} twice")
            record = record_of_rows(rows[0], *(part.get(key, ()) for part in parts))
            check_record(record)
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(map(str, problem["loc"]))
            raise _unusable(release, key, f"{where}: {problem['msg']}") from error
        except KeyError as error:
            raise _unusable(release, key, f"a row of {error} is missing, or has no meaning") from error
        except (ValueError, TypeError, FrameError) as error:
            raise _unusable(release, key, str(error)) from error
        replaced = {REPLACED: True} if rows[0][REPLACED] else {}
        written = rows[0].get(WORDS.name) or ""
        found[key] = {"session": record.model_dump(mode="json"), "strategy": written} | replaced
    return found


def check_numbers(release: OpenRelease, key: Key, answer: Mapping[str, Any], values: Sequence[Any]) -> None:
    """Raise ImportFileError where the numbers of an answer in `responses` are not those of its session or writing.

    They may be others where the page sent another one than the server had.
    """
    task = TASKS[release.said.task]
    if not answer.get(REPLACED) and task.typed(dict(answer), release.said.classes) != tuple(values):
        raise _unusable(release, key, "the numbers in responses are those of another one")


def check_all_used(release: OpenRelease, left: Mapping[Key, Any]) -> None:
    """Raise ImportFileError where a session or a writing is of no answer."""
    if left:
        raise ImportFileError(f"{release.name}: {_named(min(left, key=str))} is of no answer in responses")


def restore_categories(connection: Connection, release: OpenRelease, restored: Restored, people: People) -> None:
    """Add the category of each interaction that has one, as a decision of the release.

    Raises ImportFileError for one that no design has.
    """
    if not release.has(INTERACTIONS) or CATEGORY.name not in release.said.tables[INTERACTIONS]:
        return
    known = {
        category["name"]
        for design in release.said.designs
        for category in (design.values.get("coding") or {}).get("categories", ())
    }
    answers = {
        (row.submission_id, row.item_id, row.repeat_index): row.id
        for row in connection.execute(
            select(Response.id, Response.submission_id, Response.item_id, Response.repeat_index).where(
                Response.submission_id.in_(people.ids.values())
            )
        )
    }
    rows = []
    for one in _each(release, INTERACTIONS):
        if (category := one[CATEGORY.name]) is None:
            continue
        if category not in known:
            raise ImportFileError(f"{release.name}: an interaction has the category {category!r}, which no design has")
        item = restored.items[one["item"]]
        rows.append(
            {
                "item_id": item,
                "response_id": answers[people.ids[one["submission"]], item, one["repeat_index"]],
                "interaction": one["interaction"],
                "category": category,
                "decided_by": f"release of {release.said.study}, version {release.said.version}"[:100],
                "at": restored.start,
            }
        )
    if rows:
        connection.execute(insert(Adjudication), rows)


def rows_by_answer(release: OpenRelease, stem: str) -> Rows:
    """The rows of a table by the answer that they belong to."""
    found: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    for row in _each(release, stem):
        found[row["submission"], row["item"], row["repeat_index"]].append(row)
    return dict(found)


def _each(release: OpenRelease, stem: str) -> Iterator[dict[str, Any]]:
    for columns in release.rows(stem):
        for values in zip(*columns.values(), strict=True):
            yield dict(zip(columns, values, strict=True))


def _unusable(release: OpenRelease, key: Key, why: str) -> ImportFileError:
    return ImportFileError(f"{release.name}: {_named(key)} cannot be used: {why}")


def _named(key: Key) -> str:
    return f"the session of {key[0]} in {key[1]}"
