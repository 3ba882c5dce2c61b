"""The door to answers about mixed images: what it joins and converts, and what it refuses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.mixing import mixed_items, mixed_responses, oriented, read_counts, with_entropies
from tests.analysis.mixed_frames import CLASSES, answered, item_frame, mix, task_frame

TASK = "mixing-coefficient"


def test_every_response_stands_beside_what_its_image_was_mixed_of() -> None:
    """Texts become numbers, pairs have one name whatever the order, and what is not known is NaN."""
    items = item_frame(
        mix("x", "ant", "bee", "0.25", entropy1="0.1", entropy2=0.5),
        mix("y", "cow", "ant", 0.9),
        {"item": "z", "reference": "ant"},
    )
    frame = task_frame(
        TASK,
        [
            answered("s", "y", inferred=0.7, confidence=80, flipped=0, rt_ms=1500),
            answered("s", "x", inferred=0.5, confidence=20, flipped=1),
            answered("s", "y", inferred=0.6, confidence=70, flipped=0, repeat=1),
        ],
    )
    responses = mixed_responses(frame, items, CLASSES)
    assert responses["item"].tolist() == ["y", "x", "y"]
    assert responses["pair"].tolist() == ["ant–cow", "ant–bee", "ant–cow"]
    assert responses["lambda_f"].tolist() == [0.9, 0.25, 0.9]
    assert responses["lambda_h"].tolist() == [0.7, 0.5, 0.6]
    assert responses["is_repeat"].tolist() == [False, False, True]
    assert responses["entropy1"].tolist() == pytest.approx([math.nan, 0.1, math.nan], nan_ok=True)
    assert responses["midpoint"].isna().all()
    assert oriented(responses, "lambda_f").tolist() == [0.1, 0.25, 0.1]
    assert oriented(responses, "lambda_h").tolist() == [0.3, 0.5, 0.4]


def test_no_answers_and_no_items_are_a_frame_without_rows() -> None:
    """Before anybody has answered all columns are there."""
    responses = mixed_responses(task_frame(TASK, []), item_frame(), CLASSES)
    assert len(responses) == 0
    assert {"lambda_f", "lambda_h", "pair", "swapped", "entropy1"} <= set(responses.columns)


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        ([mix("x"), mix("x")], "'x' stands twice"),
        ([{"item": "x", "endpoint1": "ant"}], "'x' names one endpoint only"),
        ([mix("x", "ant", "elk")], "'x' has an endpoint2 that is none of the classes ant, bee, cow, dog"),
        ([mix("x", "ant", "ant")], "'x' has the same class at both endpoints"),
        ([mix("x", coefficient="half")], "'x' does not give its coefficient as a number from 0 to 1"),
        ([mix("x", coefficient=1.5)], "'x' does not give its coefficient as a number from 0 to 1"),
        ([mix("x", coefficient=0.5, entropy2=-1)], "'x' does not give its entropy2 as a number of nats"),
        ([mix("x", coefficient=0.5, entropy1="nan")], "'x' does not give its entropy1 as a number of nats"),
        ([mix("y", coefficient=0.5)], "'x' was answered, but its two endpoints are not known"),
        ([{"item": "x"}], "'x' was answered, but its two endpoints are not known"),
        ([mix("x")], "'x' has an inferred coefficient, but the item does not say"),
    ],
)
def test_items_that_cannot_be_are_refused_in_a_sentence(items: list[dict[str, Any]], sentence: str) -> None:
    """Each mistake is named with its item."""
    frame = task_frame(TASK, [answered("s", "x", inferred=0.5, confidence=50)])
    with pytest.raises(FrameError, match=sentence):
        mixed_responses(frame, item_frame(*items), CLASSES)


@pytest.mark.parametrize(("name", "value"), [("inferred", 1.5), ("confidence", 101), ("midpoint", -0.1), ("start", 2)])
def test_answers_out_of_range_are_refused(name: str, value: float) -> None:
    """A percentage where a share belongs is noticed."""
    frame = task_frame(TASK, [answered("s", "x", **{name: value})])
    with pytest.raises(FrameError, match=f"'x' has an answer whose {name} does not lie between 0 and 1"):
        mixed_responses(frame, item_frame(mix("x", coefficient=0.5)), CLASSES)


def test_entropies_are_those_of_the_sources_rows() -> None:
    """In nats, by row number; an entropy that the item says itself stays, and so does an item without sources."""
    counts = np.array([[50, 0, 0, 0], [25, 25, 0, 0], [10, 10, 10, 10]])
    items = item_frame(
        mix("x", source1="0", source2=1), mix("y", source1=2, source2="1.0", entropy2="0.3"), mix("z"), {"item": "w"}
    )
    told = mixed_items(with_entropies(items, counts), CLASSES)
    assert told["entropy1"].tolist() == pytest.approx([0, math.log(4), math.nan], nan_ok=True)
    assert told["entropy2"].tolist() == pytest.approx([math.log(2), 0.3, math.nan], nan_ok=True)
    assert "entropy1" not in items


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        (mix("x", source1="3", source2=0), "'x' has a source1 that is no row of the counts, 0 to 2"),
        (mix("x", source1=0, source2="-1"), "'x' has a source2 that is no row"),
        (mix("x", source1="cat.png", source2=0), "'x' has a source1 that is no row"),
        (mix("x", source1=1.5, source2=0), "'x' has a source1 that is no row"),
        (mix("x", source1=2, source2=0), "'x' has a source1 whose row of the counts is all zeros"),
        (mix("x"), "no item says the sources"),
    ],
)
def test_counts_that_do_not_fit_are_refused(item: dict[str, Any], sentence: str) -> None:
    """A source that the counts do not know is named, never read as another row."""
    with pytest.raises(FrameError, match=sentence):
        with_entropies(item_frame(item), np.array([[1, 1], [2, 0], [0, 0]]))


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros(3), "must hold one array"),
        (np.array([["a"]]), "must hold one array"),
        (np.array([[-1, 2]]), "negative"),
        (np.array([[np.nan, 2]]), "negative or no number"),
        (None, "cannot be read"),
    ],
)
def test_files_of_counts_are_checked(array: Any, sentence: str, tmp_path: Path) -> None:
    """A file that holds no counts is refused in a sentence that names it."""
    path = tmp_path / "counts.npy"
    if array is None:
        path.write_text("1,2,3", encoding="utf-8")
    else:
        np.save(path, array)
    with pytest.raises(ValueError, match=f"counts.npy .*{sentence}"):
        read_counts(path)
    with pytest.raises(ValueError, match=r"none\.npy cannot be read"):
        read_counts(tmp_path / "none.npy")


def test_entropies_of_real_annotators(test_data: Path) -> None:
    """CIFAR-10H's counts give what scipy gives for the same rows."""
    from scipy.stats import entropy

    counts = read_counts(test_data / "cifar10h-counts.npy")
    rows = np.random.default_rng(3).integers(0, len(counts), (20, 2))
    items = item_frame(*(mix(f"i{n}", source1=str(a), source2=int(b)) for n, (a, b) in enumerate(rows.tolist())))
    told = with_entropies(items, counts)
    assert told["entropy1"].tolist() == pytest.approx(entropy(counts[rows[:, 0]], axis=1).tolist(), abs=1e-12)
    assert told["entropy2"].tolist() == pytest.approx(entropy(counts[rows[:, 1]], axis=1).tolist(), abs=1e-12)
    assert isinstance(told, pd.DataFrame)
