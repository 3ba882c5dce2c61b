"""A small study of digits whose items are coded, and ways to code them without a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from crowdloom.studies.coding import CoderLink, add_coder, find_item, save_code
from crowdloom.studies.coding_items import CodedItem, read_scheme
from crowdloom.studies.database import Store
from crowdloom.studies.tables import Item
from tests.studies.studies_for_tests import DESIGN, load_small

CODING = """
[coding]
question = "Why did the classifier err?"
categories = [
  { name = "C1", title = "Local character", meaning = "It looked at only a part of the object." },
  { name = "C2", title = "Multiple objects", meaning = "It took another object for the labelled one." },
  { name = "C3", title = "Similar appearance", meaning = "The object looks like one of another class." },
]
"""
CODED = DESIGN + CODING
STUDY = "small"


def load_coded(store: Store, folder: Path, design: str = CODED) -> None:
    """Load six digits to code; each has a wrong prediction, options that coders do not see, and two views."""
    load_small(store, folder, design)
    with store.write() as connection:
        rows = connection.execute(select(Item.id, Item.reference, Item.shown, Item.width, Item.height)).all()
        for row in rows:
            view = {"media": row.shown, "width": row.width, "height": row.height}
            attributes = {
                "prediction": f"not-{row.reference}",
                "option1": "an option that participants see",
                "category": "C9",
                "confidence": 0.75,
                "views": {"area20": view, "gradcam": view},
            }
            connection.execute(update(Item).where(Item.id == row.id).values(attributes=attributes))


def coder(store: Store, name: str) -> CoderLink:
    """A coder of the study, added where they are new."""
    with store.write() as connection:
        return add_coder(connection, STUDY, name)


def items(store: Store) -> list[CodedItem]:
    """The items to code, as they were loaded."""
    with store.read() as connection:
        return list(read_scheme(connection, STUDY).items)


def code(store: Store, who: CoderLink, item: CodedItem, category: str, note: str = "") -> bool:
    """Save a code, as a page does."""
    with store.write() as connection:
        scheme = read_scheme(connection, STUDY)
        return save_code(connection, scheme, who, find_item(scheme, item.token), category, note)


def code_all(store: Store, codes: dict[str, str]) -> dict[str, CoderLink]:
    """Codes by coder, a digit for each item in the order of loading, `-` for none; the coders by name."""
    there: dict[str, Any] = {name: coder(store, name) for name in codes}
    for name, digits in codes.items():
        for item, digit in zip(items(store), digits, strict=True):
            if digit != "-":
                code(store, there[name], item, f"C{digit}")
    return there
