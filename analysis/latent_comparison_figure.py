"""The figure of strategies in a latent space against the same training without a person."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.figure_style import (
    BLUE,
    GREEN,
    INK,
    LABEL,
    MARKERS,
    NOTE,
    ORANGE,
    PURPLE,
    RED,
    RULE,
    SKY,
    WIDTH,
    finish,
    plain,
)
from crowdloom.analysis.latent_strategies import TITLES
from crowdloom.analysis.run_averages import half_interval

_COLOURS = (ORANGE, GREEN, PURPLE, SKY, INK)
_ALONE = (0, (4, 1.5))
_ASKED = (0, (2, 2))
_STEP = 0.18
"""Epochs between the intervals of strategies, which would hide each other."""


def comparison_figure(curves: pd.DataFrame, asked: Sequence[int], baseline: str) -> Figure:
    """Above, the mean validation accuracy by epoch; below, the mean gain over the baseline with its 95 % t interval.

    `curves` has strategy (one of them called `baseline`), seed, epoch and accuracy; `asked` are the epochs at which
    people were asked, and the first of them is where the axes begin. Gains are paired by seed.
    """
    shown = curves[curves["epoch"] >= asked[0]]
    scores = {str(name): rows.pivot_table(index="epoch", columns="seed", values="accuracy") * 100
              for name, rows in shown.groupby("strategy", sort=False)}  # fmt: skip
    strategies = [name for name in scores if name != baseline]
    looks = dict(zip(strategies, zip(cycle(_COLOURS), cycle(MARKERS), strict=False), strict=False))
    figure = Figure(figsize=(WIDTH, 3.6), facecolor="white", layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    alone = scores[baseline]
    for name, (colour, marker) in looks.items():
        mean = scores[name].mean(axis=1)
        above.plot(mean.index, mean, color=colour, marker=marker, ms=2.6, mew=0, lw=1.1, zorder=3)
    above.plot(alone.index, alone.mean(axis=1), color=BLUE, lw=1.2, ls=_ALONE, zorder=4)
    for place, (name, (colour, marker)) in enumerate(looks.items()):
        gain = (scores[name] - alone).iloc[1:]
        off = _STEP * (place - (len(looks) - 1) / 2)
        _gains(below, gain.index.to_numpy(dtype=float) + off, gain.to_numpy(), colour, marker)
    below.axhline(0, color=BLUE, lw=1.0, ls=_ALONE, zorder=1)
    for axes in (above, below):
        for epoch in asked:
            axes.axvline(epoch, color=RED, lw=0.9, ls=_ASKED, zorder=2)
        axes.grid(axis="y", color=RULE, lw=0.4, zorder=0)
    finish(above, "", "validation accuracy (%)")
    finish(below, "epoch", "gain (points)")
    below.set_xticks([*asked, int(shown["epoch"].max())])
    handles = [
        *(
            Line2D([], [], color=colour, marker=marker, ms=3.2, mew=0, lw=1.1, label=plain(_title(name)))
            for name, (colour, marker) in looks.items()
        ),
        Line2D([], [], color=BLUE, lw=1.2, ls=_ALONE, label="baseline"),
        Line2D([], [], color=RED, lw=0.9, ls=_ASKED, label="interaction"),
    ]
    figure.legend(
        handles=handles, loc="outside upper center", ncols=2, fontsize=NOTE, frameon=False, labelcolor=INK,
        handlelength=1.8, columnspacing=1.2,
    )  # fmt: skip
    above.set_title(
        plain(f"{curves['scenario'].iloc[0]}, means over {alone.shape[1]} seeds"), size=LABEL, color=INK, loc="left"
    )
    return figure


def _gains(axes: Axes, epochs: Floats, gains: Floats, colour: str, marker: str) -> None:
    """The mean of gains [epochs, seeds] with its interval, where there are two seeds or more."""
    halves = np.array([half_interval(of) or 0.0 for of in gains])
    axes.errorbar(
        epochs, gains.mean(axis=1), yerr=halves, color=colour, marker=marker, ms=2.6, mew=0, lw=0.9, elinewidth=0.6,
        zorder=3,
    )  # fmt: skip


def _title(strategy: str) -> str:
    return {str(name): title for name, title in TITLES.items()}.get(strategy, strategy)
