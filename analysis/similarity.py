"""How alike the classes are: as read from a file, or by which class people name second."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from crowdloom.analysis.elicited import Elicited, Floats, Ints


def check_similarity(similarity: Floats, classes: int) -> None:
    """Raise ValueError unless this is a matrix of finite numbers with a row and a column for each class."""
    if np.shape(similarity) != (classes, classes) or not np.isfinite(similarity).all():
        raise ValueError(
            f"the similarity must be a matrix of {classes} x {classes} finite numbers, one row and column per class"
        )


def second_choice_similarity(elicited: Elicited, classes: int) -> Floats:
    """How alike K classes are by the answers: the share of people who, after the class of a row, named each class.

    [K, K], rows the most probable class, columns the second one. It is by row and not symmetric, because what is asked
    of it is which alternative people see to a class: of CIFAR-10S's annotators, 21 % of those who chose airplane and
    named a second class named automobile, and 2 % the other way round. Classes that were never named second have 0, and
    so a ranking leaves them in their own order at its end; the diagonal is 1, a class being most like itself.
    Raises ValueError where no answer names a second class.

    >>> nobody = np.zeros((3, 3), dtype=np.bool_)
    >>> said = Elicited(np.array([0, 0, 0]), np.full(3, 60.0), np.array([2, 2, 1]), np.full(3, 40.0), nobody)
    >>> second_choice_similarity(said, 3).round(2).tolist()
    [[1.0, 0.33, 0.67], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    return similarity_of_counts(second_choice_counts(elicited, classes))


def second_choice_counts(elicited: Elicited, classes: int) -> Ints:
    """How often each class was named second after each other one, [K, K], whatever probability it got."""
    named = (elicited.top1 >= 0) & (elicited.top2 >= 0) & (elicited.top1 != elicited.top2)
    pairs = elicited.top1[named] * classes + elicited.top2[named]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes).astype(np.intp)


def similarity_of_counts(counts: Ints) -> Floats:
    """`second_choice_similarity` by the sum of `second_choice_counts` of some answers."""
    if not counts.any():
        raise ValueError("no answer names a second class, so the answers do not say how alike the classes are")
    shares: Floats = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(shares, 1.0)
    return shares


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
