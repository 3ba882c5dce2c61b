"""Digits as somebody may write them, for simulated people whom no server gives drawings."""

from __future__ import annotations

import random
from functools import lru_cache
from itertools import pairwise
from math import sqrt

from crowdloom.tasks.coach_records import Stroke, Strokes

Way = list[tuple[float, float]]
"""Points (x, y) of a stroke, in canvas widths."""

PACE = 1.2
"""Canvas widths a second, at which the pen moves."""
LIFTED_MS = 150.0
"""From lifting the pen to putting it down again."""
_PARTS = 4  # of each piece between two of the points below
_CORNERS = 5  # of the shape of a class that is no digit

# In hundredths of the canvas, in the order of writing. A point that stands there twice is a corner.
_DIGITS = {
    "0": ["58,18 38,22 28,46 32,72 50,84 68,74 72,46 64,22 56,18"],
    "1": ["58,16 54,50 50,84"],
    "2": ["30,32 38,20 54,17 68,26 68,40 56,58 40,72 28,84 28,84 50,82 74,83"],
    "3": ["32,22 50,16 66,24 64,38 47,47 47,47 66,56 69,72 52,84 30,78"],
    "4": ["38,18 32,40 28,56 28,56 50,56 74,54", "60,20 59,52 57,84"],
    "5": ["70,18 52,18 37,18 37,18 35,32 33,46 33,46 50,42 67,51 69,68 54,83 32,80"],
    "6": ["63,16 44,32 33,56 35,76 52,84 67,74 63,57 48,53 35,65"],
    "7": ["28,20 50,18 72,18 72,18 60,42 51,64 46,84"],
    "8": ["52,48 34,36 38,20 56,16 68,26 60,42 40,56 34,72 48,84 66,78 67,62 52,48"],
    "9": ["67,34 60,19 43,19 34,33 42,47 58,45 67,34 67,34 66,60 62,84"],
}


@lru_cache(maxsize=100)
def written_shape(class_: str) -> tuple[tuple[tuple[float, float], ...], ...]:
    """The way of the pen for a class, as points (x, y) in canvas widths for each stroke.

    A class that is no digit has a shape of its own, always the same.

    >>> [len(stroke) for stroke in written_shape("4")]
    [17, 9]
    """
    if class_ in _DIGITS:
        written = [[tuple(map(int, point.split(","))) for point in stroke.split()] for stroke in _DIGITS[class_]]
    else:
        rng = random.Random(f"shape {class_}")  # noqa: S311 - the same for everybody
        written = [[(rng.randint(20, 80), rng.randint(20, 80)) for _ in range(_CORNERS)]]
    return tuple(tuple((x / 100, y / 100) for x, y in _rounded(stroke)) for stroke in written)


def timed(ways: list[Way], begins_ms: float, pace: float = PACE) -> Strokes:
    """Ways of the pen with times: the first point at `begins_ms`, then at `pace` canvas widths a second.

    >>> timed([[(0.2, 0.2), (0.2, 0.8)], [(0.5, 0.5)]], 1000.0)
    [[(0.2, 0.2, 1000.0), (0.2, 0.8, 1500.0)], [(0.5, 0.5, 1650.0)]]
    """
    made: Strokes = []
    at = begins_ms
    for way in ways:
        stroke: Stroke = [(way[0][0], way[0][1], round(at, 1))]
        for (x, y), (u, v) in pairwise(way):
            at += 1000 * sqrt((u - x) ** 2 + (v - y) ** 2) / pace
            stroke.append((u, v, round(at, 1)))
        made.append(stroke)
        at += LIFTED_MS
    return made


def _rounded(points: list[tuple[int, ...]]) -> list[tuple[float, float]]:
    """A smooth way through the points (E. Catmull and R. Rom 1974), but for corners."""
    way = [(float(points[0][0]), float(points[0][1]))]
    for at, (here, there) in enumerate(pairwise(points)):
        if here == there:
            continue
        before, after = points[max(at - 1, 0)], points[min(at + 2, len(points) - 1)]
        for part in range(1, _PARTS + 1):
            t = part / _PARTS
            x, y = (
                b + t * ((c - a) + t * ((2 * a - 5 * b + 4 * c - d) + t * (3 * b - 3 * c + d - a))) / 2
                for a, b, c, d in zip(before, here, there, after, strict=True)
            )
            way.append((x, y))
    return way
