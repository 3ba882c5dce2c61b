"""Whether values are as a t-test supposes: normal, and equally spread on both sides. Figures, and a sentence.

Shapiro-Wilk for normality (of each side; of pairs, of their differences); Levene's test about the medians, which is
Brown and Forsythe's, for the variances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.test_result import TestResult

ALPHA = 0.05
FEWEST, MOST = 3, 5000
"""Shapiro and Wilk's p is known for so many values."""


@dataclass(frozen=True)
class Assumptions:
    """The checks of one comparison, and what they say."""

    normality: tuple[TestResult, ...]
    """Of each side, or of the differences alone."""
    variances: TestResult | None
    """None for pairs, of whose variances nothing is assumed."""
    words: str
    """Sentences that say it."""


def shapiro_wilk(values: Floats) -> TestResult:
    """Whether values [N] may come from a normal distribution; a small p says that they do not."""
    name, n = "Shapiro-Wilk test", (len(values),)
    if len(values) < FEWEST:
        return TestResult(name, n=n, problem=f"there are fewer than {FEWEST} values")
    if len(values) > MOST:
        return TestResult(name, n=n, problem=f"there are more than {MOST:,} values; their mean is as good as normal")
    if np.ptp(values) == 0:
        return TestResult(name, n=n, problem="all values are the same")
    found = stats.shapiro(values)
    return TestResult(name, float(found.statistic), "W", p=float(found.pvalue), n=n)


def brown_forsythe(first: Floats, second: Floats) -> TestResult:
    """Whether two groups may have the same variance; a small p says that they do not."""
    name, n = "Brown-Forsythe test", (len(first), len(second))
    if min(n) < 2:
        return TestResult(name, n=n, problem="a side has fewer than two values")
    deviations = [np.abs(side - np.median(side)) for side in (first, second)]
    if max(float(np.ptp(side)) for side in deviations) < 1e-12:
        return TestResult(name, n=n, problem="no value's distance from its side's median differs")
    found = stats.levene(first, second, center="median")
    return TestResult(name, float(found.statistic), "F", df=float(sum(n) - 2), p=float(found.pvalue), n=n)


def check_groups(first: Floats, second: Floats, names: Sequence[str] = ("first", "second")) -> Assumptions:
    """Normality of both sides, and their variances.

    >>> rng = np.random.default_rng(1)
    >>> check_groups(rng.normal(0, 1, 50), rng.exponential(5, 50), ("Int", "No-Int")).words
    'Not normal by Shapiro-Wilk: No-Int (p < 0.001). The variances differ (Brown-Forsythe, p < 0.001).'
    """
    normality = (shapiro_wilk(first), shapiro_wilk(second))
    variances = brown_forsythe(first, second)
    if variances.p is None:
        about = f"The variances cannot be compared: {variances.problem}."
    else:
        differ = "differ" if variances.p < ALPHA else "do not differ noticeably"
        about = f"The variances {differ} (Brown-Forsythe, {p_words(variances.p)})."
    return Assumptions(normality, variances, f"{_normality(normality, names)} {about}")


def check_pairs(first: Floats, second: Floats) -> Assumptions:
    """Normality of the pairs' differences."""
    normality = (shapiro_wilk(first - second),)
    return Assumptions(normality, None, _normality(normality, ("the differences",)))


def p_words(p: float) -> str:
    """A p as it is written in a sentence.

    >>> p_words(0.0304), p_words(0.0001)
    ('p = 0.030', 'p < 0.001')
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _normality(results: Sequence[TestResult], names: Sequence[str]) -> str:
    known = [(name, result.p) for name, result in zip(names, results, strict=True) if result.p is not None]
    unknown = [f"{name} ({result.problem})" for name, result in zip(names, results, strict=True) if result.problem]
    odd = [f"{name} ({p_words(p)})" for name, p in known if p < ALPHA]
    fine = [f"{name} ({p_words(p)})" for name, p in known if p >= ALPHA]
    said = []
    if odd:
        said.append(f"Not normal by Shapiro-Wilk: {', '.join(odd)}.")
    elif fine:
        said.append(f"Nothing against normality by Shapiro-Wilk: {', '.join(fine)}.")
    if unknown:
        said.append(f"Normality cannot be checked: {'; '.join(unknown)}.")
    return " ".join(said)
