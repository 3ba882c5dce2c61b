"""Means, spreads, correlations and the comparison of two groups, with None for what is not defined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.rounding import tied

SPREAD = ("n", "mean", "sd", "se", "lower", "median", "upper")


def mean_of(values: npt.ArrayLike) -> float | None:
    """The mean of the values that are no NaN; None where there is none.

    >>> mean_of([1.0, np.nan, 2.0]), mean_of([])
    (1.5, None)
    """
    known = _known(values)
    return float(known.mean()) if len(known) else None


def median_of(values: npt.ArrayLike) -> float | None:
    """The median of the values that are no NaN; None where there is none."""
    known = _known(values)
    return float(np.median(known)) if len(known) else None


def deviation_of(values: npt.ArrayLike) -> float | None:
    """The standard deviation of a sample, by n - 1; None for fewer than two values."""
    known = _known(values)
    return float(known.std(ddof=1)) if len(known) > 1 else None


def error_of(values: npt.ArrayLike) -> float | None:
    """The standard error of the mean, sd / sqrt(n); None for fewer than two values."""
    deviation = deviation_of(values)
    return None if deviation is None else float(deviation / np.sqrt(len(_known(values))))


def correlation(x: npt.ArrayLike, y: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float | None:
    """Pearson's r of the pairs of which both are known, each counted by its weight.

    None for fewer than three pairs, and where one side is always the same.

    >>> round(correlation([0.1, 0.5, 0.9], [0.2, 0.5, 0.6]), 4)
    0.9608
    """
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    heavy = np.ones(len(first)) if weights is None else np.asarray(weights, dtype=np.float64)
    known = ~np.isnan(first) & ~np.isnan(second)
    first, second, heavy = first[known], second[known], heavy[known]
    if len(first) < 3 or np.ptp(first) < 1e-12 or np.ptp(second) < 1e-12:
        return None
    first, second = first - np.average(first, weights=heavy), second - np.average(second, weights=heavy)
    both = np.sqrt(np.sum(heavy * first**2) * np.sum(heavy * second**2))
    return float(np.clip(np.sum(heavy * first * second) / both, -1, 1))


def weighted_median(values: Floats, weights: Floats) -> float | None:
    """The value with half of the weight on either side; between two such, their middle. None without values.

    >>> weighted_median(np.array([3.0, 1.0, 2.0]), np.array([2.0, 1.0, 1.0]))
    2.5
    """
    if not len(values):
        return None
    order = np.argsort(values, kind="stable")
    ranked, reached = values[order], np.cumsum(weights[order])
    half = reached[-1] / 2
    low = int(np.searchsorted(reached, half * (1 - 1e-12)))
    high = int(np.searchsorted(reached, half * (1 + 1e-12)))
    return float((ranked[low] + ranked[min(high, len(ranked) - 1)]) / 2)


def spread_by(frame: pd.DataFrame, value: str, by: str | Sequence[str]) -> pd.DataFrame:
    """`SPREAD` of a column for each group, in the groups' order: its count, mean, sd, standard error and quartiles.

    Rows where the value or the group is unknown are left out; sd and se of a single value are NaN.
    """
    names = [by] if isinstance(by, str) else list(by)
    groups = frame[frame[value].notna()].groupby(by if isinstance(by, str) else names, sort=True)[value]
    found = pd.DataFrame(
        {
            "n": groups.size(),
            "mean": groups.mean(),
            "sd": groups.std(ddof=1),
            "se": groups.sem(ddof=1),
            **{name: groups.quantile(share) for name, share in (("lower", 0.25), ("median", 0.5), ("upper", 0.75))},
        }
    )
    return found.reindex(columns=list(SPREAD))


@dataclass(frozen=True)
class Comparison:
    """Two groups of values and the Mann-Whitney U test (two-sided) of whether one tends to be higher."""

    n_high: int
    n_low: int
    mean_high: float | None
    mean_low: float | None
    u: float | None = None
    """Of the pairs of one value of each group, those in which the first group's is higher; ties count half."""
    p: float | None = None
    problem: str | None = None
    """Why there is no test."""


def compare(high: npt.ArrayLike, low: npt.ArrayLike) -> Comparison:
    """Compare two groups of independent values; those that are NaN are left out.

    >>> found = compare([4.0, 5.0, 6.0], [1.0, 2.0, 3.0])
    >>> found.u, round(found.p, 3)
    (9.0, 0.1)
    """
    one, other = _known(high), _known(low)
    about: dict[str, Any] = {
        "n_high": len(one),
        "n_low": len(other),
        "mean_high": mean_of(one),
        "mean_low": mean_of(other),
    }
    if not len(one) or not len(other):
        return Comparison(**about, problem="one of the two groups is empty")
    if np.ptp(np.concatenate([one, other])) == 0:
        return Comparison(**about, problem="all values are the same")
    one, other = np.split(tied(np.concatenate([one, other])), [len(one)])
    found = stats.mannwhitneyu(one, other, alternative="two-sided")
    return Comparison(**about, u=float(found.statistic), p=float(found.pvalue))


def _known(values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    return array[~np.isnan(array)]
