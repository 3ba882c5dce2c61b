"""Many bootstrap draws at a time, for statistics that are sums over units."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import numpy as np

from crowdloom.analysis.bootstrap import SAMPLES, draw_counts, percentile_intervals
from crowdloom.analysis.elicited import Floats

LEVEL = 0.95
_WEIGHTS = 2_000_000
"""Weights held at a time, to bound memory."""


def resample(
    statistic: Callable[[Floats], Floats], n_units: int, rng: np.random.Generator, samples: int = SAMPLES
) -> Floats:
    """A statistic of each of `samples` draws of units with replacement, [samples, ...].

    `statistic` takes weights [B, n_units], how often each unit was drawn in each of B draws, and returns [B, ...].
    Raises ValueError where there is no unit or no draw is asked for.
    """
    draws = draw_counts(n_units, samples, rng)
    at_a_time = max(1, _WEIGHTS // max(n_units, 1))
    parts = []
    while drawn := list(islice(draws, at_a_time)):
        parts.append(statistic(np.array(drawn)))
    return np.concatenate(parts)


def interval(drawn: Floats) -> tuple[float | None, float | None]:
    """The 95 % percentile interval of draws [samples] of one number; None where no draw defined it.

    >>> interval(np.full(100, 2.5)), interval(np.array([np.nan]))
    ((2.5, 2.5), (None, None))
    """
    found = percentile_intervals(drawn, LEVEL)
    low, high = float(found.low), float(found.high)
    return (None, None) if np.isnan(low) else (low, high)
