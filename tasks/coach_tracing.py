"""Strokes that could have drawn a picture: its lines are thinned, followed and smoothed.

Source of the thinning: T. Y. Zhang, C. Y. Suen, A fast parallel algorithm for thinning digital patterns,
Communications of the ACM 27(3), 1984.
"""

from __future__ import annotations

from math import sqrt

from crowdloom.tasks.coach_records import MOST_STROKES, SIDE, Strokes

SPEED = 1.5
"""Canvas widths a second, at which the pen moves on the canvas and above it."""
LIFTED_MS = 120.0
"""What lifting the pen and putting it down takes beside the way."""

_FINE = 3  # of this many dots a pixel is wide, so that narrow holes stay open
_DOTS = SIDE * _FINE
_INK = 0.5  # a dot that has more than this share of full ink belongs to a line
_SPUR = 6  # dots: a side branch that is shorter comes from the edge of a thick line
_SPECK = 18  # dots: what is smaller and by itself comes from the scanner
_SMOOTHINGS = 8
_APART = 0.7  # pixels between two points of a stroke
_AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))  # clockwise from above

Dot = tuple[int, int]
"""Row and column, counted in dots."""
Lines = dict[Dot, set[Dot]]
"""Dots in a line, and those that they are joined to."""


def trace(picture: bytes) -> Strokes:
    """Strokes for a picture of 28 x 28 bytes, such that `coach_drawing.render` of them is close to it.

    The picture is taken for the whole canvas. The longest strokes that go on smoothly are found, from above; times are
    those of a pen with constant speed. No strokes for a picture without lines.

    >>> bar = bytes(255 if 4 <= row < 24 and 13 <= column < 16 else 0 for row in range(28) for column in range(28))
    >>> [stroke] = trace(bar)
    >>> round(stroke[0][0], 2), stroke[0][1] < 0.25, stroke[-1][1] > 0.75
    (0.52, True, True)
    """
    ways = _followed(_pruned(_joined(_thinned(_without_specks(_dots(picture))))))
    ways = sorted(sorted(ways, key=len, reverse=True)[:MOST_STROKES], key=ways.index)
    return _timed([_spaced(_smoothed(way)) for way in ways])


def _dots(picture: bytes) -> set[Dot]:
    """The dots that belong to lines, where the ink between the middles of pixels is interpolated."""

    def parts(at: int) -> tuple[int, int, float]:
        place = min(max((at + 0.5) / _FINE - 0.5, 0.0), SIDE - 1.0)
        return int(place), min(int(place) + 1, SIDE - 1), place - int(place)

    along = [parts(at) for at in range(_DOTS)]
    dots = set()
    for row, (above, below, down) in enumerate(along):
        upper, lower = picture[above * SIDE :], picture[below * SIDE :]
        line = [upper[at] * (1 - down) + lower[at] * down for at in range(SIDE)]
        dots |= {
            (row, column)
            for column, (left, right, by) in enumerate(along)
            if line[left] * (1 - by) + line[right] * by > 255 * _INK
        }
    return dots


def _without_specks(dots: set[Dot]) -> set[Dot]:
    """The dots that are many together; all of them where none are."""
    left, large = set(dots), set()
    while left:
        piece = [left.pop()]
        for row, column in piece:
            beside = {(row + down, column + right) for down, right in _AROUND} & left
            left -= beside
            piece += beside
        if len(piece) >= _SPECK:
            large.update(piece)
    return large or dots


def _thinned(dots: set[Dot]) -> set[Dot]:
    """Lines one dot wide (Zhang and Suen's two conditions in turn, then the corners of stairs)."""
    dots = set(dots)
    while True:
        before = len(dots)
        for first, second in (((0, 2, 4), (2, 4, 6)), ((0, 2, 6), (0, 4, 6))):
            gone = set()
            for dot in dots:
                around = _around(dot, dots)
                if not 2 <= sum(around) <= 6 or all(around[at] for at in first) or all(around[at] for at in second):
                    continue
                if sum(not here and after for here, after in zip(around, around[1:] + around[:1], strict=True)) == 1:
                    gone.add(dot)
            dots -= gone
        if len(dots) == before:
            break
    for dot in sorted(dots):
        around = _around(dot, dots)
        if sum(around) > 1 and _connections(around) == 1:
            dots.discard(dot)
    return dots


def _around(dot: Dot, dots: set[Dot]) -> list[bool]:
    row, column = dot
    return [(row + down, column + right) in dots for down, right in _AROUND]


def _connections(around: list[bool]) -> int:
    """How many separate lines meet in a dot with these neighbours (Yokoi's number, lines joined over corners)."""
    free = [not one for one in around]
    return sum(free[at] and not (free[at + 1] and free[(at + 2) % 8]) for at in (0, 2, 4, 6))


def _joined(dots: set[Dot]) -> Lines:
    """The dots with those next to them; over a corner only where no way around it is as short."""
    lines: Lines = {}
    for row, column in sorted(dots):
        lines[row, column] = {
            (row + down, column + right)
            for down, right in _AROUND
            if (row + down, column + right) in dots
            and not (down and right and ((row + down, column) in dots or (row, column + right) in dots))
        }
    return lines


def _pruned(lines: Lines) -> Lines:
    """Without the short side branches."""
    for end in [dot for dot, joined in lines.items() if len(joined) == 1]:
        way = [end]
        while len(way) <= _SPUR and len(lines[way[-1]] - set(way)) == 1 and len(lines[way[-1]]) <= 2:
            way += lines[way[-1]] - set(way)
        if len(way) <= _SPUR and len(lines[way[-1]]) > 2:
            for dot in way[:-1]:
                for other in lines.pop(dot):
                    if other in lines:
                        lines[other].discard(dot)
    return lines


def _followed(lines: Lines) -> list[list[Dot]]:
    """The lines in as few strokes as go on smoothly; what lies above comes first."""
    left = {dot: set(joined) for dot, joined in lines.items()}
    ways = [[dot] for dot, joined in left.items() if not joined]
    while any(left.values()):
        ends = [dot for dot, joined in left.items() if len(joined) % 2]
        # From an end, or where lines only run round, from the top.
        way = [min(ends or [dot for dot, joined in left.items() if joined], key=lambda dot: (len(left[dot]) > 1, dot))]
        while left[way[-1]]:
            here = way[-1]
            there = min(sorted(left[here]), key=lambda dot: _turning(way, dot))
            left[here].discard(there)
            left[there].discard(here)
            way.append(there)
        ways.append(way)
    return sorted(ways, key=lambda way: way[0])


def _turning(way: list[Dot], to: Dot) -> float:
    """How far going `to` leaves the direction of the last few dots: 0 straight on, 2 back."""
    here, before = way[-1], way[max(len(way) - 5, 0)]
    a, b = here[0] - before[0], here[1] - before[1]
    c, d = to[0] - here[0], to[1] - here[1]
    lengths = sqrt((a * a + b * b) * (c * c + d * d))
    return 1 - (a * c + b * d) / lengths if lengths else 0.0


def _smoothed(way: list[Dot]) -> list[tuple[float, float]]:
    """The dots' way as points (x, y) in pixels, without the dots' stairs; its ends stay."""
    points = [((column + 0.5) / _FINE, (row + 0.5) / _FINE) for row, column in way]
    for _ in range(_SMOOTHINGS):
        points[1:-1] = [
            ((u + 2 * x + a) / 4, (v + 2 * y + b) / 4)
            for (u, v), (x, y), (a, b) in zip(points, points[1:], points[2:], strict=False)
        ]
    return points


def _spaced(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The first and last point, and those between that are at least so far apart."""
    kept = points[:1]
    for point in points[1:-1]:
        if _far(kept[-1], point) >= _APART:
            kept.append(point)
    return kept + points[1:][-1:]


def _far(one: tuple[float, float], other: tuple[float, float]) -> float:
    return sqrt((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2)


def _timed(ways: list[list[tuple[float, float]]]) -> Strokes:
    """Ways in pixels as strokes on the canvas, with the times of a pen of constant speed."""
    strokes: Strokes = []
    ms, at = 0.0, None
    for way in ways:
        stroke = []
        if at is not None:
            ms += LIFTED_MS
        for point in way:
            ms += 1000 * _far(at or point, point) / SIDE / SPEED
            stroke.append((round(point[0] / SIDE, 4), round(point[1] / SIDE, 4), float(round(ms))))
            at = point
        strokes.append(stroke)
    return strokes
