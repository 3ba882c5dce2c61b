"""Correlations as tests."""

from __future__ import annotations

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
