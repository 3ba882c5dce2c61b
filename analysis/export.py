"""Labels as files: JSON in the layout of the CIFAR-10S release, CSV, Parquet and NPZ.

Numbers keep their full precision in every format. A file appears under its name only when it is
complete, so a full disk leaves whatever was there before.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from crowdloom.analysis.files import whole_file
from crowdloom.tasks.columns import LABEL_COLUMNS


@dataclass(frozen=True)
class LabelTable:
    """Labels [N, K] with the item of each, and for labels of single responses whose they are.

    Aggregated labels leave submission, participant and repeat_index at None. Raises ValueError where
    lengths differ, or where only some of the three are given.
    """

    labels: npt.NDArray[np.float64]
    item: Sequence[str]
    classes: Sequence[str]
    submission: Sequence[str] | None = None
    participant: Sequence[str] | None = None
    repeat_index: Sequence[int] | npt.NDArray[np.integer[Any]] | None = None

    def __post_init__(self) -> None:
        if self.labels.shape != (len(self.item), len(self.classes)):
            raise ValueError(
                f"labels have shape {self.labels.shape}, but there are {len(self.item)} items "
                f"and {len(self.classes)} classes; give one row per item and one column per class"
            )
        whose = (self.submission, self.participant, self.repeat_index)
        if any(values is None for values in whose) and any(values is not None for values in whose):
            raise ValueError("give submission, participant and repeat_index together, or none of them")
        if any(values is not None and len(values) != len(self.item) for values in whose):
            raise ValueError(f"submission, participant and repeat_index must have {len(self.item)} values each")
        clash = [name for name in self.classes if name in LABEL_COLUMNS]
        if clash:
            raise ValueError(f"a class is called {clash[0]!r}, like a column of the export; rename the class")

    @property
    def per_response(self) -> bool:
        """Whether each label belongs to one response."""
        return self.submission is not None

    def leading(self) -> dict[str, Any]:
        """The columns before the classes: item and, per response, whose label it is."""
        columns: dict[str, Any] = {"item": list(self.item)}
        if self.submission is not None and self.participant is not None and self.repeat_index is not None:
            columns["submission"] = list(self.submission)
            columns["participant"] = list(self.participant)
            columns["repeat_index"] = [int(index) for index in self.repeat_index]
        return columns


def _write_json(table: LabelTable, file: IO[bytes]) -> None:
    """Item by item, so that a million labels never stand in memory as Python's numbers all at once."""
    rows: dict[str, list[int]] = {}
    for number, item in enumerate(table.item):
        rows.setdefault(item, []).append(number)
    if not table.per_response:
        for item, numbers in rows.items():
            if len(numbers) > 1:
                raise ValueError(f"item {item} has two labels, but these labels are one per item; aggregate them first")
    before = "{"
    for item, numbers in rows.items():
        labels = table.labels[numbers].tolist()
        value = json.dumps(labels if table.per_response else labels[0], allow_nan=False)
        file.write(f"{before}{json.dumps(item, ensure_ascii=False)}: {value}".encode())
        before = ", "
    file.write(b"}" if rows else b"{}")


def _write_csv(table: LabelTable, file: IO[bytes]) -> None:
    leading = table.leading()
    lines = _Lines(file)
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow([*leading, *table.classes])
    for first, label in zip(zip(*leading.values(), strict=True), table.labels.tolist(), strict=True):
        writer.writerow([*first, *label])


class _Lines:
    """What csv.writer writes to, as UTF-8 into a binary file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode())


def _write_parquet(table: LabelTable, file: IO[bytes]) -> None:
    columns = {name: pa.array(values) for name, values in table.leading().items()}
    columns |= {name: pa.array(table.labels[:, number]) for number, name in enumerate(table.classes)}
    pq.write_table(pa.table(columns), file)


def _write_npz(table: LabelTable, file: IO[bytes]) -> None:
    arrays: dict[str, Any] = {"labels": table.labels, "classes": np.array(table.classes, dtype=np.str_)}
    for name, values in table.leading().items():
        arrays[name] = np.array(values, dtype=np.intp if name == "repeat_index" else np.str_)
    np.savez_compressed(file, **arrays)


FORMATS: dict[str, Callable[[LabelTable, IO[bytes]], None]] = {
    "json": _write_json,
    "csv": _write_csv,
    "parquet": _write_parquet,
    "npz": _write_npz,
}


def write_labels(table: LabelTable, path: Path, file_format: str | None = None) -> None:
    """Write labels in one of `FORMATS`; without `file_format`, the path's suffix names it.

    json       {item: [[K numbers], … one per response]}, or {item: [K numbers]} for aggregated labels
    csv        one row per label: item, submission, participant, repeat_index, then one column per class
    parquet    the same columns
    npz        arrays labels [N, K], classes [K], item [N] and per response submission, participant,
               repeat_index [N]; read without pickle

    The order is the table's. Raises ValueError for a format that is none of these, and OSError
    (a full disk, a folder that is not there) with nothing left behind and no earlier file touched.
    """
    chosen = (file_format or path.suffix.removeprefix(".")).lower()
    if chosen not in FORMATS:
        what = f"{chosen!r} is no format of labels" if chosen else f"{path} has no suffix that says the format"
        raise ValueError(f"{what}; choose one of {', '.join(FORMATS)}")
    with whole_file(path) as part, part.open("xb") as file:
        FORMATS[chosen](table, file)
