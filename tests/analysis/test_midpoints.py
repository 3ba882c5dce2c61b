"""Midpoints by pair and by start, by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from crowdloom.analysis.consistency import consistency
from crowdloom.analysis.midpoints import anchoring, by_pair, by_start, midpoints
from crowdloom.analysis.mixing import mixed_responses
from tests.analysis.mixed_frames import CLASSES, answered, item_frame, mix, task_frame

ITEMS = item_frame(mix("x"), mix("y", "bee", "ant"), mix("z", "cow", "dog"))


def responses(*rows: Mapping[str, Any]) -> pd.DataFrame:
    """Checked answers about midpoints."""
    return mixed_responses(task_frame("mixing-coefficient", rows), ITEMS, CLASSES)


def constructed() -> pd.DataFrame:
    """Four constructions of one pair, in either order of its classes, one of another, and a repeat."""
    return responses(
        answered("s", "x", midpoint=0.4, start=0.1),
        answered("s", "y", midpoint=0.4, start=0.1),  # of the pair's first class 0.6, from 0.9
        answered("t", "x", midpoint=0.5, start=0.1),
        answered("t", "y", midpoint=0.5, start=0.9),
        answered("t", "z", midpoint=0.8, start=0.9),
        answered("t", "z", midpoint=0.5, start=0.1, repeat=1),
    )


def test_by_pair() -> None:
    """0.4, 0.6, 0.5 and 0.5 are the midpoints of the first pair, half of them at 0.5."""
    found = by_pair(constructed())
    assert found["n"].to_dict() == {"ant–bee": 4, "cow–dog": 1}
    assert found["mean"].tolist() == pytest.approx([0.5, 0.8])
    assert found.loc["ant–bee", "sd"] == pytest.approx(math.sqrt(0.02 / 3))
    assert found["at_half"].tolist() == [0.5, 0]


def test_by_start_and_anchoring() -> None:
    """From 0.1 they came to 0.4, 0.5 and 0.5, from 0.9 to 0.6 and 0.8."""
    found = by_start(constructed())
    assert found["n"].to_dict() == {0.1: 3, 0.9: 2}
    assert found["mean"].tolist() == pytest.approx([1.4 / 3, 0.7])
    assert anchoring(constructed()) == pytest.approx(0.7 - 1.4 / 3)


def test_repeats() -> None:
    """The repeat moved from 0.8 to 0.5; the other first answers of t are 0.5 and 0.5."""
    found = consistency(constructed(), "midpoint")
    assert (found.repeats, found.difference_mean, found.chance_mean) == (1, pytest.approx(0.3), 0)


def test_chosen_midpoints_have_no_start() -> None:
    """Without a start there is no anchoring; without answers there is nothing."""
    chosen = responses(answered("s", "x", midpoint=0.5))
    assert (len(by_start(chosen)), anchoring(chosen)) == (0, None)
    assert by_pair(chosen)["sd"].isna().all()
    nothing = responses()
    assert (len(midpoints(nothing)), len(by_pair(nothing)), anchoring(nothing)) == (0, 0, None)
