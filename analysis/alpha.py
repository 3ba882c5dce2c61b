"""Krippendorff's alpha: agreement of any number of people, not all of whom need have answered everything.

K. Krippendorff, *Computing Krippendorff's alpha-reliability* (University of Pennsylvania, 2011): alpha = 1 - D_o/D_e,
where D_o is the mean difference between two answers to the same item and D_e that between any two answers to such
items. Items with fewer than two answers do not count. The difference of two values is

    nominal     1 where they differ, else 0
    ordinal     (r_c - r_k)^2, with the mean ranks r among all answers that count
    interval    (c - k)^2

A sum of squared differences over all pairs is 2 (m sum x^2 - (sum x)^2), so that every item comes down to a few
sums, no matrix [values, values] is needed, and a resample of the items is a weighted sum. (The library `krippendorff`
is maintained and gives the same numbers, but its licence, the GPL, would bind whoever passes crowdloom on.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crowdloom.analysis.elicited import Bools, Floats, Ints

Level = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True)
class Pairable:
    """The answers to items that have at least two."""

    items: Ints
    """[I] Positions of these items."""
    values: Floats
    """[V] The different values, ascending."""
    counts: Any
    """Sparse [I, V] how often each item got each value."""
    sizes: Ints
    """[I] Answers to each item."""


def pairable(item: Ints, value: npt.ArrayLike) -> Pairable:
    """The answers `value` [N], NaN where none was given, to the items at positions `item` [N]."""
    given = np.asarray(value, dtype=np.float64)
    known = ~np.isnan(given)
    asked, given = np.asarray(item, dtype=np.intp)[known], given[known]
    some: Bools = np.bincount(asked)[asked] > 1 if len(asked) else np.empty(0, dtype=np.bool_)
    items, row = np.unique(asked[some], return_inverse=True)
    values, column = np.unique(given[some], return_inverse=True)
    counts = sparse.csr_array(
        (np.ones(len(row)), (row.reshape(-1), column.reshape(-1))), shape=(len(items), len(values))
    )
    return Pairable(items, values, counts, np.bincount(row.reshape(-1), minlength=len(items)))


def alphas(answers: Pairable, level: Level, weights: Floats) -> Floats:
    """Alpha, [B], of B resamples in which each item stands `weights` [B, I] times; NaN where it is not defined."""
    counts, sizes = answers.counts, answers.sizes
    of_value = np.asarray((counts.T @ weights.T).T)  # [B, V] answers of each value
    total = of_value.sum(axis=1)
    if level == "nominal":
        within = weights @ ((sizes**2 - (counts**2).sum(axis=1)) / (sizes - 1))
        between = total**2 - np.sum(of_value**2, axis=1)
    else:
        score = _scores(answers.values, of_value, level)
        squares, sums = counts @ (score**2).T, counts @ score.T  # [I, B]
        of_item = (sizes[:, np.newaxis] * squares - sums**2) / (sizes - 1)[:, np.newaxis]
        within = 2 * np.einsum("bi,ib->b", weights, of_item)
        between = 2 * (total * np.sum(of_value * score**2, axis=1) - np.sum(of_value * score, axis=1) ** 2)
    found = np.full(len(weights), np.nan)
    varies = np.count_nonzero(of_value, axis=1) > 1
    np.divide(within * (total - 1), between, out=found, where=varies)
    alpha: Floats = 1 - found
    return alpha


def alpha_problem(answers: Pairable) -> str | None:
    """Why there is no alpha; None where there is one."""
    if not len(answers.items):
        return "No item has two answers, so there is nothing that could agree."
    if len(answers.values) == 1:
        return "All answers are the same, so chance alone would make them agree and alpha is not defined."
    return None


def krippendorff_alpha(item: Ints, value: npt.ArrayLike, level: Level = "nominal") -> float | None:
    """Alpha of the answers `value` [N], NaN where none was given, to items numbered `item` [N].

    None where no item has two answers or all answers are the same; `alpha_problem` says which.

    >>> krippendorff_alpha(np.array([0, 0, 1, 1, 2, 2, 3]), [1, 1, 2, 2, 2, 3, 1], "nominal")
    0.5454545454545454
    """
    answers = pairable(item, value)
    if alpha_problem(answers):
        return None
    return float(alphas(answers, level, np.ones((1, len(answers.items))))[0])


def _scores(values: Floats, of_value: Floats, level: Level) -> Floats:
    """What is squared, [B, V], about its middle so that squares do not cancel."""
    if level == "interval":
        return np.broadcast_to(values - values.mean(), of_value.shape)
    total = of_value.sum(axis=1, keepdims=True)
    ranks: Floats = (np.cumsum(of_value, axis=1) - of_value / 2) / total - 0.5
    return ranks
