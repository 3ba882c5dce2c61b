"""A plan carried out on a long frame: each hypothesis with its test, and p values corrected over all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest

import numpy as np
import pandas as pd

from crowdloom.analysis.assumptions import p_words
from crowdloom.analysis.clustered import clustered_logit
from crowdloom.analysis.correlation_tests import pearson, spearman
from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.levels import IsLevel
from crowdloom.analysis.outcomes import outcome
from crowdloom.analysis.plan import OUTCOMES, TESTS, Hypothesis, Plan, Unit
from crowdloom.analysis.summary import Table
from crowdloom.analysis.test_result import TestResult
from crowdloom.analysis.tests import TESTS as TWO_SIDED
from crowdloom.analysis.tests import holm, one_sample_t

Outcomes = Callable[[str], pd.Series]
"""The values of an outcome, by its name, for each row of the frame."""


@dataclass(frozen=True)
class Tested:
    """A hypothesis with what came of it."""

    __test__ = False  # for pytest, this class is no test

    hypothesis: Hypothesis
    result: TestResult
    means: tuple[float | None, ...]
    """Of the sides, over their units; None where a side has none."""
    p_corrected: float | None
    found: bool | None
    """Whether the corrected p is below alpha, the way that the plan says where it says one; None without a p."""
    other_way: bool
    """Whether the corrected p is below alpha, but the other way than the plan says."""
    estimates: str
    """What the result's estimate is, with its unit."""

    def sentence(self) -> str:
        """What came of it, in words."""
        test = TESTS[self.hypothesis.test].meaning
        if self.hypothesis.against is not None:
            test = test.replace("a number", f"{self.hypothesis.against:g}")
        if self.found is None or self.p_corrected is None:
            return f"It could not be tested ({test}): {self.result.problem}."
        subject = test if test[0].isupper() else f"The {test}"  # Student's, Welch's
        is_number = TESTS[self.hypothesis.test].needs == "a number"
        difference = "a difference from 0" if is_number else "a difference"
        if self.other_way:
            came = f"finds {difference}, but in the other direction than the plan says"
        elif self.found and self.hypothesis.direction:
            came = f"finds {difference}, in the direction that the plan says"
        else:
            came = f"finds {difference}" if self.found else f"does not find {difference}"
        return f"{subject} {came} ({p_words(self.p_corrected)}, corrected)."


def carry_out(plan: Plan, task: str, frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> list[Tested]:
    """Test each hypothesis of a plan on the first answers of a frame, which has been checked at the door.

    The frame holds the answers that count, and no others (see `analysis.leaving_out`). A test that cannot be made
    (a side without answers, no variance, no item with an attribute, or with what the outcome needs) has no p and says
    why; it takes part in the correction as if its p were 1. Raises ValueError for an outcome that the task does not
    have.
    """
    values = cache(lambda name: outcome(task, name, frame, items, classes))
    tested = [_test(hypothesis, values, frame, items) for hypothesis in plan.hypotheses]
    corrected = correct([result.p for result, _ in tested], plan.correction)
    found = []
    for hypothesis, (result, means), p in zip(plan.hypotheses, tested, corrected, strict=True):
        differs = None if p is None else p < plan.alpha
        other_way = differs is True and _is_other_way(hypothesis, result)
        estimates = _estimates(hypothesis, task)
        found.append(Tested(hypothesis, result, means, p, differs and not other_way, other_way, estimates))
    return found


def correct(ps: Sequence[float | None], how: str) -> list[float | None]:
    """p values corrected for being several: `holm`, `bonferroni` or `none`; None stays None and counts as 1.

    >>> [round(p, 3) for p in correct([0.01, 0.04, 0.03], "holm")]
    [0.03, 0.06, 0.06]
    """
    if how == "none":
        return list(ps)
    counted = [1.0 if p is None else p for p in ps]
    corrected = holm(counted) if how == "holm" else [min(1.0, len(ps) * p) for p in counted]
    return [None if p is None else value for p, value in zip(ps, corrected, strict=True)]


def _is_other_way(hypothesis: Hypothesis, result: TestResult) -> bool:
    """Whether a result has the other sign than the plan says; tests of ranks have no estimate, but an effect."""
    value = result.effect if result.estimate is None else result.estimate
    if hypothesis.direction is None or value is None:
        return False
    return value >= 0 if hypothesis.direction == "less" else value <= 0


def _estimates(hypothesis: Hypothesis, task: str) -> str:
    if hypothesis.test == "clustered-logit":
        return "log odds ratio"
    if TESTS[hypothesis.test].needs == "a number":
        return {"pearson": "r", "spearman": "rho"}[hypothesis.test]
    return f"difference ({OUTCOMES[task][hypothesis.outcome].unit})"


def _test(
    hypothesis: Hypothesis, values: Outcomes, frame: pd.DataFrame, items: pd.DataFrame
) -> tuple[TestResult, tuple[float | None, ...]]:
    needs = TESTS[hypothesis.test].needs
    try:
        answers = _answers(hypothesis, values(hypothesis.outcome), frame, items)
    except FrameError as error:
        unknown = () if needs == "a number" else (None,) * max(len(hypothesis.levels), 1)
        return TestResult(name=hypothesis.test, problem=str(error)), unknown
    if needs == "a number":
        return _correlate(hypothesis, answers), ()
    levels = hypothesis.levels or ("all",)
    sides = [answers[answers["side"] == level] if hypothesis.levels else answers for level in levels]
    if needs == "right or wrong":
        both = pd.concat(sides)
        means = tuple(_mean(side["value"]) for side in sides)
        return _regress(both, hypothesis.levels), means
    units = [_units(side, hypothesis.unit) for side in sides]
    if needs == "pairs":
        shared = units[0].index.intersection(units[1].index)
        units = [side.loc[shared] for side in units]
    means = tuple(_mean(side) for side in units)
    empty = [level for level, side in zip(levels, units, strict=True) if not len(side)]
    if empty:
        lacking = "no pair is there" if needs == "pairs" else f"{empty[0]!r} has no answer that counts"
        return TestResult(name=hypothesis.test, n=tuple(map(len, units)), problem=lacking), means
    return _compare(hypothesis, [side.to_numpy(dtype=np.float64) for side in units]), means


def _compare(hypothesis: Hypothesis, sides: Sequence[np.ndarray]) -> TestResult:
    if hypothesis.against is not None:
        return one_sample_t(sides[0], hypothesis.against)
    return TWO_SIDED[hypothesis.test].run(sides[0], sides[1], 0.95)


def _regress(answers: pd.DataFrame, levels: Sequence[str]) -> TestResult:
    return clustered_logit(
        answers["value"].to_numpy(dtype=np.float64) == 1,
        (answers["side"] == levels[0]).to_numpy(dtype=bool),
        pd.factorize(answers["participant"])[0],
        pd.factorize(answers["item"])[0],
        names=levels[::-1],
    )


def _correlate(hypothesis: Hypothesis, answers: pd.DataFrame) -> TestResult:
    points = answers[["item", "side", "value"]].astype({"side": float})
    if hypothesis.unit == "item":
        points = points.groupby("item", sort=True).mean()
    run = {"pearson": pearson, "spearman": spearman}[hypothesis.test]
    return run(points["side"].to_numpy(dtype=np.float64), points["value"].to_numpy(dtype=np.float64))


def _answers(hypothesis: Hypothesis, values: pd.Series, frame: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """The first answers that the hypothesis is about: participant, item, value, and side (a level, or the number)."""
    answers = frame[["participant", "item"]].assign(value=values, side=None)
    keep = ~frame["is_repeat"].to_numpy(dtype=bool) & values.notna().to_numpy()
    for name, level in hypothesis.where.items():
        keep &= _attribute(items, frame["item"], name).map(IsLevel(level)).to_numpy(dtype=bool)
    if hypothesis.by == "condition":
        answers["side"] = frame["condition"]
    else:
        said = _attribute(items, frame["item"], hypothesis.by)
        if hypothesis.levels:
            for level in hypothesis.levels:
                answers.loc[said.map(IsLevel(level)).to_numpy(dtype=bool), "side"] = level
        else:
            answers["side"] = pd.to_numeric(said, errors="coerce").astype(float)
    return answers[keep]


def _attribute(items: pd.DataFrame, of: pd.Series, name: str) -> pd.Series:
    if name not in items:
        raise FrameError(
            f"no item has the attribute {name!r}, which the plan needs; there are: {', '.join(map(str, items))}"
        )
    return of.map(dict(zip(items["item"], items[name], strict=True)))


def _units(answers: pd.DataFrame, unit: Unit) -> pd.Series:
    return answers["value"] if unit == "response" else answers.groupby(unit, sort=True)["value"].mean()


def _mean(values: pd.Series) -> float | None:
    return float(values.mean()) if len(values) else None


def plan_frame(tested: Sequence[Tested]) -> pd.DataFrame:
    """Everything that was found, one row for each hypothesis, for a file; None where something is not defined."""
    rows: list[dict[str, object]] = []
    for one in tested:
        said, result = one.hypothesis, one.result
        sides = dict(enumerate(one.means, 1))
        rows.append(
            {
                "hypothesis": said.name,
                "claim": said.claim,
                "outcome": said.outcome,
                "unit": said.unit,
                "by": said.by,
                "direction": said.direction,
                "against": said.against,
                "first": next(iter(said.levels), None),
                "second": said.levels[1] if len(said.levels) > 1 else None,
                "first_mean": sides.get(1),
                "second_mean": sides.get(2),
                "test": result.name,
                "estimates": one.estimates,
                **{
                    name: getattr(result, name)
                    for name in ("statistic_name", "statistic", "df", "estimate", "low", "high", "level")
                },
                "effect_name": _effect_name(one),
                **{name: getattr(result, name) for name in ("effect", "effect_low", "effect_high")},
                "units": " + ".join(map(str, result.n)),
                "p": result.p,
                "p_corrected": one.p_corrected,
                "found": one.found,
                "other_way": one.other_way,
                "problem": result.problem,
            }
        )
    return pd.DataFrame(rows, dtype=object).set_index("hypothesis")


def plan_table(tested: Sequence[Tested]) -> Table:
    """One row for each hypothesis: the sides with means and units, estimate and effect with intervals, test and p."""
    rows: dict[str, dict[str, object]] = {}
    for one in tested:
        said, result = one.hypothesis, one.result
        degrees = "" if result.df is None else f"({result.df:.4g})"
        rows[said.name] = {
            "compared": "; ".join(_sides(one)),
            "estimate, 95 % interval": _interval(one.estimates, result.estimate, result.low, result.high),
            "test": None if result.statistic is None else f"{result.statistic_name}{degrees} = {result.statistic:.3f}",
            "effect, 95 % interval": _interval(_effect_name(one), result.effect, result.effect_low, result.effect_high),
            "p": result.p,
            "p corrected": one.p_corrected,
            "found": None if one.found is None else _FOUND[one.found, one.other_way],
        }
    return Table("The plan's hypotheses", pd.DataFrame.from_dict(rows, orient="index", dtype=object))


_FOUND = {(True, False): "yes", (False, False): "no", (False, True): "no, the other way"}


def _sides(one: Tested) -> list[str]:
    """Each side with its mean and over how many units; of a correlation, the number and how many points."""
    unit = one.hypothesis.unit
    numbers = [f"{n:,} {unit}{'' if n == 1 else 's'}" for n in one.result.n]
    if TESTS[one.hypothesis.test].needs == "a number":
        return [f"{one.hypothesis.by} ({numbers[0]})" if numbers else one.hypothesis.by]
    sides = zip_longest(one.hypothesis.levels or ("all",), one.means, numbers)
    said = [f"{level} {_shown(mean)}{f' ({n})' if n else ''}" for level, mean, n in sides]
    return said if one.hypothesis.against is None else [*said, f"against {one.hypothesis.against:g}"]


def _effect_name(one: Tested) -> str | None:
    """Hedges' g beside Welch's test is in units of the pooled deviation, which that test does not suppose."""
    name = one.result.effect_name
    return f"{name} (pooled SD)" if name and one.hypothesis.test == "welch" else name


def _interval(what: str | None, value: float | None, low: float | None, high: float | None) -> str | None:
    if value is None:
        return None
    bounds = "" if low is None or high is None else f" [{low:.3f}, {high:.3f}]"
    return f"{what} {value:.3f}{bounds}"


def _shown(mean: float | None) -> str:
    return "–" if mean is None else f"{mean:.3f}"
