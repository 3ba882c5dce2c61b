"""How the lines of a picture hang together: pixels as the bits of one number, so that all move at once.

Bit 30 (row + 1) + column + 1 is a pixel of 28 x 28; the rim around them stays free.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from crowdloom.tasks.coach_records import SIDE

_ROW = SIDE + 2
_ALL = (1 << _ROW * _ROW) - 1


def bits(pixels: Iterable[bool]) -> int:
    """The pixels that are true, of 784 by rows.

    >>> bits([True] + [False] * 783) == 1 << 31
    True
    """
    return sum(1 << _bit(at) for at, one in enumerate(pixels) if one)


def places(cells: int) -> Iterator[int]:
    """The pixels' places among the 784.

    >>> list(places(bits([True, False, True] + [False] * 781)))
    [0, 2]
    """
    return (at for at in range(SIDE * SIDE) if cells >> _bit(at) & 1)


def middle(cells: int) -> tuple[float, float]:
    """Row and column of the middle of at least one pixel.

    >>> middle(bits([True, True] + [False] * 782))
    (0.0, 0.5)
    """
    rows, columns = zip(*(_row_and_column(at) for at in range(cells.bit_length()) if cells >> at & 1), strict=True)
    return sum(rows) / len(rows), sum(columns) / len(columns)


def box(cells: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """First and last row, first and last column of at least one pixel.

    >>> box(bits([True, True] + [False] * 782))
    ((0, 0), (0, 1))
    """
    rows, columns = zip(*(_row_and_column(at) for at in range(cells.bit_length()) if cells >> at & 1), strict=True)
    return (min(rows), max(rows)), (min(columns), max(columns))


def total(values: Sequence[float], cells: int) -> float:
    """The sum of 784 values over the pixels."""
    return sum(value for at, value in enumerate(values) if cells >> _bit(at) & 1)


def wider(cells: int) -> int:
    """The pixels with those around them, over sides and corners.

    >>> wider(bits([True] + [False] * 783)).bit_count()  # in the corner
    4
    """
    rows = cells | cells << 1 | cells >> 1
    return (rows | rows << _ROW | rows >> _ROW) & _INSIDE


def inner(cells: int) -> int:
    """The pixels all of whose neighbours, over sides and corners, are among them, too.

    >>> inner(bits(row < 3 and column < 5 for row in range(28) for column in range(28))).bit_count()  # at the rim
    8
    """
    return _INSIDE & ~wider(_INSIDE & ~cells)


def pieces(cells: int) -> list[int]:
    """The pixels that hang together, over sides and corners.

    >>> [piece.bit_count() for piece in pieces(bits([True, True, False, True] + [False] * 780))]
    [2, 1]
    """
    found = []
    while cells:
        piece = _filled(cells & -cells, cells, corners=True)
        found.append(piece)
        cells &= ~piece
    return found


def holes(cells: int) -> list[int]:
    """The insides of loops, which the pixels close in.

    >>> ring = [row < 3 and column < 3 and (row, column) != (1, 1) for row in range(28) for column in range(28)]
    >>> holes(bits(ring)) == [bits(at == 29 for at in range(784))], holes(bits([True, False, *ring[2:]]))
    (True, [])
    """
    inside = _ALL & ~cells & ~_filled(1, _ALL & ~cells, corners=False)
    found = []
    while inside:
        hole = _filled(inside & -inside, inside, corners=False)
        found.append(hole)
        inside &= ~hole
    return found


def _bit(at: int) -> int:
    return at // SIDE * _ROW + at % SIDE + _ROW + 1


def _row_and_column(bit: int) -> tuple[int, int]:
    return bit // _ROW - 1, bit % _ROW - 1


_INSIDE = sum(1 << _bit(at) for at in range(SIDE * SIDE))


def _filled(start: int, within: int, corners: bool) -> int:
    """What can be reached from the start without leaving `within`."""
    reached = 0
    while start != reached:
        reached = start
        rows = start | start << 1 | start >> 1
        start = (rows | (rows if corners else start) << _ROW | (rows if corners else start) >> _ROW) & within
    return reached
