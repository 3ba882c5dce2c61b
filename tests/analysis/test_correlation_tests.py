"""Correlations as tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from crowdloom.analysis.correlation_tests import pearson, spearman


@pytest.fixture
def points() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=30)
    return x, 0.6 * x + rng.normal(size=30)


def test_pearson_is_scipys(points: tuple[np.ndarray, np.ndarray]) -> None:
    """r, p and interval, and the t that belongs to them."""
    found, scipys = pearson(*points), stats.pearsonr(*points)
    interval = scipys.confidence_interval(0.95)
    assert (found.estimate, found.p) == pytest.approx((scipys.statistic, scipys.pvalue))
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.statistic is not None
    assert found.df == 28
    assert 2 * stats.t.sf(abs(found.statistic), 28) == pytest.approx(scipys.pvalue)


def test_spearman_is_scipys(points: tuple[np.ndarray, np.ndarray]) -> None:
    """rho and p; its interval is wider than Pearson's formula would make it."""
    found, scipys = spearman(*points), stats.spearmanr(*points)
    assert (found.estimate, found.p) == pytest.approx((scipys.statistic, scipys.pvalue))
    assert found.low is not None
    assert found.high is not None
    assert np.arctanh(found.high) - np.arctanh(found.low) == pytest.approx(
        2 * stats.norm.ppf(0.975) * np.sqrt((1 + scipys.statistic**2 / 2) / 27)
    )


@pytest.mark.parametrize("run", [pearson, spearman])
def test_what_cannot_be_tested(run: object) -> None:
    """Too few points and numbers that never vary have a sentence instead of a p; a missing value is no point."""
    assert callable(run)
    assert run([1, 2, np.nan, 4], [1, 2, 3, 4]).problem == (
        "there are 3 points, and a correlation with an interval needs 4"
    )
    assert run([1, 1, 1, 1], [1, 2, 3, 4]).problem == "one of both numbers is always the same"
    assert run([], []).p is None
    with pytest.raises(ValueError, match="give pairs"):
        run([1, 2], [1])


def test_a_line() -> None:
    """A perfect correlation has an interval of no width, and no t."""
    found = pearson([1, 2, 3, 4], [2, 4, 6, 8])
    assert (found.estimate, found.low, found.high) == pytest.approx((1, 1, 1))
    assert found.statistic is None or abs(found.statistic) > 1e6


def test_one_point_is_said_in_the_singular() -> None:
    """A study of one item has one."""
    assert str(pearson([1.0], [2.0]).problem).startswith("there is 1 point, and")
    assert str(spearman([1.0, 2.0], [2.0, 3.0]).problem).startswith("there are 2 points, and")


@pytest.mark.parametrize("run", [pearson, spearman])
def test_what_is_no_finite_number_is_left_out(run: Any) -> None:
    """A table of items may have an infinity among its numbers; as a gap, it is no point."""
    x, y = [1.0, 2.0, 4.0, 3.0, 7.0, 1.0, 2.0], [2.0, 1.0, 4.0, 2.0, 9.0, 3.0, 3.0]
    plain = run(x, y)
    assert run([*x, np.inf, 1.0, np.nan], [*y, 1.0, -np.inf, 2.0]) == plain
    assert plain.p is not None


def test_rounding_breaks_no_ties() -> None:
    """Means that are equal on paper share a rank; numbers that vary by rounding alone do not vary."""
    x, y = np.array([0.1 + 0.2, 0.3, 0.7 - 0.4, 0.5, 0.6, 0.9]), np.arange(6.0)
    found, exact = spearman(x, y), spearman(x.round(3), y)
    assert (found.estimate, found.p) == (exact.estimate, exact.p)
    assert exact.estimate == stats.spearmanr(x.round(3), y).statistic
    for run in (pearson, spearman):
        assert run([0.1 + 0.2, 0.3, 0.7 - 0.4, 0.3], [1, 2, 3, 5]).problem == "one of both numbers is always the same"


def test_near_is_not_equal() -> None:
    """Times in milliseconds are large, and differ by little of that."""
    x, y = 1.7e12 + np.array([0.0, 1.0, 3.0, 2.0, 5.0]), np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert spearman(x, y).estimate == stats.spearmanr(x, y).statistic < 1
