"""How alike the classes are, as read from a file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from crowdloom.analysis.elicited import Floats


def read_similarity(path: Path, classes: Sequence[str]) -> Floats:
    """The matrix [K, K] in a CSV file whose header and first column name the classes, in any order.

    The cell above the row names may hold anything. Returns the matrix in the order of `classes`.
    Raises ValueError, naming the file and the line, for a file that cannot be read, a class missing,
    unknown or given twice, or a cell that is no finite number.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [(reader.line_num, row) for reader in [csv.reader(file)] for row in reader if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read as a similarity matrix in CSV: {error}") from error
    if not lines:
        raise ValueError(f"{path} is empty; it must hold a header and one row for each class")
    header = [cell.strip() for cell in lines[0][1][1:]]
    names = [row[0].strip() for _, row in lines[1:]]
    for where, found in (("header", header), ("first column", names)):
        if sorted(found) != sorted(classes):
            missing = [name for name in classes if name not in found]
            extra = [name for name in found if name not in classes or found.count(name) > 1]
            detail = f"missing: {', '.join(missing) or 'none'}; unknown or twice: {', '.join(extra) or 'none'}"
            raise ValueError(f"{path}: the {where} must name each class once ({detail})")
    matrix = np.empty((len(classes), len(classes)))
    order = {name: number for number, name in enumerate(classes)}
    for (line, row), name in zip(lines[1:], names, strict=True):
        if len(row) != len(classes) + 1:
            raise ValueError(f"{path}, line {line}: {len(row) - 1} numbers, but there are {len(classes)} classes")
        for column, cell in zip(header, row[1:], strict=True):
            matrix[order[name], order[column]] = _number(cell, f"{path}, line {line}, column {column}")
    return matrix


def _number(cell: str, where: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise ValueError(f"{where}: {cell!r} is no number; give the similarity of the two classes")
    return value
