"""What a proposal changes of a drawing that a person could change, and where: what its words say and its marks show.

A proposal is a picture of greys, most of whose differences nobody could draw: all of it may be fainter, a line thinner
or half a pixel aside. So it is first made as dark as the drawing where it is darkest, and a pixel only counts as far as
none beside it has the ink that it lacks. What changes how the lines hang together (a loop that closes, a gap that is
bridged) comes first, then the places with most ink to be added or left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crowdloom.tasks.coach_lines import bits, box, holes, inner, middle, pieces, places, total, wider
from crowdloom.tasks.coach_records import SIDE

_FULL = 200  # of 255: the drawing's pixels whose proposed ink says how dark the proposal is
_FAINTEST = 0.3  # of the drawing's darkness: a proposal that is fainter has lost the drawing
_LINE, _TRACE = 0.5, 0.3  # ink of a pixel that belongs to a line, and of one that may
_FILLED = 0.8  # ink of each pixel inside a loop that is none any more; a blurred one keeps less
_SWOLLEN = 0.2  # more of its lines' pixels lie inside them than in the drawing: the proposal's lines are thicker
_DIFFERENT = 0.2  # ink that a pixel differs by, for it to count
_SPOT = 1.2  # pixels of ink that make a place worth a word
_DARKEST = 0.35  # ink of its darkest pixel, at least; fainter ones are a network's smudges
_HOLE = 3  # pixels of a loop's inside
_PIECE = 4  # pixels of a line
_TIP = 6  # pixels in which the end of a line and what is beyond it touch, at most
_NARROW = 9  # pixels: what is not wider has no left and right
AS_IT_IS = 128
"""The mark of a pixel that stays."""
_STRONGEST = 127


@dataclass(frozen=True)
class Change:
    """Something to do and where; `ink` is how many pixels of it that takes, None for what changes how lines hang
    together."""

    what: str
    where: str
    adds: bool
    """Whether ink is to be added; else it is to be left out."""
    about: int
    """The pixels that it speaks of, as in `coach_lines`."""
    ink: float | None = None


@dataclass(frozen=True)
class Changes:
    """All there is to do, the most telling first."""

    found: Sequence[Change]
    thicker: bool
    """Whether the proposal's lines are thicker, which is nothing to do."""
    marks: bytes
    """784 bytes: above `AS_IT_IS` where ink is to be added, below it where it is to be left out, the farther the more.

    Each change has marks, and where nothing was found there are none.
    """


def changes(picture: bytes, proposal: bytes) -> Changes:
    """What the proposal changes of a picture, both of 784 bytes."""
    drawn, wanted = [here / 255 for here in picture], _as_dark(picture, proposal)
    difference = [there - here for here, there in zip(drawn, wanted, strict=True)]
    more, less = bits(one > _DIFFERENT for one in difference), bits(-one > _DIFFERENT for one in difference)

    def seen(one: Change) -> int:  # with the pixels around it that change the same way: so thick would the line be
        return wider(one.about) & (more if one.adds else less)

    found: list[Change] = []
    marked = 0
    before = bits(here > _LINE for here in drawn)
    for one in _all(drawn, wanted, before) if before else ():
        marked |= seen(one)
        is_told = any(one.adds == other.adds and one.about & other.about for other in found)
        if seen(one) and not is_told:
            found.append(one)
    marks = bytearray([AS_IT_IS]) * SIDE**2
    for at in places(marked):
        marks[at] += round(_STRONGEST * difference[at])
    return Changes(found, _swollen(drawn, wanted), bytes(marks))


def _all(drawn: list[float], wanted: list[float], before: int) -> Iterator[Change]:
    """The changes in their order; a place can have several."""
    named = _Places(before)
    yield from _loops(drawn, wanted, named)
    yield from _pieces(drawn, wanted, named)
    yield from sorted(_spots(drawn, wanted, before, named), key=lambda one: -(one.ink or 0))


def _as_dark(picture: bytes, proposal: bytes) -> list[float]:
    """The proposal's ink, 0 to 1, as dark as the drawing where it is darkest."""
    kept = sorted(wanted / here for here, wanted in zip(picture, proposal, strict=True) if here >= _FULL)
    darkness = min(max(kept[len(kept) * 4 // 5], _FAINTEST), 1.0) if kept else 1.0
    return [min(wanted / 255 / darkness, 1.0) for wanted in proposal]


def _loops(drawn: list[float], wanted: list[float], named: _Places) -> Iterator[Change]:
    """Loops to close, to open, and to draw as a line."""
    for hole in _new_holes(drawn, wanted):
        where, ring = _around(hole, wanted, drawn, named)
        yield Change("close the loop", where, True, ring)
    for hole in _new_holes(wanted, drawn):
        filled = total(wanted, hole) / hole.bit_count()
        where, ring = _around(hole, drawn, wanted, named)
        if filled > _FILLED and not _swollen(drawn, wanted):
            yield Change("draw a plain line instead of the loop", named.of(hole), True, wider(hole))
        elif filled < _TRACE:
            yield Change("open the loop", where, False, ring)


def _new_holes(old: list[float], new: list[float]) -> Iterator[int]:
    """Those that the new ink closes in, and the old one does not, be it fainter."""
    were = [hole for least in (_LINE, _TRACE) for hole in holes(bits(ink > least for ink in old))]
    for hole in holes(bits(ink > _LINE for ink in new)):
        if hole.bit_count() >= _HOLE and not any(hole & other for other in were):
            yield hole


def _swollen(drawn: list[float], wanted: list[float]) -> bool:
    """Whether the proposal has thicker lines: more of their pixels lie inside."""
    before, after = (bits(ink > _LINE for ink in one) for one in (drawn, wanted))
    shares = [inner(cells).bit_count() / max(cells.bit_count(), 1) for cells in (before, after)]
    return shares[1] > shares[0] + _SWOLLEN


def _around(hole: int, more: list[float], less: list[float], named: _Places) -> tuple[str, int]:
    """Where a loop around a hole is closed by ink that the first picture has and the second one lacks."""
    ring = wider(wider(hole)) & bits(here > _LINE > _TRACE > there for here, there in zip(more, less, strict=True))
    return named.of(ring or hole), ring


def _pieces(drawn: list[float], wanted: list[float], named: _Places) -> Iterator[Change]:
    """Gaps to close and to leave."""
    for gap in _bridges(drawn, wanted):
        yield Change("close the gap", named.of(gap), True, wider(wider(gap)))
    for gap in _bridges(wanted, drawn):
        yield Change("leave a gap", named.of(gap), False, wider(wider(gap)))


def _bridges(old: list[float], new: list[float]) -> Iterator[int]:
    """Where the new ink joins what is apart in the old one, in which not even fainter ink does."""
    were = [piece for piece in pieces(bits(ink > _TRACE for ink in old)) if piece.bit_count() >= _PIECE]
    for piece in pieces(bits(ink > _LINE for ink in new)):
        parts = [other for other in were if other & piece]
        if len(parts) > 1:
            yield _between(*parts[:2])


def _between(one: int, other: int) -> int:
    """Where two sets of pixels come closest."""
    while not one & other:
        one, other = wider(one), wider(other)
    return one & other


def _spots(drawn: list[float], wanted: list[float], before: int, named: _Places) -> Iterator[Change]:
    """The places where ink is to be added or left out."""
    near = _beside(_beside(drawn)) if _swollen(drawn, wanted) else _beside(drawn)
    for spot, ink in _lying_together(wanted, near):
        touching = pieces(wider(wider(spot)) & before)
        if not touching and not spot & bits(here > _LINE for here in wanted):
            continue  # what is so faint and by itself is a smudge, too
        where = named.of(spot)
        if len(touching) == 1 and touching[0].bit_count() <= _TIP:
            way = _direction(middle(touching[0]), middle(spot))
            what = "draw the line further" if _SIDES[way] in where else f"draw the line further {way}"
        else:
            what = "add a little" if touching and spot.bit_count() < 2 * _TIP else "add a line"
        yield Change(what, where, True, spot, ink)
    for spot, ink in _lying_together(drawn, _beside(wanted)):
        gone = wider(spot) & before  # with what stays only as the new end of the line
        tip = len(pieces(wider(gone) & before & ~gone)) < 2
        yield Change("end the line earlier" if tip else "leave out a little", named.of(spot), False, spot, ink)


def _lying_together(more: list[float], less: list[float]) -> Iterator[tuple[int, float]]:
    """Where pixels have more ink in one than in the other: those that lie together, and how much more."""
    difference = [max(here - there, 0.0) for here, there in zip(more, less, strict=True)]
    for spot in pieces(bits(ink > _DIFFERENT for ink in difference)):
        ink = total(difference, spot)
        if ink >= _SPOT and spot & bits(one > _DARKEST for one in difference):
            yield spot, ink


def _beside(ink: Sequence[float]) -> list[float]:
    """The most ink of each pixel and those around it."""
    padded = [0.0, *ink, 0.0]
    rows = list(map(max, padded, padded[1:], padded[2:]))  # the lines' ends meet; drawings leave the rim free
    free = [0.0] * SIDE
    return list(map(max, free + rows, rows, rows[SIDE:] + free))


_SIDES = {"down": "bottom", "up": "top", "to the right": "right", "to the left": "left"}


def _direction(from_: tuple[float, float], to: tuple[float, float]) -> str:
    down, right = to[0] - from_[0], to[1] - from_[1]
    if abs(down) > abs(right):
        return "down" if down > 0 else "up"
    return "to the right" if right > 0 else "to the left"


class _Places:
    """Names for places in a drawing, by thirds of its height and width."""

    def __init__(self, cells: int) -> None:
        self.rows, self.columns = box(cells)

    def of(self, cells: int) -> str:
        """Where the middle of these pixels is."""
        row, column = middle(cells)
        high = _third(row, self.rows, ("top", "", "bottom"))
        wide = _third(column, self.columns, ("left", "", "right"))
        if high:
            return f"at the {high} {wide}".rstrip()
        return f"on the {wide}" if wide else "in the middle"


def _third(at: float, within: tuple[int, int], names: tuple[str, str, str]) -> str:
    first, last = within
    if last - first < _NARROW:
        return names[1]
    share = (at - first) / (last - first)
    return names[0] if share < 0.36 else names[2] if share > 0.64 else names[1]
