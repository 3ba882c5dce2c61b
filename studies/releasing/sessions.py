"""The sessions of a release of a study in which people reshape a network's latent space; see `session_tables`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from crowdloom.studies.coding import final_interaction_codes
from crowdloom.studies.reading import Answers
from crowdloom.studies.releasing.items import categories
from crowdloom.studies.releasing.pseudonyms import Pseudonyms
from crowdloom.studies.releasing.record_tables import RecordWriter
from crowdloom.studies.releasing.scrubbing import Scrubber
from crowdloom.studies.releasing.session_tables import CATEGORY, INTERACTIONS, STEM, TABLES, WORDS
from crowdloom.studies.releasing.submissions import Pass
from crowdloom.studies.releasing.tables import Table
from crowdloom.studies.session_records import REPLACED, TASK, each_answer
from crowdloom.tasks.latent_records import SessionRecord

if TYPE_CHECKING:
    from crowdloom.analysis.latent_frames import Session


def write_sessions(
    connection: Connection,
    answers: Answers,
    passes: Sequence[Pass],
    names: Pseudonyms,
    scrubber: Scrubber,
    release: Path,
    *,
    free_text: bool,
) -> list[Table]:
    """Write the tables; none for a study of another task, and where no answer has a session.

    What participants wrote about their strategy is among them with `free_text` alone.
    """
    if answers.task != TASK:
        return []
    codes = final_interaction_codes(connection, answers.study)
    more = {
        STEM: [WORDS] if free_text else [],
        INTERACTIONS: [replace(CATEGORY, values=categories(connection, answers))] if codes else [],
    }
    with RecordWriter(release, TABLES, more) as writer:
        for answered in each_answer(connection, answers):
            session = answered.session
            if session is None:
                continue
            rows = _rows(session, answers.classes, scrubber, codes)
            writer.write(session, names, passes[answered.submission].origin.standing, rows)
    return writer.tables()


def _rows(
    session: Session, classes: Sequence[str], scrubber: Scrubber, codes: Mapping[tuple[str, str, int], str]
) -> dict[str, list[dict[str, Any]]]:
    record = _of_known_classes(session.record, classes)
    rows = {stem: [dict(row) for row in table.rows(record)] for stem, table in TABLES.items()}
    rows[STEM][0] |= {REPLACED: session.replaced, WORDS.name: scrubber.clean(session.words) or None}
    for row in rows[INTERACTIONS]:
        key = session.submission, session.item, row["interaction"]
        row[CATEGORY.name] = None if session.repeat_index else codes.get(key)
    return rows


def _of_known_classes(record: SessionRecord, classes: Sequence[str]) -> SessionRecord:
    """The record, in which classes that the study does not know have numbers for names.

    They come from a form of a page, and might be anything that somebody wrote there.
    """
    named = [name if name in classes else f"class {number}" for number, name in enumerate(record.classes, 1)]
    return record.model_copy(update={"classes": named})
