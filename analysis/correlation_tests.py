"""Tests of a correlation, in the form of all tests."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

from crowdloom.analysis.rounding import tied
from crowdloom.analysis.test_result import TestResult

_FEWEST = 4
"""Points, below which an interval by Fisher's transformation is not defined."""


def pearson(x: npt.ArrayLike, y: npt.ArrayLike, level: float = 0.95) -> TestResult:
    """Pearson's r of N pairs, with the interval of Fisher's transformation.

    >>> found = pearson([1, 2, 3, 4, 5], [2, 1, 4, 3, 5])
    >>> round(found.estimate, 3), round(found.p, 3)
    (0.8, 0.104)
    """
    one, other, problem = _points(x, y)
    about = TestResult("Pearson's correlation", level=level, n=(len(one),), problem=problem)
    if problem:
        return about
    found = stats.pearsonr(one, other)
    r = float(found.statistic)
    low, high = _fisher(r, 1 / math.sqrt(len(one) - 3), level)
    df = len(one) - 2
    t = r * math.sqrt(df / (1 - r * r)) if abs(r) < 1 else None
    return TestResult(about.name, t, "t", df, float(found.pvalue), r, low, high, level, n=(len(one),))


def spearman(x: npt.ArrayLike, y: npt.ArrayLike, level: float = 0.95) -> TestResult:
    """Spearman's rho of N pairs; interval with the variance (1 + rho^2 / 2) / (N - 3) of Bonett and Wright (2000).

    What rounding alone sets apart (see `rounding`) is a tie.
    """
    one, other, problem = _points(x, y)
    about = TestResult("Spearman's correlation", level=level, n=(len(one),), problem=problem)
    if problem:
        return about
    found = stats.spearmanr(tied(one), tied(other))
    r = float(found.statistic)
    low, high = _fisher(r, math.sqrt((1 + r * r / 2) / (len(one) - 3)), level)
    return TestResult(about.name, None, "", None, float(found.pvalue), r, low, high, level, n=(len(one),))


def _points(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], str | None]:
    """The pairs of finite numbers, and why no correlation of them can be tested."""
    one, other = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if one.shape != other.shape:
        raise ValueError(f"the sides have {len(one)} and {len(other)} values; give pairs")
    known = np.isfinite(one) & np.isfinite(other)
    one, other = one[known], other[known]
    if len(one) < _FEWEST:
        few = "is 1 point" if len(one) == 1 else f"are {len(one)} points"
        return one, other, f"there {few}, and a correlation with an interval needs {_FEWEST}"
    if np.ptp(tied(one)) == 0 or np.ptp(tied(other)) == 0:
        return one, other, "one of both numbers is always the same"
    return one, other, None


def _fisher(r: float, error: float, level: float) -> tuple[float, float]:
    if abs(r) >= 1:
        return r, r
    z = float(stats.norm.ppf((1 + level) / 2)) * error
    return math.tanh(math.atanh(r) - z), math.tanh(math.atanh(r) + z)
