"""Guessed wrong labels: accuracies over images and over responses, and distractors, by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.wrong_label import (
    CHANCE,
    accuracy_table,
    distractor_agreement,
    distractors,
    guesses,
    image_accuracy,
    people_by_condition,
)
from tests.analysis.mixed_frames import answered, item_frame, task_frame

CLASSES = ("ant", "bee", "cow", "dog", "elk", "fox", "gnu")


def image(item: str, prediction: str, category: str | None = None) -> dict[str, Any]:
    """An image of an ant, with five options."""
    options = {f"option{number}": name for number, name in enumerate(("bee", "cow", "dog", "elk", "fox"), start=1)}
    return {"item": item, "reference": "ant", "prediction": prediction, **options, "category": category}


ITEMS = item_frame(image("x", "bee", "C1"), image("y", "cow", "C3"), image("z", "dog"))


def guess(submission: str, item: str, choice: str | None, condition: str = "int", **more: Any) -> Mapping[str, Any]:
    """One answer."""
    return answered(submission, item, choice=choice, condition=condition, **more)


ROWS = (
    guess("s", "x", "bee", rt_ms=1000),
    guess("s", "y", "elk", rt_ms=3000),
    guess("s", "z", "dog"),
    guess("t", "x", "elk", rt_ms=5000),
    guess("u", "x", "bee"),
    guess("v", "y", "cow", "no-int"),
    guess("v", "x", "elk", "no-int"),
    guess("w", "x", "bee", "no-int", participant="s"),
    guess("s", "x", "cow", repeat=1),
    guess("t", "y", None),
)


def small(*rows: Mapping[str, Any]) -> pd.DataFrame:
    """First answers that choose something."""
    return guesses(task_frame("wrong-label", rows, CLASSES), ITEMS, CLASSES)


def test_the_tables_of_the_paper() -> None:
    """int: x 2/3, y 0, z 1; no-int: x 1/2, y 1. What has no category counts in Overall."""
    answers = small(*ROWS)
    assert answers["right"].tolist() == [True, False, True, False, True, True, False, True]
    table = accuracy_table(answers)
    assert table.columns.tolist() == ["C1", "C3", "Overall"]
    assert table.index.tolist() == ["int", "#images, int", "no-int", "#images, no-int"]
    assert table.loc["int"].tolist() == pytest.approx([2 / 3, 0, (2 / 3 + 0 + 1) / 3])
    assert table.loc["#images, int"].tolist() == [1, 1, 3]
    assert table.loc["no-int"].tolist() == pytest.approx([0.5, 1, 0.75])
    over = accuracy_table(answers, "responses")
    assert over.loc["int"].tolist() == pytest.approx([2 / 3, 0, 3 / 5])
    assert over.loc["#responses, int"].tolist() == [3, 1, 5]
    assert over.loc["no-int"].tolist() == pytest.approx([0.5, 1, 2 / 3])
    assert pytest.approx(0.2) == CHANCE


def test_a_category_that_a_condition_lacks_is_unknown() -> None:
    """Experiment 1 had other images in each condition."""
    table = accuracy_table(small(guess("s", "x", "bee"), guess("t", "y", "cow", "no-int")))
    assert math.isnan(table.loc["int", "C3"])
    assert table.loc["#images, int"].tolist() == [1, 0, 1]


def test_people_and_time_by_condition() -> None:
    """s took part in both conditions, by two submissions."""
    found = people_by_condition(small(*ROWS))
    assert found["participants"].to_dict() == {"int": 3, "no-int": 2}
    assert found["also elsewhere"].to_dict() == {"int": 1, "no-int": 1}
    assert found["images"].to_dict() == {"int": 3, "no-int": 2}
    assert found["responses"].to_dict() == {"int": 5, "no-int": 3}
    assert found.loc["int", ["median s", "mean s"]].tolist() == [3, 3]
    assert math.isnan(found.loc["no-int", "median s"])


def test_distractors_that_are_chosen() -> None:
    """elk was offered with all eight answers, and chosen three times; a prediction is no distractor of its image."""
    answers = small(*ROWS)
    found = distractors(answers, ITEMS)
    assert found.index[0] == "elk"
    assert found.loc["elk"].tolist() == [8, 3, 3 / 8]
    assert found.loc["bee", ["offered", "chosen"]].tolist() == [3, 0]
    assert "ant" not in found.index
    assert distractor_agreement(answers) is None  # one wrong answer to x in each condition
    apart = [guess(who, "x", choice, condition) for who, choice, condition in
             (("s", "elk", "int"), ("t", "elk", "int"), ("u", "fox", "no-int"), ("v", "fox", "no-int"))]  # fmt: skip
    assert distractor_agreement(small(*apart)) == 1
    different = small(guess("s", "x", "elk"), guess("t", "x", "fox"), guess("u", "x", "fox"))
    assert distractor_agreement(different) == pytest.approx(1 / 3)
    assert distractor_agreement(small(guess("s", "x", "elk"))) is None


def test_nothing_is_empty() -> None:
    """Without answers every table is there, without rows."""
    answers = small()
    assert (len(image_accuracy(answers)), len(people_by_condition(answers)), len(distractors(answers, ITEMS))) == (
        0,
    ) * 3
    assert len(accuracy_table(answers)) == len(accuracy_table(answers, "responses")) == 0
    assert distractor_agreement(answers) is None


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        ([image("x", "bee"), image("x", "bee")], "'x' stands twice"),
        ([image("y", "bee")], "'x' was answered, but its prediction is none of the classes"),
        ([{"item": "x"}], "'x' was answered, but its prediction"),
        ([image("x", "zebra")], "'x' was answered, but its prediction"),
    ],
)
def test_items_that_do_not_say_the_prediction_are_refused(items: list[dict[str, Any]], sentence: str) -> None:
    """Without the prediction nobody can say what is right."""
    frame = task_frame("wrong-label", [guess("s", "x", "bee")], CLASSES)
    with pytest.raises(FrameError, match=sentence):
        guesses(frame, item_frame(*items), CLASSES)
