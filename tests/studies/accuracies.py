"""Whether guesses of what an algorithm saw are right as often as a design states."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from crowdloom.studies.design import Design


def first_answers(answers: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """First answers, each beside its item's attributes."""
    attributes = items.drop(columns=["reference", "difficulty"])
    return answers[~answers["is_repeat"]].merge(attributes, on="item")


def check_accuracies(answers: pd.DataFrame, design: Design) -> None:
    """By condition and category, each with as many images as the paper has, within what chance does."""
    behaviour = design.rehearsal.behaviour
    for condition, kind in (("Int", "with"), ("No-Int", "without")):
        guesses = answers[answers["condition"] == condition]
        images = guesses.drop_duplicates("item")["category"].value_counts().to_dict()
        assert images == behaviour[f"images_{kind}"]
        stated = behaviour[f"{kind}_interpretations"]
        right = guesses["choice"] == guesses["prediction"]
        assert right.mean() == pytest.approx(stated["overall"], abs=0.01 + 4 * _error(stated["overall"], len(right)))
        for category in images:
            of_them = right[guesses["category"] == category]
            assert of_them.mean() == pytest.approx(stated[category], abs=4.5 * _error(stated[category], len(of_them)))


def _error(share: float, n: int) -> float:
    """The standard error of a share of n independent answers."""
    return math.sqrt(share * (1 - share) / n)
