"""Two things measured on the same units (items, or seeds of a training run), with the difference of their means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crowdloom.analysis.measures import mean_of
from crowdloom.analysis.test_result import TestResult
from crowdloom.analysis.tests import paired_t


@dataclass(frozen=True)
class PairedDifference:
    """The means of both over the units that have both, and the paired t-test of their difference, first less second."""

    of: str
    first: float | None
    second: float | None
    test: TestResult


def paired_difference(of: str, first: npt.ArrayLike, second: npt.ArrayLike) -> PairedDifference:
    """Compare two scores [n] of the same units in the same order; NaN where one is not known.

    Scores of training runs over seeds are paired where both sides used the same seeds. Raises ValueError where the
    lengths differ.

    >>> found = paired_difference("accuracy", [0.7, 0.8, 0.9], [0.6, 0.8, 0.7])
    >>> round(found.test.estimate, 3), round(found.test.low, 3), round(found.test.high, 3)
    (0.1, -0.148, 0.348)
    """
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    test = paired_t(one, other)
    known = ~np.isnan(one) & ~np.isnan(other)
    return PairedDifference(of, mean_of(one[known]), mean_of(other[known]), test)


def paired_frame(found: Sequence[PairedDifference], first: str, second: str) -> pd.DataFrame:
    """One row for each, the two sides by their names, the difference with its interval, and p; for a Table."""
    numbers = {
        first: [one.first for one in found],
        second: [one.second for one in found],
        "difference": [one.test.estimate for one in found],
        **{name: [getattr(one.test, name) for one in found] for name in ("low", "high", "p")},
    }
    return pd.DataFrame(
        {
            "n": [one.test.n[0] for one in found],
            **{name: pd.Series(values, dtype=float).tolist() for name, values in numbers.items()},
            "problem": [one.test.problem for one in found],
        },
        index=pd.Index([one.of for one in found], name="mean of", dtype=object),
    )
