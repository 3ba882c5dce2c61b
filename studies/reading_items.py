"""The frame of a study's items: one row for each, with what its source says of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, select

from crowdloom.studies.coding import final_categories
from crowdloom.studies.participation import VIEWS
from crowdloom.studies.reading import Answers, find_answers
from crowdloom.studies.tables import Batch, BatchItem, Condition, Item

if TYPE_CHECKING:
    import pandas as pd

LEADING = ("item", "reference", "difficulty")


def read_items(connection: Connection, study: str, version: int | None = None) -> pd.DataFrame:
    """The items in the batches of a study's versions (or of one), in the order in which they were loaded.

    Columns: item (its key), reference (a class or None), difficulty (NaN where it has none), then every
    attribute that any of them has, None where an item lacks it; further pictures are left out. Where
    researchers have coded the items, `category` is their final one. Of an item that changed between
    versions the newest counts. Raises StudyError as `find_answers` does.
    """
    answers = find_answers(connection, study, "all", version)
    wanted = select(Item.key, Item.reference, Item.difficulty, Item.attributes)
    rows = connection.execute(wanted.where(Item.id.in_(items_in_batches(answers))).order_by(Item.id)).all()
    coded = final_categories(connection, study)
    said = {
        row.key: said_of(row.key, row.reference, row.difficulty, row.attributes)
        | ({"category": coded[row.key]} if row.key in coded else {})
        for row in rows
    }
    return items_frame(said.values())


def items_in_batches(answers: Answers) -> Select[Any]:
    """The ids of the items in the batches of the versions that count."""
    return (
        select(BatchItem.item_id)
        .join(Batch, Batch.id == BatchItem.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .where(Condition.design_id.in_(answers.designs))
    )


def said_of(key: str, reference: str | None, difficulty: float | None, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of an item, by the name of the frame's column; its further pictures are left out."""
    return {"item": key, "reference": reference, "difficulty": difficulty} | {
        name: value for name, value in attributes.items() if name not in (VIEWS, *LEADING)
    }


def items_frame(said: Collection[Mapping[str, Any]]) -> pd.DataFrame:
    """The frame of these items, each as `said_of` gives it."""
    import pandas as pd

    names = dict.fromkeys([*LEADING, *(name for values in said for name in values)])
    frame = pd.DataFrame({name: pd.Series([values.get(name) for values in said], dtype=object) for name in names})
    frame["difficulty"] = frame["difficulty"].astype(float)
    return frame
