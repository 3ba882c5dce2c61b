"""How simulated people distort what they write, and what they make of a proposal."""

from __future__ import annotations

import random

from crowdloom.tasks.coach_drawing import render, similarity
from crowdloom.tasks.coach_people import CoachBehaviour, blended, distorted, drawn, scribble, ways_of
from crowdloom.tasks.coach_written import timed, written_shape


def test_people_differ_and_keep_the_stated_mean() -> None:
    """Of any twenty that follow each other; nobody's other habits change."""
    for first in (0, 13):
        found = [CoachBehaviour(perturbation=0.4).of_person(number) for number in range(first, first + 20)]
        strengths = [one.perturbation for one in found]
        assert abs(sum(strengths) / 20 - 0.4) < 0.02
        assert 0.2 <= min(strengths) < 0.25 < 0.55 < max(strengths) <= 0.6
        assert {one.adopt for one in found} == {0.6}


def test_distortions_grow_with_their_strength_and_stay_on_the_canvas() -> None:
    """On average over the digits."""
    rng = random.Random(1)
    alike = []
    for strength in (0.0, 0.3, 1.0):
        found = 0.0
        for name in "0123456789":
            plain = [list(way) for way in written_shape(name)]
            for _ in range(3):
                made = distorted(plain, strength, rng)
                assert [len(way) for way in made] == [len(way) for way in plain]
                assert all(0 <= x <= 1 and 0 <= y <= 1 for way in made for x, y in way)
                found += similarity(render(timed(plain, 0.0)), render(timed(made, 0.0))) / 30
        alike.append(found)
    assert alike[0] > 0.98
    assert alike[0] > alike[1] + 0.2
    assert alike[1] > alike[2] + 0.1


def test_a_large_drawing_is_made_smaller() -> None:
    """And one of a single point stays a point."""
    wide = distorted([[(-1.0, 0.5), (2.0, 0.5)]], 0.0, random.Random(1))
    assert wide == [[(0.08, 0.5), (0.92, 0.5)]]
    assert blended([[(0.0, 0.0)]], [[(1.0, 0.5)]], 0.25) == [[(0.25, 0.125)]]
    assert distorted([[(0.1, 0.1)]], 0.0, random.Random(1)) == [[(0.5, 0.5)]]


def test_a_drawing_takes_its_time() -> None:
    """Times rise from point to point, and the button is pressed after the last one."""
    rng = random.Random(4)
    for ways in ([list(way) for way in written_shape("4")], scribble(rng)):
        drawing = drawn(ways, rng)
        times = [t for stroke in drawing.strokes for _, _, t in stroke]
        assert times == sorted(times)
        assert times[0] > 0
        assert drawing.seconds * 1000 > times[-1]
        assert drawing.given is None
        assert [[(round(x, 4), round(y, 4)) for x, y in way] for way in ways_of(drawing.strokes)] == [
            [(round(x, 4), round(y, 4)) for x, y in way] for way in ways
        ]
    assert {drawn(scribble(rng), rng).device for _ in range(30)} == {"mouse", "pen", "touch"}
