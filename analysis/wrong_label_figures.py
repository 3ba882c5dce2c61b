"""The figure of guessed wrong labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from crowdloom.analysis.figure_style import (
    INK,
    MARKERS,
    NOTE,
    RULE,
    SERIES,
    TICK,
    NothingToDrawError,
    finish,
    legend_above,
    one_axes,
    plain,
    shortened,
)
from crowdloom.analysis.measures import spread_by
from crowdloom.analysis.wrong_label import CHANCE, OVERALL, image_accuracy


def accuracy_figure(answers: pd.DataFrame) -> Figure:
    """Accuracy by category and condition: means over images with 95 % intervals (Student's t) across images.

    Below each category the number of images, by condition where it differs. A condition with one image in a
    category has no interval. Raises NothingToDrawError where nobody answered, or there are more conditions
    than markers.
    """
    if not len(answers):
        raise NothingToDrawError("nobody has chosen an option")
    images = image_accuracy(answers)
    conditions = sorted(set(images["condition"]))
    if len(conditions) > len(SERIES):
        raise NothingToDrawError(
            f"{len(conditions)} conditions are too many for one figure; it can tell {len(SERIES)} apart"
        )
    images = pd.concat([images[images["category"].notna()], images.assign(category=OVERALL)])
    categories = [*sorted(set(images["category"]) - {OVERALL}), OVERALL]
    found = spread_by(images, "accuracy", ["condition", "category"])
    figure, axes = one_axes(2.5)
    apart = 0.5 / len(conditions)
    for number, condition in enumerate(conditions):
        some = found.loc[condition].reindex(categories)
        half = some["se"] * stats.t.ppf(0.975, np.maximum(some["n"] - 1, 1))
        mean = some["mean"].to_numpy(dtype=np.float64)
        low, high = np.clip(mean - half.fillna(0), 0, 1), np.clip(mean + half.fillna(0), 0, 1)
        axes.errorbar(
            np.arange(len(categories)) + (number - (len(conditions) - 1) / 2) * apart, mean,
            yerr=[mean - low, high - mean], ls="none", marker=MARKERS[number], ms=5, color=SERIES[number], lw=1.4,
            capsize=2, zorder=3, label=plain(condition),
        )  # fmt: skip
    axes.axhline(CHANCE, color=INK, lw=0.8, ls=(0, (3, 2)), zorder=2)
    axes.text(-0.48, CHANCE - 0.015, "chance", size=NOTE, color=INK, va="top")
    if len(categories) > 1:
        axes.axvline(len(categories) - 1.5, color=RULE, lw=0.8, zorder=0)
    counts = found["n"].unstack("category").reindex(columns=categories).fillna(0).astype(int)
    room = 2.9 / len(categories)
    finish(axes, "category of error, number of images" if len(categories) > 1 else "number of images", "accuracy")
    axes.set_xticks(range(len(categories)), [_named(name, counts[name].tolist(), room) for name in categories])
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.5, len(categories) - 0.5)
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.grid(axis="y", color=RULE, lw=0.4, zorder=0)
    legend_above(axes, 2)
    return figure


def _named(category: str, counts: list[int], room: float) -> str:
    numbers = counts[:1] if len(set(counts)) == 1 else counts
    return f"{plain(shortened(category, room, TICK, bold=False))}\n{' | '.join(map(str, numbers))}"
