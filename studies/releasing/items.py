"""The items of a release: the table that `export --table items` has, each column of one type."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from crowdloom.studies.reading import Answers
from crowdloom.studies.reading_items import read_items
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.responses import class_values
from crowdloom.studies.releasing.tables import Column, Kind, Table, TableWriter
from crowdloom.studies.tables import Design

MEANINGS = {
    "endpoint1": "the class of the first of the two images that it is mixed of",
    "endpoint2": "the class of the second of the two images that it is mixed of",
    "coefficient": "the share of endpoint1 in the mix, 0-1",
    "source1": "the first of the two images, by its key in their data set",
    "source2": "the second of the two images, by its key in their data set",
    "entropy1": "the entropy of the annotators' classes of the first image",
    "entropy2": "the entropy of the annotators' classes of the second image",
    "prediction": "the class that a classifier wrongly saw",
    "category": "the category into which researchers put it",
}
"""Of the attributes that crowdloom's own sources, interpreters and coders write."""
_UNITS = {"entropy1": "nats", "entropy2": "nats"}


def write_items(connection: Connection, answers: Answers, options: Options, release: Path) -> Table:
    """Write the table `items`, in the order in which they were loaded."""
    frame = read_items(connection, answers.study, options.design)
    values: dict[str, list[Any]] = {
        str(name): [None if value is None or value != value else value for value in frame[name].tolist()]  # noqa: PLR0124
        for name in frame
    }
    coded = categories(connection, answers) if "category" in values else ""
    columns = [_column(name, values[name], answers, coded) for name in values]
    with TableWriter(release, "items", "one row for each item, with what its source says of it", columns) as writer:
        writer.write(values)
    return writer.table()


def _column(name: str, values: Sequence[Any], answers: Answers, categories: str) -> Column:
    if name == "item":
        return Column(name, "text", "the item's key", listed=False)
    if name == "reference":
        return Column(name, "text", "the class that its source gives it", values=class_values(answers.classes))
    if name == "difficulty":
        return Column(name, "number", "how hard it is, by its source; of counted annotations their entropy in nats")
    meaning = MEANINGS.get(name, "an attribute of the item, as its source gives it")
    stated = categories if name == "category" else ""
    return Column(name, _kind(values), meaning, unit=_UNITS.get(name, ""), values=stated)


def _kind(values: Sequence[Any]) -> Kind:
    """The type that all values of an attribute have; JSON where they have several."""
    types = {type(value) for value in values if value is not None}
    if types <= {str}:
        return "text"
    if types == {bool}:
        return "truth"
    if types == {int} and all(abs(value) < 2**63 for value in values if value is not None):
        return "whole"
    return "number" if types <= {int, float} else "json"


def categories(connection: Connection, answers: Answers) -> str:
    """The categories of the newest design that is coded, with their titles."""
    designs = select(Design.values).where(Design.id.in_(answers.designs)).order_by(Design.version.desc())
    for values in connection.scalars(designs):
        if coding := values.get("coding"):
            return "; ".join(f"{category['name']} {category['title']}" for category in coding["categories"])
    return ""
