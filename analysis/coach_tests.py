"""Whether people who are coached change more than those who are not, measure by measure; people are the units.

Of every person the mean over their trials counts, so that the tests suppose no more than that people are independent.
Before and after, and coached and uncoached trials of the same people, are paired; coached and control people are
compared by Welch's t-test; a permutation test stands beside each. Trials of classes that are never coached are left
out (`coach_transfer` has them).

That second attempts are read better than first ones says little by itself: after a bad drawing most drawings are
better. What the coach does is the difference between coached and uncoached trials.

Single trials, right or wrong, are in a logistic regression whose covariance is clustered on the person and the class
(see `clustered`), by itself and holding constant how the first attempt was read and which trial it was. It is clustered
on people alone where there are fewer than `FEWEST_CLASSES` classes.

The frames are those of `coach_trials`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from crowdloom.analysis.clustered import clustered_difference, clustered_logit
from crowdloom.analysis.coach_trials import ARMS, BOTH, MEASURES, Measure, coachable
from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.measures import mean_of
from crowdloom.analysis.test_result import TestResult
from crowdloom.analysis.tests import holm, paired_permutation, paired_t, unpaired_permutation, welch_t


@dataclass(frozen=True)
class Compared:
    """A measure on two sides, over people."""

    measure: Measure
    first: float | None
    """The mean over people of the first side; differences are the first less the second."""
    second: float | None
    test: TestResult
    permutation: TestResult
    holm: float | None = None
    """The p of `test`, corrected for all measures that are compared beside it."""


def before_and_after(found: pd.DataFrame, *, coached: bool) -> list[Compared]:
    """Second attempts (first side) and first attempts of the same people, in coached trials or in uncoached ones."""
    own = coachable(found)
    own = own[own["coached"] == coached]
    compared = []
    for measure in MEASURES:
        columns = [f"{measure.name}_after", f"{measure.name}_before"]
        means = own[["participant", *columns]].dropna().groupby("participant", sort=True)[columns].mean()
        compared.append(_of_pairs(measure, *(means[name].to_numpy(dtype=np.float64) for name in columns)))
    return corrected(compared)


def within_people(found: pd.DataFrame) -> list[Compared]:
    """The change in coached trials (first side) and in uncoached ones of the people who had both."""
    own = coachable(found)
    own = own[own["arm"] == BOTH]
    return corrected([paired(measure, own, f"{measure.name}_change", own["coached"]) for measure in MEASURES])


def between_people(found: pd.DataFrame) -> list[Compared]:
    """The change of coached people (first side) and of control people."""
    return corrected(between_arms(coachable(found), "change"))


def between_arms(rows: pd.DataFrame, when: str) -> list[Compared]:
    """Means over people of NAME_`when` of each measure, of both arms, uncorrected."""
    return [
        unpaired(measure, *(person_means(rows[rows["arm"] == arm], f"{measure.name}_{when}") for arm in ARMS))
        for measure in MEASURES
    ]


def person_means(rows: pd.DataFrame, column: str) -> Floats:
    """The mean of a column over each person's rows, of those who have a value."""
    means = rows.groupby("participant", sort=True)[column].mean().dropna()
    return np.asarray(means, dtype=np.float64)


def unpaired(measure: Measure, first: Floats, second: Floats) -> Compared:
    """Welch's t-test and a permutation test of two groups of people."""
    return Compared(
        measure, mean_of(first), mean_of(second), welch_t(first, second), unpaired_permutation(first, second)
    )


def paired(measure: Measure, rows: pd.DataFrame, column: str, first: pd.Series) -> Compared:
    """Tests of pairs: each person's mean of a column over the rows that are `first`, and over their others."""
    means = rows[column].groupby([rows["participant"], first.astype(bool)], sort=True).mean().unstack()
    sides = means.reindex(columns=[True, False]).dropna().to_numpy(dtype=np.float64)
    return _of_pairs(measure, sides[:, 0], sides[:, 1])


def corrected(compared: Sequence[Compared]) -> list[Compared]:
    """The same with Holm's correction over all of them."""
    ps = holm([one.test.p for one in compared])
    return [replace(one, holm=p) for one, p in zip(compared, ps, strict=True)]


def _of_pairs(measure: Measure, first: Floats, second: Floats) -> Compared:
    return Compared(
        measure, mean_of(first), mean_of(second), paired_t(first, second), paired_permutation(first, second)
    )


FEWEST_CLASSES = 6
"""Below which the regression is clustered on people alone: two or three classes say nothing of how classes differ."""


@dataclass(frozen=True)
class Regression:
    """Single trials, coached and uncoached: log odds ratio and difference of the shares that were recognised."""

    of: str
    coached: float | None
    """The share of recognised second attempts in coached trials."""
    control: float | None
    odds: TestResult
    difference: TestResult | None
    """None where further columns are held constant."""
    people: int
    classes: int
    clusters: str
    """`people and classes`, or `people` where there are few classes: it holds for these classes alone then."""


def regressions(found: pd.DataFrame) -> list[Regression]:
    """Of second attempts, alone and with how the first was read and the trial's order held constant."""
    own = coachable(found)
    own = own[own["recognised_after"].notna() & own["recognised_before"].notna()]
    first = own[["recognised_before", "order"]].to_numpy(dtype=np.float64)
    return [
        regression("second attempts", own, "recognised_after", own["coached"]),
        regression("the same, first reading and order held constant", own, "recognised_after", own["coached"], first),
    ]


def regression(
    of: str, rows: pd.DataFrame, outcome: str, treated: pd.Series, columns: Floats | None = None
) -> Regression:
    """The clustered regression of a column of zeros and ones on `treated`, with clusters of people and of classes."""
    right = rows[outcome].to_numpy(dtype=np.float64) == 1
    side = treated.to_numpy(dtype=bool)
    person, asked = (pd.factorize(rows[name])[0].astype(np.intp) for name in ("participant", "asked"))
    classes = len(np.unique(asked))
    several = classes >= FEWEST_CLASSES
    ways = (person, asked if several else np.arange(len(rows)))  # a cluster of its own for each trial changes nothing
    names = ("control", "coached")
    return Regression(
        of,
        mean_of(right[side]),
        mean_of(right[~side]),
        clustered_logit(right, side, *ways, columns=columns, names=names),
        clustered_difference(right, side, *ways, names=names) if columns is None else None,
        len(np.unique(person)),
        classes,
        "people and classes" if several else "people",
    )
