"""The figure of perceived midpoints."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from crowdloom.analysis.figure_style import (
    INK,
    NOTE,
    RED,
    SERIES,
    NothingToDrawError,
    finish,
    legend_above,
    one_axes,
    tick_text,
)
from crowdloom.analysis.midpoints import HALF, midpoints


def midpoint_figure(responses: pd.DataFrame) -> Figure:
    """How often each mix is taken for half and half, by the mix that a construction began with where that is known.

    Each series' bars sum to 100 %; triangles below the axis are the series' means. Raises NothingToDrawError where
    nobody was asked.
    """
    answers = midpoints(responses)
    if not len(answers):
        raise NothingToDrawError("nobody was asked for a midpoint")
    starts = np.unique(answers["start"].dropna().to_numpy(dtype=np.float64))
    series = [(f"begun at {tick_text(at)}", answers.loc[answers["start"] == at, "midpoint"]) for at in starts]
    rest = answers.loc[answers["start"].isna(), "midpoint"]
    if len(rest):
        series.insert(0, ("chosen" if series else "", rest))
    if len(series) > len(SERIES):
        series = [("", answers["midpoint"])]
    figure, axes = one_axes(2.3)
    mixes = np.unique(answers["midpoint"])
    step = min(0.1, float(np.diff(mixes).min(initial=0.1)))
    width = 0.8 * step / len(series)
    for number, ((name, values), colour) in enumerate(zip(series, SERIES, strict=False)):
        shares = np.array([(values == mix).mean() for mix in mixes])
        where = mixes + (number - (len(series) - 1) / 2) * width
        called = f"{name} ($n$ = {len(values):,})".strip()
        axes.bar(where, shares, width=width, color=colour, lw=0, zorder=2, label=called)
        axes.plot(
            values.mean(), -0.03, marker="^", ms=5, color=colour, mec=INK, mew=0.4, zorder=5, clip_on=False,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    axes.axvline(HALF, color=RED, lw=1.0, zorder=3)
    finish(axes, r"$\lambda_f$ of the mix taken for half and half (triangle: mean)", "share of answers")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.tick_params(axis="x", pad=6)
    axes.set_xlim(-0.06, 1.06)
    axes.set_xticks(np.linspace(0, 1, 11).tolist(), [tick_text(round(tick, 1)) for tick in np.linspace(0, 1, 11)])
    if len(series) > 1:
        legend_above(axes, min(len(series), 2) if len(series) != 3 else 3)
    else:
        axes.text(
            0.98, 0.97, f"$n$ = {len(answers):,}", transform=axes.transAxes, ha="right", va="top", size=NOTE, color=INK
        )
    return figure
