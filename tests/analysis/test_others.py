"""What is known when an answer is to be predicted, against loops over all answers."""

from __future__ import annotations

import numpy as np

from crowdloom.analysis.others import repeats_and_firsts, sums_of_others, units_of
from tests.analysis.frames import frame_of, response
from tests.analysis.mixed_frames import answered, task_frame


def test_repeats_find_their_first_answers_in_any_order() -> None:
    """Second repeats too; a repeat whose first answer is missing is left out."""
    frame = frame_of(
        [
            response("s1", "y", "ant", repeat=1),
            response("s2", "x", "bee"),
            response("s1", "x", "ant"),
            response("s1", "x", "bee", repeat=1),
            response("s1", "x", "cow", repeat=2),
        ]
    )
    repeats, firsts = repeats_and_firsts(frame)
    assert repeats.tolist() == [3, 4]
    assert firsts.tolist() == [2, 2]
    assert repeats_and_firsts(frame_of([response("s", "x", "ant")]))[0].tolist() == []


def test_an_item_in_two_conditions_is_two() -> None:
    """For what was shown with it may differ."""
    rows = [answered("s1", "x", condition="A"), answered("s2", "x", condition="B"), answered("s3", "x", condition="A")]
    units = units_of(task_frame("wrong-label", rows))
    assert units[0] == units[2] != units[1]


def test_sums_of_others_equal_a_loop() -> None:
    """Whoever has several answers to a unit is left out with all of them."""
    rng = np.random.default_rng(1)
    unit, person, source = rng.integers(0, 9, 80), rng.integers(0, 6, 80), rng.random(80) < 0.8
    values = np.where(source[:, np.newaxis], rng.random((80, 3)), np.nan)
    sums, number = sums_of_others(unit, person, values, source)
    for row in range(80):
        others = (unit == unit[row]) & (person != person[row]) & source
        assert number[row] == others.sum()
        np.testing.assert_allclose(sums[row], values[others].sum(axis=0), atol=1e-12)
