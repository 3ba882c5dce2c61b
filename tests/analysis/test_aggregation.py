"""The door to all methods: frames in, names out; and the tables of what was found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from crowdloom.analysis.aggregate_intervals import aggregate_intervals
from crowdloom.analysis.aggregation import METHODS, aggregate, coded, fit
from crowdloom.analysis.aggregation_summary import aggregate_table, annotators_table
from crowdloom.analysis.annotations import Annotations
from crowdloom.analysis.frame import FrameError

ANSWERS = pd.DataFrame(
    {
        "task": ["t10", "t10", "t9", "t9", "t9", None, "t10"],
        "worker": ["ann", "ben", "ann", "ben", "cem", "ann", "cem"],
        "label": ["yes", "yes", "no", "yes", "no", "yes", None],
    }
)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_aggregates_a_frame(method: str) -> None:
    """Names come out in order, with a distribution for each task; incomplete rows are left out."""
    found = aggregate(ANSWERS, method)
    table = found.probabilities()
    assert (table.index.tolist(), table.columns.tolist(), found.workers) == (
        ["t10", "t9"],
        ["no", "yes"],
        ["ann", "ben", "cem"],
    )
    np.testing.assert_allclose(table.sum(axis=1), 1)
    assert found.left_out == 2
    assert found.labels().to_dict() == {"t10": "yes", "t9": "no"}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rows", [0, 1])
def test_every_method_stands_nothing_and_one_answer(method: str, rows: int) -> None:
    """An empty frame gives empty tables, one answer one row; nothing is NaN, and every table can be printed."""
    found = aggregate(ANSWERS.iloc[:rows], method)
    table = found.probabilities()
    assert table.shape == (rows, rows)
    assert table.notna().all(axis=None)
    assert len(found.labels()) == rows
    for shown in (aggregate_table(found), annotators_table(found)):
        assert "nan" not in shown.lines().lower()


def test_rows_in_any_order_give_the_same() -> None:
    """A shuffled frame gives the same table."""
    shuffled = ANSWERS.sample(frac=1, random_state=1)
    for method in METHODS:
        pd.testing.assert_frame_equal(
            aggregate(ANSWERS, method).probabilities(), aggregate(shuffled, method).probabilities()
        )


def test_names_are_in_order() -> None:
    """Numbers by value, also as texts; texts by their characters; each value keeps its position."""
    for values, expected in (
        ([10, 9, 10], [9, 10]),
        ([-5, 3, 3, -4], [-5, -4, 3]),
        ([10**15, 9, -(10**15)], [-(10**15), 9, 10**15]),
        ([2.5, 1.0], [1.0, 2.5]),
        (np.array([127, -128, 127], dtype=np.int8), [-128, 127]),
        (np.array([2**63, 1], dtype=np.uint64), [1, 2**63]),
        (["10", "9", "01", "1"], ["01", "1", "9", "10"]),
        (["b", "10", "9"], ["10", "9", "b"]),
        (["nan", "2", "10"], ["10", "2", "nan"]),
        ([True, False], [False, True]),
    ):
        codes, names = coded(pd.Series(values))
        assert names == expected
        assert [names[code] for code in codes] == list(values)
        codes, names = coded(pd.Series(values).astype("category"))
        assert [names[code] for code in codes] == list(values)


def test_classes_may_be_given() -> None:
    """Then they have the order given, those without an answer too; another label is refused."""
    found = aggregate(ANSWERS, classes=["yes", "no", "maybe"]).probabilities()
    assert found.columns.tolist() == ["yes", "no", "maybe"]
    assert found.loc["t9"].tolist() == [1 / 3, 2 / 3, 0]
    with pytest.raises(FrameError, match="the label 'yes' is none of the classes no"):
        aggregate(ANSWERS, classes=["no"])


def test_distributions_come_in_columns() -> None:
    """Several label columns are a distribution each; a hard method takes the most probable class."""
    frame = pd.DataFrame({"item": [1, 1], "who": ["a", "b"], "x": [0.6, 0.9], "y": [0.4, 0.1]})
    named: dict[str, Any] = {"task": "item", "worker": "who", "label": ["x", "y"]}
    assert aggregate(frame, "linear-pool", **named).probabilities().round(12).loc[1].tolist() == [0.75, 0.25]
    assert aggregate(frame, "majority-vote", **named).probabilities().loc[1].tolist() == [1, 0]
    with pytest.raises(ValueError, match="label 1 is no distribution"):
        aggregate(frame.assign(y=[0.4, 0.4]), "linear-pool", **named)


def test_confusions_have_names() -> None:
    """One row for each worker, true class and label; each worker's labels of a class sum to 1."""
    found = aggregate(ANSWERS, "dawid-skene").confusions()
    assert found.columns.tolist() == ["worker", "true", "label", "probability"]
    assert found["worker"].tolist() == ["ann"] * 4 + ["ben"] * 2 + ["cem"] * 2
    assert found["true"].tolist()[:4] == ["no", "no", "yes", "yes"]
    np.testing.assert_allclose(found.groupby(["worker", "true"])["probability"].sum(), 1)
    with pytest.raises(ValueError, match="majority-vote estimates no confusions"):
        aggregate(ANSWERS).confusions()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"method": "mean"}, "'mean' is no way to aggregate; choose one of majority-vote, dawid-skene"),
        ({"method": "majority-vote", "iterations": 3}, "majority-vote has no option iterations; it takes no options"),
        ({"method": "dawid-skene", "weights": "equal"}, "dawid-skene has no option weights; it takes iterations"),
        ({"worker": "who", "task": "what"}, "the frame lacks the columns what, who"),
    ],
)
def test_mistakes_are_one_sentence(given: dict[str, Any], words: str) -> None:
    """An unknown method, an option that means nothing, and columns that are not there."""
    with pytest.raises(ValueError, match=words):
        aggregate(ANSWERS, **given)


def test_too_many_hard_answers_for_a_pool_are_refused() -> None:
    """One-hot rows of a million classes do not fit; the sentence says which methods do."""
    zeros = np.zeros(300, np.intp)
    with pytest.raises(ValueError, match="take majority-vote or dawid-skene"):
        fit("linear-pool", Annotations(zeros, zeros, zeros, 1, 1, 1_000_000))


def test_tables_say_what_was_found() -> None:
    """Statistics with their intervals, and of annotators what the method knows of them."""
    found = aggregate(ANSWERS, "dawid-skene")
    assert annotators_table(found).frame.columns.tolist() == ["answers", "reliability"]
    assert annotators_table(found).frame["answers"].tolist() == [2, 2, 1]
    pooled = aggregate(ANSWERS, "log-pool", weights="agreement", calibrated=True)
    assert annotators_table(pooled).frame.columns.tolist() == ["answers", "weight", "temperature"]
    around = aggregate_intervals("dawid-skene", found.answers, np.random.default_rng(0), samples=30)
    table = aggregate_table(found, around)
    assert table.title == "Labels of 2 items by dawid-skene, with 95 % intervals over 30 draws of the annotators"
    assert table.frame.index.tolist() == ["mean entropy", "mean certainty"]
    assert (table.frame["low"] <= table.frame["value"]).all()
