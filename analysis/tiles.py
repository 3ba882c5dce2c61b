"""Tiles of label figures: an item's image beside its classes, two tiles abreast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.figure_style import INK, RULE, plain, shortened

MOST_CLASSES = 12
"""A tile shows at most so many classes; of more the rest is one."""

NAME, TITLE = 5.5, 6.5  # font sizes in points
IMAGE, GAP, EDGE, SCALE, LEGEND = 0.5, 0.05, 0.05, 0.12, 0.2  # inches


def axes_at(figure: Figure, x: float, y: float, width: float, high: float) -> Axes:
    """Axes at inches from the figure's top left corner."""
    across, down = figure.get_size_inches()
    return figure.add_axes((x / across, 1 - (y + high) / down, width / across, high / down))


def rows_of(labels: Floats, classes: Sequence[str], reference: str | None) -> tuple[list[str], Floats]:
    """Names and values [S, rows] of the bars of S labels of an item, [S, K].

    Of many classes the reference, those to which any of the labels gives most, and the rest.
    """
    if len(classes) <= MOST_CLASSES:
        return list(classes), labels
    mass = labels.max(axis=0)
    ranked = sorted(range(len(classes)), key=lambda number: (classes[number] != reference, -mass[number]))
    kept = sorted(ranked[: MOST_CLASSES - 1])
    rest = labels.sum(axis=1, keepdims=True) - labels[:, kept].sum(axis=1, keepdims=True)
    names = [*(classes[number] for number in kept), f"{len(classes) - len(kept)} others"]
    return names, np.hstack([labels[:, kept], rest])


def class_axes(axes: Axes, names: Sequence[str], reference: str | None, room: float, *, scale: bool) -> None:
    """A line for each class, its name cut to `room` inches and the reference bold; `scale` writes the numbers below."""
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_yticks(range(len(names)), [plain(shortened(name, room, NAME, bold=name == reference)) for name in names])
    for tick, name in zip(axes.get_yticklabels(), names, strict=True):
        tick.set(size=NAME, color=INK, weight="bold" if name == reference else "normal")
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"] if scale else [], size=NAME, color=INK)
    axes.grid(axis="x", color=RULE, lw=0.4, zorder=0)
    axes.tick_params(length=0, pad=2)
    axes.spines[:].set_visible(False)
    axes.spines["left"].set(visible=True, color=INK, linewidth=0.5)
