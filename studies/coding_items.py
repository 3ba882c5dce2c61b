"""What coders code: the items of a study's newest version, as they see them, and the categories.

Where the design says `unit = "interaction"`, each interaction of each session with one of these items is what `items`
has: see `coding_interactions`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from crowdloom.studies.coding_interactions import find_interactions
from crowdloom.studies.coding_units import CodedItem, Unit
from crowdloom.studies.design import Category, Coding
from crowdloom.studies.errors import StudyError
from crowdloom.studies.participation import VIEWS, views_of
from crowdloom.studies.posting import newest_design
from crowdloom.studies.tables import Batch, BatchItem, Condition, Design, Item

_NOT_SHOWN = re.compile(rf"{VIEWS}|category|option\d+")
"""Attributes that coders do not see: pictures, a category that somebody gave before, what participants choose from."""


@dataclass(frozen=True)
class Scheme:
    """A study with its question, its categories and the items to code."""

    study: str
    study_id: int
    seed: int
    title: str
    question: str
    unit: Literal["item", "interaction"]
    categories: Sequence[Category]
    items: Sequence[CodedItem]
    """In the order in which they were loaded; interactions as they were answered."""
    same: Mapping[Unit, int]
    """The position in `items` of what a code was given to, items of earlier versions included.

    An item is the same in another version where its key, picture, reference and prediction are: it may be shown
    larger, or have got further attributes, and what was said of it still holds."""

    @property
    def names(self) -> list[str]:
        """The names of the categories."""
        return [category.name for category in self.categories]

    def order_for(self, coder: str) -> list[CodedItem]:
        """The items in this coder's own order, always the same: whoever codes later does not tire at the same ones.

        The interactions of a session follow each other, for what somebody did before tells what they changed.
        """

        def place(item: CodedItem) -> tuple[bytes, int]:
            group = item.key if item.interaction is None else item.interaction.session
            return hashlib.sha256(f"{self.seed}\n{coder}\n{group}".encode()).digest(), item.number

        return sorted(self.items, key=place)


def read_scheme(connection: Connection, study: str) -> Scheme:
    """What is coded in a study. Raises StudyError for an unknown one, and where its design has no [coding]."""
    found = find_scheme(connection, study)
    if found is None:
        raise StudyError(
            f"{study} is not coded: the newest version of its design has no [coding] with a question and categories; "
            "add it and load the design again"
        )
    return found


def find_scheme(connection: Connection, study: str) -> Scheme | None:
    """The same; None where the design has no [coding]. Raises StudyError for an unknown study."""
    design_id, _ = newest_design(connection, study)
    design = connection.execute(select(Design.study_id, Design.values).where(Design.id == design_id)).one()
    if design.values.get("coding") is None:
        return None
    coding = Coding.model_validate(design.values["coding"])
    rows = connection.execute(_ROWS.where(Item.study_id == design.study_id).order_by(Item.id)).all()
    in_use = (
        select(BatchItem.item_id)
        .join(Batch, Batch.id == BatchItem.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .where(Condition.design_id == design_id)
    )
    ids = set(connection.scalars(in_use))
    items = [_coded_item(row) for row in rows if row.id in ids]
    position = {_identity(row): number for number, row in enumerate(row for row in rows if row.id in ids)}
    same: dict[Unit, int] = {
        (row.id, None, None): position[_identity(row)] for row in rows if _identity(row) in position
    }
    if coding.unit == "interaction":
        shown = {item_id: items[number] for (item_id, *_), number in same.items()}
        items = find_interactions(connection, shown)
        same = {item.unit: number for number, item in enumerate(items)}
    return Scheme(
        study=study,
        study_id=design.study_id,
        seed=design.values["seed"],
        title=design.values["title"],
        question=coding.question,
        unit=coding.unit,
        categories=coding.categories,
        items=items,
        same=same,
    )


_ROWS = select(
    Item.id,
    Item.token,
    Item.key,
    Item.media,
    Item.shown,
    Item.width,
    Item.height,
    Item.reference,
    Item.attributes,
)


def _identity(row: Row[Any]) -> tuple[Any, ...]:
    return row.key, row.media, row.reference, row.attributes.get("prediction")


def _coded_item(row: Row[Any]) -> CodedItem:
    said = {name: text for name, text in row.attributes.items() if isinstance(text, str) and text.strip()}
    return CodedItem(
        id=row.id,
        token=row.token,
        key=row.key,
        image=row.shown and f"/media/{row.shown}",
        size=(row.width, row.height) if row.width and row.height else None,
        reference=row.reference,
        facts={name: text for name, text in said.items() if not _NOT_SHOWN.fullmatch(name)},
        views=views_of(row.attributes),
    )
