"""Sheets of pictures beside what coaches propose for them.

Figures 4 and 5 of J. Schneider, *Human-to-AI Coach* (IDA 2020): a column for each coach, two pictures abreast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.figure_style import INK, NOTE, RED, RULE, WIDTH, plain, shortened

_PICTURE, _UNDER, _GAP = 0.29, 0.09, 0.03  # inches
_LINE, _SIDE, _FOOT = 0.11, 0.17, 0.05
_SMALL = 5.0  # points
ABREAST = 2

Pictures = npt.NDArray[np.uint8]


class Column(NamedTuple):
    """What one coach made of the pictures."""

    heading: str
    """Lines are divided by line breaks; between $ and $ is mathematics."""
    pictures: Pictures
    """[n, 28, 28]."""
    read: Sequence[str]
    """[n]; the class that the recogniser reads."""


def sheet_rows(labels: npt.NDArray[np.int64], probabilities: Floats, most: int = 10) -> list[int]:
    """Positions of two pictures of each of the first `most` classes: one that is misread, then one that is read.

    `labels` int [n], `probabilities` [n, K] of the recogniser. Where none of a class is misread, the one that is read
    least surely is the first. Of those that are read it is the one in the middle, by how surely. Classes with fewer
    than two pictures are left out.

    >>> sure = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7], [0.1, 0.9]])
    >>> sheet_rows(np.array([0, 0, 0, 1, 1]), sure)
    [1, 0, 3, 4]
    """
    chosen = []
    for class_ in range(min(most, probabilities.shape[1])):
        of_class = np.flatnonzero(labels == class_)
        if len(of_class) < ABREAST:
            continue
        sure = probabilities[of_class, class_]
        lead = sure - np.delete(probabilities[of_class], class_, axis=1).max(axis=1)
        by_lead = of_class[np.argsort(lead, kind="stable")]
        misread = int((lead < 0).sum())
        first = by_lead[misread // 2] if misread else by_lead[0]
        read = by_lead[max(misread, 1) :]
        chosen += [int(first), int(read[len(read) // 2] if len(read) else by_lead[-1])]
    return chosen


def sheet_figure(columns: Sequence[Column], asked: Sequence[str], note: str) -> Figure:
    """Pictures of the classes `asked` [n], two in a row, as each column has them; below each what is read, if wrong.

    `note` is written at the foot.
    """
    rows = -(-len(asked) // ABREAST)
    lines = max(column.heading.count("\n") + 1 for column in columns)
    head = _LINE * lines + 0.05
    step = _PICTURE + _UNDER + _GAP
    notes = note.split("\n")
    height = head + rows * step + _LINE * len(notes) + 2 * _FOOT
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    group = (WIDTH - _SIDE) / len(columns)
    pad = (group - ABREAST * _PICTURE - (ABREAST - 1) * _GAP) / 2
    for number, column in enumerate(columns):
        left = _SIDE + number * group
        _write(axes, left + group / 2, 0.03, column.heading, NOTE - 0.5, bold=number == 0)
        for place, (picture, read, wanted) in enumerate(zip(column.pictures, column.read, asked, strict=True)):
            x = left + pad + (place % ABREAST) * (_PICTURE + _GAP)
            y = head + (place // ABREAST) * step
            _show(axes, picture, x, y)
            if read != wanted:
                wrong = plain(shortened(read, _PICTURE, _SMALL, bold=True))
                _write(axes, x + _PICTURE / 2, y + _PICTURE + 0.015, wrong, _SMALL, RED)
    for row in range(rows):
        name = plain(shortened(asked[ABREAST * row], _SIDE - 0.02, NOTE, bold=True))
        _write(axes, _SIDE / 2, head + row * step + _PICTURE / 2 - 0.045, name, NOTE, bold=True)
    _write(axes, 0.05, head + rows * step + _FOOT, plain(note), NOTE - 0.5, across="left")
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    return figure


def _show(axes: Axes, picture: Pictures, x: float, y: float) -> None:
    where = (x, x + _PICTURE, y + _PICTURE, y)
    axes.imshow(picture, cmap="Greys", vmin=0, vmax=255, extent=where, interpolation="nearest", aspect="auto")
    axes.plot(
        [x, x + _PICTURE, x + _PICTURE, x, x], [y, y, y + _PICTURE, y + _PICTURE, y], color=RULE, lw=0.3, zorder=3
    )


def _write(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    size: float,
    colour: str = INK,
    *,
    bold: bool = False,
    across: str = "center",
) -> None:
    weight = "bold" if bold or colour == RED else "normal"
    axes.text(x, y, text, size=size, color=colour, ha=across, va="top", weight=weight, linespacing=1.15)
