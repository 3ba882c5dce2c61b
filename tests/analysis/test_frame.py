"""The contract of the long frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crowdloom.analysis.frame import COLUMNS as SHARED
from crowdloom.analysis.frame import FrameError, check_frame, frame_from_records
from crowdloom.analysis.labels import Elicited
from crowdloom.tasks.columns import record_fields
from tests.analysis.frames import CLASSES, COLUMNS, frame_of, response


def good() -> pd.DataFrame:
    """A frame with a repeat, a missing time, a missing reference and a missing second class."""
    return frame_of(
        [
            response("p", "x", "ant", "bee", p1=60, p2=30.5, impossible=["cow"], rt_ms=1500, reference="ant"),
            response("p", "y", "cow", impossible=["ant", "bee"]),
            response("p", "x", "bee", repeat=1, rt_ms=900, reference="ant"),
        ]
    )


def test_records_become_a_frame_that_keeps_the_contract() -> None:
    """Packed answers come out as names, numbers and tuples, in the contract's order, and pass the check."""
    frame = good()
    check_frame(frame, COLUMNS, CLASSES)
    assert list(frame.columns) == [*SHARED, *(column.name for column in COLUMNS)]
    assert frame["top1"].tolist() == ["ant", "cow", "bee"]
    assert frame["top2"].tolist() == ["bee", None, None]
    assert frame["top2_probability"].tolist()[0] == 30.5
    assert np.isnan(frame["top2_probability"][1])
    assert frame["impossible"].tolist() == [("cow",), ("ant", "bee"), ()]
    assert frame["is_repeat"].tolist() == [False, False, True]
    assert frame["reference"].tolist() == ["ant", None, "ant"]
    assert np.isnan(frame["rt_ms"][1])
    assert str(frame["answered_at"].dt.tz) == "UTC"


def test_the_frame_and_the_records_hold_the_same_answers() -> None:
    """Going through the frame or straight from records to arrays gives the same answers."""
    frame = good()
    elicited = Elicited.from_frame(frame, CLASSES)
    assert elicited.top1.tolist() == [0, 2, 1]
    assert elicited.top2.tolist() == [1, -1, -1]
    assert elicited.impossible.tolist() == [[False, False, True], [True, True, False], [False] * 3]
    np.testing.assert_array_equal(elicited.top1_probability, [60, 100, 100])


def test_equal_sets_need_not_be_one_object() -> None:
    """A frame of our own shares its tuples; in one from elsewhere each answer may have its own, and class codes."""
    frame = pd.concat([good()] * 3, ignore_index=True)
    ours = Elicited.from_frame(frame, CLASSES)
    theirs = frame.assign(impossible=[(*names,) for names in frame["impossible"]])
    theirs = theirs.astype({"top1": "category", "top2": "category"})
    assert len(set(map(id, theirs["impossible"]))) > len(set(map(id, frame["impossible"])))
    found = Elicited.from_frame(theirs, CLASSES)
    for name in ("top1", "top2", "impossible"):
        np.testing.assert_array_equal(getattr(found, name), getattr(ours, name))


def test_an_empty_study_has_a_frame() -> None:
    """No answers give a frame with all columns and no rows, which passes the check."""
    frame = frame_of([])
    check_frame(frame, COLUMNS, CLASSES)
    assert len(frame) == 0
    assert len(Elicited.from_frame(frame, CLASSES)) == 0


def test_many_classes_fill_several_bytes() -> None:
    """Sets of classes come out right where their bits take more than a byte."""
    classes = [f"class {number}" for number in range(19)]
    records = np.zeros(2, dtype=np.dtype(record_fields(COLUMNS, len(classes))))
    records["impossible"][1] = np.packbits([number in {0, 8, 18} for number in range(19)])
    metadata: dict[str, Any] = {name: ["a", "b"] for name in SHARED if name not in {"is_repeat", "answered_at"}}
    metadata |= {"repeat_index": [0, 1], "rt_ms": [1, None], "position": [0, 1]}
    metadata |= {"answered_at": pd.to_datetime(["2024-01-01", "2024-01-02"])}
    frame = frame_from_records(records, metadata, COLUMNS, classes)
    assert frame["impossible"].tolist() == [(), ("class 0", "class 8", "class 18")]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda frame: frame.drop(columns=["rt_ms", "top2"]), "lacks the columns rt_ms, top2"),
        (lambda frame: frame.assign(item=[1, 2, 3]), "column item, row 0: 1 found, .* a text"),
        (lambda frame: frame.assign(batch=[1, None, 1]), "column batch, row 1"),
        (lambda frame: frame.assign(position=[0.0, 1.0, 2.0]), "column position is of type float64; make it whole"),
        (lambda frame: frame.assign(position=[0, -1, 2]), "column position, row 1: .*-1"),
        (lambda frame: frame.assign(is_repeat=["no"] * 3), "column is_repeat is of type .*; make it boolean"),
        (lambda frame: frame.assign(is_repeat=[False] * 3), "column is_repeat, row 2: .* repeat_index is above 0"),
        (lambda frame: frame.assign(rt_ms=[1.0, -2.0, 3.0]), "column rt_ms, row 1: .*-2"),
        (lambda frame: frame.assign(rt_ms=["1", "2", "3"]), "column rt_ms is of type .*; make it float"),
        (lambda frame: frame.assign(reference=["ant", "dog", None]), "column reference, row 1: 'dog' .*ant, bee, cow"),
        (lambda frame: frame.assign(top1=["ant", "bee", "dog"]), "column top1, row 2: 'dog'"),
        (lambda frame: frame.assign(impossible=["ant", (), ()]), "column impossible, row 0: 'ant' .* a tuple"),
        (lambda frame: frame.assign(impossible=[("dog",), (), ()]), r"column impossible, row 0: \('dog',\)"),
        (lambda frame: frame.assign(answered_at=frame["answered_at"].dt.tz_localize(None)), "answered_at .* zone"),
        (lambda frame: pd.concat([frame, frame]), "column repeat_index, row 3: .* once for each submission and item"),
    ],
)
def test_a_broken_frame_is_named(spoil: Callable[[pd.DataFrame], pd.DataFrame], words: str) -> None:
    """Each breach of the contract is refused with the column, the row and what was expected."""
    with pytest.raises(FrameError, match=words):
        check_frame(spoil(good()), COLUMNS, CLASSES)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"item": ["x"]}, "1 values are given for column item, but there are 2 answers")],
)
def test_metadata_that_does_not_fit_is_named(changes: dict[str, Any], words: str) -> None:
    """Metadata of another length than the answers is refused."""
    with pytest.raises(FrameError, match=words):
        frame_of([response("p", "x", "ant"), response("p", "y", "ant")], **changes)


def test_records_of_other_classes_are_refused() -> None:
    """An answer that names the fourth of three classes is refused."""
    records = np.zeros(1, dtype=np.dtype(record_fields(COLUMNS, len(CLASSES))))
    records["top1"] = 3
    metadata: dict[str, Any] = {key: ["a"] for key in SHARED}
    metadata |= {"position": [0], "is_repeat": [False], "repeat_index": [0], "rt_ms": [1]}
    metadata |= {"answered_at": pd.to_datetime(["2024-01-01"])}
    with pytest.raises(FrameError, match="column top1: an answer names a class beyond the design's 3"):
        frame_from_records(records, metadata, COLUMNS, CLASSES)
    with pytest.raises(FrameError, match="nothing is given for the column item"):
        frame_from_records(records, {key: metadata[key] for key in SHARED if key != "item"}, COLUMNS, CLASSES)
    with pytest.raises(FrameError, match="no field top1"):
        frame_from_records(np.zeros(1, dtype=[("other", "f8")]), metadata, COLUMNS, CLASSES)
