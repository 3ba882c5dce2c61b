"""Means, spreads and correlations by hand or by scipy, and None for what is not defined."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crowdloom.analysis.measures import (
    compare,
    correlation,
    deviation_of,
    error_of,
    mean_of,
    median_of,
    spread_by,
    weighted_median,
)

RNG = np.random.default_rng(4)


def test_nothing_is_none() -> None:
    """Without values, or with too few, nothing is made up."""
    for nothing in ([], [math.nan]):
        assert (mean_of(nothing), median_of(nothing), deviation_of(nothing), error_of(nothing)) == (None,) * 4
    assert (mean_of([2.0]), median_of([2.0]), deviation_of([2.0]), error_of([2.0])) == (2, 2, None, None)
    assert correlation([1, 2], [1, 2]) is None
    assert correlation([1, 2, 3], [5, 5, 5]) is None
    assert correlation([0.1 + 0.2, 0.3, 0.3], [1, 2, 3]) is None
    assert weighted_median(np.empty(0), np.empty(0)) is None


def test_of_a_sample() -> None:
    """Mean 3, squares 4 + 1 + 1 + 4 + 4 over 4, by hand; NaN is left out."""
    values = [1.0, 2.0, 4.0, 5.0, math.nan]
    assert (mean_of(values), median_of(values)) == (3, 3)
    assert deviation_of(values) == pytest.approx(math.sqrt(10 / 3))
    assert error_of(values) == pytest.approx(math.sqrt(10 / 3) / 2)


def test_correlation_is_pearsons_and_weights_are_repetitions() -> None:
    """Equal to scipy's; a weight of 3 is a pair three times; unknown pairs are left out."""
    x, y = RNG.normal(size=9), RNG.normal(size=9)
    assert correlation(x, y) == pytest.approx(stats.pearsonr(x, y).statistic)
    assert correlation([*x, math.nan], [*y, 3.0]) == pytest.approx(stats.pearsonr(x, y).statistic)
    times = RNG.integers(1, 4, 9)
    repeated = stats.pearsonr(np.repeat(x, times), np.repeat(y, times)).statistic
    assert correlation(x, y, times) == pytest.approx(repeated)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_weighted_median_is_the_median_of_repetitions(n: int) -> None:
    """Whole weights are repetitions; scaled they give the same."""
    values, times = RNG.normal(size=n), RNG.integers(1, 5, n)
    wanted = float(np.median(np.repeat(values, times)))
    assert weighted_median(values, times.astype(float)) == pytest.approx(wanted)
    assert weighted_median(values, times / 7) == pytest.approx(wanted)


def test_spread_by_group() -> None:
    """Each group's numbers are numpy's; rows without a value or a group do not count."""
    frame = pd.DataFrame(
        {"by": ["b", "a", "b", "b", None, "a"], "value": [1.0, 5.0, 2.0, 6.0, 9.0, math.nan], "rest": 1.0}
    )
    found = spread_by(frame, "value", "by")
    b = np.array([1.0, 2.0, 6.0])
    assert found.index.tolist() == ["a", "b"]
    assert found.loc["b"].tolist() == pytest.approx([3, 3, b.std(ddof=1), b.std(ddof=1) / math.sqrt(3), 1.5, 2, 4])
    assert found.loc["a"].tolist() == pytest.approx([1, 5, math.nan, math.nan, 5, 5, 5], nan_ok=True)
    assert spread_by(frame.iloc[:0], "value", "by").shape == (0, 7)
    assert spread_by(frame, "value", ["by", "rest"]).loc[("b", 1.0), "n"] == 3


def test_groups_are_compared_by_mann_whitney() -> None:
    """U counts the pairs that the first group wins; p is scipy's; what cannot be tested says why."""
    high, low = [3.0, 5.0, 5.0, math.nan], [1.0, 4.0, 5.0, 2.0]
    found = compare(high, low)
    wins = sum((h > o) + (h == o) / 2 for h in high[:3] for o in low)
    assert (found.n_high, found.n_low, found.u, found.problem) == (3, 4, wins, None)
    assert found.p == pytest.approx(stats.mannwhitneyu(high[:3], low).pvalue)
    assert compare([], low).problem == "one of the two groups is empty"
    same = compare([2.0, 2.0], [2.0])
    assert (same.problem, same.p, same.mean_high) == ("all values are the same", None, 2)


def test_what_rounding_alone_sets_apart_is_a_tie() -> None:
    """0.1 + 0.2 counts as 0.3, as in the Mann-Whitney test of a plan."""
    found = compare([0.1 + 0.2, 0.5, 0.7], [0.3, 0.4, 0.9])
    assert found.u == compare([0.3, 0.5, 0.7], [0.3, 0.4, 0.9]).u == 4.5
