"""From the tables of sessions in a release to the answers that they were, and to what researchers called them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from crowdloom.analysis.latent_frames import check_record
from crowdloom.studies.errors import ImportFileError
from crowdloom.studies.releasing.opening import OpenRelease
from crowdloom.studies.releasing.restoring import Restored
from crowdloom.studies.releasing.restoring_people import People
from crowdloom.studies.releasing.restoring_records import Key, Row, each_row, read_records
from crowdloom.studies.releasing.session_tables import (
    CATEGORY,
    CLASSES,
    CURVES,
    INTERACTIONS,
    MOVEMENTS,
    STEM,
    WORDS,
)
from crowdloom.studies.tables import Adjudication, Response
from crowdloom.tasks.latent_rows import record_of_rows


def read_session_answers(release: OpenRelease) -> dict[Key, dict[str, Any]]:
    """The answers that have a session; empty where the release has no such tables.

    Raises ImportFileError for rows that are of no session.
    """
    return read_records(release, STEM, (CURVES, INTERACTIONS, CLASSES, MOVEMENTS), _answer)


def _answer(row: Row, *parts: Sequence[Row]) -> dict[str, Any]:
    record = record_of_rows(row, *parts)
    check_record(record)
    return {"session": record.model_dump(mode="json"), "strategy": row.get(WORDS.name) or ""}


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
    for one in each_row(release, INTERACTIONS):
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
