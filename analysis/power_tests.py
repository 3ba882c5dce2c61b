"""The tests of a plan, of many simulated studies at once: p of each, as the test of that name would give it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse, stats

from crowdloom.analysis.clustered import clustered_logits
from crowdloom.analysis.elicited import Bools, Floats, Ints
from crowdloom.analysis.plan import TESTS, Unit
from crowdloom.analysis.power_people import Answers
from crowdloom.analysis.rounding import tied, tied_differences

PERMUTATIONS = 999
"""Random arrangements of each simulated study, however few there are; the same ones for many studies at once."""


_SAME = 1e-12  # means of equal answers differ by rounding


@dataclass(frozen=True)
class Sides:
    """The units of both conditions, and S simulated values of each: what two-sample tests compare."""

    first: Floats
    """[n, S]"""
    second: Floats
    """[m, S]; of pairs, the same units in the same order."""
    rng: np.random.Generator
    """For permutations."""


Compare = Callable[[Sides], Floats]


def p_values(test: str, unit: Unit, answers: Answers, outcomes: Floats, rng: np.random.Generator) -> Floats:
    """[S] Two-sided p of a test of the first condition against the second, of outcomes [N, S]; 1 where it has none.

    A test has none where there are fewer than two units on a side, or where nothing varies.
    """
    if test == "clustered-logit":
        found = _clustered(answers, outcomes)
    else:
        sides = _sides(unit, answers, outcomes, rng, pairs=TESTS[test].needs == "pairs")
        few = min(len(sides.first), len(sides.second)) < 2
        with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # scipy says there which studies do not vary
            found = np.full(outcomes.shape[1], np.nan) if few else _COMPARE[test](sides)
    return np.where(np.isnan(found), 1.0, found)


def _clustered(answers: Answers, outcomes: Floats) -> Floats:
    treated = answers.condition == 1
    try:
        fits = clustered_logits(outcomes.T > 0.5, treated, answers.participant, answers.item)
    except ValueError:  # one person or one item in a condition: the test has no p
        return np.full(outcomes.shape[1], np.nan)
    return fits.log_odds_ratio_p


def _sides(unit: Unit, answers: Answers, outcomes: Floats, rng: np.random.Generator, *, pairs: bool) -> Sides:
    second = answers.condition == 1
    if unit == "response":
        return Sides(outcomes[~second], outcomes[second], rng)
    of = answers.item if unit == "item" else answers.participant
    (means1, in1), (means2, in2) = (_means(of, outcomes, side) for side in (~second, second))
    if pairs:
        in1 = in2 = in1 & in2
    return Sides(means1[in1], means2[in2], rng)


def _means(of: Ints, outcomes: Floats, side: Bools) -> tuple[Floats, Bools]:
    """[units, S] The mean of each unit's answers on a side, and [units] which units have any there."""
    units = int(of.max()) + 1
    counts = np.bincount(of[side], minlength=units)
    weights = sparse.csr_matrix((1 / counts[of[side]], (of[side], np.flatnonzero(side))), shape=(units, len(of)))
    means: Floats = weights @ outcomes
    return means, counts > 0


def _student(sides: Sides) -> Floats:
    return _where(_varies(sides), stats.ttest_ind(sides.first, sides.second, axis=0))


def _welch(sides: Sides) -> Floats:
    return _where(_varies(sides), stats.ttest_ind(sides.first, sides.second, axis=0, equal_var=False))


def _paired(sides: Sides) -> Floats:
    varies = np.ptp(sides.first - sides.second, axis=0) > _SAME
    return _where(varies, stats.ttest_rel(sides.first, sides.second, axis=0))


def _varies(sides: Sides) -> Bools:
    varies: Bools = np.maximum(np.ptp(sides.first, axis=0), np.ptp(sides.second, axis=0)) > _SAME
    return varies


def _where(varies: Bools, found: object) -> Floats:
    return np.where(varies, _p(found), np.nan)


def _mann_whitney(sides: Sides) -> Floats:
    both = tied(np.concatenate([sides.first, sides.second]))
    return _p(stats.mannwhitneyu(both[: len(sides.first)], both[len(sides.first) :], axis=0))


def _wilcoxon(sides: Sides) -> Floats:
    return _p(stats.wilcoxon(tied_differences(sides.first, sides.second), axis=0))


def _permutation(sides: Sides) -> Floats:
    """The units dealt anew to both sides, and Welch's t squared of each dealing."""
    n, m = len(sides.first), len(sides.second)
    both = np.concatenate([sides.first, sides.second])
    both -= both.mean(axis=0)
    dealt = np.vstack(
        [np.arange(n + m) < n, sides.rng.permuted(np.tile(np.arange(n + m) < n, (PERMUTATIONS, 1)), axis=1)]
    )
    sums, squares, total = dealt @ both, dealt @ both**2, (both**2).sum(axis=0)
    rest = (
        np.maximum(squares - sums**2 / n, 0) / (n - 1) / n + np.maximum(total - squares - sums**2 / m, 0) / (m - 1) / m
    )
    found = _as_far((sums * (1 / n + 1 / m)) ** 2 / rest)
    return np.where(np.ptp(both, axis=0) > _SAME, found, np.nan)


def _paired_permutation(sides: Sides) -> Floats:
    """The signs of the differences drawn anew, and the size of their sum."""
    differences = sides.first - sides.second
    signs = sides.rng.integers(0, 2, (PERMUTATIONS, len(differences))) * 2.0 - 1
    return _as_far(np.abs(np.vstack([np.ones(len(differences)), signs]) @ differences))


def _as_far(values: Floats) -> Floats:
    """[S] Of the arrangements [1 + P, S], the first of which is what was seen, the share that is as far from 0."""
    share: Floats = (values >= values[0] * (1 - 1e-9)).mean(axis=0)  # sums in another order differ in their last digits
    return share


def _p(found: object) -> Floats:
    return np.asarray(found.pvalue, dtype=np.float64)  # type: ignore[attr-defined]


_COMPARE: dict[str, Compare] = {
    "student": _student,
    "welch": _welch,
    "mann-whitney": _mann_whitney,
    "permutation": _permutation,
    "paired": _paired,
    "wilcoxon": _wilcoxon,
    "paired-permutation": _paired_permutation,
}

POWER_TESTS = (*_COMPARE, "clustered-logit")
"""The tests of `analysis.plan.TESTS` that compare two conditions."""
