"""How a simulated person changes what they wrote towards a proposal: they bend, leave out and add lines.

Lines are looked at in the picture, as strokes; what follows is ours. With a the share that is adopted:

    bent      each point moves by a of the way to the middle of the proposal's ink around it (ink counts squared, and by
              exp(-d^2 / 3) at d pixels), smoothed along the stroke
    left out  each stretch of a stroke where the proposal has hardly any ink goes with the chance a
    added     each line of the proposal where the picture has hardly any ink comes with the chance a
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import groupby, pairwise
from math import exp, sqrt

from crowdloom.tasks.coach_drawing import BOX, SMALLEST, WIDTH
from crowdloom.tasks.coach_records import SIDE
from crowdloom.tasks.coach_tracing import trace
from crowdloom.tasks.coach_written import Way

_STEP = 0.5  # pixels from point to point
_REACH = 3.0  # pixels that a line is bent at most in one go
_BENDS = 3
_SMOOTHED = 4  # points on each side
_BARE = 60  # of 255: a pixel of the picture with less ink has no line
_DARK = 110  # of 255: ink of the proposal that is taken for a line
_FAINT = 70  # of 255: ink of the proposal that is taken for none
_SHORTEST = 4  # points of a stretch that is left out, or pixels of a line that is added


def adopting(ways: list[Way], picture: bytes, proposal: bytes, share: float, rng: random.Random) -> list[Way]:
    """What somebody writes after a proposal: their own drawing, changed as far as they adopt it.

    `ways` are the drawing, `picture` what the recogniser was given of it, `proposal` what the coach made of that. The
    result is a drawing on the canvas, as the picture shows it; it is never empty.

    >>> bar = [[(0.5, 0.2), (0.5, 0.8)]]
    >>> adopting(bar, bytes(784), bytes(784), 0.0, random.Random(1))[0][-1]
    (0.5, 0.8107)
    """
    made: list[Way] = []
    own = _in_picture(ways)
    for way in own:
        bent = _bent(way, proposal)
        to = [(x + share * (u - x), y + share * (v - y)) for (x, y), (u, v) in zip(way, bent, strict=True)]
        faint = [_ink(proposal, x, y) < _FAINT for x, y in bent]
        made += _kept(to, faint, lambda: rng.random() < share)
    for line in _missing(picture, proposal):
        if rng.random() < share:
            made.append(line)
    return [[(_within(x), _within(y)) for x, y in way] for way in made or own]


def _in_picture(ways: list[Way]) -> list[Way]:
    """The drawing as `coach_drawing.render` places it, in pixels, with points at equal distances."""
    xs, ys = ([point[axis] for way in ways for point in way] for axis in (0, 1))
    scale = (BOX - WIDTH) / max(max(xs) - min(xs), max(ys) - min(ys), SMALLEST)
    dense = [_spaced([(x * scale, y * scale) for x, y in way]) for way in ways]
    points = [point for way in dense for point in way]
    right, down = (SIDE / 2 - sum(point[axis] for point in points) / len(points) for axis in (0, 1))
    return [[(x + right, y + down) for x, y in way] for way in dense]


def _spaced(way: Way) -> Way:
    made = way[:1]
    for (x, y), (u, v) in pairwise(way):
        number = max(int(sqrt((u - x) ** 2 + (v - y) ** 2) / _STEP), 1)
        made += [(x + (u - x) * part / number, y + (v - y) * part / number) for part in range(1, number + 1)]
    return made


def _bent(way: Way, proposal: bytes) -> Way:
    """Where the points come to lie if they follow the proposal's ink."""
    for _ in range(_BENDS):
        pulls = [_pull(proposal, x, y) for x, y in way]
        bent = []
        for at, (x, y) in enumerate(way):
            near = pulls[max(at - _SMOOTHED, 0) : at + _SMOOTHED + 1]
            right, down = (sum(pull[axis] for pull in near) / len(near) for axis in (0, 1))
            bent.append((x + right, y + down))
        way = bent
    return way


def _pull(picture: bytes, x: float, y: float) -> tuple[float, float]:
    """From a point to the middle of the ink around it; nowhere where there is none."""
    right = down = total = 0.0
    for row in range(max(int(y - _REACH), 0), min(int(y + _REACH) + 1, SIDE)):
        for column in range(max(int(x - _REACH), 0), min(int(x + _REACH) + 1, SIDE)):
            if ink := picture[row * SIDE + column]:
                dx, dy = column + 0.5 - x, row + 0.5 - y
                weight = ink * ink * exp(-(dx * dx + dy * dy) / 3)
                right, down, total = right + weight * dx, down + weight * dy, total + weight
    return (right / total, down / total) if total > _BARE**2 / 4 else (0.0, 0.0)


def _ink(picture: bytes, x: float, y: float) -> int:
    column, row = (min(max(int(at), 0), SIDE - 1) for at in (x, y))
    return picture[row * SIDE + column]


def _kept(way: Way, faint: list[bool], leaves_out: Callable[[], bool]) -> list[Way]:
    """The stroke in the parts that are left of it."""
    parts: list[Way] = [[]]
    at = 0
    for is_faint, run in groupby(faint):
        length = len(list(run))
        if is_faint and length >= _SHORTEST and leaves_out():
            parts.append([])
        else:
            parts[-1] += way[at : at + length]
        at += length
    return [part for part in parts if len(part) > 1 or (part and len(way) == 1)]


def _missing(picture: bytes, proposal: bytes) -> list[Way]:
    """The proposal's lines where the picture has none, in pixels."""
    lines = bytes(255 if here < _BARE and wanted > _DARK else 0 for here, wanted in zip(picture, proposal, strict=True))
    found = [[(x * SIDE, y * SIDE) for x, y, _ in stroke] for stroke in trace(lines)]
    return [line for line in found if len(line) >= _SHORTEST]


def _within(pixels: float) -> float:
    return round(min(max(pixels / SIDE, 0.0), 1.0), 4)
