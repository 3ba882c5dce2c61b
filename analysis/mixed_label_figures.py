"""Figures of soft labels of mixed images; `masses` are those of `analysis.mixed_labels.endpoint_masses`."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from crowdloom.analysis.figure_style import (
    INK,
    NOTE,
    RED,
    NothingToDrawError,
    coefficient_ticks,
    dots,
    finish,
    legend_above,
    means,
    one_axes,
)
from crowdloom.analysis.measures import spread_by
from crowdloom.analysis.mixed_labels import elsewhere_by_coefficient, endpoint_points, mass_correlations

_NOTHING = "no mixed item with a coefficient has a label"


def endpoint_mass_figure(masses: pd.DataFrame) -> Figure:
    """The mass on each endpoint against its share of the mix, two points a response, with mean and standard error.

    The red line is the label of mixup. Raises NothingToDrawError where there is nothing to draw.
    """
    points = endpoint_points(masses).dropna()
    if not len(points):
        raise NothingToDrawError(_NOTHING)
    found = spread_by(points, "mass", "coefficient")
    figure, axes = one_axes(3.0)
    axes.plot([0, 1], [0, 1], color=RED, lw=1.2, zorder=2, label="mixup")
    dots(axes, points["coefficient"], points["mass"])
    means(axes, found)
    finish(axes, "share of the endpoint in the mix", "mass on the endpoint")
    r = mass_correlations(masses)["both endpoints"]
    if r is not None:
        axes.text(0.03, 0.97, f"$r$ = {r:.2f}", transform=axes.transAxes, va="top", size=NOTE, color=INK)
    coefficient_ticks(axes, found.index.to_numpy())
    axes.set_ylim(-0.03, 1.03)
    legend_above(axes, 3)
    return figure


def elsewhere_figure(masses: pd.DataFrame) -> Figure:
    """The mass on classes that were not mixed in by lambda_f: responses, mean and standard error.

    Raises NothingToDrawError where there is nothing to draw.
    """
    found = elsewhere_by_coefficient(masses)
    if not len(found):
        raise NothingToDrawError(_NOTHING)
    figure, axes = one_axes(2.4)
    dots(axes, masses["lambda_f"], masses["elsewhere"])
    means(axes, found)
    mean = float(masses["elsewhere"].mean())
    axes.axhline(mean, color=INK, lw=0.8, ls=(0, (3, 2)), zorder=2, label=f"mean of all, {mean:.2f}")
    finish(axes, r"generating coefficient $\lambda_f$", "mass on other classes")
    coefficient_ticks(axes, found.index.to_numpy())
    axes.set_ylim(-0.03, 1.03)
    legend_above(axes, 3)
    return figure
