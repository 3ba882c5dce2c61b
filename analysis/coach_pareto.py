"""Which weights of a coach are worth choosing: those that no others are better than in every respect."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.elicited import Floats


def non_dominated(costs: Floats) -> npt.NDArray[np.bool_]:
    """Which rows of `costs` [n, m] are such that no other row is as low in all columns and lower in one: bool [n].

    They are the Pareto front; equal rows are in it together.

    >>> non_dominated(np.array([[1.0, 5.0], [2.0, 2.0], [3.0, 2.0], [2.0, 2.0]])).tolist()
    [True, True, False, True]
    """
    as_low = (costs[:, np.newaxis] <= costs).all(axis=2)
    lower = (costs[:, np.newaxis] < costs).any(axis=2)
    return np.asarray(~(as_low & lower).any(axis=0))
