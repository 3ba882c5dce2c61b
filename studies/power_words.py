"""A report of power as a table, in sentences, as JSON, and as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from crowdloom.analysis.plan import TESTS
from crowdloom.analysis.power import Trial
from crowdloom.analysis.power_outcome import Means, Proportions
from crowdloom.analysis.summary import Table
from crowdloom.studies.power import TARGETS, Needed, Point, PowerReport
from crowdloom.studies.power_numbers import Setting
from crowdloom.studies.words import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TOO_MANY = 1.5
"""False positives whose interval begins above so many times alpha are worth a warning."""


def power_table(report: PowerReport) -> Table:
    """A line for each point, the design's own marked by a star."""
    rows = [
        {
            "items": point.items,
            "responses": point.answers,
            "people": point.power.people,
            "power": percent(point.power.found.share),
            "95 % interval": f"{percent(point.power.found.low)} to {percent(point.power.found.high)}",
            "false positives": percent(point.power.false.share),
            "cost, at most": str(point.cost.money(point.cost.total)),
        }
        for point in report.points
    ]
    names = [f"{point.responses_per_item}{' *' if point.own else ''}" for point in report.points]
    index = pd.Index(names, dtype=object, name="responses per item")
    title = f"Power by simulation, and cost on {report.setting.platform} (* the design as it stands)"
    return Table(title, pd.DataFrame(rows, index=index))


def setting_sentences(setting: Setting) -> list[str]:
    """What is compared, how, with which variances, and what is not simulated."""
    trial, (first, second) = setting.trial, setting.sides
    test = TESTS[trial.test].meaning
    over = "" if TESTS[trial.test].needs == "right or wrong" else f" over {trial.unit}s"
    simulated = f"{count(trial.simulations, 'simulation')} each, seed {trial.seed}"
    effect = trial.effect
    logit = ", in log-odds" if isinstance(effect, Proportions) else ""
    if isinstance(effect, Proportions):
        what = f"{first} {effect.first:g} against {second} {effect.second:g}"
        vary = f"{effect.participant_sd:.3g} between people and {effect.item_sd:.3g} between items, in log-odds"
    else:
        assert isinstance(effect, Means)
        what = f"{first} and {second} differ by {abs(effect.difference):g}"
        people, items = effect.deviations
        vary = (
            f"{people:.3g} between people and {items:.3g} between items, of {effect.spread:.3g} between single answers"
        )
    return [
        f"{what}; {test}{over}, alpha {trial.alpha:g}; {simulated}.",
        f"Standard deviations: {vary}.",
        f"The effect is the same for every item and person{logit}: no interaction of items and conditions is "
        "simulated.",
    ]


def result_sentences(report: PowerReport) -> list[str]:
    """The design's own power, what is needed for more or less, and a warning where the test finds too much."""
    trial, own = report.setting.trial, report.own
    said = [
        f"The design as it stands ({_size(own)}) finds the effect in {percent(own.power.found.share)} of studies "
        f"({percent(own.power.found.low)} to {percent(own.power.found.high)})."
    ]
    said += [needed_sentence(one) for one in report.needed]
    plan = report.setting.design.plan
    if plan is not None and len(plan.hypotheses) > 1 and plan.correction != "none":
        said.append(
            f"Power is that of one test at alpha {trial.alpha:g}, without correction. The plan corrects over "
            f"{len(plan.hypotheses)} hypotheses, at {plan.alpha:g} together: see crowdloom plan."
        )
    if own.power.false.low > _TOO_MANY * trial.alpha:
        said.append(
            f"Beware: where there is no effect, this test finds one in {percent(own.power.false.share)} of studies "
            f"instead of {100 * trial.alpha:g} %, so its power promises too much{_better(trial)}."
        )
    if own.cost.problem:
        said.append(f"The design cannot be published on {own.cost.platform} as it is: {own.cost.problem}.")
    return said


def _better(trial: Trial) -> str:
    """Which test would allow for people who are alike."""
    if trial.effect.right_or_wrong:
        better = "clustered-logit" if trial.test != "clustered-logit" else None
    else:
        better = "welch over participants" if trial.unit != "participant" else None
    return f"; choose one that allows for people who are alike, such as {better}" if better else ""


def needed_sentence(one: Needed) -> str:
    """What a target takes, in one sentence."""
    what = "responses per item" if one.over == "responses" else "items"
    if one.point is None:
        return f"For {100 * one.target:.0f} %: more than {one.furthest:,} {what}, which is as far as was looked."
    number = one.point.responses_per_item if one.over == "responses" else one.point.items
    found = one.point.power.found
    return (
        f"For {100 * one.target:.0f} %: {number:,} {what}, that is {_size(one.point)} "
        f"(simulated: {percent(found.share)}, {percent(found.low)} to {percent(found.high)})."
    )


def _size(point: Point) -> str:
    people = "1 person" if point.power.people == 1 else f"{point.power.people:,} people"
    cost = point.cost.money(point.cost.total)
    return f"{count(point.answers, 'response')} by {people}, {cost} at most on {point.cost.platform}"


def percent(share: float) -> str:
    """A share as it is read; only what is exactly 0 or 1 says so.

    >>> percent(0.8366), percent(0.9996), percent(0.05), percent(1.0)
    ('83.7 %', '>99.9 %', '5.0 %', '100 %')
    """
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    if share > 0.9995:
        return ">99.9 %"
    return "<0.1 %" if share < 0.0005 else f"{100 * share:.1f} %"


def power_record(report: PowerReport) -> dict[str, Any]:
    """Everything, for JSON."""
    setting, trial = report.setting, report.setting.trial
    effect = trial.effect
    values: dict[str, Any] = {"participant_sd": None, "item_sd": None}
    if isinstance(effect, Proportions):
        values |= {"shares": [effect.first, effect.second]}
        values |= {"participant_sd": effect.participant_sd, "item_sd": effect.item_sd, "scale": "logit"}
    elif isinstance(effect, Means):
        people, items = effect.deviations
        values |= {"difference": effect.difference, "spread": effect.spread}
        values |= {"participant_sd": people, "item_sd": items, "scale": "outcome"}
    return {
        "study": setting.design.name,
        "conditions": list(setting.sides),
        "platform": setting.platform,
        "effect": values,
        "test": trial.test,
        "unit": "response" if TESTS[trial.test].needs == "right or wrong" else trial.unit,
        "alpha": trial.alpha,
        "simulations": trial.simulations,
        "seed": trial.seed,
        "points": [point.record() for point in report.points],
        "needed": [one.record() for one in report.needed],
        "said": result_sentences(report),
    }


def figure_of(report: PowerReport) -> Figure:
    """The curve, with what each point costs."""
    from crowdloom.analysis.power_figure import CurvePoint, power_figure

    currency = report.own.cost.currency
    over_items = 0 in report.series
    curves = {
        f"{items:,} items": [
            CurvePoint(
                point.items if over_items else point.responses_per_item,
                point.power.found,
                point.power.false,
                str(point.cost.money(point.cost.total)).removesuffix(f" {currency}").removesuffix(".00"),
                point.own,
            )
            for point in points
        ]
        for items, points in report.series.items()
    }
    x = "items" if over_items else "responses per item in each condition"
    cost = f"cost on {report.setting.platform}, at most ({currency})"
    return power_figure(curves, x, cost, report.setting.trial.alpha, TARGETS)
