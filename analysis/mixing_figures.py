"""Figures of inferred mixing coefficients and of the confidence in them; `responses` are those of `analysis.mixing`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from crowdloom.analysis.coefficients import by_coefficient, inferred
from crowdloom.analysis.confidence import (
    BOTH_HIGH,
    BOTH_LOW,
    GROUPS,
    HIGH,
    LOW,
    by_entropy,
    confidence_by_coefficient,
    grouped,
)
from crowdloom.analysis.figure_style import (
    BLUE,
    INK,
    ORANGE,
    RED,
    RULE,
    TICK,
    NothingToDrawError,
    coefficient_ticks,
    dots,
    faintness,
    finish,
    jitter,
    legend_above,
    means,
    medians,
    one_axes,
)


def inferred_figure(responses: pd.DataFrame) -> Figure:
    """All lambda_h against lambda_f, with median and quartiles, and the line on which both are the same (figure 4.2).

    Raises NothingToDrawError where nobody inferred a coefficient.
    """
    answers, found = inferred(responses), by_coefficient(responses)
    _demand(len(answers), "nobody was asked to infer a mixing coefficient")
    figure, axes = one_axes(3.1)
    axes.plot([0, 1], [0, 1], color=RED, lw=1.2, zorder=2, label=r"$\lambda_h = \lambda_f$")
    dots(axes, answers["lambda_f"], answers["lambda_h"])
    medians(axes, found)
    finish(axes, r"generating coefficient $\lambda_f$", r"inferred coefficient $\lambda_h$")
    coefficient_ticks(axes, found.index.to_numpy())
    axes.set_ylim(-0.03, 1.03)
    legend_above(axes, 3)
    return figure


def confidence_figure(responses: pd.DataFrame) -> Figure:
    """Mean confidence with its standard error, and median, by lambda_f.

    Raises NothingToDrawError where there is none.
    """
    found = confidence_by_coefficient(responses)
    _demand(len(found), "nobody gave a confidence in an inferred coefficient")
    answers = inferred(responses)
    figure, axes = one_axes(2.4)
    dots(axes, answers["lambda_f"], answers["confidence"])
    means(axes, found)
    axes.plot(found.index, found["median"], ls="none", marker="_", ms=11, mew=1.6, color=INK, zorder=3, label="median")
    finish(axes, r"generating coefficient $\lambda_f$", "confidence")
    coefficient_ticks(axes, found.index.to_numpy())
    axes.set_ylim(-3, 103)
    axes.set_yticks(range(0, 101, 25))
    legend_above(axes, 3)
    return figure


def entropy_confidence_figure(responses: pd.DataFrame) -> Figure:
    """The confidence by the entropy of both endpoints, as boxes over the answers (figure 4.5).

    Raises NothingToDrawError where no entropies are known, or no confidence.
    """
    found = by_entropy(responses, "confidence")
    _demand(len(found), "no item that was answered with a confidence has the entropies of both its endpoints")
    answers = grouped(responses)
    figure, axes = one_axes(1.9)
    said = {BOTH_HIGH: f"both high\n$H \\geq {HIGH:g}$", BOTH_LOW: f"both low\n$H \\leq {LOW:g}$"}
    names = []
    for place, group in enumerate(GROUPS):
        values = answers.loc[answers["group"] == group, "confidence"].dropna().to_numpy(dtype=np.float64)
        names.append(f"{said.get(group, group)}\n$n$ = {len(values):,}")
        if not len(values):
            continue
        axes.scatter(
            values, jitter(np.full(len(values), place), 0.3), s=5, color=BLUE, lw=0, alpha=faintness(len(values)),
            rasterized=True, zorder=2,
        )  # fmt: skip
        axes.boxplot(
            values, positions=[place], widths=0.5, orientation="horizontal", showfliers=False, manage_ticks=False,
            medianprops={"color": ORANGE, "lw": 2.0}, boxprops={"color": INK, "lw": 0.9},
            whiskerprops={"color": INK, "lw": 0.9}, capprops={"color": INK, "lw": 0.9}, zorder=3,
        )  # fmt: skip
        axes.plot(found["mean"].loc[group], place, marker="D", ms=4, color=INK, mec="white", mew=0.6, zorder=4)
    finish(axes, "confidence (line: median, diamond: mean)", "")
    axes.set_yticks(range(len(GROUPS)), names, size=TICK)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(GROUPS) - 0.5, -0.5)
    axes.set_xlim(-2, 102)
    axes.set_xticks(range(0, 101, 25))
    axes.grid(axis="x", color=RULE, lw=0.4, zorder=0)
    return figure


def _demand(there: int, otherwise: str) -> None:
    if not there:
        raise NothingToDrawError(otherwise)
