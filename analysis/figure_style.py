"""The look that all figures share: the width of a printed column, colours, axes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Patch
from matplotlib.textpath import text_to_path

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.figure_fonts import families_for, quietly

WIDTH = 3.5
"""Inches; a column of most two-column proceedings."""

BLUE, ORANGE, INK, RULE = "#0072B2", "#E69F00", "#222222", "#D0D0D0"  # Okabe and Ito's blue and orange
RED, GREEN, PURPLE, SKY = "#D55E00", "#009E73", "#CC79A7", "#56B4E9"  # their vermillion and others
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY)
MARKERS = ("o", "s", "^", "D", "v")
"""Series differ in their markers, too."""

_MOST_TICKS = 11

LABEL, TICK, NOTE = 8.0, 7.0, 6.5  # font sizes in points


class NothingToDrawError(ValueError):
    """A figure has nothing to show; the message is a sentence that says why."""


def one_axes(height: float) -> tuple[Figure, Axes]:
    """A figure of `height` inches with one axes."""
    figure = Figure(figsize=(WIDTH, height), facecolor="white", layout="constrained")
    return figure, figure.add_subplot()


def finish(axes: Axes, x: str, y: str) -> None:
    """The axes' names, and ticks and spines as in all figures."""
    axes.set_xlabel(x, size=LABEL, color=INK)
    axes.set_ylabel(y, size=LABEL, color=INK)
    axes.tick_params(labelsize=TICK, colors=INK, width=0.6, length=2.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=INK, linewidth=0.6)


def legend_above(axes: Axes, columns: int) -> None:
    """A legend in one or more lines above the axes, so that it hides no data."""
    legend = axes.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=columns,
        fontsize=NOTE,
        frameon=False,
        labelcolor=INK,
        handlelength=1.5,
        columnspacing=1.2,
        borderaxespad=0.2,
    )
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set_alpha(0.5)  # a dot that is drawn faintly because there are many could not be seen here


def legend_below(figure: Figure, colours: Mapping[str, str], size: float) -> None:
    """A row of names with their colours at the foot of a figure, in letters of `size` points."""
    figure.legend(
        handles=[Patch(color=colour, label=name) for name, colour in colours.items()],
        loc="lower center",
        bbox_to_anchor=(0.5, 0.0),
        ncols=len(colours),
        fontsize=size,
        frameon=False,
        handlelength=1.0,
        handleheight=0.7,
        borderaxespad=0.1,
    )


def jitter(values: npt.ArrayLike, width: float) -> Floats:
    """The values [N] moved by up to `width` to either side, the same way each time."""
    where = np.asarray(values, dtype=np.float64)
    moved: Floats = where + np.random.default_rng(1).uniform(-width, width, len(where))
    return moved


def dots(axes: Axes, x: npt.ArrayLike, y: npt.ArrayLike, width: float = 0.018) -> None:
    """Single answers, spread by up to `width` beside their place."""
    where = jitter(x, width)
    axes.scatter(
        where,
        np.asarray(y, dtype=np.float64),
        s=7,
        color=BLUE,
        lw=0,
        alpha=faintness(len(where)),
        rasterized=True,
        zorder=1,
        label="an answer",
    )


def medians(axes: Axes, spread: pd.DataFrame) -> None:
    """Medians with quartiles; `spread` is one of `measures.spread_by`, indexed by the place on the x axis."""
    _bars(axes, spread, "median", spread["median"] - spread["lower"], spread["upper"] - spread["median"], INK, "o", 4.5)


def means(axes: Axes, spread: pd.DataFrame) -> None:
    """Means with standard errors, none where it is not known; `spread` as in `medians`."""
    _bars(axes, spread, "mean", spread["se"].fillna(0), spread["se"].fillna(0), ORANGE, "s", 3.5)


def _bars(
    axes: Axes,
    spread: pd.DataFrame,
    name: str,
    below: pd.Series,
    above: pd.Series,
    colour: str,
    marker: str,
    size: float,
) -> None:
    axes.errorbar(
        spread.index.to_numpy(),
        spread[name],
        yerr=[below, above],
        ls="none",
        color=colour,
        marker=marker,
        ms=size,
        mec="white",
        mew=0.4,
        lw=1.4,
        capsize=3,
        zorder=4,
        label={"median": "median, quartiles", "mean": "mean, standard error"}[name],
    )


def coefficient_ticks(axes: Axes, coefficients: npt.NDArray[np.float64]) -> None:
    """The x axis from 0 to 1, with ticks at the coefficients that there are, where these are few."""
    axes.set_xlim(-0.04, 1.04)
    if 0 < len(coefficients) <= _MOST_TICKS and np.diff(coefficients).min(initial=1) >= 0.04:
        axes.set_xticks(coefficients.tolist(), [tick_text(value) for value in coefficients.tolist()])


def faintness(n: int) -> float:
    """How opaque each of n points is drawn, so that few can be seen and many do not become one blot."""
    return float(np.clip(12 / np.sqrt(max(n, 1)), 0.02, 0.5))


def plain(text: str) -> str:
    """A name that is drawn as it is: $ begins no mathematics, and a legend leaves out no name that begins with _."""
    drawn = text.replace("$", r"\$")
    return f" {drawn}" if drawn.startswith("_") else drawn


def tick_text(value: float) -> str:
    """A coefficient as short as it can be written.

    >>> [tick_text(value) for value in (0.0, 0.25, 0.5, 1.0)]
    ['0', '.25', '.5', '1']
    """
    return f"{value:.3g}".removeprefix("0") or "0"


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, bold: bool) -> float:
    """The width of a text in inches."""
    font = FontProperties(weight="bold" if bold else "normal", size=size)
    font.set_family(families_for(text, font.get_family())[0])
    with quietly():
        width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return 1.03 * float(width) / 72  # pixels round some letters up


def shortened(text: str, room: float, size: float, bold: bool) -> str:
    """The text, cut in its middle where it is wider than `room` inches: names often differ at the end only."""
    if text_width(text, size, bold) <= room:
        return text
    for kept in range(len(text) - 1, 0, -1):
        cut = f"{text[: (kept + 1) // 2].rstrip()}…{text[len(text) - kept // 2 :].lstrip()}"
        if text_width(cut, size, bold) <= room:
            return cut
    return "…"
