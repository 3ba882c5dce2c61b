"""A plan in words: everything that it freezes is said."""

from __future__ import annotations

from typing import Any

import pytest

from crowdloom.analysis.plan import Hypothesis, Plan, PlannedExclusions
from crowdloom.analysis.plan_words import (
    claim_words,
    correction_words,
    exclusion_words,
    hypothesis_words,
)

SIDES = {"name": "H1", "claim": "Interpretations cost time.", "outcome": "seconds", "test": "welch"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"levels": ["Int", "No-Int"], "direction": "greater"},
            "Outcome: time taken for the answer (s), means of items. Compared: the condition Int with the condition "
            "No-Int, expected to be greater. Test: Welch's t-test of two sides.",
        ),
        (
            {"by": "reference", "levels": ["3", "4"], "unit": "participant", "where": {"colour": "red", "hue": "1"}},
            "Outcome: time taken for the answer (s), means of people. Compared: items whose reference is 3 with items "
            "whose reference is 4. Only items whose colour is red and whose hue is 1. "
            "Test: Welch's t-test of two sides.",
        ),
        (
            {"test": "one-sample", "against": 2.5, "direction": "less", "unit": "response"},
            "Outcome: time taken for the answer (s), single answers. Compared: all answers with the number 2.5, "
            "expected to be less. Test: t-test of the mean against a number.",
        ),
        (
            {"test": "one-sample", "against": 2, "by": "reference", "levels": ["3"]},
            "Compared: items whose reference is 3 with the number 2. Test:",
        ),
        (
            {"test": "spearman", "by": "difficulty", "direction": "less"},
            "Compared: with the items' difficulty, the correlation expected to be less than 0. "
            "Test: Spearman's rank correlation with a number of the items.",
        ),
    ],
)
def test_a_hypothesis_is_said_whole(changes: dict[str, Any], says: str) -> None:
    """Outcome, unit, sides, the number compared with, direction, which items, and the test."""
    assert says in hypothesis_words(Hypothesis.model_validate(SIDES | changes), "wrong-label")


@pytest.mark.parametrize(("claim", "says"), [("It is so", "H1: It is so."), ("Is it so?", "H1: Is it so?")])
def test_a_claim_ends(claim: str, says: str) -> None:
    """With a full stop where it has none of its own."""
    said = SIDES | {"claim": claim, "levels": ["a", "b"]}
    assert claim_words(Hypothesis.model_validate(said)) == says


@pytest.mark.parametrize(
    ("names", "changes", "says"),
    [
        ("a", {}, "Holm's correction over 1 p value; alpha is 0.05"),
        ("ab", {"correction": "bonferroni", "alpha": 0.01}, "Bonferroni's correction over 2 p values; alpha is 0.01"),
        ("ab", {"correction": "none"}, "2 p values without a correction; alpha is 0.05"),
    ],
)
def test_the_correction(names: str, changes: dict[str, Any], says: str) -> None:
    """Over how many p values, and what counts as found."""
    hypotheses = [SIDES | {"name": name, "levels": ["a", "b"]} for name in names]
    plan = Plan.model_validate({"stopping": "Never.", "hypotheses": hypotheses} | changes)
    assert correction_words(plan) == says


def test_exclusions() -> None:
    """Each rule with its number; nothing without any."""
    rules = PlannedExclusions(comprehension=1, attention=True, seconds_per_answer=2, same_answer=0.9, consistency=0.5)
    assert exclusion_words(rules) == (
        "more than 1 failed comprehension check; failed attention checks; a median below 2 s per answer; "
        "more than 90% equal answers; repeats that agree by less than 0.5"
    )
    assert exclusion_words(PlannedExclusions()) == "nothing"
