"""Effect sizes by their formulas, and intervals by the noncentral t distribution that defines them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import gamma

from crowdloom.analysis.effect_sizes import cohens_d, d_av, d_z, hedges_g, noncentrality

RNG = np.random.default_rng(1)
ONE, OTHER = RNG.normal(0.6, 0.2, 12), RNG.normal(0.7, 0.3, 12)


def test_two_groups() -> None:
    """d has the pooled deviation as its unit; g is d without its bias."""
    more = np.append(OTHER, [0.1, 0.9])
    pooled = np.sqrt((11 * ONE.var(ddof=1) + 13 * more.var(ddof=1)) / 24)
    found, unbiased = cohens_d(ONE, more), hedges_g(ONE, more)
    assert found.value == pytest.approx((ONE.mean() - more.mean()) / pooled)
    factor = gamma(12) / (np.sqrt(12) * gamma(11.5))
    assert unbiased.value == pytest.approx(factor * found.value)
    assert (unbiased.low, unbiased.high) == pytest.approx((factor * found.low, factor * found.high))
    t, scale = stats.ttest_ind(ONE, more).statistic, np.sqrt(1 / 12 + 1 / 14)
    assert stats.nct.cdf(t, 24, found.low / scale) == pytest.approx(0.975, abs=1e-6)
    assert stats.nct.cdf(t, 24, found.high / scale) == pytest.approx(0.025, abs=1e-6)


def test_pairs() -> None:
    """d_z has the differences' deviation as its unit, d_av the values'; both intervals come from the paired t."""
    differences = ONE - OTHER
    found, average = d_z(ONE, OTHER), d_av(ONE, OTHER)
    assert found.value == pytest.approx(differences.mean() / differences.std(ddof=1))
    unit = np.sqrt((ONE.var(ddof=1) + OTHER.var(ddof=1)) / 2)
    assert average.value == pytest.approx(differences.mean() / unit)
    t = stats.ttest_rel(ONE, OTHER).statistic
    for limit, share in ((found.low, 0.975), (found.high, 0.025)):
        assert stats.nct.cdf(t, 11, limit * np.sqrt(12)) == pytest.approx(share, abs=1e-6)
    # Algina and Keselman (2003): the factor has the variances and the covariance
    covariance = np.cov(ONE, OTHER)
    factor = np.sqrt(2 * (covariance.trace() - 2 * covariance[0, 1]) / (12 * covariance.trace()))
    assert (average.low, average.high) == pytest.approx(factor * np.array(noncentrality(t, 11, 0.95)))


def test_intervals_cover() -> None:
    """Of 2,000 samples with d = 0.5, nearly 95 % have it in their interval."""
    rng = np.random.default_rng(2)
    found = [cohens_d(rng.normal(0.5, 1, 8), rng.normal(0, 1, 5)) for _ in range(2000)]
    assert np.mean([effect.low <= 0.5 <= effect.high for effect in found]) == pytest.approx(0.95, abs=0.015)


def test_what_is_not_defined() -> None:
    """Too few values, or values that do not differ."""
    same, few = np.array([0.4, 0.4, 0.4]), np.array([0.1])
    for effect in (cohens_d, hedges_g, d_z, d_av):
        for found in (effect(few, few), effect(few[:0], few[:0]), effect(same, same)):
            assert (found.value, found.low, found.high) == (None,) * 3
            assert found.problem
    assert cohens_d(few, np.array([0.4, 0.5])).value is not None
    assert hedges_g(few, np.array([0.4, 0.5])).problem == "there are fewer than four values"


@pytest.mark.parametrize(("t", "df"), [(1001.0, 1), (-1001.0, 3), (1001.0, 50_000), (100_000.0, 1)])
def test_a_huge_t_has_the_interval_that_the_definition_gives(t: float, df: int) -> None:
    """Beyond what SciPy inverts (at 100,000 it is off by 7 %), the limits are the quantiles of t S - Z."""
    chances = np.random.default_rng(2)
    drawn = t * np.sqrt(chances.chisquare(df, 1_000_000) / df) - chances.standard_normal(1_000_000)
    low, high = noncentrality(t, df, 0.95)
    assert np.mean(drawn < low) == pytest.approx(0.025, abs=8e-4)
    assert np.mean(drawn > high) == pytest.approx(0.025, abs=8e-4)


def test_limits_of_a_huge_t_go_on_where_those_of_scipy_end() -> None:
    """On both sides of the bound the limits are nearly the same multiples of t."""
    for df in (1, 4, 1000):
        within, beyond = noncentrality(1000.0, df, 0.95), noncentrality(1000.1, df, 0.95)
        assert np.array(within) / 1000 == pytest.approx(np.array(beyond) / 1000.1, rel=5e-4)


def test_two_seeds_with_nearly_the_same_difference_have_an_interval_at_once() -> None:
    """Shares of 533 images, equal but for rounding in float32: t is 629,539, which SciPy never inverts."""
    found = d_z(
        np.array([0.2720450162887573, 0.2851782441139221]), np.array([0.26266416907310486, 0.27579736709594727])
    )
    assert 0 < found.low < found.value < found.high
