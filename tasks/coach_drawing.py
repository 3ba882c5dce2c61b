"""Drawings as the recogniser is given them, and what can be measured of drawings and pictures.

A picture is made as those of MNIST were: the drawing's ink fills a box of 20 x 20 pixels with its larger side, and its
centre of mass lies in the middle of 28 x 28 (Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning
applied to document recognition, Proceedings of the IEEE 86, 1998, section III.A).

Everywhere the same bytes come of the same strokes: numbers are only added, multiplied, divided and rounded down.
"""

from __future__ import annotations

from itertools import pairwise
from math import isqrt, sqrt

from crowdloom.tasks.coach_records import SIDE, Strokes

BOX = 20
"""Pixels of a drawing's larger side."""
WIDTH = 2.6
"""Pixels that a stroke is wide."""
SMALLEST = 0.08
"""Canvas widths: what is smaller than this is drawn smaller than the box, so that a dot stays one."""

_FINE = 8  # of this many parts is a pixel wide, so that a row of a pixel's parts is a byte
_ROW = SIDE * _FINE
_STEP = 3  # parts between two discs: the edge of a stroke is then a seventh of a part off at most
_LEVELS = bytes(255 * count // _FINE**2 for count in range(_FINE**2 + 1)).ljust(256, b"\xff")
_RADIUS = int(WIDTH * _FINE / 2)
_BITS = bytes(byte.bit_count() for byte in range(256))
_MIDDLE = (SIDE + 1) * _FINE // 2  # MNIST's centres of mass lie in the middle of pixel 14, counted from 0 (measured)


def render(strokes: Strokes) -> bytes:
    """The picture, 28 x 28 bytes by rows, 255 full ink, that the recogniser is given of a drawing.

    Strokes have round ends and the same width however large they were drawn. The centre of mass comes into the middle
    to a part of a pixel (MNIST moved by whole ones), as far as all ink stays in the picture. Raises ValueError where
    nothing is drawn.

    >>> dot = render([[(0.1, 0.9, 0.0)]])
    >>> dot[14 * 28 + 14], dot[0], dot == render([[(0.7, 0.2, 50.0)]])
    (255, 0, True)
    """
    fine = _thickened(_thin(strokes))
    down, right = _to_the_middle(fine)
    fine = _moved(fine, down, right)
    rows = fine.to_bytes(_ROW * SIDE, "big").translate(_BITS)  # a byte is how many of a pixel's parts in a row have ink
    picture = bytearray()
    for at in range(0, len(rows), _ROW):
        parts = [rows[at + SIDE * part : at + SIDE * (part + 1)] for part in range(_FINE)]
        picture += bytes(map(sum, zip(*parts, strict=True)))
    return bytes(picture.translate(_LEVELS))


def length(strokes: Strokes) -> float:
    """How long the pen's way on the canvas was, in canvas widths.

    >>> length([[(0.0, 0.0, 0.0), (0.3, 0.4, 10.0)], [(0.9, 0.9, 30.0)]])
    0.5
    """
    ways = (sqrt((x - u) ** 2 + (y - v) ** 2) for stroke in strokes for (u, v, _), (x, y, _) in pairwise(stroke))
    return sum(ways)


def drawing_seconds(strokes: Strokes) -> float:
    """From when the pen was first put down to when it was last lifted; 0 where nothing is drawn.

    >>> drawing_seconds([[(0.0, 0.0, 500.0), (0.3, 0.4, 900.0)], [(0.9, 0.9, 2000.0)]])
    1.5
    """
    times = [t for stroke in strokes for _, _, t in stroke]
    return (max(times) - min(times)) / 1000 if times else 0.0


def ink(picture: bytes) -> float:
    """The sum of a picture's pixels, where one full of ink counts 1: its L1 norm.

    >>> ink(bytes([255, 51, 0]))
    1.2
    """
    return sum(picture) / 255


def similarity(one: bytes, other: bytes) -> float:
    """How much of the ink of two pictures is common to both: sum of min / sum of max, from 0 to 1.

    1 for equal ones, empty ones too. Source: S. Ruzicka 1958, for pixels also known as the weighted Jaccard index.

    >>> similarity(bytes([0, 100, 200]), bytes([100, 100, 0]))
    0.25
    """
    most = sum(map(max, one, other))
    return sum(map(min, one, other)) / most if most else 1.0


def adopted(first: bytes, second: bytes, proposal: bytes | None) -> float | None:
    """Which share of a proposed change was made between two attempts: (b - a)(p - a) / (p - a)^2 of the pictures.

    1 where the second attempt is as proposed, 0 where it is as the first one, below 0 where the change went the other
    way; None where no change was proposed.

    >>> adopted(bytes([0, 0]), bytes([100, 50]), bytes([200, 0])), adopted(bytes(2), bytes(2), None)
    (0.5, None)
    """
    if proposal is None:
        return None
    asked = [wanted - before for before, wanted in zip(first, proposal, strict=True)]
    made = [after - before for before, after in zip(first, second, strict=True)]
    size = sum(change * change for change in asked)
    return sum(map(int.__mul__, made, asked)) / size if size else None


def _thin(strokes: Strokes) -> int:
    """The pen's way in the box in the middle of the picture: a bit for each part of a pixel, by rows."""
    xs = [x for stroke in strokes for x, _, _ in stroke]
    ys = [y for stroke in strokes for _, y, _ in stroke]
    if not xs:
        raise ValueError("there is nothing drawn")
    scale = (BOX * _FINE - 2 * _RADIUS - 1) / max(max(xs) - min(xs), max(ys) - min(ys), SMALLEST)
    left = _ROW / 2 - scale * (min(xs) + max(xs)) / 2
    top = _ROW / 2 - scale * (min(ys) + max(ys)) / 2
    bits = bytearray(b"0") * (_ROW * _ROW)
    for stroke in strokes:
        u, v = left + scale * stroke[0][0], top + scale * stroke[0][1]
        bits[int(v) * _ROW + int(u)] = 49  # "1"
        for a, b, _ in stroke:
            x, y = left + scale * a, top + scale * b
            steps = int(max(abs(x - u), abs(y - v)) / _STEP) + 1
            dx, dy = (x - u) / steps, (y - v) / steps
            for step in range(1, steps + 1):
                bits[int(v + step * dy) * _ROW + int(u + step * dx)] = 49
            u, v = x, y
    return int(bits, 2)


def _thickened(thin: int) -> int:
    """A disc of the stroke's width at each bit."""
    wider = [thin]  # by so many parts to both sides
    for by in range(1, _RADIUS + 1):
        wider.append(wider[-1] | thin << by | thin >> by)
    thick = wider[_RADIUS]
    squared = int((WIDTH * _FINE / 2) ** 2)
    for down in range(1, _RADIUS + 1):
        row = wider[isqrt(squared - down * down)]
        thick |= row << down * _ROW | row >> down * _ROW
    return thick


def _to_the_middle(fine: int) -> tuple[int, int]:
    """By how many parts the ink is to be moved down and to the right."""
    rows = fine.to_bytes(_ROW * SIDE, "big")
    by_row = [int.from_bytes(rows[at : at + SIDE]).bit_count() for at in range(0, len(rows), SIDE)]
    columns = (fine & _COLUMN << by for by in reversed(range(_ROW)))
    by_column = [column.bit_count() for column in columns]
    all_ink = sum(by_row)
    down, right = (
        _MIDDLE - sum((at + 1) * count for at, count in enumerate(counts)) // all_ink  # half a part beyond, so rounded
        for counts in (by_row, by_column)
    )
    return _within(down, by_row), _within(right, by_column)


_COLUMN = sum(1 << _ROW * row for row in range(_ROW))


def _within(move: int, counts: list[int]) -> int:
    """The move, or as much of it as leaves all ink in the picture."""
    first = next(at for at, count in enumerate(counts) if count)
    last = next(at for at in reversed(range(_ROW)) if counts[at])
    return min(max(move, -first), _ROW - 1 - last)


def _moved(fine: int, down: int, right: int) -> int:
    by = down * _ROW + right
    return fine >> by if by > 0 else fine << -by
