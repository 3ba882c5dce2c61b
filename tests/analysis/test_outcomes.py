"""Outcomes of single answers, for each task."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.outcomes import outcome
from tests.analysis.frames import CLASSES, frame_of, response
from tests.analysis.mixed_frames import answered, item_frame, mix, task_frame


def test_soft_labels() -> None:
    """Right or wrong where there is a reference; the entropy of each label; times in seconds."""
    frame = frame_of(
        [
            response("s", "a", "ant", reference="ant", rt_ms=1500),
            response("s", "b", "bee", "ant", p1=50, p2=50, reference="ant", impossible=("cow",)),
            response("s", "c", "cow", p1=80),
        ]
    )
    items = item_frame({"item": "a"}, {"item": "b"}, {"item": "c"})

    def values(name: str) -> list[Any]:
        return [
            None if np.isnan(value) else round(value, 3) for value in outcome("soft-label", name, frame, items, CLASSES)
        ]

    assert values("top1_accuracy") == [1, 0, None]
    assert values("top2_accuracy") == [1, 1, None]
    assert values("top1_probability") == [100, 50, 80]
    assert values("label_entropy")[1] == round(np.log(2), 3)
    assert values("seconds") == [1.5, None, None]
    assert values("mass_elsewhere") == [None, None, None]


def test_mass_elsewhere_is_of_first_answers_to_mixed_items() -> None:
    """What lies on other classes than the two that were mixed."""
    frame = frame_of(
        [
            response("s", "m", "ant", p1=60),
            response("s", "m", "cow", repeat=1),
            response("s", "plain", "ant"),
        ]
    )
    items = item_frame(mix("m", coefficient=0.5), {"item": "plain"})
    values = outcome("soft-label", "mass_elsewhere", frame, items, CLASSES)
    assert values.iloc[0] == pytest.approx(0.2)
    assert values.iloc[1:].isna().all()


def test_mixing_coefficients() -> None:
    """Distances are absolute, and what was not asked has no value."""
    frame = task_frame(
        "mixing-coefficient",
        [
            answered("s", "x", inferred=0.2, confidence=70),
            answered("s", "y", midpoint=0.4, start=0.0),
        ],
    )
    items = item_frame(mix("x", coefficient="0.25"), mix("y"))

    def values(name: str) -> list[float]:
        return outcome("mixing-coefficient", name, frame, items, CLASSES).round(6).fillna(-1).tolist()

    assert values("deviation") == [0.05, -1]
    assert values("inferred") == [0.2, -1]
    assert values("confidence") == [70, -1]
    assert values("midpoint_deviation") == [-1, 0.1]


def test_wrong_labels() -> None:
    """A guess is right where it is the prediction."""
    frame = task_frame("wrong-label", [answered("s", "x", choice="ant"), answered("s", "y", choice="bee")])
    items = item_frame({"item": "x", "prediction": "ant"}, {"item": "y", "prediction": "cow"})
    assert outcome("wrong-label", "accuracy", frame, items, CLASSES).tolist() == [1, 0]
    with pytest.raises(FrameError, match="the items have no prediction"):
        outcome("wrong-label", "accuracy", frame, items.drop(columns="prediction"), CLASSES)


def test_an_unknown_outcome() -> None:
    """It is named with those that there are."""
    frame = frame_of([response("s", "a", "ant")])
    with pytest.raises(ValueError, match="the task soft-label has no outcome 'beauty'; there are: top1_accuracy, "):
        outcome("soft-label", "beauty", frame, item_frame({"item": "a"}), CLASSES)
