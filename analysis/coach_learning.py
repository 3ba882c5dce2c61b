"""Whether people write better from trial to trial: first attempts, which no coach has touched yet in their trial.

Trends. Every person has a slope, by least squares, of a measure over their trials; slopes are per ten trials. Their
mean stands beside 0 (one-sample t-test), and those of coached people beside those of control people (Welch's).

Earlier coaching. In people who are coached in some trials only, how often they were coached before a trial is not the
same as how many trials they did. Of every person, earlier coached trials less what follows from the order alone are
the residuals r of a straight line; the slope on them is sum(r y) / sum(r^2). The mean over people, weighted by
sum(r^2), is the pooled slope with a trend and a level of each person's own; its variance is the jackknife over
people, (n - 1) / n * the sum of its squared changes when a person is left out (as CR3 in `clustered`).

The same class again. First attempts at a class less the same person's very first one: where they had been coached at
that class in between, and where not. People are the units everywhere; classes never coached are left out, for these
see `coach_transfer`. The frames are those of `coach_trials`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from crowdloom.analysis.coach_tests import Compared, corrected, paired, person_means, unpaired
from crowdloom.analysis.coach_trials import ARMS, BOTH, MEASURES, Measure, coachable
from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.test_result import TestResult
from crowdloom.analysis.tests import holm, one_sample_t

PER = 10
"""Trials that a slope is for."""
FEWEST = 3
"""Trials without which a person has no slope."""


@dataclass(frozen=True)
class Trend:
    """The mean slope of a measure over the people of an arm, per `PER` trials."""

    measure: Measure
    arm: str
    test: TestResult
    holm: float | None = None
    """Corrected over the measures of the arm."""


def trends(found: pd.DataFrame) -> list[Trend]:
    """The mean slope of first attempts over the order of trials, in each arm that has people."""
    own = coachable(found)
    listed = []
    for arm in (*ARMS, BOTH):
        rows = own[own["arm"] == arm]
        if len(rows):
            tests = [one_sample_t(PER * slopes(rows, f"{measure.name}_before")) for measure in MEASURES]
            listed += _trends(arm, tests)
    return listed


def trends_compared(found: pd.DataFrame, order: str = "order") -> list[Compared]:
    """The slopes of coached people (first side) and of control people; `order` is the column that counts trials."""
    arms = [found[found["arm"] == arm] for arm in ARMS]
    return corrected(
        [
            unpaired(measure, *(PER * slopes(rows, f"{measure.name}_before", order) for rows in arms))
            for measure in MEASURES
        ]
    )


def slopes(rows: pd.DataFrame, column: str, order: str = "order") -> Floats:
    """[people] The slope of a column per trial, of each person with `FEWEST` values at different places."""
    known = rows[rows[column].notna()]
    found = []
    for _, own in known.groupby("participant", sort=True):
        x, y = (own[name].to_numpy(dtype=np.float64) for name in (order, column))
        away = x - x.mean()
        if len(x) >= FEWEST and np.any(away):
            found.append(float(away @ y / (away @ away)))
    return np.array(found)


def earlier_coaching(found: pd.DataFrame) -> list[Trend]:
    """The change of first attempts per `PER` earlier coached trials beside the order, of people coached now and then.

    Empty where there are no such people.
    """
    rows = coachable(found)
    rows = rows[rows["arm"] == BOTH]
    if not len(rows):
        return []
    return _trends(BOTH, [_beside_order(rows, f"{measure.name}_before") for measure in MEASURES])


def again_within(found: pd.DataFrame) -> list[Compared]:
    """Classes written again: the change since the first time where coached in between (first side), and where not.

    Of the people who have both.
    """
    rows = _again(found)
    rows = rows[rows["arm"] == BOTH]
    return corrected(
        [paired(measure, rows, f"{measure.name}_since", rows["class_coached"] > 0) for measure in MEASURES]
    )


def again_between(found: pd.DataFrame) -> list[Compared]:
    """Classes written again: the change since the first time of coached people (first side) and of control people."""
    rows = _again(found)
    return corrected(
        [
            unpaired(measure, *(person_means(rows[rows["arm"] == arm], f"{measure.name}_since") for arm in ARMS))
            for measure in MEASURES
        ]
    )


def _again(found: pd.DataFrame) -> pd.DataFrame:
    """The trials of classes that their person had written before, with NAME_since of each measure."""
    own = coachable(found)
    key = ["participant", "asked"]
    columns = [f"{measure.name}_before" for measure in MEASURES]
    first = own[own["class_times"] == 0].set_index(key)[columns]
    rows = own[own["class_times"] > 0].reset_index(drop=True)
    begun = first.reindex(pd.MultiIndex.from_frame(rows[key])).to_numpy(dtype=np.float64)
    since = [f"{measure.name}_since" for measure in MEASURES]
    return rows.assign(**dict(zip(since, (rows[columns].to_numpy(dtype=np.float64) - begun).T, strict=True)))


def _trends(arm: str, tests: Sequence[TestResult]) -> list[Trend]:
    ps = holm([test.p for test in tests])
    return [Trend(measure, arm, test, p) for measure, test, p in zip(MEASURES, tests, ps, strict=True)]


def _beside_order(rows: pd.DataFrame, column: str, level: float = 0.95) -> TestResult:
    name = "weighted mean of people's slopes, jackknife over people"
    tops, weights = [], []
    for _, own in rows[rows[column].notna()].groupby("participant", sort=True):
        order, coached, y = (own[each].to_numpy(dtype=np.float64) for each in ("order", "earlier_coached", column))
        if len(own) <= FEWEST:  # a line and a slope beside it leave nothing to be wrong about
            continue
        line = np.column_stack([np.ones(len(own)), order])
        rest = coached - line @ np.linalg.lstsq(line, coached, rcond=None)[0]
        tops.append(float(rest @ y))
        weights.append(float(rest @ rest))
    top, weight, n = PER * np.array(tops), np.array(weights), len(tops)
    few = "fewer than two people were coached in another order than one trial after the other"
    if (weight > 1e-9).sum() < 2:
        return TestResult(name, level=level, n=(n,), problem=few)
    estimate = float(top.sum() / weight.sum())
    without = (top.sum() - top) / (weight.sum() - weight)
    se = float(np.sqrt((n - 1) / n * ((without - estimate) ** 2).sum()))
    if not se > 1e-12 * max(abs(estimate), 1.0):
        return TestResult(name, estimate=estimate, level=level, n=(n,), problem="all people have the same slope")
    reach = float(stats.t.ppf((1 + level) / 2, n - 1)) * se
    return TestResult(
        name,
        statistic=estimate / se,
        statistic_name="t",
        df=float(n - 1),
        p=float(2 * stats.t.sf(abs(estimate) / se, n - 1)),
        estimate=estimate,
        low=estimate - reach,
        high=estimate + reach,
        level=level,
        n=(n,),
    )
