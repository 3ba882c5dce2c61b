"""What else is known when one answer is to be predicted: the same person's first answer, and all other people's."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crowdloom.analysis.elicited import Bools, Floats, Ints


def repeats_and_firsts(frame: pd.DataFrame) -> tuple[Ints, Ints]:
    """Positions of the repeats [R] and, of each, of its submission's first answer to the same item [R].

    A repeat without a first answer is left out.
    """
    key = pd.MultiIndex.from_frame(frame[["submission", "item"]])
    is_first = ~frame["is_repeat"].to_numpy(dtype=bool)
    firsts, repeats = np.flatnonzero(is_first), np.flatnonzero(~is_first)
    found = key[firsts].get_indexer(key[repeats])
    return repeats[found >= 0], firsts[found[found >= 0]]


def units_of(frame: pd.DataFrame) -> Ints:
    """A number for each item in each condition, [N]: what was shown with an item may differ between conditions."""
    numbers = frame.groupby(["condition", "item"], sort=False).ngroup()
    return np.asarray(numbers, dtype=np.intp)


def sums_of_others(unit: Ints, person: Ints, values: Floats, source: Bools) -> tuple[Floats, Ints]:
    """For each answer the sum of all other people's answers to the same unit, [N, M], and their number [N].

    unit and person are [N], values [N, M]; `source` [N] says which answers are summed. Everything of the same person is
    left out, whichever submission it is from.

    >>> unit, person = np.array([0, 0, 0]), np.array([0, 1, 1])
    >>> sums, n = sums_of_others(unit, person, np.array([[1.0], [2.0], [3.0]]), np.array([True, True, True]))
    >>> sums.tolist(), n.tolist()
    ([[5.0], [1.0], [1.0]], [2, 1, 1])
    """
    mine = unit * (int(person.max(initial=0)) + 1) + person
    mine = np.unique(mine, return_inverse=True)[1].reshape(-1)
    weight = source.astype(np.float64)
    sums = np.empty(values.shape)
    for column, value in enumerate(values.T):
        given = np.where(source, value, 0.0)
        sums[:, column] = _by(unit, given) - _by(mine, given)
    number = np.rint(_by(unit, weight) - _by(mine, weight)).astype(np.intp)
    return sums, number


def _by(group: Ints, values: Floats) -> Floats:
    """For each row the sum over its group, [N]."""
    return np.asarray(np.bincount(group, weights=values)[group], dtype=np.float64)
