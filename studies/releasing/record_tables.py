"""The tables of a release that hold what an answer's record holds, beside its numbers in `responses`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

from crowdloom.studies.releasing import submissions as subs
from crowdloom.studies.releasing.pseudonyms import Pseudonyms
from crowdloom.studies.releasing.tables import Column, Table, TableWriter

Record = TypeVar("Record")

KEY = (
    subs.SUBMISSION,
    subs.PARTICIPANT,
    subs.CONDITION,
    subs.STANDING,
    Column("item", "text", "the item that was answered; see the table items", listed=False),
    Column("repeat_index", "whole", "0 for the first answer to the item, 1, 2, … for repeats"),
)
"""What every table begins with."""


@dataclass(frozen=True)
class RecordTable(Generic[Record]):
    """One of the tables: its columns after `KEY`, and the rows of a record in it."""

    meaning: str
    columns: Sequence[Column]
    rows: Callable[[Record], Iterable[Mapping[str, Any]]]


class Whose(Protocol):
    """What says whose answer a record is, and to what."""

    @property
    def submission(self) -> str: ...
    @property
    def participant(self) -> str: ...
    @property
    def condition(self) -> str | None: ...
    @property
    def item(self) -> str: ...
    @property
    def repeat_index(self) -> int: ...


class RecordWriter(AbstractContextManager["RecordWriter"]):
    """Writes tables of records by their stems; no table is there before the first record is."""

    def __init__(self, release: Path, tables: Mapping[str, RecordTable[Any]], more: Mapping[str, Sequence[Column]]):
        """`more` are columns of this release alone, after those that a table always has."""
        self._release, self._known = release, tables
        self._own = {stem: [*table.columns, *more.get(stem, ())] for stem, table in tables.items()}
        self._writers: dict[str, TableWriter] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.__enter__()
        return self

    def __exit__(self, *raised: Any) -> bool | None:
        return self._stack.__exit__(*raised)

    def write(
        self, answer: Whose, names: Pseudonyms, standing: str, rows: Mapping[str, Sequence[Mapping[str, Any]]]
    ) -> None:
        """Write the rows of one record, by the stems of their tables."""
        if not self._writers:
            for stem, table in self._known.items():
                writer = TableWriter(self._release, stem, table.meaning, [*KEY, *self._own[stem]])
                self._writers[stem] = self._stack.enter_context(writer)
        key = {
            "submission": names.submission(answer.submission),
            "participant": names.participant(answer.participant),
            "condition": answer.condition,
            "standing": standing,
            "item": answer.item,
            "repeat_index": answer.repeat_index,
        }
        for stem, some in rows.items():
            same = {name: [value] * len(some) for name, value in key.items()}
            self._writers[stem].write(same | {one.name: [row[one.name] for row in some] for one in self._own[stem]})

    def tables(self) -> list[Table]:
        """Those that were written."""
        return [writer.table() for writer in self._writers.values()]
