"""The tables of a release: each is written as CSV and as Parquet at once, and knows what its columns mean."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import pyarrow as pa

from crowdloom.studies.releasing.parquet import ParquetFile
from crowdloom.tasks.columns import BETWEEN_CLASSES

Kind = Literal["text", "whole", "number", "truth", "texts", "numbers", "json"]
"""`texts` and `numbers` are lists; in CSV texts are joined by `|`. `json` is any value, written as JSON."""

TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "whole": pa.int64(),
    "number": pa.float64(),
    "truth": pa.bool_(),
    "texts": pa.list_(pa.string()),
    "numbers": pa.list_(pa.float64()),
    "json": pa.string(),
}
FOLDER = "data"
_MOST_LISTED = 20


@dataclass(frozen=True)
class Column:
    """A column, as the codebook has it."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    values: str = ""
    """Which values it can have; where it is not said, a number's range and a few different texts are listed."""
    listed: bool = True
    """False for names and free texts, which the codebook does not repeat."""


@dataclass(frozen=True)
class Table:
    """A table that was written: `data/STEM.csv` and `data/STEM.parquet`, or one below another folder."""

    stem: str
    meaning: str
    columns: Sequence[Column]
    rows: int
    suffixes: tuple[str, ...] = (".csv", ".parquet")
    folder: str = FOLDER

    @property
    def files(self) -> list[str]:
        """Its files, relative to the release."""
        return [f"{self.folder}/{self.stem}{suffix}" for suffix in self.suffixes]

    @property
    def parquet(self) -> str:
        """The one of them that says its types."""
        return f"{self.folder}/{self.stem}.parquet"


class TableWriter:
    """Writes a table; use it in a `with`, then `table()` describes what was written."""

    def __init__(self, release: Path, stem: str, meaning: str, columns: Sequence[Column]) -> None:
        self._stem, self._meaning, self._columns = stem, meaning, columns
        self._seen = [_Seen(column) for column in columns]
        self._rows = 0
        self._open = ExitStack()
        folder = release / FOLDER
        folder.mkdir(exist_ok=True)
        schema = pa.schema([(column.name, TYPES[column.kind]) for column in columns])
        self._parquet = self._open.enter_context(ParquetFile(folder / f"{stem}.parquet", schema))
        file = self._open.enter_context((folder / f"{stem}.csv").open("w", encoding="utf-8", newline=""))
        self._csv = csv.writer(file, lineterminator="\n")
        self._csv.writerow([column.name for column in columns])

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.__exit__(kind, error, at)

    def write(self, values: Mapping[str, Sequence[Any]]) -> None:
        """Add rows: for each column its values, None where there is none (NaN counts as none)."""
        cells = [_cells(column, values[column.name]) for column in self._columns]
        for seen, column_cells in zip(self._seen, cells, strict=True):
            seen.add(column_cells)
        self._parquet.add([pa.array(c, TYPES[column.kind]) for column, c in zip(self._columns, cells, strict=True)])
        written = [_written(column, c) for column, c in zip(self._columns, cells, strict=True)]
        self._csv.writerows(zip(*written, strict=True))
        self._rows += len(cells[0])

    def table(self) -> Table:
        """What was written, with the values that stand in it."""
        return Table(self._stem, self._meaning, [seen.described() for seen in self._seen], self._rows)


def _cells(column: Column, values: Sequence[Any]) -> list[Any]:
    if column.kind == "json":
        return [None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True) for value in values]
    if column.kind not in ("number", "whole"):
        return list(values)
    cast = int if column.kind == "whole" else float
    return [None if value is None or value != value else cast(value) for value in values]  # noqa: PLR0124 - NaN


def _written(column: Column, cells: list[Any]) -> list[Any]:
    """As CSV has them; csv.writer leaves None empty, and writes numbers so that they are read back the same."""
    if column.kind == "texts":
        return [None if cell is None else BETWEEN_CLASSES.join(cell) for cell in cells]
    if column.kind == "truth":
        return [None if cell is None else "true" if cell else "false" for cell in cells]
    return cells


class _Seen:
    """What values a column turned out to have."""

    def __init__(self, column: Column) -> None:
        self._column = column
        self._range: tuple[float, float] | None = None
        self._texts: set[str] = set()
        self._wanted = column.listed and not column.values

    def add(self, cells: list[Any]) -> None:
        if not self._wanted:
            return
        if self._column.kind in ("number", "whole"):
            numbers = [cell for cell in cells if cell is not None]
            if numbers:
                numbers += self._range or ()
                self._range = (min(numbers), max(numbers))
        elif self._column.kind == "text" and len(self._texts) <= _MOST_LISTED:
            self._texts.update(cell for cell in set(cells) if cell is not None)

    def described(self) -> Column:
        if self._column.kind == "truth" and self._wanted:
            return replace(self._column, values="true, false")
        if self._range is not None:
            low, high = (f"{end:.6g}" if isinstance(end, float) else str(end) for end in self._range)
            return replace(self._column, values=f"observed: {low}" if low == high else f"observed: {low} to {high}")
        if 0 < len(self._texts) <= _MOST_LISTED:
            return replace(self._column, values=f"observed: {', '.join(sorted(self._texts))}")
        return self._column
