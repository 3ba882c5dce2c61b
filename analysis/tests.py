"""Tests of whether two sides differ, on plain arrays: each is a function of the values of both, and gives a TestResult.

Estimates and effects are the first side less the second. Values that are NaN are left out; of pairs, both. Where the
values do not allow a test there is a problem and no p. scipy computes them; what each does is said in `TESTS`, the
names by which a plan calls them. Those of ranks take what rounding alone sets apart as ties (see `rounding`). The
regression for answers that depend on one another is in `clustered`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from crowdloom.analysis.effect_sizes import EffectSize, d_z, hedges_g
from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.permutation import paired_p, unpaired_p
from crowdloom.analysis.rounding import tied, tied_differences
from crowdloom.analysis.test_result import TestResult

SEED = 1
"""Of random permutations, so that the same values always give the same p."""


def student_t(first: npt.ArrayLike, second: npt.ArrayLike, level: float = 0.95) -> TestResult:
    """The unpaired t-test that supposes equal variances. Effect: Hedges' g.

    >>> found = student_t([4.0, 5.0, 7.0], [1.0, 2.0, 3.0])
    >>> round(found.statistic, 3), found.df, round(found.p, 3), round(found.effect, 3)
    (3.162, 4.0, 0.034, 2.06)
    """
    return _unpaired_t("unpaired t-test", first, second, level, equal=True)


def welch_t(first: npt.ArrayLike, second: npt.ArrayLike, level: float = 0.95) -> TestResult:
    """The unpaired t-test for variances that may differ. Effect: Hedges' g, whose unit is the pooled deviation."""
    return _unpaired_t("Welch's t-test", first, second, level, equal=False)


def paired_t(first: npt.ArrayLike, second: npt.ArrayLike, level: float = 0.95) -> TestResult:
    """The t-test of the differences of pairs. Effect: d_z.

    Raises ValueError where the sides differ in length, as all tests of pairs do.

    >>> found = paired_t([4.0, 5.0, 7.0], [1.0, 2.0, 3.0])
    >>> found.statistic, found.df, round(found.p, 3), found.n
    (10.0, 2.0, 0.01, (3, 3))
    """
    one, other = _pairs(first, second)
    about: dict[str, Any] = {"name": "paired t-test", "level": level, "n": (len(one), len(other))}
    if len(one) < 2:
        return TestResult(**about, problem=_few(len(one), "pair"))
    effect = d_z(one, other, level)
    if effect.problem:
        return TestResult(**about, estimate=float((one - other).mean()), problem=effect.problem)
    return TestResult(**about, **_t(stats.ttest_rel(one, other), float((one - other).mean()), level), **_of(effect))


def unpaired_permutation(
    first: npt.ArrayLike, second: npt.ArrayLike, level: float = 0.95, seed: int = SEED
) -> TestResult:
    """Welch's t under all, or many random, ways to deal the values to the sides; see `permutation`."""
    one, other = _known(first), _known(second)
    name = "permutation test"
    if not len(one) or not len(other):
        return TestResult(name, level=level, n=(len(one), len(other)), problem="a side has no values")
    t = welch_t(one, other).statistic
    return _permutation(name, one, other, level, t, unpaired_p(one, other, np.random.default_rng(seed)), seed)


def paired_permutation(
    first: npt.ArrayLike, second: npt.ArrayLike, level: float = 0.95, seed: int = SEED
) -> TestResult:
    """The mean difference under all, or many random, signs of the pairs' differences; see `permutation`."""
    one, other = _pairs(first, second)
    name = "permutation test of pairs"
    if not len(one):
        return TestResult(name, level=level, n=(0, 0), problem="there are no pairs")
    t = paired_t(one, other).statistic
    return _permutation(name, one, other, level, t, paired_p(one, other, np.random.default_rng(seed)), seed)


def mann_whitney(first: npt.ArrayLike, second: npt.ArrayLike, level: float = 0.95) -> TestResult:
    """Whether one side tends to be higher, by ranks. Effect: rank-biserial correlation, 2 U / (n m) - 1."""
    one, other = _known(first), _known(second)
    about: dict[str, Any] = {"name": "Mann-Whitney U test", "level": level, "n": (len(one), len(other))}
    if not len(one) or not len(other):
        return TestResult(**about, problem="a side has no values")
    one, other = np.split(tied(np.concatenate([one, other])), [len(one)])
    if np.ptp(np.concatenate([one, other])) == 0:
        return TestResult(**about, problem="all values are the same")
    found = stats.mannwhitneyu(one, other, alternative="two-sided")
    u = float(found.statistic)
    effect = 2 * u / (len(one) * len(other)) - 1
    return TestResult(
        **about, statistic=u, statistic_name="U", p=float(found.pvalue), effect=effect, effect_name=_BISERIAL
    )


def wilcoxon(first: npt.ArrayLike, second: npt.ArrayLike, level: float = 0.95) -> TestResult:
    """Whether differences of pairs tend to be positive, by signed ranks; pairs without a difference are left out.

    Effect: the matched-pairs rank-biserial correlation, the share of the ranks' sum that is positive less the rest.
    """
    one, other = _pairs(first, second)
    about: dict[str, Any] = {"name": "Wilcoxon signed-rank test", "level": level, "n": (len(one), len(other))}
    differences = tied_differences(one, other)
    differences = differences[differences != 0]
    if not len(differences):
        problem = "no pair differs" if len(one) else "there are no pairs"
        return TestResult(**about, problem=problem)
    found = stats.wilcoxon(differences)
    ranks = stats.rankdata(np.abs(differences))
    effect = float((ranks * np.sign(differences)).sum() / ranks.sum())
    return TestResult(
        **about,
        statistic=float(found.statistic),
        statistic_name="W",
        p=float(found.pvalue),
        effect=effect,
        effect_name=_BISERIAL,
    )


def one_sample_t(values: npt.ArrayLike, against: float = 0.0, level: float = 0.95) -> TestResult:
    """The t-test of whether the mean of values is `against`; the estimate is the mean less it. Effect: d."""
    known = _known(values)
    about: dict[str, Any] = {"name": "one-sample t-test", "level": level, "n": (len(known),)}
    if len(known) < 2:
        return TestResult(**about, problem=_few(len(known), "value"))
    estimate = float(known.mean()) - against
    effect = d_z(known, np.full(len(known), against), level)
    if effect.problem:
        return TestResult(**about, estimate=estimate, problem="all values are the same")
    # scipy's interval is that of the mean, so the test is made of the differences
    return TestResult(**about, **_t(stats.ttest_1samp(known - against, 0.0), estimate, level), **_of(effect))


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """p values corrected for being several (Holm 1979); what is None stays so and is not counted.

    >>> [p and round(p, 3) for p in holm([0.01, None, 0.04, 0.03])]
    [0.03, None, 0.06, 0.06]
    """
    known = np.array([p for p in ps if p is not None], dtype=np.float64)
    order = np.argsort(known)
    corrected = np.empty_like(known)
    corrected[order] = np.minimum(np.maximum.accumulate(known[order] * np.arange(len(known), 0, -1)), 1.0)
    left = iter(corrected.tolist())
    return [None if p is None else next(left) for p in ps]


@dataclass(frozen=True)
class TwoSided:
    """A test in the registry."""

    run: Callable[[npt.ArrayLike, npt.ArrayLike, float], TestResult]
    """Of the values of both sides, and the level of the intervals."""
    meaning: str
    is_paired: bool


TESTS: dict[str, TwoSided] = {
    "student": TwoSided(student_t, "difference of means, supposing normal values with equal variances", False),
    "welch": TwoSided(welch_t, "difference of means, supposing normal values", False),
    "mann-whitney": TwoSided(mann_whitney, "whether one side tends to be higher, by ranks", False),
    "permutation": TwoSided(unpaired_permutation, "difference of means, supposing nothing of the values", False),
    "paired": TwoSided(paired_t, "mean difference of pairs, supposing normal differences", True),
    "wilcoxon": TwoSided(wilcoxon, "whether pairs tend to differ one way, by ranks", True),
    "paired-permutation": TwoSided(paired_permutation, "mean difference of pairs, supposing symmetry alone", True),
}
"""The tests of two sides by the names that plans use."""

_BISERIAL = "rank-biserial correlation"


def _unpaired_t(name: str, first: npt.ArrayLike, second: npt.ArrayLike, level: float, *, equal: bool) -> TestResult:
    one, other = _known(first), _known(second)
    about: dict[str, Any] = {"name": name, "level": level, "n": (len(one), len(other))}
    if min(len(one), len(other)) < 2:
        return TestResult(**about, problem=_few(min(len(one), len(other)), "value", " on a side"))
    effect = hedges_g(one, other, level)
    estimate = float(one.mean() - other.mean())
    if effect.problem:
        return TestResult(**about, estimate=estimate, problem=effect.problem)
    # scipy warns of a side without variance, which the other's makes up for, unless its values are 0
    zero = min((one, other), key=np.ptp).mean()
    found = stats.ttest_ind(one - zero, other - zero, equal_var=equal)
    return TestResult(**about, **_t(found, estimate, level), **_of(effect))


def _t(found: Any, estimate: float, level: float) -> dict[str, Any]:
    """What scipy's result of a t-test says, by the names of TestResult."""
    interval = found.confidence_interval(level)
    return {
        "statistic": float(found.statistic),
        "statistic_name": "t",
        "df": float(found.df),
        "p": float(found.pvalue),
        "estimate": estimate,
        "low": float(interval.low),
        "high": float(interval.high),
    }


def _of(effect: EffectSize) -> dict[str, Any]:
    return {
        "effect": effect.value,
        "effect_name": effect.name,
        "effect_low": effect.low,
        "effect_high": effect.high,
    }


def _permutation(
    name: str, one: Floats, other: Floats, level: float, t: float | None, found: tuple[float, int], seed: int
) -> TestResult:
    p, drawn = found
    return TestResult(
        f"{name} ({drawn:,} random draws, seed {seed})" if drawn else f"exact {name}",
        statistic=t,
        statistic_name="t",
        p=p,
        estimate=float(one.mean() - other.mean()),
        level=level,
        n=(len(one), len(other)),
    )


def _few(count: int, what: str, where: str = "") -> str:
    return f"there {'is only one' if count == 1 else 'is no'} {what}{where}, and a t-test needs two"


def _known(values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    return array[~np.isnan(array)]


def _pairs(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[Floats, Floats]:
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.shape != other.shape:
        raise ValueError(f"{len(one)} values cannot be paired with {len(other)}")
    known = ~np.isnan(one) & ~np.isnan(other)
    return one[known], other[known]
