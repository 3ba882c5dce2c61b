"""Each test of two sides against scipy and statsmodels called by hand on the same numbers."""

from __future__ import annotations

import warnings
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.test_result import TestResult, results_table
from crowdloom.analysis.tests import (
    TESTS,
    holm,
    mann_whitney,
    one_sample_t,
    paired_permutation,
    paired_t,
    student_t,
    unpaired_permutation,
    welch_t,
    wilcoxon,
)

NAN = float("nan")


def sides(seed: int = 1, n: int = 30, m: int = 30) -> tuple[Floats, Floats]:
    """Two sides, the second higher and with another spread."""
    rng = np.random.default_rng(seed)
    return rng.normal(0.6, 0.2, n), rng.normal(0.7, 0.3, m)


def test_student_and_welch() -> None:
    """statistic, df, p and interval are statsmodels'; the effect is Hedges' g."""
    one, other = sides(n=20, m=35)
    both = CompareMeans(DescrStatsW(one), DescrStatsW(other))
    for run, kind in ((student_t, "pooled"), (welch_t, "unequal")):
        found = run([*one, NAN], other)
        assert (found.statistic, found.p, found.df) == pytest.approx(both.ttest_ind(usevar=kind))
        assert (found.low, found.high) == pytest.approx(both.tconfint_diff(usevar=kind))
        assert found.estimate == pytest.approx(one.mean() - other.mean())
        assert (found.n, found.effect_name) == ((20, 35), "Hedges' g")
        assert found.effect_low < found.effect < found.effect_high
    narrow, wide = student_t(one, other, 0.9), student_t(one, other, 0.99)
    assert (narrow.low, narrow.high) == pytest.approx(both.tconfint_diff(alpha=0.1))
    assert wide.effect_low < narrow.effect_low < narrow.effect_high < wide.effect_high
    assert (narrow.level, wide.level) == (0.9, 0.99)


def test_paired() -> None:
    """As statsmodels' test of the differences; a pair with a gap is left out."""
    one, other = sides()
    found = paired_t([*one, NAN, 0.1], [*other, 0.5, NAN])
    differences = DescrStatsW(one - other)
    assert (found.statistic, found.p, found.df) == pytest.approx(differences.ttest_mean())
    assert (found.low, found.high) == pytest.approx(differences.tconfint_mean())
    assert found.effect == pytest.approx((one - other).mean() / (one - other).std(ddof=1))
    assert (found.n, found.effect_name) == ((30, 30), "d_z")
    with pytest.raises(ValueError, match="30 values cannot be paired with 29"):
        paired_t(one, other[1:])


def test_one_sample() -> None:
    """As statsmodels' test of a mean; the estimate is the mean less what it is compared with."""
    one, _ = sides()
    found = one_sample_t(one, 0.5)
    assert (found.statistic, found.p, found.df) == pytest.approx(DescrStatsW(one).ttest_mean(0.5))
    assert (found.low, found.high) == pytest.approx(np.array(DescrStatsW(one).tconfint_mean()) - 0.5)
    assert found.effect == pytest.approx((one.mean() - 0.5) / one.std(ddof=1))
    assert one_sample_t([0.3, 0.3], 0.5).problem == "all values are the same"
    assert one_sample_t([0.3], 0.5).problem == "there is only one value, and a t-test needs two"


def test_ranks() -> None:
    """As scipy's; the effects by counting pairs, and by summing ranks."""
    one, other = sides(n=20, m=35)
    found, expected = mann_whitney(one, other), stats.mannwhitneyu(one, other)
    assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue))
    assert found.effect == pytest.approx(np.sign(one[:, None] - other[None]).mean())
    one, other = np.round(sides(), 1)
    found, expected = wilcoxon(one, other), stats.wilcoxon(np.rint(10 * one) - np.rint(10 * other))
    assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue))
    assert -1 < found.effect < 0
    assert wilcoxon([2.0, 3.0, 4.0], [1.0, 1.0, 1.0]).effect == 1


ONE = np.array([0.5, 0.4, 0.8, 0.3, 0.9, 0.2, 0.6, 0.7, 0.1, 0.3, 0.8, 0.9])
OTHER = np.array([0.3, 0.2, 0.6, 0.5, 0.7, 0.4, 0.4, 0.5, 0.3, 0.1, 0.4, 0.7])
"""Tenths, whose differences are .2, -.2 and .4, and in binary .19999999999999996, .20000000000000007 and more."""


@pytest.mark.parametrize("name", ["mann-whitney", "wilcoxon", "permutation", "paired-permutation"])
@pytest.mark.parametrize("added", [0.0, 1000.0])
def test_rounding_breaks_no_ties(name: str, added: float) -> None:
    """The same p and effect as of whole numbers, whose differences are exact."""
    found = TESTS[name].run(ONE + added, OTHER + added, 0.95)
    exact = TESTS[name].run(np.rint(10 * ONE), np.rint(10 * OTHER), 0.95)
    assert found.p == pytest.approx(exact.p, rel=1e-12)
    assert found.effect == (None if exact.effect is None else pytest.approx(exact.effect))
    assert TESTS[name].run([0.1 + 0.2, 0.3, 0.7 - 0.4], [0.3, 0.3, 0.3], 0.95).p in (None, 1)


@pytest.mark.parametrize(
    ("run", "one", "other"),
    [
        (paired_permutation, [2, 6, 7, 3, 4, 9, 8, 9], [3, 6, 9, 6, 8, 6, 7, 3]),
        (unpaired_permutation, [6, 3, 9, 2, 8], [5, 4, 9, 6, 4]),
        (unpaired_permutation, [3, 1, 2, 5, 7], [5, 2, 0, 6, 5]),
    ],
)
def test_no_arrangement_is_nearer_than_no_difference(run: Any, one: list[int], other: list[int]) -> None:
    """The means are the same, so all arrangements are as far apart, whatever rounding makes of the sums."""
    assert run(one, other).p == run(np.array(one) / 10, np.array(other) / 10).p == 1


def test_ranks_of_two_sides_are_tied() -> None:
    """Three ways to 0.3 have one rank."""
    one = np.array([0.1 + 0.2, 0.3, 0.7 - 0.4, 0.5, 0.6, 0.9])
    found, expected = mann_whitney(one, [0.3, 0.3, 0.5]), stats.mannwhitneyu(one.round(3), [0.3, 0.3, 0.5])
    assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue))
    assert mann_whitney(one[:3], [0.3]).problem == "all values are the same"


def test_signed_ranks_with_zeros_and_gaps() -> None:
    """A pair that differs by rounding alone is left out, like one that does not differ."""
    found = wilcoxon([*ONE, 0.1 + 0.2, NAN], [*OTHER, 0.3, 1.0])
    assert (found.p, found.statistic) == (wilcoxon(ONE, OTHER).p, wilcoxon(ONE, OTHER).statistic)
    assert wilcoxon([0.1 + 0.2], [0.3]).problem == "no pair differs"


def welch(one: Floats, other: Floats, axis: int) -> Floats:
    """Welch's t without its sign."""
    variances = (side.var(axis=axis, ddof=1) / side.shape[axis] for side in (one, other))
    return np.abs(one.mean(axis=axis) - other.mean(axis=axis)) / np.sqrt(sum(variances))


@pytest.mark.parametrize(("n", "m"), [(5, 5), (4, 9), (7, 5)])
def test_exact_permutations_are_scipys(n: int, m: int) -> None:
    """All ways to deal few values; of two sides of one size, Welch's t and the difference order them the same way."""
    one, other = sides(3, n, m)
    found = unpaired_permutation(one, other)
    assert found.name == "exact permutation test"
    expected = stats.permutation_test((one, other), welch, vectorized=True, n_resamples=10_000, alternative="greater")
    assert found.p == pytest.approx(expected.pvalue)
    assert found.statistic == pytest.approx(stats.ttest_ind(one, other, equal_var=False).statistic)
    if n == m:
        plain = stats.permutation_test((one, other), lambda a, b, axis: a.mean(axis) - b.mean(axis), vectorized=True)
        assert found.p == pytest.approx(plain.pvalue)


def test_exact_signs_are_scipys() -> None:
    """All signs of few pairs, ties and zeros among them."""
    one, other = (np.round(side, 1) for side in sides(3, 10, 10))
    found = paired_permutation(one, other)
    expected = stats.permutation_test(
        (one, other), lambda a, b, axis: (a - b).mean(axis), vectorized=True, permutation_type="samples"
    )
    assert found.name == "exact permutation test of pairs"
    assert found.p == pytest.approx(expected.pvalue)


def test_random_permutations_are_near_to_the_t_test() -> None:
    """For many normal values; the same seed gives the same p, which is never 0."""
    one, other = sides(5, 60, 60)
    for permuted, t_test in ((unpaired_permutation, student_t), (paired_permutation, paired_t)):
        found = permuted(one, other)
        assert found.p == pytest.approx(t_test(one, other).p, abs=0.01)
        assert found.p == permuted(one, other).p
        assert found.p != permuted(one, other, seed=2).p
        assert permuted(one, other + 9).p == 1 / 100_000
        assert found.name.endswith(" (99,999 random draws, seed 1)")


def test_very_many_values_have_fewer_draws() -> None:
    """As the result says."""
    one, other = sides(5, 300, 300)
    assert unpaired_permutation(one, other).name == "permutation test (9,999 random draws, seed 1)"
    assert unpaired_permutation(one, other + 9, seed=3).p == 1 / 10_000
    assert paired_permutation(one, other, seed=3).name == "permutation test of pairs (99,999 random draws, seed 3)"


def test_holm() -> None:
    """As statsmodels'; what is not defined does not count."""
    ps = [0.01, 0.04, 0.03, 0.2]
    assert holm(ps) == pytest.approx(multipletests(ps, method="holm")[1])
    assert holm([0.01, None, 0.04]) == [0.02, None, 0.04]
    assert holm([None]) == [None]
    assert holm([]) == []


@pytest.mark.parametrize("name", list(TESTS))
def test_every_test_of_the_registry_has_no_nan(name: str) -> None:
    """Values that allow no test give a problem; others a p. Nothing anywhere is NaN."""
    test = TESTS[name]
    gaps = ([NAN, 1.0], [1.0, NAN]) if test.is_paired else ([NAN], [1.0, NAN])
    ties = ([0.4, 0.4, 0.4], [0.4, 0.4, 0.4])
    for one, other in (([], []), ([1.0], [2.0]), gaps, ties, ([1.0, 1.0], [0.0, 0.0])):
        found = test.run(one, other, 0.95)
        values = [getattr(found, field.name) for field in fields(found)]
        assert not any(isinstance(value, float) and np.isnan(value) for value in values)
        assert (found.p is None) == (found.problem is not None)
    assert test.run([], [], 0.95).problem is not None
    found = test.run(*sides(), 0.95)
    assert 0 < found.p <= 1
    assert found.n == (30, 30)
    assert found.statistic < 0 or found.statistic_name in "UW"


def test_few_values_are_said() -> None:
    """In a sentence with the number."""
    assert student_t([1.0], [1.0, 2.0]).problem == "there is only one value on a side, and a t-test needs two"
    assert welch_t([], [1.0, 2.0]).problem == "there is no value on a side, and a t-test needs two"
    assert paired_t([1.0], [2.0]).problem == "there is only one pair, and a t-test needs two"
    same = paired_t([1.0, 2.0], [0.0, 1.0])
    assert (same.estimate, same.problem) == (1, "all pairs have the same difference")


def test_results_as_a_table() -> None:
    """Effects and problems have columns only where there are some."""
    table = results_table("Tests", {"student": student_t(*sides()), "none": TestResult("t", problem="no values")})
    assert table.frame.columns.tolist()[-4:] == ["effect", "effect low", "effect high", "problem"]
    lines = table.lines().splitlines()
    assert lines[2].split() == ["none", *["–"] * 9, "no", "values"]
    assert "nan" not in table.lines()
    assert results_table("", {"none": TestResult("t")}).frame.columns.tolist()[-1] == "high"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("run", [student_t, welch_t])
def test_a_side_without_variance(run: Any) -> None:
    """The other side's variance is enough, and scipy has nothing to warn of; a last digit is no variance."""
    steady, varying = [0.1 + 0.2, 0.3, 0.3], [0.1, 0.5, 0.4, 0.7]
    found = run(varying, steady)
    low, high = found.low, found.high
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        by_hand = stats.ttest_ind(varying, steady, equal_var=run is student_t)
        interval = by_hand.confidence_interval(0.95)
    assert (found.statistic, found.df, found.p) == pytest.approx((by_hand.statistic, by_hand.df, by_hand.pvalue))
    assert (low, high) == pytest.approx((interval.low, interval.high))
    assert run(steady, [0.5, 0.5]).problem == "no value differs from the others of its side"
