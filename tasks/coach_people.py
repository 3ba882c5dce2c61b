"""How simulated people write: another's drawing distorted, and then written again.

The paper has no such people; what follows is ours. With s the strength of the distortion, and e drawn anew for each
drawing from a normal distribution of standard deviation 1 (cut off at 2):

    turned      by 0.35 s e
    slanted     x becomes x + 0.5 s e y
    stretched   x by exp(0.3 s e), y by exp(0.3 s e)
    wobbling    each point moves by waves of 1 to 2 turns along the drawing, 0.07 s high in canvas widths

Who is coached changes what they wrote towards the proposal, as `coach_adopting` says. Who is not coached writes the
same drawing again with another distortion, 1 - `practice` times as strong.
"""

from __future__ import annotations

import random
from math import cos, exp, pi, sin, sqrt

from pydantic import Field

from crowdloom.tasks.coach_records import Drawing, Strokes
from crowdloom.tasks.coach_written import PACE, Way, timed
from crowdloom.tasks.protocol import Settings

_DEVICES = ("mouse", "touch", "pen")
_MARGIN = 0.08  # of the canvas stays free on each side
_GOLDEN = (sqrt(5) - 1) / 2


class CoachBehaviour(Settings):
    """How far simulated people write from how others do, and what they make of proposals."""

    adopt: float = Field(default=0.6, ge=0, le=1)
    """The share of a proposed change that they make."""
    perturbation: float = Field(default=0.5, ge=0, le=1)
    """How strongly they distort what they write: 0 not at all; people differ, from half of it to one and a half."""
    practice: float = Field(default=0.1, ge=0, le=1)
    """By which share of it they distort less when they write again."""

    def of_person(self, number: int) -> CoachBehaviour:
        """How the person with this number behaves, from 0: their perturbation is their own.

        Over any people that follow each other the perturbations lie evenly (the golden section's multiples do).

        >>> [round(CoachBehaviour().of_person(number).perturbation, 2) for number in range(4)]
        [0.4, 0.71, 0.52, 0.33]
        """
        factor = 0.5 + (number + 0.5) * _GOLDEN % 1
        return self.model_copy(update={"perturbation": self.perturbation * factor})


def ways_of(strokes: Strokes) -> list[Way]:
    """The strokes without their times."""
    return [[(x, y) for x, y, _ in stroke] for stroke in strokes]


def distorted(ways: list[Way], strength: float, rng: random.Random) -> list[Way]:
    """The drawing as somebody with this strength of distortion writes it; it stays on the canvas.

    >>> distorted([[(0.3, 0.2), (0.6, 0.8)]], 0.0, random.Random(1))
    [[(0.35, 0.2), (0.65, 0.8)]]
    """

    def chance(size: float) -> float:
        return size * strength * min(max(rng.gauss(0, 1), -2), 2)

    turn, slant, wide, high = chance(0.35), chance(0.5), exp(chance(0.3)), exp(chance(0.3))
    waves = [(chance(0.07), 2 * pi * rng.uniform(1, 2), rng.uniform(0, 2 * pi)) for _ in range(2)]
    number = sum(map(len, ways))
    made, at = [], 0
    for way in ways:
        points = []
        for x, y in way:
            (a, f, p), (b, g, q) = waves
            u = (x - 0.5) * wide + a * sin(f * at / number + p)
            v = (y - 0.5) * high + b * sin(g * at / number + q)
            u += slant * v
            points.append((u * cos(turn) - v * sin(turn), u * sin(turn) + v * cos(turn)))
            at += 1
        made.append(points)
    return _on_canvas(made)


def blended(ways: list[Way], others: list[Way], share: float) -> list[Way]:
    """The points of `ways`, moved by this share of the way to those of `others`, which are as many."""
    return [
        [
            (round(x + share * (u - x), 4), round(y + share * (v - y), 4))
            for (x, y), (u, v) in zip(way, other, strict=True)
        ]
        for way, other in zip(ways, others, strict=True)
    ]


def scribble(rng: random.Random) -> list[Way]:
    """What somebody careless draws: a line to and fro."""
    return [[(rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9)) for _ in range(rng.randint(2, 5))]]


def drawn(ways: list[Way], rng: random.Random) -> Drawing:
    """The drawing of somebody who thinks for a while, writes at their own pace and presses the button."""
    strokes = timed(ways, 1000 * rng.uniform(0.5, 2.5), PACE * rng.uniform(0.6, 1.6))
    seconds = round(strokes[-1][-1][2] / 1000 + rng.uniform(0.4, 2), 2)
    return Drawing(strokes=strokes, device=rng.choice(_DEVICES), seconds=seconds)


def _on_canvas(ways: list[Way]) -> list[Way]:
    """The drawing in the middle of the canvas, made smaller where it is too large."""
    xs, ys = ([point[axis] for way in ways for point in way] for axis in (0, 1))
    wide = max(max(xs) - min(xs), max(ys) - min(ys))
    scale = min(1.0, (1 - 2 * _MARGIN) / wide) if wide else 1.0
    left, top = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    return [[(round(0.5 + scale * (x - left), 4), round(0.5 + scale * (y - top), 4)) for x, y in way] for way in ways]
