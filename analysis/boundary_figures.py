"""Figures of category boundaries: answers, the fitted logistic function, and the straight line of mixup."""

from __future__ import annotations

from math import ceil

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crowdloom.analysis.boundaries import ALL_PAIRS, Boundary, boundaries
from crowdloom.analysis.coefficients import inferred
from crowdloom.analysis.figure_style import (
    BLUE,
    INK,
    LABEL,
    NOTE,
    RED,
    RULE,
    WIDTH,
    NothingToDrawError,
    dots,
    finish,
    legend_above,
    medians,
    one_axes,
    plain,
    shortened,
    text_width,
)
from crowdloom.analysis.measures import spread_by
from crowdloom.analysis.mixing import oriented

MOST_PAIRS = 60
"""So many boundaries are drawn at most: those with the most answers."""

_ACROSS = 5
_TITLE = 4.5  # font size in points
_LINE = np.linspace(0, 1, 201)


def boundary_figure(responses: pd.DataFrame) -> Figure:
    """The boundary of one pair of classes (figure 4.4): of those fitted, the one that bends farthest from the line.

    Answers with median and quartiles by lambda_f, both as shares of the pair's first class; the fitted function
    and the line on which both are the same. Raises NothingToDrawError where no pair's boundary can be fitted.
    """
    fitted = [found for found in boundaries(responses) if found.slope is not None and found.pair != ALL_PAIRS]
    if not fitted:
        raise NothingToDrawError("no pair of classes has answers that a boundary can be fitted to")
    chosen = max(fitted, key=lambda found: float(np.abs(found.at(_LINE) - _LINE).mean()))
    figure, axes = one_axes(3.0)
    answers = _answers(responses, chosen.pair)
    axes.plot([0, 1], [0, 1], color=RED, lw=1.2, zorder=2, label="no deviation")
    dots(axes, answers["f"], answers["h"])
    medians(axes, spread_by(answers, "h", "f"))
    axes.plot(_LINE, chosen.at(_LINE), color=BLUE, lw=1.8, zorder=3, label="fitted boundary")
    first = plain(shortened(answers["first"].iloc[0], 0.9, LABEL, bold=False))
    finish(axes, rf"share of {first} in the mix, $\lambda_f$", rf"inferred share of {first}, $\lambda_h$")
    pair = plain(shortened(chosen.pair, 2.6, NOTE, bold=False))
    axes.text(
        0.03, 0.97, f"{pair}\n$k$ = {chosen.slope:.1f}, $m$ = {chosen.midpoint:.2f}, $n$ = {chosen.n}",
        transform=axes.transAxes, va="top", size=NOTE, color=INK, linespacing=1.4,
    )  # fmt: skip
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.03, 1.03)
    legend_above(axes, 2)
    return figure


def boundaries_figure(responses: pd.DataFrame) -> Figure:
    """Every pair's boundary as a small figure; of more than `MOST_PAIRS` those with the most answers.

    A pair whose boundary cannot be fitted shows its answers alone. Raises NothingToDrawError where nobody inferred a
    coefficient.
    """
    found = [boundary for boundary in boundaries(responses) if boundary.pair != ALL_PAIRS]
    if not found:
        raise NothingToDrawError("nobody was asked to infer a mixing coefficient")
    ranked = sorted(found, key=lambda boundary: -boundary.n)[:MOST_PAIRS]
    shown = [boundary for boundary in found if boundary in ranked]
    across = min(_ACROSS, len(shown))
    down = ceil(len(shown) / across)
    left, bottom, top, gap, name = 0.36, 0.33, 0.05, 0.07, 0.13  # inches
    if len(shown) < len(found):
        top += 0.14
    cell = (WIDTH - left - 0.05 - (across - 1) * gap) / across
    tall = min(cell, 1.2)
    height = bottom + top + down * (tall + name)
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    for number, boundary in enumerate(shown):
        row, column = divmod(number, across)
        x, y = left + column * (cell + gap), top + name + row * (tall + name)
        axes = figure.add_axes((x / WIDTH, 1 - (y + tall) / height, cell / WIDTH, tall / height))
        answers = _answers(responses, boundary.pair)
        _small(axes, boundary, answers)
        axes.set_title(
            _title(answers["first"].iloc[0], answers["second"].iloc[0], cell), size=_TITLE, color=INK, pad=1.5
        )
        axes.set_xticks([0, 0.5, 1], ["0", ".5", "1"] if number + across >= len(shown) else [])
        axes.set_yticks([0, 0.5, 1], ["0", ".5", "1"] if column == 0 else [])
    middle = (left + WIDTH - 0.05) / 2 / WIDTH
    figure.text(
        middle, 0.05 / height, r"share of the first class in the mix, $\lambda_f$", size=NOTE, ha="center", color=INK
    )
    figure.text(
        0.03 / WIDTH,
        0.5 + (bottom - top) / 2 / height,
        r"inferred share, $\lambda_h$",
        size=NOTE,
        va="center",
        rotation=90,
        color=INK,
    )
    if len(shown) < len(found):
        note = f"the {len(shown)} of {len(found):,} pairs with the most answers"
        figure.text(middle, 1 - 0.03 / height, note, size=NOTE, ha="center", va="top", color=INK)
    return figure


def _answers(responses: pd.DataFrame, pair: str) -> pd.DataFrame:
    some = inferred(responses)
    some = some[some["pair"] == pair]
    straight = ~some["swapped"].astype(bool)
    return pd.DataFrame(
        {
            "first": some["endpoint1"].where(straight, some["endpoint2"]).to_numpy(),
            "second": some["endpoint2"].where(straight, some["endpoint1"]).to_numpy(),
            "f": oriented(some, "lambda_f"),
            "h": oriented(some, "lambda_h"),
        }
    )


def _title(first: str, second: str, room: float) -> str:
    """The pair's name, the longer class shortened where it is wider than `room` inches."""
    names = [first, second]
    longer = int(len(second) > len(first))
    rest = text_width(f"{names[1 - longer]}–", _TITLE, bold=False)
    names[longer] = shortened(names[longer], room - rest, _TITLE, bold=False)
    return plain(shortened("–".join(names), room, _TITLE, bold=False))


def _small(axes: Axes, boundary: Boundary, answers: pd.DataFrame) -> None:
    axes.plot([0, 1], [0, 1], color=RED, lw=0.6, zorder=2)
    axes.scatter(answers["f"], answers["h"], s=2.5, color=BLUE, lw=0, alpha=0.35, zorder=1, rasterized=True)
    if boundary.slope is not None:
        axes.plot(_LINE, boundary.at(_LINE), color=BLUE, lw=1.0, zorder=3)
    axes.set_xlim(-0.05, 1.05)
    axes.set_ylim(-0.05, 1.05)
    axes.tick_params(labelsize=_TITLE, colors=INK, width=0.4, length=1.2, pad=1)
    axes.spines[:].set(color=RULE, linewidth=0.5)
