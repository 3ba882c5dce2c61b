"""Inferred coefficients beside the generating ones, confidence by entropy, and consistency, by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crowdloom.analysis.coefficients import by_coefficient, deviation_by_item, deviation_by_pair
from crowdloom.analysis.confidence import (
    GROUPS,
    by_entropy,
    compare_groups,
    comparison_table,
    confidence_by_coefficient,
)
from crowdloom.analysis.consistency import Consistency, consistency
from crowdloom.analysis.mixing import mixed_responses
from tests.analysis.mixed_frames import CLASSES, answered, item_frame, mix, task_frame

TASK = "mixing-coefficient"
ITEMS = item_frame(
    mix("x", "ant", "bee", 0.25, entropy1=0.6, entropy2=0.5),
    mix("y", "bee", "ant", 0.5, entropy1=0.1, entropy2=0.0),
    mix("z", "cow", "dog", 0.25, entropy1=0.6, entropy2=0.05),
)


def small() -> pd.DataFrame:
    """Six first answers and two repeats."""
    return mixed_responses(
        task_frame(
            TASK,
            [
                answered("s", "x", inferred=0.25, confidence=10),
                answered("s", "y", inferred=0.9, confidence=90),
                answered("s", "z", inferred=0.5, confidence=50),
                answered("t", "x", inferred=0.45, confidence=30),
                answered("t", "y", inferred=0.1, confidence=70),
                answered("t", "z", inferred=0.0, confidence=60),
                answered("s", "x", inferred=0.35, confidence=20, repeat=1),
                answered("t", "y", inferred=0.4, confidence=70, repeat=1),
            ],
        ),
        ITEMS,
        CLASSES,
    )


def test_by_coefficient_only_first_answers_count() -> None:
    """At 0.25 they inferred 0.25, 0.5, 0.45 and 0; at 0.5 they inferred 0.9 and 0.1."""
    found = by_coefficient(small())
    assert found["n"].to_dict() == {0.25: 4, 0.5: 2}
    assert found["mean"].tolist() == pytest.approx([0.3, 0.5])
    assert found["median"].tolist() == pytest.approx([0.35, 0.5])
    assert found["lower"].tolist() == pytest.approx([0.1875, 0.3])
    assert found["sd"].tolist() == pytest.approx([np.std([0.25, 0.5, 0.45, 0], ddof=1), 0.8 / math.sqrt(2)])


def test_relabelling_by_item_and_pair() -> None:
    """Answers on both sides cancel in an item's mean, and do not in the mean of its deviations."""
    found = deviation_by_item(small())
    assert found.loc["y", ["n", "lambda_h", "of_mean", "mean_of"]].tolist() == pytest.approx([2, 0.5, 0, 0.4])
    assert found.loc["x", ["lambda_h", "of_mean", "mean_of"]].tolist() == pytest.approx([0.35, 0.1, 0.1])
    assert found.index[0] == "x"
    pairs = deviation_by_pair(small())
    assert pairs["n"].to_dict() == {"ant–bee": 4, "cow–dog": 2}
    assert pairs["mean"].tolist() == pytest.approx([(0 + 0.2 + 0.4 + 0.4) / 4, 0.25])


def test_confidence_by_coefficient_and_by_entropy() -> None:
    """x is high at both ends (0.5 counts), y low at both (0.1 counts), z is neither."""
    responses = small()
    assert confidence_by_coefficient(responses)["mean"].tolist() == pytest.approx([37.5, 80])
    found = by_entropy(responses, "confidence")
    assert found.index.tolist() == list(GROUPS)
    assert found["mean"].tolist() == [20, 55, 80]
    assert found["se"].tolist() == pytest.approx([10, 5, 10])
    assert by_entropy(responses, "deviation")["mean"].tolist() == pytest.approx([0.1, 0.25, 0.4])


def test_high_against_low_over_responses_and_items() -> None:
    """The test is scipy's on these answers, or on the items' means, of which there is one on either side."""
    responses = small()
    found = compare_groups(responses, "confidence")
    assert (found.n_high, found.n_low, found.u) == (2, 2, 0)
    assert found.p == pytest.approx(stats.mannwhitneyu([10, 30], [90, 70]).pvalue)
    items = compare_groups(responses, "confidence", "items")
    assert (items.n_high, items.n_low, items.mean_high, items.mean_low) == (1, 1, 20, 80)
    table = comparison_table(responses)
    assert table.loc["confidence, responses", "p"] == found.p
    assert table.loc["deviation, items", "mean low"] == pytest.approx(0.4)


def test_without_entropies_there_are_no_groups() -> None:
    """An item whose one entropy is unknown belongs to no group, and a comparison says what is missing."""
    responses = small().assign(entropy2=math.nan)
    assert len(by_entropy(responses, "confidence")) == 0
    found = compare_groups(responses, "confidence")
    assert (found.p, found.problem) == (None, "one of the two groups is empty")


def test_repeats_beside_first_answers_and_beside_chance() -> None:
    """s said 0.25 and 0.35 of x, t 0.1 and 0.4 of y; of others s said 0.9 and 0.5, t 0.45 and 0."""
    found = consistency(small(), "lambda_h")
    assert (found.repeats, found.correlation) == (2, None)
    assert found.difference_mean == pytest.approx((0.1 + 0.3) / 2)
    assert found.difference_median == pytest.approx(0.2)
    assert found.chance_mean == pytest.approx(((0.55 + 0.15) / 2 + (0.05 + 0.4) / 2) / 2)
    assert found.chance_median == pytest.approx((0.15 + 0.4) / 2)
    wanted = stats.pearsonr([0.35, 0.35, 0.4, 0.4], [0.9, 0.5, 0.45, 0.0]).statistic
    assert found.chance_correlation == pytest.approx(wanted)
    assert consistency(small(), "midpoint") == Consistency(0, None, None, None, None, None, None)


def test_consistency_on_random_answers_equals_loops() -> None:
    """Every repeat counts the same, however many other items its submission has."""
    rng = np.random.default_rng(6)
    rows = [
        answered(submission, item, inferred=round(rng.random(), 3), repeat=repeat)
        for submission in "abcdef"
        for item in ["i0", "i1", "i2", "i3", "i4"][: rng.integers(2, 6)]
        for repeat in range(rng.integers(1, 4))
    ]
    items = item_frame(*(mix(f"i{number}", coefficient=0.5) for number in range(5)))
    found = consistency(mixed_responses(task_frame(TASK, rows), items, CLASSES), "lambda_h")
    same, other = [], []
    for one in rows:
        if not one.get("repeat"):
            continue
        firsts = [row for row in rows if row["submission"] == one["submission"] and not row["repeat"]]
        same += [(one["inferred"], row["inferred"]) for row in firsts if row["item"] == one["item"]]
        others = [row["inferred"] for row in firsts if row["item"] != one["item"]]
        other.append(np.mean([abs(one["inferred"] - value) for value in others]))
    first, second = np.array(same).T
    assert found.repeats == len(same)
    assert found.difference_mean == pytest.approx(np.abs(first - second).mean())
    assert found.difference_median == pytest.approx(np.median(np.abs(first - second)))
    assert found.correlation == pytest.approx(stats.pearsonr(first, second).statistic)
    assert found.chance_mean == pytest.approx(np.mean(other))
