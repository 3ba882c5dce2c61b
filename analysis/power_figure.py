"""The figure of power over the size of a study, with what each size costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator, PercentFormatter

from crowdloom.analysis.figure_style import (
    INK,
    MARKERS,
    NOTE,
    ORANGE,
    RULE,
    SERIES,
    WIDTH,
    NothingToDrawError,
    finish,
    one_axes,
    text_width,
)
from crowdloom.analysis.power import Rate

_PLOT = 0.78  # the axes' share of the figure's width, about


class CurvePoint(NamedTuple):
    """A size of the study as the figure shows it."""

    number: int
    """On the x axis."""
    found: Rate
    false: Rate
    cost: str
    """As it is written, without its currency."""
    own: bool
    """Whether it is the design as it stands."""


def power_figure(
    curves: Mapping[str, Sequence[CurvePoint]], x: str, cost: str, alpha: float, targets: Iterable[float]
) -> Figure:
    """Power with its intervals over the numbers of each curve, and the false positives below.

    `x` names the numbers and `cost` the amounts, which stand on a second axis above; of several curves beside their
    points. The design as it stands has a ring. Raises NothingToDrawError without points.
    """
    points = [point for curve in curves.values() for point in curve]
    if not points:
        raise NothingToDrawError("there is no point of the curve; nothing can be drawn")
    figure, axes = one_axes(2.9)
    for target in targets:
        axes.axhline(target, color=RULE, lw=0.8, zorder=0)
    axes.axhline(alpha, color=RULE, lw=0.8, ls=(0, (3, 2)), zorder=0)
    several = len(curves) > 1
    for (name, curve), colour, marker in zip(curves.items(), _cycled(SERIES), _cycled(MARKERS), strict=False):
        found = [point.found for point in curve]
        _draw(axes, curve, found, colour, marker, name if several else "power, 95 % interval", "-")
        if several:
            _costs_beside(axes, curve, colour)
    for name, curve in curves.items():
        if any(point.own for point in curve):
            said = f"found without an effect, {name}" if several else "found without an effect"
            _draw(axes, curve, [point.false for point in curve], INK if several else ORANGE, "x", said, ":")
    own = [point for point in points if point.own]
    where = [point.number for point in own], [point.found.share for point in own]
    axes.plot(*where, ls="none", marker="o", ms=10, mfc="none", mec=INK, mew=1.0, zorder=5, label="the design")
    axes.set_ylim(-0.03, 1.05)
    axes.yaxis.set_major_locator(MultipleLocator(0.2))
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    axes.margins(x=0.1 if several else 0.08)
    finish(axes, f"{x}\nbeside the points: {cost}" if several else x, "studies that find a difference")
    if not several:
        _costs_above(axes, points, cost)
    handles, labels = axes.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda number: labels[number] == "the design")
    figure.legend(
        [handles[number] for number in order],
        [labels[number] for number in order],
        loc="outside upper center",
        ncols=2 if several else 3,
        fontsize=NOTE,
        frameon=False,
        labelcolor=INK,
        columnspacing=1.2,
        handlelength=1.8,
    )
    return figure


def _cycled(values: Sequence[str]) -> list[str]:
    return [*values] * 4


def _draw(
    axes: Axes, curve: Sequence[CurvePoint], rates: Sequence[Rate], colour: str, marker: str, label: str, line: str
) -> None:
    below = [max(rate.share - rate.low, 0.0) for rate in rates]  # matplotlib refuses what rounding makes negative
    above = [max(rate.high - rate.share, 0.0) for rate in rates]
    axes.errorbar(
        [point.number for point in curve],
        [rate.share for rate in rates],
        yerr=[below, above],
        color=colour,
        ls=line,
        lw=1.2,
        marker=marker,
        ms=4,
        capsize=2,
        elinewidth=0.9,
        zorder=3,
        label=label,
    )


def _costs_above(axes: Axes, points: Sequence[CurvePoint], cost: str) -> None:
    """A second axis with the cost of each point, of which some go unsaid where they would run into each other."""
    above = axes.secondary_xaxis("top")
    numbers = [point.number for point in points]
    reach = (max(numbers) - min(numbers)) * 1.16 or 1
    said: list[CurvePoint] = []
    for point in sorted(points, key=lambda point: (not point.own, point.number)):
        room = [
            abs(point.number - other.number) / reach * WIDTH * _PLOT - _half(point) - _half(other) for other in said
        ]
        if min(room, default=1) > 0.04:
            said.append(point)
    above.set_xticks([point.number for point in said], [point.cost for point in said])
    above.set_xlabel(cost, size=NOTE, color=INK)
    above.tick_params(labelsize=NOTE, colors=INK, width=0.6, length=2.5)
    above.spines["top"].set(color=INK, linewidth=0.6)


def _half(point: CurvePoint) -> float:
    return text_width(point.cost, NOTE, bold=False) / 2


def _costs_beside(axes: Axes, curve: Sequence[CurvePoint], colour: str) -> None:
    for point in curve:
        axes.annotate(
            point.cost,
            (point.number, point.found.share),
            xytext=(4, -8),
            textcoords="offset points",
            size=5.5,
            color=colour,
            zorder=4,
        )
