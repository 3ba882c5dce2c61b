"""The line in words says what the pictures show."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from crowdloom.tasks.coach_changes import AS_IT_IS
from crowdloom.tasks.coach_drawing import render
from crowdloom.tasks.coach_lines import bits, box, holes, middle, pieces, wider
from crowdloom.tasks.coach_records import Strokes
from crowdloom.tasks.coach_words import a, advice

# What has a box from 0.2 to 0.8 in both directions is drawn at the same place as any other such.
FRAME: Strokes = [[(0.2, 0.2, 0.0), (0.2, 0.8, 0.0)], [(0.8, 0.2, 0.0), (0.8, 0.8, 0.0)]]
LOOP: Strokes = [[(0.2, 0.2, 0.0), (0.2, 0.8, 0.0), (0.8, 0.8, 0.0), (0.8, 0.2, 0.0), (0.2, 0.2, 0.0)]]


def words(picture: bytes, proposal: bytes, *, asked: str, read: str, proposed_read: str) -> str:
    return advice(picture, proposal, asked=asked, read=read, proposed_read=proposed_read).words


def picture(*strokes: list[tuple[float, float]]) -> bytes:
    """Lines of 255 on 28 x 28, three pixels wide, between points given in pixels along rows or columns."""
    made = bytearray(784)
    for stroke in strokes:
        for (x, y), (u, v) in pairwise(stroke):
            for row in range(int(min(y, v)) - 1, int(max(y, v)) + 2):
                for column in range(int(min(x, u)) - 1, int(max(x, u)) + 2):
                    made[28 * row + column] = 255
    return bytes(made)


BOWL = [(8, 5), (8, 22), (19, 22), (19, 5)]
RING = [*BOWL, (8, 5)]
BAR = [(5, 13), (22, 13)]
EDGES = "change how thick and how dark the lines are"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([BOWL], [RING], "Close the loop at the top."),
        ([RING], [BOWL], "Open the loop at the top."),
        ([[(5, 13), (11, 13)], [(16, 13), (22, 13)]], [BAR], "Close the gap in the middle."),
        ([[(5, 13), (15, 13)]], [BAR], "Draw the line further on the right."),
        ([BAR], [[(5, 13), (15, 13)]], "End the line earlier on the right."),
        ([BOWL], [BOWL, [(13, 11), (13, 15)]], "Add a line in the middle."),
        ([BAR], [BAR], f"The coach would only {EDGES}, which is hard to draw; try a plainer 0."),
    ],
)
def test_each_change_has_its_words(before: list[object], after: list[object], said: str) -> None:
    """Misread before, and read as asked in the proposal."""
    assert words(picture(*before), picture(*after), asked="0", read="6", proposed_read="0") == said  # type: ignore[arg-type]


def test_what_was_read_is_said() -> None:
    """Where it is right already, where the proposal is misread, too, and where there is nothing to say."""
    open_, closed = picture(BOWL), picture(RING)
    assert words(open_, closed, asked="8", read="8", proposed_read="8") == (
        "It reads an 8 already; the coach would close the loop at the top."
    )
    assert words(open_, closed, asked="0", read="6", proposed_read="8") == (
        "Close the loop at the top; even so it would be read as an 8, not a 0."
    )
    assert words(open_, closed, asked="8", read="8", proposed_read="0") == (
        "It reads an 8 already; the proposal would be read as a 0, so do not follow it."
    )
    assert words(open_, bytes(784), asked="8", read="8", proposed_read="8") == (
        "It reads an 8 already; the coach has nothing better."
    )
    assert words(open_, bytes(784), asked="8", read="6", proposed_read="1") == (
        "The coach has no proposal for this drawing; try a plainer 8."
    )
    assert words(open_, open_, asked="8", read="8", proposed_read="8") == (
        f"It reads an 8 already; the coach would only {EDGES}."
    )
    assert words(open_, open_, asked="0", read="6", proposed_read="6") == (
        f"The coach would only {EDGES}, and even so it would be read as a 6; try a plainer 0."
    )


def test_what_nobody_could_draw_is_not_said() -> None:
    """A fainter, a thinner and a slightly moved proposal, and a smudge far from all lines."""
    before = picture(BOWL)
    thinner = bytes(
        255 if here and row not in (4, 23) else 0 for row, here in ((at // 28, one) for at, one in enumerate(before))
    )
    aside = bytes(28) + before[:-28]
    smudged = bytes(100 if at // 28 in (1, 2) and at % 28 < 4 else here for at, here in enumerate(before))
    for proposal in (bytes(here * 6 // 10 for here in before), thinner, aside, smudged):
        assert words(before, proposal, asked="4", read="4", proposed_read="4").endswith(f"would only {EDGES}.")


def test_thicker_lines_are_nothing_to_be_drawn() -> None:
    """A blurred, bold proposal fills a small loop, and nobody is told to fill it."""
    small = picture([(12, 8), (12, 13), (16, 13), (16, 8), (12, 8)], [(14, 13), (14, 22)])
    bold = bytearray(small)
    for at, here in enumerate(small):
        for beside in (at - 29, at - 28, at - 27, at - 1, at + 1, at + 27, at + 28, at + 29) if here else ():
            bold[beside] = 255
    said = words(small, bytes(bold), asked="9", read="9", proposed_read="9")
    assert said == "It reads a 9 already; the coach would only make the lines thicker."
    said = words(small, bytes(bold), asked="9", read="4", proposed_read="4")
    assert said == (
        "The coach would only make the lines thicker, and even so it would be read as a 4; try a plainer 9."
    )


@pytest.mark.parametrize(
    ("before", "after", "adds", "leaves_out"),
    [
        ([BOWL], [RING], True, False),
        ([RING], [BOWL], False, True),
        ([[(5, 13), (11, 13)], [(16, 13), (22, 13)]], [BAR], True, False),
        ([[(5, 13), (15, 13)]], [[(12, 13), (22, 13)]], True, True),
        ([BOWL], [[(8, 5), (8, 22), (18, 22), (18, 5)]], False, False),
    ],
)
def test_the_marks_show_what_the_words_say(
    before: list[object], after: list[object], adds: bool, leaves_out: bool
) -> None:
    """Something is marked exactly where there is something to say."""
    said = advice(picture(*before), picture(*after), asked="0", read="6", proposed_read="0")  # type: ignore[arg-type]
    assert (max(said.marks) > AS_IT_IS, min(said.marks) < AS_IT_IS) == (adds, leaves_out)
    assert ("only" in said.words) == (not adds and not leaves_out)


def test_nobody_is_advised_to_be_misread() -> None:
    """Whoever is read rightly sees no marks of a proposal that would not be, and neither does who has none."""
    for asked, read, proposed_read, proposal in (("8", "8", "0", picture(RING)), ("8", "6", "1", bytes(784))):
        assert set(advice(picture(BOWL), proposal, asked=asked, read=read, proposed_read=proposed_read).marks) == {
            AS_IT_IS
        }


def test_what_has_no_words_is_said_to_be_marked() -> None:
    """Two changes are named, and the others not passed over."""
    strokes = [[(5, 5), (5, 22)], [(5, 13), (22, 13)]]
    more = [*strokes, [(12, 6), (16, 6)], [(12, 20), (16, 20)], [(22, 20), (22, 22)]]
    said = words(picture(*strokes), picture(*more), asked="4", read="9", proposed_read="4")
    assert said.endswith(", and make the other changes that are marked.")


def test_any_two_pictures_have_words() -> None:
    """Empty, full and grey ones; never more than a record holds."""
    strange = (bytes(784), bytes([255] * 784), bytes(range(0, 196)) * 4, bytes([60] * 784), picture(RING))
    for before in strange:
        for proposal in strange:
            said = advice(before, proposal, asked="4", read="9", proposed_read="1")
            assert said.words.endswith(".")
            assert (len(said.words) < 300, len(said.marks)) == (True, 784)


def test_words_take_milliseconds() -> None:
    """Of processor time; they are written while somebody waits."""
    began = time.process_time()
    for _ in range(20):
        words(picture(RING), render(FRAME), asked="4", read="9", proposed_read="4")
    assert (time.process_time() - began) / 20 < 0.02


@pytest.mark.parametrize(
    ("name", "said"), [("8", "an 8"), ("18", "an 18"), ("80", "an 80"), ("1", "a 1"), ("M", "an M"), ("U", "a U")]
)
def test_articles(name: str, said: str) -> None:
    """As they are spoken."""
    assert a(name) == said


def test_lines_hang_together() -> None:
    """Loops of a drawing, its pieces, and where they are."""
    ring = bits(here > 127 for here in render(LOOP))
    frame = bits(here > 127 for here in render(FRAME))
    [hole] = holes(ring)
    assert middle(hole) == pytest.approx((14, 14), abs=0.6)
    assert (len(pieces(ring)), len(pieces(frame)), holes(frame)) == (1, 2, [])
    assert box(wider(hole)) == tuple((first - 1, last + 1) for first, last in box(hole))
    full = bits([True] * 784)
    assert (wider(full), full.bit_count(), pieces(0), holes(full)) == (full, 784, [], [])
