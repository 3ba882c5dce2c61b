"""Ties of computed values: means and differences that are equal on paper differ in their last digits."""

from __future__ import annotations

import numpy as np

from crowdloom.analysis.elicited import Floats

_OF_SPREAD = 1e-9
_OF_SIZE = 1e-14


def tied(values: Floats, size: Floats | float = 0.0) -> Floats:
    """The values [N] or [N, S], with those of a column made equal that rounding alone sets apart.

    Neighbours are equal where they differ by no more than 1e-9 of the column's spread, or 1e-14 of the largest value.
    `size` (a number, or [S]) is the largest of what the values were computed from, where that is larger: a difference
    carries the rounding of both numbers, however small it is itself.

    >>> bool(0.8 - 0.6 == 0.5 - 0.3), len(set(tied(np.array([0.8 - 0.6, 0.5 - 0.3, 0.4])).tolist()))
    (False, 2)
    """
    if not len(values):
        return values
    order = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values, order, axis=0)
    finite = np.isfinite(values)
    low = np.min(values, axis=0, where=finite, initial=np.inf)
    high = np.max(values, axis=0, where=finite, initial=-np.inf)
    largest = np.maximum(np.max(np.abs(values), axis=0, where=finite, initial=0.0), size)
    near = np.maximum(_OF_SPREAD * np.maximum(high - low, 0.0), _OF_SIZE * largest)
    place = np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1))
    with np.errstate(invalid="ignore"):  # of two infinities, which are equal
        apart = np.diff(ordered, axis=0) > near
    starts = np.where(np.concatenate([np.ones_like(apart, shape=(1, *values.shape[1:])), apart]), place, 0)
    found = np.empty_like(ordered)
    np.put_along_axis(found, order, np.take_along_axis(ordered, np.maximum.accumulate(starts, axis=0), axis=0), axis=0)
    return found


def tied_differences(first: Floats, second: Floats) -> Floats:
    """First less second, [N] or [N, S], of pairs: 0 where only rounding differs, and as large where it alone does.

    >>> tied_differences(np.array([0.1 + 0.2, 0.8]), np.array([0.3, 0.6])).round(3).tolist()
    [0.0, 0.2]
    """
    differences = first - second
    size = np.maximum(np.abs(first), np.abs(second)).max(axis=0, initial=0.0)
    # 0 is put among them, so that what is near to it becomes 0
    sizes = tied(np.concatenate([np.zeros_like(differences[:1]), np.abs(differences)]), size)[1:]
    found: Floats = np.sign(differences) * sizes
    return found
