"""How far people repeat themselves: repeats beside first answers, and beside what chance would give.

What chance would give is exact, with no random draw: each repeat is compared with every first answer that the
same submission gave to another item, and every repeat counts the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crowdloom.analysis.elicited import Bools, Floats, Ints
from crowdloom.analysis.measures import correlation, weighted_median


@dataclass(frozen=True)
class Consistency:
    """Differences between numbers given at a repeat and at first; None where there are none."""

    repeats: int
    difference_mean: float | None
    difference_median: float | None
    correlation: float | None
    chance_mean: float | None
    chance_median: float | None
    chance_correlation: float | None


def repeat_pairs(
    submission: Ints, item: Ints, is_first: Bools, at_a_time: int = 200_000
) -> Iterator[tuple[Ints, Ints, Bools]]:
    """Every repeat beside every first answer of its submission, all pairs of some repeats at a time.

    The three arrays [N] say of each answer its submission, its item and whether it is a first one. Yields
    positions of repeats [P], positions of first answers [P] and whether both are to the same item [P];
    about `at_a_time` pairs, to bound memory.
    """
    firsts = np.flatnonzero(is_first)
    firsts = firsts[np.argsort(submission[firsts], kind="stable")]
    starts = np.searchsorted(submission[firsts], submission, side="left")
    sizes = np.searchsorted(submission[firsts], submission, side="right") - starts
    repeats = np.flatnonzero(~is_first)
    per_stretch = max(1, at_a_time // int(sizes[repeats].max(initial=1) or 1))
    for start in range(0, len(repeats), per_stretch):
        some = repeats[start : start + per_stretch]
        which = np.repeat(np.arange(len(some)), sizes[some])
        within = np.arange(len(which)) - np.repeat(np.cumsum(sizes[some]) - sizes[some], sizes[some])
        repeat, first = some[which], firsts[starts[some][which] + within]
        yield repeat, first, item[repeat] == item[first]


def consistency(responses: pd.DataFrame, value: str) -> Consistency:
    """How far a number (such as lambda_h) is the same at repeats, by |difference| and by Pearson's r.

    `responses` has a row for each answer, with submission, item, is_repeat and the column `value`; answers
    without it are left out.
    """
    asked = responses[responses[value].notna()]
    values = asked[value].to_numpy(dtype=np.float64)
    submission, item = (pd.factorize(asked[name])[0] for name in ("submission", "item"))
    is_first = ~asked["is_repeat"].to_numpy(dtype=bool)
    nothing = (np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp), np.empty(0, dtype=bool))
    parts = [nothing, *repeat_pairs(submission, item, is_first)]
    repeat, first, same = (np.concatenate(part) for part in zip(*parts, strict=True))
    found = [_differences(values, repeat[pairs], first[pairs]) for pairs in (same, ~same)]
    return Consistency(int(same.sum()), *found[0], *found[1])


def _differences(values: Floats, repeat: Ints, first: Ints) -> tuple[float | None, float | None, float | None]:
    """Mean and median of |difference| and the correlation, where every repeat counts the same."""
    counts = np.bincount(repeat, minlength=len(values))
    weights = 1 / counts[repeat]
    difference = np.abs(values[repeat] - values[first])
    mean = float(np.average(difference, weights=weights)) if len(difference) else None
    return mean, weighted_median(difference, weights), correlation(values[repeat], values[first], weights)
