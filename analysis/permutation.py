"""Permutation tests of a difference of means, which suppose neither normal values nor equal variances.

Where the condition makes no difference, each value could as well stand on the other side. Two groups: the sides are
dealt anew (Fisher 1935, The design of experiments), and arrangements are compared by Welch's t, so that the test also
holds, for large groups, where the means are equal and the variances are not (Chung and Romano 2013, Annals of
Statistics 41); for groups of one size this is the same as to compare the differences of the means. Pairs: the sign of
each difference is drawn anew. p is the share of the arrangements that are as far from 0 as the one seen: of all of them
where they are few, else (1 + as far) / (1 + drawn) of random ones, which counts the one seen (Phipson and Smyth 2010,
Statistical Applications in Genetics and Molecular Biology 9). What rounding alone sets apart is as far.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import comb

import numpy as np

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.rounding import tied, tied_differences

EXACT = 20_000
"""All arrangements are tried where there are at most so many."""
DRAWN, MANY, DRAWN_OF_MANY = 99_999, 500, 9_999
"""Random arrangements, else; fewer of more than `MANY` values, which would take seconds."""

_AT_ONCE = 4_000_000
"""Values in memory at a time."""


def unpaired_p(first: Floats, second: Floats, rng: np.random.Generator) -> tuple[float, int]:
    """p of two groups [N], [M], neither empty, and how many random arrangements it is from; 0 where it is exact.

    >>> unpaired_p(np.array([4.0, 5.0, 6.0]), np.array([1.0, 2.0, 3.0]), np.random.default_rng(1))
    (0.1, 0)
    """
    values, n = tied(np.concatenate([first, second])), len(first)
    values = values - values.mean()
    values /= max(float(np.abs(values).max()), np.finfo(float).tiny)
    seen = _squared_t(values[None, :n], values, len(second))[0]
    ways = comb(len(values), n)
    if ways <= EXACT:
        chosen = np.array(list(combinations(range(len(values)), n)), dtype=np.intp)
        return _as_far(_squared_t(values[chosen], values, len(second)), seen) / ways, 0
    far, drawn = 0, _drawn(len(values))
    for rows in _blocks(len(values), drawn):
        dealt = rng.permuted(np.tile(values, (rows, 1)), axis=1)[:, :n]
        far += _as_far(_squared_t(dealt, values, len(second)), seen)
    return (1 + far) / (1 + drawn), drawn


def paired_p(first: Floats, second: Floats, rng: np.random.Generator) -> tuple[float, int]:
    """p of pairs [N], at least one, and how many random arrangements it is from; 0 where it is exact.

    >>> paired_p(np.array([4.0, 5.0, 6.0]), np.array([1.0, 2.0, 3.0]), np.random.default_rng(1))
    (0.25, 0)
    """
    differences = tied_differences(first, second)
    differences /= max(float(np.abs(differences).max()), np.finfo(float).tiny)
    seen, n = abs(float(differences.sum())), len(differences)
    if 2**n <= EXACT:
        signs = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        return _as_far(np.abs((2 * signs - 1) @ differences), seen) / 2**n, 0
    far, drawn = 0, _drawn(n)
    for rows in _blocks(n, drawn):
        signs = rng.integers(0, 2, (rows, n), dtype=np.int8)
        far += _as_far(np.abs(2 * (signs @ differences) - differences.sum()), seen)
    return (1 + far) / (1 + drawn), drawn


def _squared_t(chosen: Floats, values: Floats, m: int) -> Floats:
    """Welch's t squared, where the rows of `chosen` [P, N] stand on the first side and the m others on the second.

    `values` are all N + m of them, with the mean 0. A side of one value has no variance: the squared difference then.
    """
    n = chosen.shape[1]
    sums, squares = chosen.sum(axis=1), (chosen**2).sum(axis=1)
    total = float((values**2).sum())
    difference: Floats = (sums * (1 / n + 1 / m)) ** 2
    if min(n, m) < 2:
        return difference
    within = np.maximum(squares - sums**2 / n, 0), np.maximum(total - squares - sums**2 / m, 0)
    variance = within[0] / (n * (n - 1)) + within[1] / (m * (m - 1))
    nothing = variance <= 1e-12 * total  # what rounding leaves where no value differs within its side
    return np.where(
        nothing, np.where(difference > 1e-12 * total, np.inf, 0.0), difference / np.where(nothing, 1, variance)
    )


def _as_far(found: Floats, seen: float) -> int:
    """How many are as large as the one seen; sums in another order differ in their last digits.

    The largest of all values is 1, so that next to 0 is what rounding leaves of it.
    """
    return int((found >= min(seen * (1 - 1e-9), seen - 1e-12)).sum())


def _drawn(values: int) -> int:
    return DRAWN if values <= MANY else DRAWN_OF_MANY


def _blocks(values: int, drawn: int) -> Iterator[int]:
    """The numbers of arrangements that are drawn together, `drawn` in all."""
    step = max(1, _AT_ONCE // values)
    for start in range(0, drawn, step):
        yield min(step, drawn - start)
