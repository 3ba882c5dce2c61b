"""How well the answers of people are predicted, with intervals over resamples of these people.

A mean and a correlation are made of sums over people; so a resample is a weighted sum. The predictions stay fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from crowdloom.analysis.bootstrap import SAMPLES
from crowdloom.analysis.elicited import Floats, Ints
from crowdloom.analysis.measures import correlation
from crowdloom.analysis.resamples import interval, resample


@dataclass(frozen=True)
class Ceiling:
    """How well some answers are predicted by somebody, in one measure."""

    measure: str
    predicted: str
    """`repeats` or `first answers`."""
    by: str
    answers: int
    people: int
    value: float | None
    low: float | None = None
    high: float | None = None
    """95 % interval over people."""
    problem: str | None = None
    """Why there is no value, or no interval."""


@dataclass(frozen=True)
class _Sums:
    """What a value is made of: a statistic of the totals [B, M] of the sums [people, M] over each person's answers."""

    found: Ceiling
    statistic: Callable[[Floats], Floats]
    sums: Floats


class People:
    """The people whose answers are predicted; collects how well, and then finds all intervals with the same draws."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.of: Ints = pd.factorize(frame["participant"])[0].astype(np.intp)
        """The number of the person of each answer of the frame, [N]."""
        self._collected: list[_Sums] = []

    def mean(self, measure: str, predicted: str, by: str, rows: Ints, values: Floats) -> None:
        """Add the mean of the values [n] of the answers at `rows` [n]; NaN where one has nothing to be predicted by."""
        known = ~np.isnan(values)
        rows, values = rows[known], values[known]
        value = float(values.mean()) if len(values) else None
        found = Ceiling(measure, predicted, by, len(rows), len(set(self.of[rows].tolist())), value)
        if value is None:
            found = replace(found, problem=_nothing(predicted, by))
        self._collect(found, _ratio, rows, [np.ones(len(values)), values])

    def correlation(self, measure: str, predicted: str, by: str, rows: Ints, x: Floats, y: Floats) -> None:
        """Add Pearson's r of the answers x [n] at `rows` [n] and their predictions y [n]; NaN as in `mean`."""
        known = ~np.isnan(x) & ~np.isnan(y)
        rows, x, y = rows[known], x[known], y[known]
        value = correlation(x, y)
        found = Ceiling(measure, predicted, by, len(rows), len(set(self.of[rows].tolist())), value)
        if value is None:
            problem = "There are fewer than three pairs, or one side is always the same."
            found = replace(found, problem=problem if len(rows) else _nothing(predicted, by))
        if len(rows):
            x, y = x - x.mean(), y - y.mean()
        self._collect(found, _pearson, rows, [np.ones(len(x)), x, y, x * x, y * y, x * y])

    def ceilings(self, rng: np.random.Generator, samples: int = SAMPLES) -> list[Ceiling]:
        """All that was added, in that order, with intervals."""
        several = [one for one in self._collected if one.found.value is not None and one.found.people > 1]
        if not several:
            return [_alone(one.found) for one in self._collected]
        sums = np.concatenate([one.sums for one in several], axis=1)
        totals = resample(lambda weights: weights @ sums, len(sums), rng, samples)
        ends = np.cumsum([one.sums.shape[1] for one in several])
        intervals = {
            id(one): interval(one.statistic(total))
            for one, total in zip(several, np.split(totals, ends[:-1], axis=1), strict=True)
        }
        return [
            replace(one.found, low=intervals[id(one)][0], high=intervals[id(one)][1])
            if id(one) in intervals
            else _alone(one.found)
            for one in self._collected
        ]

    def _collect(
        self, found: Ceiling, statistic: Callable[[Floats], Floats], rows: Ints, columns: Sequence[Floats]
    ) -> None:
        people = int(self.of.max(initial=-1)) + 1
        sums = [np.bincount(self.of[rows], weights=column, minlength=people) for column in columns]
        self._collected.append(_Sums(found, statistic, np.stack(sums, axis=1)))


def _alone(found: Ceiling) -> Ceiling:
    """A value of one person's answers has no interval; no value needs none."""
    if found.value is None:
        return found
    return replace(found, problem="One person says nothing of how much others would differ.")


def _ratio(totals: Floats) -> Floats:
    """Means of each resample from its number and sum, [B, 2]; NaN where nobody was drawn who has an answer."""
    means = np.full(len(totals), np.nan)
    np.divide(totals[:, 1], totals[:, 0], out=means, where=totals[:, 0] > 0)
    return means


def _pearson(totals: Floats) -> Floats:
    """r of each resample from its n, sum x, y, xx, yy and xy, [B, 6]; NaN where one side is always the same."""
    n, x, y, xx, yy, xy = totals.T
    one, other = n * xx - x**2, n * yy - y**2
    found = np.full(len(totals), np.nan)
    vary = (one > 1e-9 * n * xx) & (other > 1e-9 * n * yy)
    found[vary] = (n * xy - x * y)[vary] / np.sqrt((one * other)[vary])
    r: Floats = np.clip(found, -1, 1)
    return r


def _nothing(predicted: str, by: str) -> str:
    if predicted == "repeats":
        return "No answer was repeated, or none of the repeats has anything to be predicted by."
    return f"There is no answer that could be predicted by {by}."
