"""First attempts in the course of a study of the task `coach`: whether people learn, and whether it carries over."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from crowdloom.analysis.coach_measure_figures import interval, within_percent
from crowdloom.analysis.coach_trials import ARMS, BOTH, coachable
from crowdloom.analysis.figure_style import (
    BLUE,
    GREEN,
    ORANGE,
    RULE,
    WIDTH,
    NothingToDrawError,
    finish,
    legend_above,
)

LOOKS: Mapping[str, tuple[str, str]] = {
    ARMS[0]: (BLUE, "o"),
    ARMS[1]: (ORANGE, "s"),
    BOTH: (GREEN, "^"),
}
_NAMES = {ARMS[0]: "coached people", ARMS[1]: "control people", BOTH: "people coached in some trials"}
LEARNING = (
    "First attempts at classes that can be coached, by the trial's place in the person's order: means over people in "
    "parts of the study, 95 % t intervals, as far as they lie between 0 and 100 %."
)
TRANSFER = (
    "First attempts at classes that nobody is coached at, by how many trials of other classes came before: means over "
    "people in parts of the study, 95 % t intervals, as far as they lie between 0 and 100 %."
)
_SHOWN = (("recognised", "recognised (%)"), ("confidence", "probability of\nthe asked class (%)"))


def learning_figure(found: pd.DataFrame) -> Figure:
    """First attempts at classes that can be coached, by the trial's place in the order of the person.

    Raises NothingToDrawError where there are none.
    """
    rows = coachable(found)
    return _course(rows.assign(place=rows["order"] + 1), "trial", 6)


def transfer_figure(found: pd.DataFrame) -> Figure:
    """First attempts at classes that are never coached, by how many trials of other classes came before.

    Raises NothingToDrawError where there are none.
    """
    rows = found[found["never_coached"]]
    return _course(rows.assign(place=rows["earlier"]), "trials of other classes before", 4)


def _course(rows: pd.DataFrame, x: str, parts: int) -> Figure:
    """Means over people, in so many parts of the study at most, each of as many places."""
    rows = rows[rows["recognised_before"].notna()]
    if not len(rows):
        raise NothingToDrawError("nobody wrote such a class")
    figure = Figure(figsize=(WIDTH, 3.6), facecolor="white", layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    edges = np.unique(np.round(np.linspace(rows["place"].min(), rows["place"].max() + 1, parts + 1)))
    part = np.digitize(rows["place"], edges[1:-1])
    rows = rows.assign(part=part)
    middles = rows.groupby("part")["place"].mean()
    arms = [arm for arm in LOOKS if (rows["arm"] == arm).any()]
    step = 0.16 * float(np.diff(middles).min(initial=1.0))
    for axes, (name, title) in zip(panels, _SHOWN, strict=True):
        for number, arm in enumerate(arms):
            own = rows[rows["arm"] == arm]
            means = own.groupby(["part", "participant"])[f"{name}_before"].mean() * 100
            _line(axes, means, middles + step * (number - (len(arms) - 1) / 2), arm, own["participant"].nunique())
        finish(axes, x if axes is panels[-1] else "", title)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        within_percent(axes)
        axes.grid(axis="y", color=RULE, lw=0.4, zorder=0)
    legend_above(panels[0], 1 if len(arms) > 2 else len(arms))
    return figure


def _line(axes: Axes, means: pd.Series, where: pd.Series, arm: str, people: int) -> None:
    colour, marker = LOOKS[arm]
    parts = means.index.get_level_values("part").unique()
    spread = [interval(means[part].to_numpy(dtype=np.float64)) for part in parts]
    axes.errorbar(
        where[parts], [mean for mean, _ in spread], yerr=[half for _, half in spread], color=colour, lw=1.3,
        marker=marker, ms=4.5, mec="white", mew=0.5, capsize=2, elinewidth=1, zorder=3,
        label=f"{_NAMES[arm]} (n = {people})",
    )  # fmt: skip
