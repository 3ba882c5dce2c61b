"""What somebody did to an arrangement, in words. Ways are shares of the picture's extent: coordinates have no unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from crowdloom.studies.words import count
from crowdloom.tasks.latent_records import Movement

MOST_LINES = 200
_LEAST = 0.005
"""Ways below half a per cent are none."""


@dataclass(frozen=True)
class Line:
    """What was done, and when: the seconds since the arrangement was shown."""

    seconds: float
    text: str

    @property
    def clock(self) -> str:
        """Minutes and seconds."""
        return f"{int(self.seconds) // 60}:{int(self.seconds) % 60:02d}"


def lines(movements: Sequence[Movement], classes: Sequence[str], extent: float | None) -> list[Line]:
    """One line for each thing done; the same to the same class several times in a row is one.

    >>> moves = [Movement(at_ms=1200, kind="centre", label=0, points=10, dx=0.5, dy=-0.25)]
    >>> [line.text for line in lines(moves, ["cat", "dog"], 1.0)]
    ['Moved cat by its centre: 50 % to the right, 25 % down']
    """
    found = []
    for (kind, *_), group in groupby(movements, lambda one: (one.kind, one.label, one.factor is None)):
        same = list(group)
        # Each gathering or spreading is told by itself, unless keys did it in many small steps.
        parts = [same] if kind not in ("gather", "spread", "lasso", "centre") else [[one] for one in same]
        label = same[0].label
        name = None if label is None else classes[label]
        found += [Line(part[0].at_ms / 1000, _text(part, name, extent or 1.0)) for part in parts]
    return found[:MOST_LINES]


_AGAIN = {"undo": "Took back the last change", "redo": "Did it again", "reset": "Began again"}


def _text(same: Sequence[Movement], name: str | None, extent: float) -> str:
    kind, whose = same[0].kind, name or "several classes"
    if kind in _AGAIN:
        return _AGAIN[kind] + ("" if len(same) == 1 else f", {len(same)} times")
    if kind == "point" and len(same) > 1:
        return f"Moved {len(same)} points of {whose}, one by one"
    detail = ", ".join(_ways(same, extent))
    if all(one.factor is not None for one in same):
        detail = f"distances from the centre times {_product(same):.2g}"
    grown = f"Made {whose} {'smaller' if _product(same) < 1 else 'larger'}"
    done = {
        "point": f"Moved one point of {whose}",
        "lasso": f"Moved {count(same[0].points, 'point')} of {whose} that were encircled",
        "centre": f"Moved {whose} by its centre",
        "gather": f"Gathered {whose} at its centre",
        "spread": grown,
        "keys": f"{grown} by keys" if same[0].factor is not None else f"Moved {whose} by keys",
    }[kind]
    return f"{done}: {detail}" if detail else done


def _ways(same: Sequence[Movement], extent: float) -> Iterator[str]:
    right, up = sum(one.dx for one in same) / extent, sum(one.dy for one in same) / extent
    if abs(right) >= _LEAST:
        yield f"{abs(right):.0%} to the {'right' if right > 0 else 'left'}".replace("%", " %")
    if abs(up) >= _LEAST:
        yield f"{abs(up):.0%} {'up' if up > 0 else 'down'}".replace("%", " %")


def _product(same: Sequence[Movement]) -> float:
    product = 1.0
    for one in same:
        product *= 1.0 if one.factor is None else one.factor
    return product
