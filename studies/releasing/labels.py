"""The label sets of a release: for a task that gives labels its usual variety, per response and as means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection

from crowdloom.analysis.export import LabelTable, write_labels
from crowdloom.studies.errors import OptionError
from crowdloom.studies.label_recipes import Recipe
from crowdloom.studies.labelling import BUILDERS, build_label_set
from crowdloom.studies.reading import Answers
from crowdloom.studies.releasing import submissions as subs
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.parquet import ROWS_IN_A_GROUP, ParquetFile
from crowdloom.studies.releasing.pseudonyms import Pseudonyms
from crowdloom.studies.releasing.tables import TYPES, Column, Table

FOLDER = "labels"
SUFFIXES = (".json", ".npz", ".parquet")
_ITEM = Column("item", "text", "the item", listed=False)


@dataclass(frozen=True)
class LabelSets:
    """The label sets that were written, or why there are none."""

    tables: list[Table]
    settings: dict[str, Any]
    """By what they were built; empty where there are none."""
    left_out: int = 0
    """Accepted responses that have no label."""
    problem: str | None = None


def write_label_sets(
    connection: Connection, answers: Answers, options: Options, names: Pseudonyms, release: Path
) -> LabelSets:
    """Write `labels/VARIETY` (one for each accepted response) and `labels/VARIETY-mean` (one for each item)."""
    if answers.task not in BUILDERS:
        return LabelSets([], {}, problem=f"answers to the task {answers.task} give no labels")
    tables: list[Table] = []
    settings: dict[str, Any] = {}
    left_out = 0
    for aggregate in (None, "mean"):
        try:
            built = build_label_set(connection, answers.study, Recipe(aggregate=aggregate, version=options.design))
        except OptionError as error:
            return LabelSets([], {}, problem=str(error))
        if aggregate is None:
            settings, left_out = built.settings, built.left_out
        tables.append(_write(_renamed(built.table, names), str(built.settings["variety"]), release))
    return LabelSets(tables, settings, left_out)


def _renamed(table: LabelTable, names: Pseudonyms) -> LabelTable:
    """With the pseudonyms of this release."""
    if table.submission is None or table.participant is None:
        return table
    of_submission = {name: names.submission(name) for name in set(table.submission)}
    of_participant = {name: names.participant(name) for name in set(table.participant)}
    return replace(
        table,
        submission=[of_submission[name] for name in table.submission],
        participant=[of_participant[name] for name in table.participant],
    )


def _write(labels: LabelTable, variety: str, release: Path) -> Table:
    folder = release / FOLDER
    folder.mkdir(exist_ok=True)
    stem = variety if labels.per_response else f"{variety}-mean"
    for suffix in (".json", ".npz"):
        write_labels(labels, folder / f"{stem}{suffix}")
    label = Column("label", "numbers", f"the label: shares of the {len(labels.classes)} classes, in their order")
    columns = [_ITEM, label]
    meaning = f"the mean {variety} label of the accepted first answers to each item"
    if labels.per_response:
        repeat = Column("repeat_index", "whole", "0 for the first answer to the item, 1, 2, … for repeats")
        columns = [_ITEM, subs.SUBMISSION, subs.PARTICIPANT, repeat, label]
        meaning = f"the {variety} label of each accepted answer, repeats included"
    with ParquetFile(folder / f"{stem}.parquet", pa.schema([(one.name, TYPES[one.kind]) for one in columns])) as file:
        for part in _parts(labels):
            file.add([pa.array(part[one.name], TYPES[one.kind]) for one in columns])
    return Table(stem, meaning, columns, len(labels.item), SUFFIXES, FOLDER)


def _parts(labels: LabelTable) -> Iterator[dict[str, Any]]:
    leading = labels.leading()
    for start in range(0, len(labels.item), ROWS_IN_A_GROUP):
        rows = slice(start, start + ROWS_IN_A_GROUP)
        yield {name: values[rows] for name, values in leading.items()} | {"label": labels.labels[rows].tolist()}
