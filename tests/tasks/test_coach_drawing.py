"""Drawings become the same pictures everywhere, as MNIST's were made, and quickly."""

from __future__ import annotations

import hashlib
import random
import time

import pytest

from crowdloom.tasks.coach_drawing import (
    BOX,
    WIDTH,
    adopted,
    drawing_seconds,
    ink,
    length,
    render,
    similarity,
)
from crowdloom.tasks.coach_records import SIDE, Strokes

SEVEN: Strokes = [[(0.3, 0.2, 100.0), (0.7, 0.2, 300.0), (0.45, 0.8, 700.0)]]
SCRIBBLE = random.Random(4)


def rows(picture: bytes) -> list[bytes]:
    """A picture by rows."""
    return [picture[at : at + SIDE] for at in range(0, len(picture), SIDE)]


def extent(picture: bytes) -> tuple[int, int]:
    """Rows and columns from the first to the last with ink."""
    down = [row for row, line in enumerate(rows(picture)) if any(line)]
    right = [column for column in range(SIDE) if any(picture[column::SIDE])]
    return down[-1] - down[0] + 1, right[-1] - right[0] + 1


def centre(picture: bytes) -> tuple[float, float]:
    """Row and column of the centre of mass, counted in pixels from the upper left corner."""
    total = sum(picture)
    row = sum((at // SIDE + 0.5) * here for at, here in enumerate(picture)) / total
    column = sum((at % SIDE + 0.5) * here for at, here in enumerate(picture)) / total
    return row, column


def moved(strokes: Strokes, scale: float, x: float, y: float) -> Strokes:
    """The drawing larger or smaller at another place."""
    return [[(x + scale * a, y + scale * b, t) for a, b, t in stroke] for stroke in strokes]


def test_the_same_bytes_everywhere() -> None:
    """The picture is part of what was answered: another version of Python or another machine must not change it."""
    strokes = [[(0.11, 0.23, 0.0), (0.87, 0.31, 5.0), (0.5, 0.93, 9.0)], [(0.2, 0.6, 20.0), (0.7, 0.55, 30.0)]]
    assert hashlib.sha256(render(strokes)).hexdigest()[:16] == "32b39d637d92c82b"


def test_a_drawing_fills_the_box_with_its_mass_in_the_middle() -> None:
    """Twenty pixels for its larger side, wherever and however large it was drawn."""
    picture = render(SEVEN)
    assert max(extent(picture)) in (BOX, BOX + 1)  # as the box lies between two pixels or not
    assert centre(picture) == pytest.approx((14.5, 14.5), abs=0.08)
    for scale, x, y in ((0.25, 0.1, 0.0), (0.5, 0.5, 0.5), (1.1, -0.2, -0.1)):
        assert similarity(picture, render(moved(SEVEN, scale, x, y))) > 0.98


def test_no_ink_is_lost_at_the_rim() -> None:
    """Where nearly all mass is at one end, the mass comes as far to the middle as all ink stays in the picture."""
    heavy: Strokes = [
        [(0.1, 0.5, 0.0), (0.9, 0.5, 1.0)],
        [(0.85 + 0.01 * (at % 5), 0.45 + 0.02 * (at // 5), 0.0) for at in range(40)],
    ]
    picture = render(heavy)
    assert extent(picture)[1] in (BOX, BOX + 1)


def test_a_dot_and_a_small_drawing_stay_small() -> None:
    """A tap is a disc as wide as a stroke; a drawing of less than the smallest size is not blown up."""
    dot = render([[(0.9, 0.1, 0.0)]])
    assert ink(dot) == pytest.approx(3.1416 * WIDTH**2 / 4, rel=0.05)
    assert max(extent(render(moved(SEVEN, 0.05, 0.5, 0.5)))) < 0.6 * BOX


@pytest.mark.parametrize("strokes", [[], [[]]])
def test_nothing_is_no_picture(strokes: Strokes) -> None:
    """There is no empty picture to be read."""
    with pytest.raises(ValueError, match=r"^there is nothing drawn$"):
        render(strokes)


def test_corners_of_the_canvas_are_drawn() -> None:
    """The whole canvas is a drawing's place, its rim too."""
    around: Strokes = [[(x, y, 0.0) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))]]
    assert extent(render(around)) == (BOX + 1, BOX + 1)  # the middle is that of a pixel, so the box lies between pixels


@pytest.mark.parametrize(("points", "milliseconds"), [(2_000, 10), (10_000, 50)])
def test_long_drawings_are_rendered_quickly(points: int, milliseconds: float) -> None:
    """Of processor time, the best of three, twice of what an idle machine needs at most."""
    x, y, stroke = 0.5, 0.5, []
    for at in range(points):
        x = min(max(x + SCRIBBLE.uniform(-0.02, 0.02), 0.0), 1.0)
        y = min(max(y + SCRIBBLE.uniform(-0.02, 0.02), 0.0), 1.0)
        stroke.append((x, y, 8.0 * at))
    times = []
    for _ in range(3):
        began = time.process_time()
        render([stroke])
        times.append(time.process_time() - began)
    assert min(times) < 2 * milliseconds / 1000


def test_lengths_and_times() -> None:
    """What lies between strokes is no ink but time."""
    strokes: Strokes = [[(0.0, 0.0, 500.0), (0.0, 0.5, 700.0), (0.25, 0.5, 900.0)], [(0.9, 0.9, 2500.0)]]
    assert length(strokes) == 0.75
    assert drawing_seconds(strokes) == 2.0
    assert (length([]), drawing_seconds([])) == (0.0, 0.0)


def test_similarity_is_of_the_ink() -> None:
    """The same is 1, nothing in common 0, whichever comes first."""
    seven, one = render(SEVEN), render([[(0.5, 0.1, 0.0), (0.5, 0.9, 1.0)]])
    assert similarity(seven, seven) == 1.0
    assert similarity(bytes(784), bytes(784)) == 1.0
    assert similarity(seven, bytes(784)) == 0.0
    assert 0 < similarity(seven, one) == similarity(one, seven) < 1


def test_who_does_as_proposed_adopts_all_of_it() -> None:
    """Half-way is a half, the same again nothing, the contrary negative; a change of nothing cannot be adopted."""
    first, proposal = bytes([100] * 784), bytes([0] * 300 + [200] * 484)
    half = bytes((a + b) // 2 for a, b in zip(first, proposal, strict=True))
    contrary = bytes(2 * a - b if b < a else 0 for a, b in zip(first, proposal, strict=True))
    assert [adopted(first, second, proposal) for second in (proposal, half, first)] == [1.0, 0.5, 0.0]
    assert (adopted(first, contrary, proposal) or 0) < 0
    assert adopted(first, half, first) is None
    assert adopted(first, half, None) is None
