"""The design behind a clustered comparison: its clusters, and how much two shares vary from cluster to cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from crowdloom.analysis.elicited import Bools, Floats

Correction = Literal["CR3", "CR1"]
"""How each variance is corrected for few clusters; see `crowdloom.analysis.clustered`."""


class ClusteredDesign:
    """Who answered about what under which condition, and whether two conditions can be told from people and items."""

    def __init__(
        self, treated: npt.ArrayLike, participant: npt.ArrayLike, item: npt.ArrayLike, names: Sequence[str]
    ) -> None:
        self.treated = np.asarray(treated, dtype=bool)
        people, things = np.asarray(participant), np.asarray(item)
        if not self.treated.shape == people.shape == things.shape == (len(self.treated),):
            raise ValueError("treated, participant and item must be arrays of one length")
        self.names = names
        first, person = np.unique(people, return_inverse=True)
        second, thing = np.unique(things, return_inverse=True)
        both, pair = np.unique(person * len(second) + thing, return_inverse=True)
        self.ways = ((person, len(first)), (thing, len(second)), (pair, len(both)))
        treated_answers = int(self.treated.sum())
        self.n = (treated_answers, len(self.treated) - treated_answers)
        self.df = min(len(first), len(second)) - 1
        self.problem = self._problem()

    def checked(self, outcome: npt.ArrayLike) -> Bools:
        """The outcome or outcomes, one for each answer."""
        right = np.asarray(outcome, dtype=bool)
        if right.shape[-1:] != self.treated.shape:
            raise ValueError(f"{right.shape[-1]} outcomes are given for {len(self.treated)} answers")
        return right

    def separation(self, right: Bools) -> str | None:
        """What is wrong where all outcomes of a condition are the same."""
        same = [
            name
            for name, arm in zip(self.names, (~self.treated, self.treated), strict=True)
            if right[arm].all() or not right[arm].any()
        ]
        if not same:
            return None
        return f"all outcomes in {same[0]} are the same" + (f", and so are those in {same[1]}" if same[1:] else "")

    def _problem(self) -> str | None:
        for name, arm in zip(self.names, (~self.treated, self.treated), strict=True):
            if not arm.any():
                return f"nobody answered in {name}"
        for name, arm in zip(self.names, (~self.treated, self.treated), strict=True):
            for (codes, _), one in zip(self.ways, ("participant answered", "item was answered"), strict=False):
                if (codes[arm] == codes[arm][0]).all():
                    return f"only one {one} in {name}"
        return None


def shares_and_parts(design: ClusteredDesign, outcomes: Bools, correction: Correction) -> tuple[Floats, list[Floats]]:
    """The shares [2, S] of true outcomes, treated first, and for each way their covariance as [3, S].

    The three rows are the variance of the first, of the second, and their covariance. Leaving out a cluster with m of
    the n answers of a condition moves its share by the sum of the cluster's residuals / (n - m).
    """
    values = outcomes.T.astype(np.float64)  # [N, S]
    arms = (design.treated, ~design.treated)
    shares = np.stack([values[arm].mean(axis=0) for arm in arms])
    answers = len(values)
    parts = []
    for codes, clusters in design.ways:
        moved = []
        for arm, share in zip(arms, shares, strict=True):
            where, size = codes[arm], int(arm.sum())
            counts = np.bincount(where, minlength=clusters)[:, None]
            sums = sparse.csr_array((np.ones(size), (where, np.flatnonzero(arm))), shape=(clusters, answers)) @ values
            moved.append((sums - counts * share) / (size - (counts if correction == "CR3" else 0)))
        factor = (clusters - 1) / clusters
        if correction == "CR1":
            factor = (answers - 1) / (answers - 2) / factor
        one, other = moved
        parts.append(
            factor * np.stack([(one * one).sum(axis=0), (other * other).sum(axis=0), (one * other).sum(axis=0)])
        )
    return shares, parts


def two_way(parts: Sequence[Floats], slopes: Floats) -> tuple[Floats, Bools]:
    """The variance [S] of f(first share) - f(second share) for the derivatives [2, S] of f, and where it is not the
    two-way one because that is not positive."""
    weights = np.stack([slopes[0] ** 2, slopes[1] ** 2, -2 * slopes[0] * slopes[1]])
    people, items, both = ((weights * part).sum(axis=0) for part in parts)
    return positive(people, items, both)


def positive(people: Floats, items: Floats, both: Floats) -> tuple[Floats, Bools]:
    variance = people + items - both
    substituted = ~(variance > 0)
    return np.where(substituted, np.maximum(people, items), variance), substituted
