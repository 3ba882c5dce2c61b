"""What a statistical test found, in one form for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from crowdloom.analysis.summary import Table


@dataclass(frozen=True)
class TestResult:
    """One test of a difference, or why there is none. What is not defined is None, never NaN."""

    __test__ = False  # for pytest, this class is no test

    name: str
    """For example `paired t-test`."""
    statistic: float | None = None
    statistic_name: str = ""
    """`t`, `z`, `W`, …"""
    df: float | None = None
    p: float | None = None
    """Two-sided."""
    estimate: float | None = None
    """What is compared, for example the difference of the means."""
    low: float | None = None
    high: float | None = None
    """The interval of `estimate`."""
    level: float = 0.95
    """Of both intervals."""
    effect: float | None = None
    effect_name: str | None = None
    """`Cohen's d`, `Hedges' g`, `odds ratio`, …"""
    effect_low: float | None = None
    effect_high: float | None = None
    n: tuple[int, ...] = ()
    """Units a side."""
    problem: str | None = None
    """Why there is no p; a sentence."""


def results_table(title: str, results: Mapping[str, TestResult]) -> Table:
    """A line for each test by its name here: statistic, df, p, estimate and effect with their intervals, problem.

    `problem` and `effect` stand there only where some test has one.

    >>> print(results_table("", {"all": TestResult("t", 2.5, "t", 18.0, 0.022, 0.1, 0.01, 0.19)}).lines())
         statistic  df      p  estimate    low   high
    all      2.500  18  0.022     0.100  0.010  0.190
    """
    names = ["statistic", "df", "p", "estimate", "low", "high"]
    if any(result.effect is not None for result in results.values()):
        names += ["effect", "effect_low", "effect_high"]
    if any(result.problem for result in results.values()):
        names += ["problem"]
    data = {
        name.replace("_", " "): pd.Series([getattr(result, name) for result in results.values()], dtype=object)
        for name in names
    }
    return Table(title, pd.DataFrame(data).set_axis(pd.Index(list(results), dtype=object), axis=0))
