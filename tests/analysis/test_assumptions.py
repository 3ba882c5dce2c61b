"""The checks of a t-test's suppositions: scipy's figures, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from crowdloom.analysis.assumptions import brown_forsythe, check_groups, check_pairs, shapiro_wilk

RNG = np.random.default_rng(1)
NORMAL, WIDE, SKEWED = RNG.normal(0, 1, 40), RNG.normal(0, 4, 40), RNG.exponential(1, 40)


def test_the_figures_are_scipys() -> None:
    """Shapiro-Wilk, and Levene about the medians."""
    found, expected = shapiro_wilk(SKEWED), stats.shapiro(SKEWED)
    assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue))
    found, expected = brown_forsythe(NORMAL, WIDE), stats.levene(NORMAL, WIDE, center="median")
    assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue))


def test_what_is_said_of_groups() -> None:
    """Which side is not normal, and whether the variances differ."""
    fine = check_groups(NORMAL, NORMAL[::-1] + 1, ("Int", "No-Int")).words
    assert fine.startswith("Nothing against normality by Shapiro-Wilk: Int (p = 0.")
    assert "The variances do not differ noticeably (Brown-Forsythe, p = " in fine
    odd = check_groups(NORMAL, 5 * SKEWED, ("Int", "No-Int")).words
    assert odd == "Not normal by Shapiro-Wilk: No-Int (p < 0.001). The variances differ (Brown-Forsythe, p < 0.001)."


def test_what_is_said_of_pairs() -> None:
    """Their differences have to be normal, and nothing else."""
    found = check_pairs(NORMAL + SKEWED, NORMAL)
    assert found.words == "Not normal by Shapiro-Wilk: the differences (p < 0.001)."
    assert found.variances is None


def test_what_cannot_be_checked() -> None:
    """Few values, values that are all the same, and more than the test is made for."""
    few, same = NORMAL[:2], np.full(5, 0.4)
    words = check_groups(few, same, ("Int", "No-Int")).words
    assert words.startswith(
        "Normality cannot be checked: Int (there are fewer than 3 values); No-Int (all values are the same)."
    )
    assert check_groups(few[:1], same).words.endswith(
        "The variances cannot be compared: a side has fewer than two values."
    )
    assert brown_forsythe(same, same).problem == "no value's distance from its side's median differs"
    assert shapiro_wilk(RNG.normal(0, 1, 5001)).problem == (
        "there are more than 5,000 values; their mean is as good as normal"
    )
