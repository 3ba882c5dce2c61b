"""The figure of sessions in a latent space that needs nothing but the long frame."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from crowdloom.analysis.figure_style import (
    BLUE,
    INK,
    ORANGE,
    RULE,
    TICK,
    NothingToDrawError,
    faintness,
    finish,
    legend_above,
    one_axes,
    plain,
    shortened,
)
from crowdloom.analysis.latent_summary import item_order


def improvement_figure(frame: pd.DataFrame, items: pd.DataFrame) -> Figure:
    """Validation accuracy before and after each session, joined by a line, by scenario; squares are means.

    Scenarios stand in the order of `items`.

    Raises NothingToDrawError where no session has both.
    """
    known = frame[frame["accuracy"].notna() & frame["accuracy_before"].notna()]
    scenarios = list(item_order(known, items))
    if not scenarios:
        raise NothingToDrawError("no session has an accuracy before and after")
    figure, axes = one_axes(2.4)
    for place, scenario in enumerate(scenarios):
        own = known[known["item"] == scenario]
        values = np.stack([own["accuracy_before"], own["accuracy"]]) * 100
        where = np.array([place - 0.2, place + 0.2])
        axes.plot(where, values, color=BLUE, lw=0.8, marker="o", ms=2.5, alpha=max(faintness(len(own)), 0.2), zorder=2)
        axes.plot(where, values.mean(axis=1), color=ORANGE, lw=1.8, marker="s", ms=4.5, mec="white", mew=0.5, zorder=3)
    axes.plot([], [], color=BLUE, lw=0.8, marker="o", ms=2.5, label="a session, before and after")
    axes.plot([], [], color=ORANGE, lw=1.8, marker="s", ms=4.5, mec="white", mew=0.5, label="mean")
    finish(axes, "", "validation accuracy (%)")
    room = 2.8 / len(scenarios)
    counts = known["item"].value_counts()
    names = [f"{plain(shortened(name, room, TICK, bold=False))}\nn = {counts[name]}" for name in scenarios]
    axes.set_xticks(range(len(scenarios)), names)
    axes.tick_params(axis="x", length=0, colors=INK)
    axes.set_xlim(-0.5, len(scenarios) - 0.5)
    axes.grid(axis="y", color=RULE, lw=0.4, zorder=0)
    legend_above(axes, 2)
    return figure
