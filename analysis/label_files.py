"""Labels read back from the files that `analysis.export` writes, or that others wrote in the same layouts."""

from __future__ import annotations

import csv
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.export import LabelTable
from crowdloom.analysis.label_pools import no_distributions
from crowdloom.tasks.columns import LABEL_COLUMNS

WHOSE = LABEL_COLUMNS[1:]
"""Given together, or not at all."""

_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    NotImplementedError,  # a compression that zipfile does not know
    RecursionError,
    csv.Error,
    zipfile.BadZipFile,
    zlib.error,
    pa.ArrowException,
)


def read_labels(path: Path, classes: Sequence[str] | None = None) -> LabelTable:
    """The labels of a .json, .csv, .parquet or .npz file (see `export.write_labels`).

    `classes` are needed for JSON, which has no names of classes: its numbers stand in their order. The other formats
    must have just these classes then, in any order, and the table has them in the order given. An item of a JSON file
    may have one label or several, but whose they are it does not say.

    Raises ValueError, in one sentence with the file, for a file that cannot be read so, and for a label that is no
    distribution: a number that is missing, NaN or negative, or a sum that is not 1.
    """
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in _READERS:
        raise ValueError(f"{path}: labels are read from files whose name ends in .{', .'.join(_READERS)}")
    try:
        table = _READERS[suffix](path, classes)
    except _UNREADABLE as error:
        raise ValueError(f"{path} cannot be read as labels: {_first_line(error)}") from error
    if classes is not None and list(table.classes) != list(classes):
        table = _in_order(table, classes, path)
    if (wrong := no_distributions(table.labels)).any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"{path}: label {row} (counted from 0), of the item {table.item[row]!r}, is {table.labels[row].tolist()}; "
            "a label is a number for each class, at least 0 and 1 in sum"
        )
    return table


def _read_json(path: Path, classes: Sequence[str] | None) -> LabelTable:
    if classes is None:
        raise ValueError("JSON does not name the classes; say them, in the order of its numbers")
    content = json.loads(path.read_bytes())
    if not isinstance(content, dict):
        raise ValueError("it must be an object with the labels of each item")
    items: list[str] = []
    rows: list[list[float]] = []
    for item, value in content.items():
        several = value if isinstance(value, list) and value and isinstance(value[0], list) else [value]
        for label in several:
            if not (isinstance(label, list) and len(label) == len(classes) and all(map(_is_number, label))):
                raise ValueError(f"the item {item!r} has a label that is not a list of {len(classes)} numbers")
        items += [item] * len(several)
        rows += several
    return LabelTable(np.array(rows, dtype=np.float64).reshape(-1, len(classes)), items, list(classes))


def _read_csv(path: Path, classes: Sequence[str] | None) -> LabelTable:
    with path.open(newline="", encoding="utf-8-sig") as file:
        header = next(csv.reader(file), [])
    _classes_of(header)
    types = {name: pa.string() if name in LABEL_COLUMNS else pa.float64() for name in header}
    if "repeat_index" in types:
        types["repeat_index"] = pa.int64()
    return _from_arrow(
        pa.csv.read_csv(
            path,
            parse_options=pa.csv.ParseOptions(newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(column_types=types, strings_can_be_null=False),
        )
    )


def _read_parquet(path: Path, classes: Sequence[str] | None) -> LabelTable:
    return _from_arrow(pq.ParquetFile(path).read())


def _from_arrow(table: pa.Table) -> LabelTable:
    classes = _classes_of(table.column_names)
    columns = {name: table.column(name) for name in table.column_names}
    labels = np.column_stack([columns[name].to_numpy().astype(np.float64) for name in classes])
    return _table(labels, classes, {name: columns[name].to_pylist() for name in LABEL_COLUMNS if name in columns})


def _read_npz(path: Path, classes: Sequence[str] | None) -> LabelTable:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:  # NumPy leaves a torn file open
        if not isinstance(arrays, np.lib.npyio.NpzFile):
            raise ValueError("it must hold the arrays labels, classes and item")
        missing = [name for name in ("labels", "classes", "item") if name not in arrays]
        if missing:
            raise ValueError(f"it lacks the array{'s' * (len(missing) > 1)} {', '.join(missing)}")
        leading = {name: arrays[name].tolist() for name in LABEL_COLUMNS if name in arrays}
        classes = [str(name) for name in arrays["classes"]]
        twice = [name for name in classes if classes.count(name) > 1]
        if twice:
            raise ValueError(f"the class {twice[0]!r} stands there twice")
        return _table(arrays["labels"].astype(np.float64), classes, leading)


def _classes_of(header: Sequence[str]) -> list[str]:
    """The columns that are classes. Raises ValueError where there are none, no item, or a column twice."""
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise ValueError(f"the column {twice[0]!r} stands there twice")
    if "item" not in header:
        raise ValueError("it has no column 'item', which says what each label is of")
    classes = [name for name in header if name not in LABEL_COLUMNS]
    if not classes:
        raise ValueError("it has no column for any class")
    return classes


def _table(labels: npt.NDArray[np.float64], classes: list[str], leading: Mapping[str, list[Any]]) -> LabelTable:
    whose: dict[str, Any] = {name: leading[name] for name in WHOSE if name in leading}
    for name in ("submission", "participant"):
        if name in whose:
            whose[name] = [str(value) for value in whose[name]]
    return LabelTable(labels, [str(item) for item in leading["item"]], classes, **whose)


def _in_order(table: LabelTable, classes: Sequence[str], path: Path) -> LabelTable:
    """The table with its classes in this order. Raises ValueError where they are others."""
    if sorted(table.classes) != sorted(classes):
        missing = ", ".join(name for name in classes if name not in table.classes)
        extra = ", ".join(name for name in table.classes if name not in classes)
        raise ValueError(f"{path} has other classes (missing: {missing or 'none'}; unknown: {extra or 'none'})")
    place = {name: number for number, name in enumerate(table.classes)}
    labels: Floats = table.labels[:, [place[name] for name in classes]]
    return LabelTable(labels, table.item, list(classes), table.submission, table.participant, table.repeat_index)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _first_line(error: Exception) -> str:
    said = str(error).strip().partition("\n")[0]
    # NumPy would advise to load it unsafely.
    return "it holds Python objects, or is no archive of arrays" if "pickle" in said else said


_READERS: dict[str, Callable[[Path, Sequence[str] | None], LabelTable]] = {
    "json": _read_json,
    "csv": _read_csv,
    "parquet": _read_parquet,
    "npz": _read_npz,
}
