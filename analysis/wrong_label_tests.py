"""Whether people guess wrong labels as often in one condition as in another: tables 1 and 2 of the paper, and beside.

Source: H. Shen and T.-H. Huang, *How Useful Are the Machine-Generated Interpretations to General Users?* (HCOMP 2020).
Images are the units: each has an accuracy, its share of right guesses. Experiment 1 showed other images in each
condition (unpaired t-test), Experiment 2 the same ones (paired t-test); both overall and by category of error. The
t-test takes images as independent and says nothing of people, who answer about many images each; so beside it stands
a logistic regression of single answers whose covariance is clustered on both (see `clustered`).

A mixed-effects model is left out: statsmodels' has intervals that are too narrow (`python -m tests.bench.coverage`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from crowdloom.analysis.assumptions import Assumptions, check_groups, check_pairs
from crowdloom.analysis.clustered import clustered_difference, clustered_logit
from crowdloom.analysis.effect_sizes import EffectSize, cohens_d, d_av, d_z, hedges_g
from crowdloom.analysis.measures import mean_of
from crowdloom.analysis.test_result import TestResult
from crowdloom.analysis.tests import holm, paired_permutation, paired_t, student_t, unpaired_permutation, welch_t
from crowdloom.analysis.wrong_label import OVERALL, image_accuracy


@dataclass(frozen=True)
class ColumnTests:
    """The tests of one category, or of all images; differences are the first condition less the second."""

    accuracy: tuple[float | None, float | None]
    """The mean over images, in each condition; None where it has none there."""
    images: tuple[int, int]
    """Both the same where images are paired."""
    t_test: TestResult
    """Student's unpaired t-test, or the paired one: the paper's."""
    holm: float | None
    """Its p, corrected for all columns that have one."""
    welch: TestResult | None
    """None where images are paired."""
    permutation: TestResult
    effects: tuple[EffectSize, ...]
    """Cohen's d and Hedges' g, or d_z and d_av."""
    assumptions: Assumptions
    regression: TestResult
    """The clustered logistic regression of single answers; its estimate is the log odds ratio."""
    difference: TestResult
    """Its companion, the clustered difference of the shares of right answers."""


@dataclass(frozen=True)
class ConditionsCompared:
    """Two conditions of a study of wrong labels."""

    first: str
    second: str
    is_paired: bool
    """Whether the conditions are compared image by image: at least half of the images of one were in both."""
    shared: int
    """Images that were answered in both conditions."""
    left_out: int
    """Images that have no pair, so that the t-test and the accuracies beside it leave them out."""
    uncoded: int
    """Images without a category, which count in `Overall` alone."""
    columns: Mapping[str, ColumnTests]
    """By category in alphabetical order, `Overall` last."""


def compare_all_conditions(answers: pd.DataFrame) -> list[ConditionsCompared]:
    """Each two conditions of the answers that `guesses` makes, in alphabetical order; none where there is only one."""
    names = sorted(set(answers["condition"]))
    return [compare_conditions(answers, first, second) for first, second in combinations(names, 2)]


def compare_conditions(answers: pd.DataFrame, first: str, second: str) -> ConditionsCompared:
    """Two conditions of the answers that `guesses` makes.

    Raises ValueError where nobody answered in one of them.
    """
    for name in (first, second):
        if not (answers["condition"] == name).any():
            raise ValueError(f"no answer counts in the condition {name!r}")
    answers = answers[answers["condition"].isin([first, second])]
    images = image_accuracy(answers)
    sides = [images[images["condition"] == name].set_index("item") for name in (first, second)]
    shared = sides[0].index.intersection(sides[1].index)
    is_paired = 2 * len(shared) >= min(map(len, sides))
    compared = [side.loc[shared] for side in sides] if is_paired else sides
    columns = {
        category: _column(
            [side[side["category"] == category] for side in compared],
            answers[answers["category"] == category],
            (first, second),
            is_paired=is_paired,
        )
        for category in sorted(set(images["category"].dropna()))
    }
    columns[OVERALL] = _column(compared, answers, (first, second), is_paired=is_paired)
    corrected = holm([column.t_test.p for column in columns.values()])
    return ConditionsCompared(
        first=first,
        second=second,
        is_paired=is_paired,
        shared=len(shared),
        left_out=images["item"].nunique() - len(shared) if is_paired else 0,
        uncoded=images.loc[images["category"].isna(), "item"].nunique(),
        columns={name: replace(columns[name], holm=p) for name, p in zip(columns, corrected, strict=True)},
    )


def _column(
    sides: list[pd.DataFrame], answers: pd.DataFrame, names: tuple[str, str], *, is_paired: bool
) -> ColumnTests:
    """One column: images of both conditions (in the same order where they are paired), and all answers about them."""
    one, other = (side["accuracy"].to_numpy(dtype=np.float64) for side in sides)
    codes = {name: pd.factorize(answers[name])[0].astype(np.intp) for name in ("participant", "item")}
    given: dict[str, Any] = {
        "outcome": answers["right"].to_numpy(dtype=bool),
        "treated": (answers["condition"] == names[0]).to_numpy(dtype=bool),
        **codes,
        "names": (names[1], names[0]),
    }
    t_test = (paired_t if is_paired else student_t)(one, other)
    return ColumnTests(
        accuracy=(mean_of(one), mean_of(other)),
        images=(len(one), len(other)),
        t_test=replace(t_test, problem=_too_few(t_test, names, is_paired=is_paired)),
        holm=None,
        welch=None if is_paired else welch_t(one, other),
        permutation=(paired_permutation if is_paired else unpaired_permutation)(one, other),
        effects=tuple(effect(one, other) for effect in ((d_z, d_av) if is_paired else (cohens_d, hedges_g))),
        assumptions=check_pairs(one, other) if is_paired else check_groups(one, other, names),
        regression=clustered_logit(**given),
        difference=clustered_difference(**given),
    )


def _too_few(t_test: TestResult, names: tuple[str, str], *, is_paired: bool) -> str | None:
    """The problem of a t-test, in images where there are too few of them."""
    count, name = min(zip(t_test.n, names, strict=True), key=lambda side: side[0])
    if count > 1:
        return t_test.problem
    return f"{'only one' if count else 'no'} image was answered in {'both conditions' if is_paired else name}"
