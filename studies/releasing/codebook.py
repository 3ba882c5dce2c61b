"""The codebook: every column of every table, with its meaning, type, unit and values."""

from __future__ import annotations

import csv
from pathlib import Path

from crowdloom.studies.releasing.description import Description
from crowdloom.studies.releasing.labels import LabelSets
from crowdloom.studies.releasing.responses import class_values
from crowdloom.studies.releasing.tables import Table

NAME = "codebook.csv"
TYPES = {
    "text": "text",
    "whole": "whole number",
    "number": "number",
    "truth": "true or false",
    "texts": "list of texts (in CSV joined by |)",
    "numbers": "list of numbers",
    "json": "any value, as JSON",
}
"""How the codebook calls a column's kind."""


def write_codebook(about: Description, release: Path) -> None:
    """Write `codebook.csv`."""
    rows = [
        (file, column.name, column.meaning, TYPES[column.kind], column.unit, column.values)
        for table in about.all_tables
        for file in [_files(table)]
        for column in table.columns
    ]
    for table in about.labels.tables:
        rows += [(f"{table.folder}/{table.stem}.json", *row) for row in _json(about)]
        rows += [(f"{table.folder}/{table.stem}.npz", *row) for row in _npz(table, about.labels, about)]
    with (release / NAME).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file", "column", "meaning", "type", "unit", "values"))
        writer.writerows(rows)


def _files(table: Table) -> str:
    return " ".join(name for name in table.files if not name.endswith((".json", ".npz")))


def _json(about: Description) -> list[tuple[str, str, str, str, str]]:
    share = f"{len(about.classes)} shares of the classes, in the order of classes in release.json"
    return [("(the value of each key, which is an item)", f"{share}; a list of such lists where a row is an answer",
             TYPES["numbers"], "", "0 to 1")]  # fmt: skip


def _npz(table: Table, labels: LabelSets, about: Description) -> list[tuple[str, str, str, str, str]]:
    arrays = [
        ("labels", f"a row for each label and a column for each class, {table.rows} x {len(about.classes)}", "number"),
        ("classes", "the classes, in the order of the columns of labels", "text"),
    ]
    rows = [
        (name, meaning, f"array of {TYPES[kind]}s", "", "0 to 1" if kind == "number" else class_values(about.classes))
        for name, meaning, kind in arrays
    ]
    return rows + [
        (column.name, f"{column.meaning}, one for each row of labels", f"array of {TYPES[column.kind]}s", "", "")
        for column in table.columns
        if column.name != "label"
    ]
