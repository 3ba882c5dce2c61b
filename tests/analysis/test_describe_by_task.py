"""Summaries and tables of every task: their keys, their numbers, and how they are printed."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crowdloom.analysis.boundaries import fit_boundary
from crowdloom.analysis.describe import DESCRIBE, MEANINGS, TABLES, describe, describe_rows
from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.mixing_summary import INFERRED_MEANINGS, MIDPOINT_MEANINGS
from crowdloom.analysis.soft_label_summary import MIXED_MEANINGS
from crowdloom.analysis.summary import Table
from crowdloom.tasks import TASKS
from tests.analysis.mixed_frames import CLASSES, answered, item_frame, mix, task_frame

MIXING = "mixing-coefficient"
ITEMS = item_frame(
    mix("x", "ant", "bee", 0.1, entropy1=0.7, entropy2=0.6),
    mix("y", "ant", "bee", "0.5", entropy1=0, entropy2=0),
    mix("z", "cow", "dog", 0.9, entropy1=0, entropy2=0.3),
    {"item": "plain", "reference": "ant", "prediction": "bee"},
)
INFERRED = [
    answered("s", "x", inferred=0.2, confidence=40, rt_ms=1000),
    answered("s", "y", inferred=0.4, confidence=60, rt_ms=2000),
    answered("s", "z", inferred=0.8, confidence=80, rt_ms=6000),
    answered("s", "x", inferred=0.3, confidence=40, repeat=1),
]


def test_every_task_can_be_described() -> None:
    """No task is forgotten, every key has a meaning, and no name is too long for the table."""
    assert set(DESCRIBE) == set(TABLES) == set(TASKS)
    assert all(len(name) <= 31 for name in MEANINGS)


@pytest.mark.parametrize("task", DESCRIBE)
@pytest.mark.parametrize("rows", [[], [{"item": "x"}]])
def test_nothing_and_next_to_nothing_have_no_nan_and_no_traceback(task: str, rows: list[dict[str, Any]]) -> None:
    """Without answers, or with one that says nothing, numbers are None and everything can be printed."""
    items = ITEMS.assign(prediction="bee")
    frame = task_frame(task, [answered("s", **row) for row in rows])
    summary = describe(task, frame, items, CLASSES)
    assert summary["participants"] == len(rows)
    assert set(summary) <= set(MEANINGS)
    assert not any(isinstance(value, float) and math.isnan(value) for value in summary.values())
    assert None in summary.values()
    assert all(value == "–" for name, value, _ in describe_rows(summary) if summary[name] is None)
    for table in TABLES[task](frame, items, CLASSES):
        assert "nan" not in table.lines().lower()
        json.dumps(table.records(), allow_nan=False)


def test_inferred_coefficients_in_numbers() -> None:
    """Each number is the one that its definition gives by hand; nothing is said of midpoints."""
    summary = describe(MIXING, task_frame(MIXING, INFERRED), ITEMS, CLASSES)
    assert not set(summary) & set(MIDPOINT_MEANINGS)
    assert set(INFERRED_MEANINGS) <= set(summary)
    assert (summary["responses_first"], summary["responses_repeat"], summary["seconds_median"]) == (3, 1, 2)
    f, h = np.array([0.1, 0.5, 0.9]), np.array([0.2, 0.4, 0.8])
    fitted = fit_boundary(f, h)
    wanted = {
        "inferred_correlation": np.corrcoef(f, h)[0, 1],
        "deviation_mean": 0.1,
        "deviation_median": 0.1,
        "item_deviation_mean": 0.1,
        "boundary_slope": fitted.slope,
        "boundary_midpoint_se": fitted.midpoint_error,
        "confidence_mean": 60,
        "confidence_median": 60,
        "confidence_at_half": 60,
        "confidence_both_high": 40,
        "confidence_both_low": 60,
        "confidence_p": 1.0,
        "deviation_both_low": 0.1,
        "repeat_inferred_mean": 0.1,
        "repeat_inferred_mean_chance": (0.1 + 0.5) / 2,
        "repeat_confidence_median": 0,
        "repeat_confidence_median_chance": 30,
        "repeat_inferred_r": None,
    }
    assert {name: summary[name] for name in wanted} == pytest.approx(wanted)


def test_midpoints_in_numbers() -> None:
    """0.4 from below and 0.7 from above; nothing is said of inferred coefficients."""
    rows = [answered("s", "x", midpoint=0.4, start=0.1), answered("s", "y", midpoint=0.7, start=0.9)]
    summary = describe(MIXING, task_frame(MIXING, rows), ITEMS, CLASSES)
    assert not set(summary) & set(INFERRED_MEANINGS)
    wanted = {
        "midpoint_mean": 0.55,
        "midpoint_sd": 0.3 / math.sqrt(2),
        "midpoint_at_half": 0,
        "midpoint_anchoring": 0.3,
    }
    assert {name: summary[name] for name in wanted} == pytest.approx(wanted)
    titles = [table.title for table in TABLES[MIXING](task_frame(MIXING, rows), ITEMS, CLASSES)]
    assert titles == ["Midpoints by pair of classes", "Midpoints by the mix that a construction began with"]


def test_a_study_may_ask_both_questions() -> None:
    """Conditions with different questions are described together."""
    rows = [*INFERRED, answered("t", "x", midpoint=0.5)]
    summary = describe(MIXING, task_frame(MIXING, rows), ITEMS, CLASSES)
    assert (summary["midpoint_mean"], summary["deviation_mean"]) == (0.5, pytest.approx(0.1))


def test_soft_labels_gain_numbers_only_where_items_are_mixed() -> None:
    """The keys that were there stay; those about mixes come where an item has endpoints."""
    rows = [
        answered("s", "x", top1="ant", top1_probability=50, top2="cow", top2_probability=50, impossible=("dog",)),
        answered("s", "y", top1="bee", top1_probability=100, impossible=("ant", "cow", "dog")),
    ]
    frame = task_frame("soft-label", rows)
    summary = describe("soft-label", frame, ITEMS, CLASSES)
    plain = describe("soft-label", frame, item_frame({"item": "x"}, {"item": "y"}), CLASSES)
    assert plain == {name: value for name, value in summary.items() if name not in MIXED_MEANINGS}
    assert set(MIXED_MEANINGS) <= set(summary)
    # gamma spreads 0.1 over bee of x, and over nothing of y; elsewhere is cow's 0.45 and nothing
    assert summary["mass_elsewhere_mean"] == pytest.approx(0.225)
    assert summary["item_mass_elsewhere_se"] == pytest.approx(0.225)
    assert summary["mixed_items"] == 2
    assert len(TABLES["soft-label"](frame, ITEMS, CLASSES)) == 3


def test_wrong_labels_in_numbers() -> None:
    """Images count the same in one accuracy, responses in the other."""
    items = item_frame({"item": "x", "prediction": "bee"}, {"item": "y", "prediction": "cow"})
    rows = [
        answered("s", "x", choice="bee"),
        answered("t", "x", choice="bee"),
        answered("u", "x", choice="dog", condition="other", participant="s"),
        answered("u", "y", choice="dog", condition="other", participant="s"),
    ]
    summary = describe("wrong-label", task_frame("wrong-label", rows), items, CLASSES)
    assert (summary["accuracy_by_image"], summary["accuracy_by_response"]) == (pytest.approx(1 / 3), 0.5)
    assert (summary["participants"], summary["participants_in_several"], summary["accuracy_chance"]) == (2, 1, 0.2)
    assert summary["distractor_agreement"] is None


def test_what_items_do_not_say_is_told() -> None:
    """An item that lacks what its answers need is named in a sentence."""
    with pytest.raises(FrameError, match="'plain' was answered"):
        describe(MIXING, task_frame(MIXING, [answered("s", "plain", inferred=0.5)]), ITEMS, CLASSES)


def test_tables_are_printed_in_columns() -> None:
    """Counts have no decimals, measures three; unknown is a dash; sentences stand to the left."""
    index = pd.Index(["a", "#n, a"], name="of", dtype=object)
    frame = pd.DataFrame(
        {"n": [3, 4], "mean": [0.5, 7.0], "p": [1e-5, math.nan], "problem": [None, "why"]}, index=index
    )
    assert Table("t", frame).lines().splitlines() == [
        "of     n   mean        p  problem",
        "a      3  0.500  1.0e-05  –",
        "#n, a  4      7        –  why",
    ]
    assert Table("t", frame).records()[0] == {"of": "a", "n": 3, "mean": 0.5, "p": 1e-5, "problem": None}
    assert describe_rows({"confidence_p": 1e-9})[0][1] == "1.0e-09"
