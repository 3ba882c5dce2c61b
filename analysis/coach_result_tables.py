"""What the tests of a study of the task `coach` found, as tables. Numbers are in the units that `MEASURES` says.

Tables show intervals in brackets; their files hold every number alone, and t, degrees of freedom and permutation p.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from crowdloom.analysis.clustered import SUBSTITUTED
from crowdloom.analysis.coach_learning import PER, Trend
from crowdloom.analysis.coach_tests import Compared, Regression
from crowdloom.analysis.coach_trials import Measure
from crowdloom.analysis.report import Tabular
from crowdloom.analysis.summary import NOTHING, Table
from crowdloom.analysis.test_result import TestResult


def compared_table(
    title: str, listed: Sequence[Compared], first: str, second: str, stem: str, note: str = ""
) -> Tabular:
    """A line for each measure: both means over people, their difference with its interval, tests and effect size.

    `first` and `second` name the sides. The title says what was compared; of what the intervals are is added.
    """
    known = [one.test.effect_name for one in listed if one.test.effect_name]
    effect = known[0] if known else "effect"
    shown, data = [], []
    for one in listed:
        test, factor = one.test, one.measure.factor
        n = str(test.n[0]) if test.name.startswith("paired") else _sides(test.n)
        means = {first: _times(one.first, factor), second: _times(one.second, factor)}
        shown.append(
            {
                "n": n,
                **means,
                "difference": _interval(test.estimate, test.low, test.high, factor),
                effect: _interval(test.effect, test.effect_low, test.effect_high),
                "p": test.p,
                **({"p Holm": one.holm} if len(listed) > 1 else {}),
                "problem": test.problem,
            }
        )
        data.append(
            {
                "n": n,
                **means,
                **_estimate(test, "difference", factor),
                **_tested(test),
                "p": test.p,
                "p Holm": one.holm,
                "p permutation": one.permutation.p,
                effect: test.effect,
                f"{effect} low": test.effect_low,
                f"{effect} high": test.effect_high,
                "problem": test.problem,
            }
        )
    names = [named(one.measure) for one in listed]
    tests = " or ".join(dict.fromkeys(one.test.name for one in listed))
    how = f"means over people, {tests}, 95 % intervals"
    how += "; Holm's correction is over these lines" if len(listed) > 1 else ""
    return Tabular(Table(f"{title}: {how}", _framed(shown, names)), stem, note, _framed(data, names))


def trends_table(title: str, listed: Sequence[Trend], stem: str) -> Tabular:
    """A line for each measure of each arm: the mean slope per ten trials, with its interval and its test."""
    shown, data = [], []
    change = f"change per {PER} trials"
    for one in listed:
        test, factor = one.test, one.measure.factor
        ps = {"p": test.p, "p Holm": one.holm, "problem": test.problem}
        slope = _interval(test.estimate, test.low, test.high, factor)
        shown.append({"n": test.n[0], change: slope, "t": _statistic(test), **ps})
        data.append({"n": test.n[0], **_estimate(test, change, factor), **_tested(test), **ps})
    names = [f"{named(one.measure)}, {one.arm}" for one in listed]
    how = "means over people; 95 % t intervals; Holm's correction is over the lines of an arm"
    return Tabular(Table(f"{title}: {how}", _framed(shown, names)), stem, data=_framed(data, names))


def regressions_table(listed: Sequence[Regression], stem: str) -> Tabular:
    """A line for each regression: both shares, odds ratio and difference of the shares with their intervals."""
    shown, data = [], []
    for one in listed:
        odds, plain = one.odds, one.difference
        about = {
            "trials": _sides(odds.n),
            "people": one.people,
            "coached": _times(one.coached, 100),
            "control": _times(one.control, 100),
        }
        difference = TestResult("") if plain is None else plain
        shown.append(
            {
                **about,
                "difference": _interval(difference.estimate, difference.low, difference.high, 100),
                "odds ratio": _interval(odds.effect, odds.effect_low, odds.effect_high),
                "p": odds.p,
                "problem": odds.problem,
            }
        )
        data.append(
            {
                **about,
                "classes": one.classes,
                "clusters": one.clusters,
                **_estimate(difference, "difference", 100),
                "odds ratio": odds.effect,
                "odds ratio low": odds.effect_low,
                "odds ratio high": odds.effect_high,
                **_tested(odds),
                "p": odds.p,
                "problem": odds.problem,
            }
        )
    clusters = dict.fromkeys(one.clusters for one in listed)
    title = (
        "Single trials that were recognised, %, coached and control: logistic regression, its covariance clustered on "
        f"{' or '.join(clusters)}; 95 % intervals; p of the log odds ratio"
    )
    notes = []
    if "people" in clusters:
        notes.append(
            "There are few classes: the covariance is clustered on people alone, and what it says is of these classes."
        )
    tests = [(one.of, [test.name for test in (one.odds, one.difference) if test]) for one in listed]
    if replaced := [of for of, names in tests if any(SUBSTITUTED in name for name in names)]:
        notes.append(
            "The two-way variance is not positive, so the larger one-way variance takes its place in: "
            f"{'; '.join(replaced)}."
        )
    names = [one.of for one in listed]
    return Tabular(Table(title, _framed(shown, names)), stem, " ".join(notes), _framed(data, names))


def named(measure: Measure) -> str:
    """A measure with its unit."""
    return f"{measure.title} ({measure.unit})"


def _sides(n: Sequence[int]) -> str:
    return " + ".join(map(str, n))


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else factor * value


def _interval(value: float | None, low: float | None, high: float | None, factor: float = 1.0) -> str:
    """A value with its interval."""
    if value is None:
        return NOTHING
    reach = "" if low is None or high is None else f" [{factor * low:.3g}, {factor * high:.3g}]"
    return f"{factor * value:.3g}{reach}"


def _statistic(test: TestResult) -> str:
    return NOTHING if test.statistic is None or test.df is None else f"t({test.df:.4g}) = {test.statistic:.2f}"


def _estimate(test: TestResult, name: str, factor: float) -> dict[str, float | None]:
    values = {name: test.estimate, f"{name} low": test.low, f"{name} high": test.high}
    return {of: _times(value, factor) for of, value in values.items()}


def _tested(test: TestResult) -> dict[str, float | None]:
    return {"t": test.statistic, "df": test.df}


def _framed(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pd.DataFrame:
    """A frame in which what is no number anywhere, and is no word, is NaN."""
    frame = pd.DataFrame(rows, index=pd.Index(list(names), name="measure", dtype=object))
    numbers = [name for name in frame if not frame[name].map(lambda value: isinstance(value, str)).any()]
    return frame.astype({name: float for name in numbers if name not in ("people", "classes", "problem")})
