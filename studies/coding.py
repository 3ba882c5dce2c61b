"""Coding: researchers put each item of a study into one category, blind to each other; where they differ, one decides.

Where a design says so they code interactions instead, which are items here, too.

Codes and decisions are append-only, and the newest row counts. The same code twice (a double click) is one row.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from crowdloom.studies.coding_items import Scheme, find_scheme, read_scheme
from crowdloom.studies.coding_units import CodedItem
from crowdloom.studies.database import insert_new, new_token, now
from crowdloom.studies.errors import OptionError, StudyError
from crowdloom.studies.tables import Adjudication, Coder, Coding, Item, Study

LONGEST_NAME = 100
LONGEST_NOTE = 2000


@dataclass(frozen=True)
class CoderLink:
    """A coder: `token` is what their personal link carries."""

    id: int
    name: str
    token: str
    study: str
    created_at: datetime


@dataclass(frozen=True)
class Code:
    """The category that a coder gave an item, and why, where they said so."""

    category: str
    note: str | None
    at: datetime


@dataclass(frozen=True)
class Decision:
    """The category that was decided for an item."""

    category: str
    decided_by: str
    at: datetime


def add_coder(connection: Connection, study: str, name: str) -> CoderLink:
    """Add a coder to a study; one who is there already stays, with the same link.

    Raises OptionError for a name that is empty, too long or has control characters, StudyError for a study that is
    not coded.
    """
    scheme = read_scheme(connection, study)
    row = {
        "study_id": scheme.study_id,
        "name": person_name(name, "the coder"),
        "token": new_token(24),
        "created_at": now(),
    }
    connection.execute(insert_new(connection, Coder), row)
    return next(coder for coder in coders(connection, study) if coder.name == row["name"])


def person_name(written: str, whose: str) -> str:
    """A name as it is kept. Raises OptionError for one that no table could show."""
    name = " ".join(written.split())
    if not name:
        raise OptionError(f"The name of {whose} is empty; write one.")
    if len(name) > LONGEST_NAME or any(unicodedata.category(sign) == "Cc" for sign in name):
        raise OptionError(f"The name of {whose} is to have at most {LONGEST_NAME} characters, none of them a control.")
    return name


_CODERS = select(Coder.id, Coder.name, Coder.token, Study.name.label("study"), Coder.created_at).join(
    Study, Study.id == Coder.study_id
)


def coders(connection: Connection, study: str) -> list[CoderLink]:
    """A study's coders, in the order in which they were added."""
    rows = connection.execute(_CODERS.where(Study.name == study).order_by(Coder.id))
    return [CoderLink(*row) for row in rows]


def find_coder(connection: Connection, token: str) -> CoderLink:
    """The coder with this link. Raises StudyError where there is none."""
    row = connection.execute(_CODERS.where(Coder.token == token)).first()
    if row is None:
        raise StudyError("There is no coder with this link; ask whoever gave it to you.")
    return CoderLink(*row)


def read_codes(connection: Connection, scheme: Scheme, coder_id: int | None = None) -> dict[int, dict[int, Code]]:
    """The newest code of each item by each coder, or by one: {position in `Scheme.items`: {coder id: code}}.

    Codes of items that are no longer there, and of categories that the design no longer has, do not count.
    """
    query = (
        select(
            Coding.item_id,
            Coding.response_id,
            Coding.interaction,
            Coding.coder_id,
            Coding.category,
            Coding.note,
            Coding.at,
        )
        .join(Coder, Coder.id == Coding.coder_id)
        .where(Coder.study_id == scheme.study_id if coder_id is None else Coder.id == coder_id)
        .order_by(Coding.id)
    )
    known = set(scheme.names)
    found: dict[int, dict[int, Code]] = {}
    for row in connection.execute(query):
        unit = (row.item_id, row.response_id, row.interaction)
        if unit in scheme.same and row.category in known:
            of_item = found.setdefault(scheme.same[unit], {})
            of_item[row.coder_id] = Code(row.category, row.note, row.at)
    return found


def read_decisions(connection: Connection, scheme: Scheme) -> dict[int, Decision]:
    """The newest decision about each item, by its position in `Scheme.items`."""
    query = (
        select(
            Adjudication.item_id,
            Adjudication.response_id,
            Adjudication.interaction,
            Adjudication.category,
            Adjudication.decided_by,
            Adjudication.at,
        )
        .join(Item, Item.id == Adjudication.item_id)
        .where(Item.study_id == scheme.study_id)
        .order_by(Adjudication.id)
    )
    known = set(scheme.names)
    return {
        scheme.same[unit]: Decision(row.category, row.decided_by, row.at)
        for row in connection.execute(query)
        if (unit := (row.item_id, row.response_id, row.interaction)) in scheme.same and row.category in known
    }


def find_item(scheme: Scheme, token: str) -> CodedItem:
    """The item with this token. Raises StudyError where the newest version has none."""
    item = next((item for item in scheme.items if item.token == token), None)
    if item is None:
        raise StudyError(f"There is no such item in the newest version of {scheme.study}.")
    return item


def save_code(
    connection: Connection, scheme: Scheme, coder: CoderLink, item: CodedItem, category: str, note: str = ""
) -> bool:
    """Write down a coder's category for an item; False where just this stands there already.

    Raises OptionError for a category that the design has not, or a note that is too long.
    """
    _check_category(scheme, category)
    # PostgreSQL keeps no NUL, and no page shows the other control characters.
    lines = note.replace("\r\n", "\n")
    said = "".join(sign for sign in lines if sign in "\n\t" or unicodedata.category(sign) != "Cc").strip() or None
    if said and len(said) > LONGEST_NOTE:
        raise OptionError(f"The note has {len(said):,} characters; write at most {LONGEST_NOTE:,}.")
    # Two clicks at once take turns here.
    connection.execute(select(Coder.id).where(Coder.id == coder.id).with_for_update(key_share=True))
    newest = read_codes(connection, scheme, coder.id).get(scheme.same[item.unit], {}).get(coder.id)
    if newest is not None and (newest.category, newest.note) == (category, said):
        return False
    row = {"coder_id": coder.id, "category": category, "note": said, "at": now()}
    connection.execute(insert(Coding), row | _stored(item))
    return True


def adjudicate(connection: Connection, scheme: Scheme, item: CodedItem, category: str, decided_by: str) -> bool:
    """Decide an item's category; False where the same person decided just so already.

    Raises OptionError for an unknown category or a name that cannot be kept, StudyError for an item that nobody
    has coded.
    """
    _check_category(scheme, category)
    name = person_name(decided_by, "who decides")
    position = scheme.same[item.unit]
    connection.execute(select(Study.id).where(Study.id == scheme.study_id).with_for_update(key_share=True))
    if position not in read_codes(connection, scheme):
        raise StudyError(f"Nobody has coded {item.key} yet, so there is nothing to decide.")
    newest = read_decisions(connection, scheme).get(position)
    if newest is not None and (newest.category, newest.decided_by) == (category, name):
        return False
    row = {"category": category, "decided_by": name, "at": now()}
    connection.execute(insert(Adjudication), row | _stored(item))
    return True


def _stored(item: CodedItem) -> dict[str, int | None]:
    return dict(zip(("item_id", "response_id", "interaction"), item.unit, strict=True))


def _check_category(scheme: Scheme, category: str) -> None:
    if category not in scheme.names:
        raise OptionError(f"{scheme.study} has no category {category!r}; there are: {', '.join(scheme.names)}.")


def final_category(codes: Mapping[int, Code], decision: Decision | None) -> str | None:
    """What was decided, or what at least two coders say unanimously; else None."""
    if decision is not None:
        return decision.category
    said = {code.category for code in codes.values()}
    return said.pop() if len(said) == 1 and len(codes) >= 2 else None


def final_categories(connection: Connection, study: str) -> dict[str, str]:
    """The final category of each item that has one, by the item's key; empty where items are not coded.

    Raises StudyError for an unknown study.
    """
    scheme = find_scheme(connection, study)
    if scheme is None or scheme.unit != "item":
        return {}
    return {scheme.items[position].key: category for position, category in _finals(connection, scheme).items()}


def final_interaction_codes(connection: Connection, study: str) -> dict[tuple[str, str, int], str]:
    """The final category of each interaction that has one, by its submission's pseudonym, its item's key and number.

    Of a scenario that a participant went through twice the first session counts. Empty where interactions are not
    coded. Raises StudyError for an unknown study.
    """
    scheme = find_scheme(connection, study)
    if scheme is None or scheme.unit != "interaction":
        return {}
    found = {}
    for position, category in _finals(connection, scheme).items():
        one = scheme.items[position].interaction
        if one is not None and one.repeat_index == 0:
            found[one.submission, one.item, one.number] = category
    return found


def _finals(connection: Connection, scheme: Scheme) -> dict[int, str]:
    """The final categories by the position in `Scheme.items`."""
    codes, decisions = read_codes(connection, scheme), read_decisions(connection, scheme)
    finals = {
        position: final_category(codes.get(position, {}), decisions.get(position))
        for position in range(len(scheme.items))
    }
    return {position: category for position, category in finals.items() if category is not None}
