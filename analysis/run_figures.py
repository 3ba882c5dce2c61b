"""Figures of trained networks: metrics over the annotators, the time they took, or the images with soft labels.

Figures 3.5, 3.6 and B.3 of K. M. Collins (MPhil thesis, Cambridge, 2022). Panels: a row for each evaluation, a column
for each of the table's first three metrics; bars are 95 % intervals over seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from crowdloom.analysis.figure_style import (
    BLUE,
    GREEN,
    INK,
    LABEL,
    MARKERS,
    NOTE,
    PURPLE,
    RED,
    TICK,
    WIDTH,
    NothingToDrawError,
    finish,
    plain,
    shortened,
)
from crowdloom.analysis.run_metrics import metric_of
from crowdloom.analysis.run_tables import RunTable

_COLOURS = (BLUE, RED, GREEN, PURPLE, INK)
_LINES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1)))  # kinds differ in these and in their markers, not in colour alone
_TICKS = [a * 10**n for n in range(-1, 6) for a in (1, 3)]
MOST = 3
"""Metrics side by side."""


class Place(NamedTuple):
    """Where a row of the table stands in a figure: whose curve, and at which number."""

    kind: str
    """Of labels, as the legend calls it."""
    number: float
    """Of annotators, or of images."""


def annotation_time_figure(table: RunTable, places: Mapping[str, Place], seconds: Mapping[str, float]) -> Figure:
    """Figure 3.5: metrics over the estimated annotation time of an image, M * t seconds.

    `places` says for each row of the table its kind of labels and M, `seconds` how long an annotator of each kind takes
    for an image. Raises NothingToDrawError where no row has a mean.
    """
    timed = {row: Place(kind, number * seconds[kind]) for row, (kind, number) in places.items()}
    return _panels(table, timed, "annotation time of an image, M × t [s]", log=True)


def annotators_figure(table: RunTable, places: Mapping[str, Place]) -> Figure:
    """Figure B.3: metrics over M, the annotators of an image. Raises as `annotation_time_figure`."""
    return _panels(table, places, "annotators of an image, M", log=True)


def images_figure(table: RunTable, places: Mapping[str, Place]) -> Figure:
    """Figure 3.6: metrics over the number of images trained on. Raises as `annotation_time_figure`."""
    return _panels(table, places, "images trained on", log=False)


def _panels(table: RunTable, places: Mapping[str, Place], x: str, *, log: bool) -> Figure:
    metrics = list(table.metrics[:MOST])
    there = {key[0] for key, one in table.averages.items() if one.mean is not None and key[1] in places}
    evaluations = [name for name in table.evaluations if name in there]
    if not evaluations:
        raise NothingToDrawError("no row of the table is done; nothing can be drawn")
    figure = Figure(figsize=(WIDTH, 0.7 + 1.15 * len(evaluations)), facecolor="white", layout="constrained")
    grid = figure.subplots(len(evaluations), len(metrics), sharex=True, squeeze=False)
    for evaluation, line in zip(evaluations, grid, strict=True):
        for metric, axes in zip(metrics, line, strict=True):
            _curves(axes, table, (evaluation, metric), places)
        line[0].set_ylabel(shortened(plain(evaluation), 1.15, TICK, bold=False), size=TICK, color=INK)
    for metric, axes in zip(metrics, grid[0], strict=True):
        axes.set_title(metric_of(metric).heading, size=LABEL, color=INK, pad=4)
    if log:
        grid[0][0].set_xscale("log")
        grid[0][0].xaxis.set_major_locator(FixedLocator(_TICKS))
        grid[0][0].xaxis.set_minor_locator(NullLocator())
        grid[0][0].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        grid[0][0].xaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
    figure.supxlabel(x, size=LABEL, color=INK)
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, fontsize=TICK, frameon=False, labelcolor=INK)
    return figure


def _curves(axes: Axes, table: RunTable, where: tuple[str, str], places: Mapping[str, Place]) -> None:
    """The kinds' curves in one panel; where a row has no mean there is no point, and one seed gives no bar."""
    evaluation, metric = where
    kinds = dict.fromkeys(place.kind for place in places.values())
    for kind, colour, marker, line in zip(kinds, _COLOURS * 4, MARKERS * 4, _LINES * 4, strict=False):
        points = sorted(
            (place.number, one.mean, one.half or 0.0)
            for row, place in places.items()
            if place.kind == kind
            and (one := table.averages.get((evaluation, row, metric))) is not None
            and one.mean is not None
        )
        axes.errorbar(
            [number for number, _, _ in points],
            [mean for _, mean, _ in points],
            yerr=[half for _, _, half in points],
            color=colour,
            ls=line,
            lw=0.9,
            marker=marker,
            ms=3.2,
            mec="white",
            mew=0.3,
            capsize=1.5,
            elinewidth=0.8,
            label=plain(kind),
        )
    finish(axes, "", "")
    axes.tick_params(labelsize=NOTE, pad=1.5)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
