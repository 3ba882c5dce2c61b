"""Sessions in a latent space as long frames, and records that contradict themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.latent_frames import WHOSE, check_record, curves, movements, shapes
from tests.analysis.latent_sessions import CLASSES, baselines_of, session


def test_curves_stand_beside_their_baselines() -> None:
    """45 epochs of each; a session without a baseline has its own alone."""
    some = [session(0), session(1), session(2)]
    frame = curves(some, baselines_of(some[:2]))
    assert tuple(frame.columns) == (*WHOSE, "source", "epoch", "accuracy", "macro_f1")
    assert frame.groupby(["submission", "source"]).size().to_dict() == {
        ("s0", "baseline"): 45,
        ("s0", "person"): 45,
        ("s1", "baseline"): 45,
        ("s1", "person"): 45,
        ("s2", "person"): 45,
    }
    own = frame[(frame["submission"] == "s1") & (frame["source"] == "person")]
    assert own["accuracy"].tolist() == [one.accuracy for one in some[1].record.curve]


def test_shapes_have_a_row_for_each_class_and_stage() -> None:
    """Centres and spreads as in the record; the accuracy is that before or after, and none of what was intended."""
    one = session(0)
    frame = shapes([one])
    assert len(frame) == 4 * 3 * len(CLASSES)
    row = frame[(frame["interaction"] == 2) & (frame["stage"] == "intended") & (frame["class"] == "cow")].iloc[0]
    intended = one.record.interactions[1].intended
    assert ((row["x"], row["y"]), row["spread"]) == (intended.centres[2], intended.spreads[2])
    assert np.isnan(row["accuracy"])
    after = frame[(frame["interaction"] == 4) & (frame["stage"] == "after")]
    assert after["accuracy"].tolist() == one.record.interactions[3].class_accuracy_after


def test_movements_are_numbered_in_their_order() -> None:
    """Two in each interaction but that in which everything was kept; classes by their names."""
    frame = movements([session(0)])
    assert frame[["interaction", "movement"]].to_numpy().tolist() == [[i, n] for i in (1, 2, 3) for n in (1, 2)]
    assert frame["class"].tolist() == ["ant", "bee"] * 3
    assert frame["kind"].unique().tolist() == ["centre"]


def test_nothing_gives_empty_frames() -> None:
    """With their columns."""
    for frame in (curves([]), shapes([]), movements([])):
        assert not len(frame)
        assert list(frame)[: len(WHOSE)] == list(WHOSE)


def _first(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = record["interactions"][0]
    return found


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda record: record["curve"].pop(0), "the epochs of the curve are not 1, 2, 3 and so on"),
        (lambda record: record["curve"].pop(), "the curve has 44 epochs, and not the 45 that were trained"),
        (lambda record: record["classes"].__setitem__(0, "bee"), "a class stands there twice"),
        (lambda record: _first(record).update(number=2), "interaction 1 has the number 2"),
        (lambda record: _first(record).update(epoch=20), "interaction 1 begins at epoch 20, and not at epoch 25"),
        (lambda record: _first(record)["before"]["spreads"].pop(), "interaction 1 has 4 spreads before for 5 classes"),
        (lambda record: _first(record)["class_accuracy_after"].pop(), "has 4 class_accuracy_after for 5 classes"),
        (lambda record: _first(record)["after"]["spreads"].__setitem__(1, None), "a class has a centre and no spread"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(change: Any, why: str) -> None:
    """In words that say where."""
    record = session(0).record
    check_record(record)
    values = record.model_dump()
    change(values)
    with pytest.raises(FrameError, match=why):
        check_record(type(record).model_validate(values))
