"""The figure of seconds per answer; see `analysis.times`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from crowdloom.analysis.figure_style import (
    BLUE,
    NOTE,
    ORANGE,
    RULE,
    TICK,
    NothingToDrawError,
    finish,
    legend_above,
    one_axes,
    plain,
    shortened,
)
from crowdloom.analysis.times import TimeSpent


def times_figure(found: Sequence[TimeSpent]) -> Figure:
    """Median and mean seconds of each kind with their intervals.

    Raises NothingToDrawError where no time is known.
    """
    shown = [one for one in found if one.median is not None]
    if not shown:
        raise NothingToDrawError("no answer says how long it took")
    figure, axes = one_axes(0.75 + 0.3 * len(shown))
    where = np.arange(len(shown))
    for name, colour, marker, aside in (("median", BLUE, "o", -0.12), ("mean", ORANGE, "s", 0.12)):
        value, low, high = (
            np.array([getattr(one, field) for one in shown], dtype=np.float64)
            for field in (name, f"{name}_low", f"{name}_high")
        )
        axes.errorbar(
            value, where + aside, xerr=[np.nan_to_num(value - low), np.nan_to_num(high - value)], ls="none",
            marker=marker, ms=4.5, color=colour, mec="white", mew=0.4, lw=1.4, capsize=2, zorder=3, label=name,
        )  # fmt: skip
    named = [f"{plain(shortened(one.kind, 1.5, TICK, bold=False))}\n{one.answers} answers" for one in shown]
    finish(axes, "seconds per answer", "")
    axes.set_yticks(where, named, size=NOTE)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(0, None)
    axes.grid(axis="x", color=RULE, lw=0.4, zorder=0)
    legend_above(axes, 2)
    return figure
