"""Bootstrap over people: how much a statistic would move, had other people of the same kind answered.

Whole units (annotators, participants) are drawn with replacement, never single responses: the responses of one person
go together. A draw is told to a statistic as weights: how often each row's unit was drawn. What is a sum over rows is
then the same sum with weights, and no row has to be copied.

Source: B. Efron and R. J. Tibshirani, *An Introduction to the Bootstrap* (1993), chapters 6, 8 and 13 (percentiles).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from crowdloom.analysis.elicited import Floats, Ints

SAMPLES = 1000
"""Draws, unless told otherwise: enough for the 2.5th and 97.5th percentiles."""

Progress = Callable[[int, int], None]
"""Called with the draws done and the draws to do."""


@dataclass(frozen=True)
class Intervals:
    """Percentile intervals, of the shape of the statistic; NaN where no draw defined it."""

    low: Floats
    high: Floats
    level: float
    samples: int


def draw_counts(n_units: int, samples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """How often each unit [n_units] is drawn, for each of `samples` draws of n_units units with replacement.

    >>> [int(counts.sum()) for counts in draw_counts(5, 2, np.random.default_rng(0))]
    [5, 5]
    """
    if n_units < 1:
        raise ValueError("there are no units to draw from; a bootstrap needs the answers of at least one person")
    if samples < 1:
        raise ValueError(f"{samples} bootstrap draws were asked for; ask for at least 1")
    for _ in range(samples):
        yield np.bincount(rng.integers(0, n_units, n_units), minlength=n_units).astype(np.float64)


def bootstrap_over(
    units: Ints,
    statistic: Callable[[Floats], Floats | float],
    n_units: int,
    samples: int,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> Floats:
    """The statistic of each of `samples` draws of units with replacement, [samples, ...].

    units       [N], the unit of each row, from 0 to n_units - 1
    statistic   of weights [N], how often each row's unit was drawn, the number or array that is bootstrapped; NaN
                where the draw does not define it

    Raises ValueError where there is no unit, a unit lies outside, or no draw is asked for.

    >>> values, person = np.array([1.0, 2.0, 6.0]), np.array([0, 0, 1])
    >>> means = bootstrap_over(person, lambda w: np.average(values, weights=w), 2, 200, np.random.default_rng(0))
    >>> means.shape, sorted(set(means.tolist()))
    ((200,), [1.5, 3.0, 6.0])
    """
    if len(units) and (units.min() < 0 or units.max() >= n_units):
        raise ValueError(f"a unit lies outside 0 to {n_units - 1}; number the units from 0")
    drawn: Floats | None = None
    for number, counts in enumerate(draw_counts(n_units, samples, rng)):
        value = np.asarray(statistic(counts[units]), dtype=np.float64)
        if drawn is None:
            drawn = np.empty((samples, *value.shape))
        drawn[number] = value
        if progress is not None:
            progress(number + 1, samples)
    assert drawn is not None  # draw_counts refuses less than one sample
    return drawn


def percentile_intervals(drawn: Floats, level: float = 0.95) -> Intervals:
    """The percentile interval of draws [samples, ...]; draws in which a value is NaN do not count for that value.

    >>> found = percentile_intervals(np.arange(101.0), level=0.9)
    >>> round(float(found.low), 6), round(float(found.high), 6)
    (5.0, 95.0)
    """
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval is {level}; it must lie between 0 and 1, as 0.95 does")
    ranked = np.sort(drawn, axis=0)  # NaN comes last
    last = np.sum(~np.isnan(drawn), axis=0) - 1
    tail = (1 - level) / 2
    return Intervals(_at(ranked, last * tail), _at(ranked, last * (1 - tail)), level, len(drawn))


def _at(ranked: Floats, place: Floats) -> Floats:
    """The values at a place [...] among the ranked ones [samples, ...], between two of them in proportion."""
    below = np.floor(np.maximum(place, 0)).astype(np.intp)
    above = np.minimum(below + 1, np.ceil(np.maximum(place, 0)).astype(np.intp))
    low, high = (np.take_along_axis(ranked, rank[np.newaxis], axis=0)[0] for rank in (below, above))
    between: Floats = low + (high - low) * (place - below)
    return between
