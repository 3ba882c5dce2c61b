"""A figure for each measure of the task `coach`: first and second attempts, coached and not. Dots are people."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy import stats

from crowdloom.analysis.coach_trials import MEASURES, Measure
from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.figure_style import (
    BLUE,
    INK,
    NOTE,
    ORANGE,
    RULE,
    NothingToDrawError,
    faintness,
    finish,
    jitter,
    legend_above,
    one_axes,
)

SIDES = ((True, "coached", BLUE, "o"), (False, "not coached", ORANGE, "s"))
"""The trials that are told apart, with their colours and markers."""


def change_figure(found: pd.DataFrame, measure: Measure) -> Figure:
    """A measure in first and second attempts, means of each person joined by a line; coached trials and others.

    `found` is a frame of `coach_trials`, in which all rows count. Squares and large dots are means over people with
    95 % t intervals. Raises NothingToDrawError where no trial has the measure.
    """
    names = [f"{measure.name}_before", f"{measure.name}_after"]
    known = found[found[names].notna().all(axis=1)]
    sides = [one for one in SIDES if (known["coached"] == one[0]).any()]
    if not sides:
        raise NothingToDrawError(f"no trial has both attempts' {measure.title}")
    figure, axes = one_axes(2.4)
    ticks, labels = [], []
    for place, (coached, name, colour, marker) in enumerate(sides):
        means = known[known["coached"] == coached].groupby("participant", sort=True)[names].mean() * measure.factor
        values = means.to_numpy(dtype=np.float64)
        where = np.array([place - 0.2, place + 0.2])
        _lines(axes, where, values, colour)
        _mean(axes, where, values, colour, marker)
        ticks += where.tolist()
        labels += ["first", "second"]
        axes.annotate(
            f"{name}\n{len(values)} {'person' if len(values) == 1 else 'people'}", (place, 0), (0, -17),
            xycoords=("data", "axes fraction"), textcoords="offset points", ha="center", va="top", size=NOTE, color=INK,
        )  # fmt: skip
    axes.plot([], [], color=INK, lw=0.6, marker=".", ms=3, alpha=0.6, label="a person")
    axes.errorbar([], [], yerr=[], color=INK, lw=1.4, marker="o", ms=4.5, capsize=2.5, label="mean, 95 % interval")
    finish(axes, "", f"{measure.title} ({measure.unit})")
    axes.set_xticks(ticks, labels)
    axes.set_xlim(-0.5, len(sides) - 0.5)
    if measure.unit == "%":
        within_percent(axes)
    axes.grid(axis="y", color=RULE, lw=0.4, zorder=0)
    legend_above(axes, 2)
    return figure


def similarity_figure(found: pd.DataFrame) -> Figure:
    """How similar second drawings are to first ones, of each person; coached trials and others.

    Raises NothingToDrawError where no trial has it.
    """
    known = found[found["similarity"].notna()]
    sides = [one for one in SIDES if (known["coached"] == one[0]).any()]
    if not sides:
        raise NothingToDrawError("no trial has two drawings to compare")
    figure, axes = one_axes(2.2)
    labels = []
    for place, (coached, name, colour, marker) in enumerate(sides):
        values = known[known["coached"] == coached].groupby("participant", sort=True)["similarity"].mean()
        _scattered(axes, place, np.asarray(values, dtype=np.float64), colour, marker)
        labels.append(f"{name}\n{len(values)} {'person' if len(values) == 1 else 'people'}")
    finish(axes, "", "similarity to the first drawing")
    axes.set_xticks(range(len(sides)), labels)
    axes.set_xlim(-0.5, len(sides) - 0.5)
    axes.grid(axis="y", color=RULE, lw=0.4, zorder=0)
    return figure


def adopted_figure(found: pd.DataFrame) -> Figure:
    """The share of the proposals that each person took up, beside how much surer the recogniser became.

    Raises NothingToDrawError where nobody was coached.
    """
    known = found[found["adopted"].notna() & found["confidence_change"].notna()]
    means = known.groupby("participant", sort=True)[["adopted", "confidence_change"]].mean()
    if not len(means):
        raise NothingToDrawError("nothing was proposed to anybody")
    figure, axes = one_axes(2.4)
    axes.axhline(0, color=INK, lw=0.6, ls=(0, (2, 2)), zorder=1)
    axes.scatter(means["adopted"], 100 * means["confidence_change"], s=12, color=BLUE, lw=0, alpha=0.6, zorder=2)
    finish(axes, "share of the proposal adopted", "change of the probability\nof the asked class (points)")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.grid(color=RULE, lw=0.4, zorder=0)
    return figure


def measure_figures(found: pd.DataFrame) -> dict[str, Callable[[], Figure]]:
    """What draws each of them, by the stem of its file; the drawing raises NothingToDrawError where it cannot."""
    drawn: dict[str, Callable[[], Figure]] = {
        f"coach-{measure.name}": lambda measure=measure: change_figure(found, measure)  # type: ignore[misc]
        for measure in MEASURES
    }
    return drawn | {
        "coach-similarity": lambda: similarity_figure(found),
        "coach-adopted": lambda: adopted_figure(found),
    }


def interval(values: Floats) -> tuple[float, float]:
    """The mean, and half of its 95 % t interval; 0 for one value."""
    half = 0.0
    if len(values) > 1:
        half = float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return float(values.mean()), half


def within_percent(axes: Axes) -> None:
    """No y axis of percentages goes on where there are none, as intervals of few values do."""
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -2.0), min(high, 102.0))


def _lines(axes: Axes, where: Floats, values: Floats, colour: str) -> None:
    alpha = float(np.clip(2 * faintness(len(values)), 0.15, 0.6))
    axes.plot(where, values.T, color=colour, lw=0.6, marker=".", ms=3, mew=0, alpha=alpha, zorder=2)


def _mean(axes: Axes, where: Floats, values: Floats, colour: str, marker: str) -> None:
    spread = [interval(column) for column in values.T]
    axes.errorbar(
        where, [mean for mean, _ in spread], yerr=[half for _, half in spread], color=INK, lw=1.4, marker=marker,
        ms=5, mfc=colour, mec="white", mew=0.6, capsize=2.5, zorder=4,
    )  # fmt: skip


def _scattered(axes: Axes, place: int, values: Floats, colour: str, marker: str) -> None:
    spots: Sequence[float] = jitter(np.full(len(values), place), 0.12).tolist()
    axes.scatter(spots, values, s=9, color=colour, marker=marker, lw=0, alpha=0.5, zorder=2)
    mean, half = interval(values)
    axes.errorbar(
        [place + 0.26], [mean], yerr=[half], color=INK, lw=1.4, marker=marker, ms=5, mfc=colour, mec="white", mew=0.6,
        capsize=2.5, zorder=4,
    )  # fmt: skip


_BARS = "Lines are people, dark marks means over people with 95 % t intervals."
CAPTIONS = {
    "coach-recognised": f"Share of drawings that the recogniser read as the asked class, by attempt. {_BARS}",
    "coach-confidence": f"Probability that the recogniser gave the asked class, by attempt. {_BARS}",
    "coach-ink": f"Ink of the picture that the recogniser was given, in full pixels, by attempt. {_BARS}",
    "coach-length": f"Length of the strokes on the canvas, by attempt. {_BARS}",
    "coach-seconds": f"Seconds from the pen put down to the pen lifted last, by attempt. {_BARS}",
    "coach-similarity": (
        "How similar the second picture is to the first (shared ink by all ink). Dots are people, dark marks means "
        "over people with 95 % t intervals."
    ),
    "coach-adopted": (
        "The share of the proposals that each person took up, and how much surer of the asked class the recogniser "
        "became. Dots are people, means over their coached trials."
    ),
}
"""What each figure shows, and what its bars are, by the stem of its file."""
