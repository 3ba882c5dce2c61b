"""How classes of a latent space look: a colour and a shape each, the same in drawings as on the participants' page.

The colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), their black a grey, for black borders mean a
mistake. No pair of both comes twice among the first 56 classes. `templates/static/latent/palette.js` has the same for
the page; a test compares them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """How a class looks. `edge` is a dark tone of `fill`, with a contrast to white of at least 4.5."""

    fill: str
    edge: str
    shape: str


COLOURS = (
    ("#0072b2", "#005a8e"),
    ("#e69f00", "#8a5f00"),
    ("#009e73", "#00724f"),
    ("#cc79a7", "#a14379"),
    ("#f0e442", "#7a7100"),
    ("#56b4e9", "#1b75a8"),
    ("#d55e00", "#a84900"),
    ("#6b6f76", "#4b4e54"),
)
SHAPES = ("circle", "square", "triangle", "diamond", "star", "down", "hexagon")

_OUTLINES = {
    "square": (4, 1.26, math.pi / 4, None),
    "triangle": (3, 1.5, -math.pi / 2, None),
    "diamond": (4, 1.36, 0.0, None),
    "down": (3, 1.5, math.pi / 2, None),
    "star": (5, 1.5, -math.pi / 2, 0.68),
    "hexagon": (6, 1.12, 0.0, None),
}
"""How many corners, how far from the middle, at which angle the first, and how far the inner ones between them."""


def look_of(number: int) -> Look:
    """How the class with this number, from 0, looks.

    >>> look_of(0).shape, look_of(1).shape, look_of(7).shape
    ('circle', 'square', 'circle')
    """
    return Look(*COLOURS[number % len(COLOURS)], SHAPES[number % len(SHAPES)])


def corners(shape: str) -> Sequence[tuple[float, float]]:
    """The corners of a shape around (0, 0), y downwards, of about the area of a circle of radius 1; none of a circle.

    >>> len(corners("star")), len(corners("circle"))
    (10, 0)
    """
    if shape not in _OUTLINES:
        return ()
    count, radius, turn, inner = _OUTLINES[shape]
    radii = (radius,) if inner is None else (radius, inner)
    total = count * len(radii)
    angles = [turn + 2 * math.pi * corner / total for corner in range(total)]
    return [
        (radii[corner % len(radii)] * math.cos(angle), radii[corner % len(radii)] * math.sin(angle))
        for corner, angle in enumerate(angles)
    ]
