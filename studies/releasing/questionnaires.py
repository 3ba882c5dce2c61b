"""The questionnaires of a release: every rating of every item, and the scores made from them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from crowdloom.studies.reading import Answers
from crowdloom.studies.reading_questionnaires import read_questionnaires
from crowdloom.studies.releasing import submissions as subs
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.pseudonyms import Pseudonyms
from crowdloom.studies.releasing.scrubbing import ADDRESSES
from crowdloom.studies.releasing.tables import Column, Table, TableWriter

STEM = "questionnaires"
COLUMNS = (
    subs.SUBMISSION,
    subs.PARTICIPANT,
    subs.VERSION,
    subs.CONDITION,
    subs.STANDING,
    Column("questionnaire", "whole", "which questionnaire of the study, from 1"),
    Column("instrument", "text", "the standard instrument"),
    Column("about", "text", "what its items speak of", listed=False),
    Column("kind", "text", "item for a rating that was given, score for what is computed from them"),
    Column("item", "text", "the item of the instrument, or the score"),
    Column("text", "text", "the item as it was asked", listed=False),
    Column("left", "text", "what the low end of its scale means"),
    Column("right", "text", "what the high end of its scale means"),
    Column("value", "number", "the rating, or the score"),
)
AFTER = Column("after_item", "text", "the item after which it was asked; empty for those after the study")
"""Only in releases of studies that ask some after each item."""


def write_questionnaires(
    connection: Connection, answers: Answers, options: Options, names: Pseudonyms, release: Path
) -> Table | None:
    """Write the table `questionnaires`; None where the study has none."""
    frame = read_questionnaires(connection, answers.study, "all", options.design)
    if frame.empty:
        return None
    frame["submission"] = frame["submission"].map(names.submission)
    frame["participant"] = frame["participant"].map(names.participant)
    for name in ("about", "text", "left", "right"):
        frame[name] = frame[name].map(ADDRESSES.clean, na_action="ignore")
    columns = list(COLUMNS)
    if frame[AFTER.name].notna().any():
        columns.insert(columns.index(COLUMNS[5]) + 1, AFTER)
    meaning = "one row for each rating of each questionnaire, and for each score"
    with TableWriter(release, STEM, meaning, columns) as writer:
        values = frame.astype(object).where(frame.notna(), None)
        writer.write({column.name: values[column.name].tolist() for column in columns})
    return writer.table()
