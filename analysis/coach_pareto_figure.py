"""The figure of what a coach's weights trade for what: accuracy, change and ink."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from crowdloom.analysis.figure_style import INK, LABEL, NOTE, RED, RULE, TICK, WIDTH, finish, plain

_COLOURS = "viridis"
_LARGE, _SMALL = 18, 7
_NAMES = {
    "accuracy": "proposals recognised (%)",
    "change": "change (% of the drawing's ink)",
    "ink": "ink (% of the drawing's)",
}


def pareto_figure(settings: pd.DataFrame, title: str) -> Figure:
    """Above, accuracy against change, with the ink as colour; below, change against ink, with the accuracy as colour.

    `settings` has a row for each of the weights: accuracy, change and ink as shares; best, whether no other row is
    better in all three; and trained, "once" for the coach of all weights and "separately" for one of its own, which a
    line joins to the coach of all weights at the same weights (classification, efficiency, discriminator).
    """
    shown = settings.assign(**{name: 100 * settings[name] for name in ("accuracy", "change", "ink")})
    figure = Figure(figsize=(WIDTH, 4.3), facecolor="white", layout="constrained")
    above, below = figure.subplots(2, 1)
    once = shown[shown["trained"] == "once"]
    for axes, x, y, colour in ((above, "change", "accuracy", "ink"), (below, "ink", "change", "accuracy")):
        limits = (float(once[colour].min()), float(once[colour].max()))
        axes.grid(color=RULE, lw=0.4, zorder=0)
        for best, size in ((False, _SMALL), (True, _LARGE)):
            rows = once[once["best"] == best]
            marks = axes.scatter(
                rows[x], rows[y], c=rows[colour], cmap=_COLOURS, vmin=limits[0], vmax=limits[1], s=size,
                marker="o" if best else "x", lw=0.4 if best else 0.7, edgecolors=INK if best else None, zorder=3,
            )  # fmt: skip
            if best:
                bar = figure.colorbar(marks, ax=axes, pad=0.02, aspect=30)
        bar.set_label(_NAMES[colour], size=TICK, color=INK)
        bar.ax.tick_params(labelsize=NOTE, colors=INK, width=0.5, length=2)
        bar.outline.set_linewidth(0.4)
        _separately(axes, shown, x, y)
    finish(above, _NAMES["change"], _NAMES["accuracy"])
    finish(below, _NAMES["ink"], _NAMES["change"])
    handles = [
        Line2D([], [], ls="none", marker="o", ms=4, mfc="white", mec=INK, mew=0.6, label="not dominated"),
        Line2D([], [], ls="none", marker="x", ms=3, mec=INK, mew=0.7, label="dominated"),
    ]
    if (shown["trained"] == "separately").any():
        handles.append(Line2D([], [], color=RED, lw=0.7, marker="D", ms=3, mew=0, label="trained separately"))
    figure.legend(
        handles=handles, loc="outside upper center", ncols=3, fontsize=NOTE, frameon=False, labelcolor=INK,
        handlelength=1.2, columnspacing=1.0,
    )  # fmt: skip
    above.set_title(plain(title), size=LABEL, color=INK, loc="left")
    return figure


def _separately(axes: Axes, shown: pd.DataFrame, x: str, y: str) -> None:
    """Coaches of one setting each, and a line to where the coach of all weights is."""
    weights = ["classification", "efficiency", "discriminator"]
    once, separately = (shown[shown["trained"] == how] for how in ("once", "separately"))
    pairs = separately.merge(once, on=weights, how="left", suffixes=("", "_once"))
    for row in pairs.itertuples():
        ends = [[getattr(row, name), getattr(row, f"{name}_once")] for name in (x, y)]
        axes.plot(*ends, color=RED, lw=0.7, zorder=2)
    axes.plot(pairs[x], pairs[y], ls="none", marker="D", ms=2.8, mew=0, color=RED, zorder=4)
