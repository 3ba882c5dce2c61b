"""What simulated people make of a proposal: how much of it, and in which ways."""

from __future__ import annotations

import random

import pytest

from crowdloom.tasks.coach_adopting import adopting
from crowdloom.tasks.coach_drawing import adopted, render, similarity
from crowdloom.tasks.coach_people import distorted
from crowdloom.tasks.coach_written import Way, timed, written_shape
from tests.tasks.plain_coach import plain


def picture(ways: list[Way]) -> bytes:
    """Of a drawing."""
    return render(timed(ways, 0.0))


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, -0.05, 0.05), (0.6, 0.4, 0.75), (1.0, 0.75, 1.0)])
def test_so_much_is_adopted_as_is_said(share: float, least: float, most: float) -> None:
    """On average over distorted digits for which the plain ones are proposed."""
    rng = random.Random(1)
    found = []
    for name in "0123456789":
        ways = distorted([list(way) for way in written_shape(name)], 0.6, rng)
        before = picture(ways)
        after = picture(adopting(ways, before, plain(name), share, rng))
        found.append(adopted(before, after, plain(name)) or 0.0)
    assert least < sum(found) / len(found) < most


def test_lines_are_bent() -> None:
    """A wavy line becomes the straight one that is proposed, in one stroke."""
    wavy = [[(0.5 + 0.03 * (-1) ** (at // 3), 0.2 + 0.05 * at) for at in range(13)]]
    straight = picture([[(0.5, 0.2), (0.5, 0.8)]])
    (bent,) = adopting(wavy, picture(wavy), straight, 1.0, random.Random(2))
    (kept,) = adopting(wavy, picture(wavy), straight, 0.0, random.Random(2))
    widths = [max(x for x, _ in way) - min(x for x, _ in way) for way in (bent, kept)]
    assert widths[0] < 0.7 * widths[1]


def test_lines_are_added_and_left_out() -> None:
    """Each wholly or not at all: an L for a T, or both bars of either."""
    down, across, below = [(0.5, 0.2), (0.5, 0.8)], [(0.2, 0.2), (0.8, 0.2)], [(0.5, 0.8), (0.8, 0.8)]
    before, wanted = picture([down, across]), picture([down, below])
    whole = picture(adopting([down, across], before, wanted, 1.0, random.Random(3)))
    assert similarity(whole, wanted) > similarity(before, wanted) + 0.3
    rng = random.Random(4)
    lengths = {len(adopting([down, across], before, wanted, 0.5, rng)) for _ in range(20)}
    assert len(lengths) > 1


@pytest.mark.parametrize("proposal", [bytes(784), bytes([40]) * 784, bytes([255]) * 784])
def test_something_is_always_written(proposal: bytes) -> None:
    """Also after a proposal without lines, and of a drawing that is one dot."""
    for ways in ([[(0.5, 0.2), (0.5, 0.8)]], [[(0.3, 0.3)]]):
        made = adopting(ways, picture(ways), proposal, 1.0, random.Random(5))
        assert made
        assert all(0 <= x <= 1 and 0 <= y <= 1 for way in made for x, y in way)
        assert picture(made)
