"""What each screen of a session becomes: a response, an event, or a refused answer with its reason."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crowdloom.studies.errors import ImportFileError
from crowdloom.studies.importing.mapping import Mapping, Reading
from crowdloom.studies.importing.raw import Row, Session, screen_kind, whole
from crowdloom.studies.items import SourceItem
from crowdloom.tasks import TASKS
from crowdloom.tasks.columns import pack


@dataclass(frozen=True)
class Answered:
    """A screen that becomes a response."""

    line: int
    item: str
    repeat_index: int
    position: int
    reading: Reading
    packed: bytes
    rt_ms: int | None
    elapsed_ms: int | None


@dataclass(frozen=True)
class Happened:
    """A screen that becomes an event; `refused` says why an answer could not be one."""

    line: int
    kind: str
    values: dict[str, Any]
    refused: str | None = None


@dataclass
class Pass:
    """A session as it goes into the store."""

    session: Session
    batch: int | None
    screens: list[Answered | Happened]
    order: list[tuple[str, int]]
    """Items with their repeat index, as shown, those with refused answers included."""
    answers_shown: Counter[str] = field(default_factory=Counter)
    """How many screens asked for a first answer and for a repeat."""

    @property
    def answered(self) -> list[Answered]:
        """The responses alone."""
        return [screen for screen in self.screens if isinstance(screen, Answered)]

    @property
    def items(self) -> set[str]:
        """The keys of the items shown."""
        return {key for key, _ in self.order}


class Reader:
    """Reads the sessions of one file; collects the items on the way."""

    def __init__(self, mapping: Mapping, task: str, path: Path) -> None:
        self.mapping = mapping
        self.task = TASKS[task]
        self.path = path
        self.items: dict[str, SourceItem] = {}

    def read(self, session: Session) -> Pass:
        """Every screen of a session. Raises ImportFileError where its batch is not one."""
        result = Pass(session, self._batch(session), [], [])
        answers: Counter[str] = Counter()
        for row in session.rows:
            kind = screen_kind(row, self.mapping)
            if kind is None:
                result.screens.append(self._event(row))
                continue
            result.answers_shown[kind] += 1
            try:
                item = self._item(row)
                # a first answer counts from 0, a repeat from 1, whether or not the others could be read
                repeat_index = answers[f"repeat {item.key}"] + 1 if kind == "repeat" else 0
                if kind == "first" and answers[f"first {item.key}"]:
                    raise ValueError(f"the item {item.key} was shown for a first answer before, in the same session")
                answers[f"{kind} {item.key}"] += 1
                result.order.append((item.key, repeat_index))
                result.screens.append(self._answer(row, item, repeat_index, result.answers_shown.total() - 1))
            except ValueError as error:
                result.screens.append(self._refused(row, str(error)))
        return result

    def _batch(self, session: Session) -> int | None:
        """The one batch that the rows name, if any does; a page before the first answer may not know it yet."""
        column = self.mapping.columns.batch
        if column is None:
            return None
        found: int | None = None
        for row in session.rows:
            if not row.fields[column].strip() and screen_kind(row, self.mapping) is None:
                continue
            number = whole(row, column, self.path)
            if found not in (None, number):
                raise ImportFileError(
                    f"{self.path}:{row.line}: {column} is {number} but {found} before in the same session; "
                    "columns.batch of the mapping must name a column that stays the same"
                )
            found = number
        return found

    def _item(self, row: Row) -> SourceItem:
        """The item on a screen; said anew, it must be the same. Raises ValueError."""
        columns = self.mapping.columns
        key = row.fields[columns.item].strip()
        if columns.item_is_number and key:
            if not key.removesuffix(".0").isdecimal():
                raise ValueError(f"{columns.item} says {key[:50]!r}, which is no number of an item")
            key = str(int(key.removesuffix(".0")))
        if not 0 < len(key) <= 200:
            raise ValueError(f"{columns.item} must name the item, in at most 200 characters")
        reference = row.fields[columns.reference].strip() or None if columns.reference else None
        if reference is not None and reference not in self.mapping.classes:
            raise ValueError(f"{columns.reference} says {reference[:50]!r}, which is no class of the mapping")
        attributes: dict[str, Any] = {name: row.fields[name] for name in columns.attributes if row.fields[name]}
        if columns.mixed:
            attributes |= columns.mixed.attributes(row.fields, self.mapping.classes)
        item = SourceItem(key, f"line {row.line}", lambda: b"", reference, None, attributes)
        known = self.items.setdefault(key, item)
        if (known.reference, known.attributes) != (reference, attributes):
            raise ValueError(f"the item {key} is described otherwise in {known.name}")
        return known

    def _answer(self, row: Row, item: SourceItem, repeat_index: int, position: int) -> Answered:
        columns = self.mapping.columns
        reading = self.mapping.read(self.mapping.given(row.fields), item.attributes)
        packed = pack(self.task.columns, self.task.typed(reading.answer, self.mapping.classes), self.mapping.classes)
        rt_ms = _milliseconds(row, columns.rt)
        elapsed_ms = _milliseconds(row, columns.elapsed)
        return Answered(row.line, item.key, repeat_index, position, reading, packed, rt_ms, elapsed_ms)

    def _event(self, row: Row) -> Happened:
        kind = row.fields[self.mapping.columns.trial_type]
        return Happened(row.line, f"screen:{kind}"[:50], self._fields(row))

    def _refused(self, row: Row, reason: str) -> Happened:
        return Happened(row.line, "refused", {"reason": reason, "line": row.line, "screen": self._fields(row)}, reason)

    def _fields(self, row: Row) -> dict[str, Any]:
        # A participant's own id stays in the table of participants.
        return {k: v for k, v in row.fields.items() if v and k != self.mapping.columns.participant}


def _milliseconds(row: Row, column: str) -> int | None:
    """A time, rounded; None where the screen has none. Raises ValueError."""
    value = row.fields[column].strip()
    if value in ("", "null"):
        return None
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number < 2**31:  # false for NaN too
        raise ValueError(f"{column} says {value[:50]!r}, which is no time in milliseconds")
    return round(number)
