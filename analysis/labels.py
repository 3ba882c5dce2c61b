"""Labels from elicited probabilities: one distribution over classes per response, or per item.

Source: K. M. Collins, *Improving Machine Learning Systems by Eliciting and
Incorporating Additional Human Knowledge* (MPhil thesis, Cambridge, 2022), chapter 3 and appendix
A. A response names the most probable class a with its probability p1, perhaps a second class b with
p2, and the classes that are impossible. With K classes it becomes a label y as follows.

1. y = 0; y[a] = p1/100. Under T2, where b and p2 were given, y[b] = p2/100 (b = a overwrites).
2. m = sum(y). Where m < 1, r = 1 - m is spread and y stays. Where m >= 1, y = y/m and nothing is
   spread, except under clamp with n != 0: there r = gamma, and y = y (1 - gamma).
3. clamp: n = (number of possible classes) - (number with mass). Where n > 0, every possible class
   without mass gets r/n. uniform: every class without mass gets an equal share of r. semantic:
   the same classes share r in proportion to their similarity to a, negative similarities as zero,
   equally where all are zero. none: nothing is spread.
4. y = y/sum(y). A response without any mass (the same class twice, the second at 0, say) has no
   label where nothing is spread.

Probabilities whose sum lies within rounding error of 100 (33.4 and 66.6 among floats) are taken to
sum to 100.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.aggregate import MeanLabels, mean_by_item
from crowdloom.analysis.elicited import Bools, Elicited, Floats, Ints
from crowdloom.analysis.similarity import check_similarity, read_similarity

__all__ = [
    "VARIETIES",
    "Elicited",
    "MeanLabels",
    "Variety",
    "build_labels",
    "entropy",
    "mean_by_item",
    "parse_variety",
    "read_similarity",
]

ROWS = 8192
"""Responses handled at a time: their labels and the temporaries then stay in the processor's cache."""

ROUNDING = 1e-12
"""How far a sum of two decimal fractions may fall short of 1 by rounding alone."""


@dataclass(frozen=True)
class Variety:
    """One way of building labels: whether the second class counts, and where the rest of the mass goes."""

    name: str
    second: bool
    spread: Literal["uniform", "clamp", "semantic", "none"]


_VARIETIES = {
    f"{tier}-{spread}": Variety(f"{tier}-{spread}", tier == "T2", spread)
    for tier in ("T1", "T2")
    for spread in ("uniform", "clamp", "semantic", "none")
}
VARIETIES = tuple(_VARIETIES)
"""The names of all varieties; `none` alone stands for T2-none."""


def parse_variety(name: str) -> Variety:
    """The variety of that name. Raises ValueError, with the choices, for a name that is none of them.

    >>> parse_variety("T1-uniform").second
    False
    >>> parse_variety("none").name
    'T2-none'
    """
    try:
        return _VARIETIES["T2-none" if name == "none" else name]
    except KeyError:
        raise ValueError(f"{name!r} is no variety of labels; choose one of {', '.join(VARIETIES)}, none") from None


def build_labels(
    elicited: Elicited, variety: Variety, gamma: float = 0.1, similarity: Floats | None = None
) -> tuple[Floats, Bools]:
    """One label per response, by the rule at the top of this module.

    `gamma` in [0, 1) is the mass that clamp spreads where the answer left none (used by clamp only);
    `similarity` [K, K] is needed by semantic only, with the most probable class in rows.

    Returns labels [N, K], whose rows sum to 1, and kept [N]. A response without a label (no class or
    no probability, or no mass) has kept False and a row of zeros. Raises ValueError where gamma or
    similarity does not fit.

    >>> elicited = Elicited(
    ...     top1=np.array([0]), top1_probability=np.array([80.0]),
    ...     top2=np.array([1]), top2_probability=np.array([20.0]),
    ...     impossible=np.array([[False, False, False, True]]),
    ... )
    >>> labels, kept = build_labels(elicited, parse_variety("T2-clamp"), gamma=0.1)
    >>> labels.round(3).tolist(), kept.tolist()
    ([[0.72, 0.18, 0.1, 0.0]], [True])
    """
    n, k = elicited.impossible.shape
    if not 0 <= gamma < 1:  # true for NaN too
        raise ValueError(f"gamma is {gamma}; it must be at least 0 and below 1")
    likeness = _likeness(similarity, k) if variety.spread == "semantic" else None
    labels = np.empty((n, k))
    kept = np.empty(n, dtype=np.bool_)
    for start in range(0, n, ROWS):
        rows = slice(start, start + ROWS)
        named = _named(elicited, rows, variety.second)
        spread = _spread(named, elicited.impossible[rows], variety, gamma, likeness)
        _fill(named, spread, labels[rows], kept[rows])
    return labels, kept


@dataclass(frozen=True)
class _Named:
    """The masses of the classes that some answers name, n at a time.

    at1 and at2 are their places in the flattened labels; without a second class, at2 is at1 and p2 is 0.
    """

    answered: Bools
    top1: Ints
    at1: Ints
    at2: Ints
    p1: Floats
    p2: Floats
    has1: Bools
    has2: Bools
    mass: Floats

    def count(self) -> npt.NDArray[np.uint8]:
        """How many classes have mass, [n]."""
        counts: npt.NDArray[np.uint8] = self.has1.view(np.uint8) + self.has2.view(np.uint8)
        return counts


@dataclass(frozen=True)
class _Spread:
    """Every class without mass gets `share` [n] times its weight.

    weights [n, k], or None where all are 1; their entries at classes with mass are never used.
    weight [n] is the sum of the weights of the classes without mass.
    """

    share: Floats
    weights: Floats | None
    weight: Floats


def _named(elicited: Elicited, rows: slice, second: bool) -> _Named:
    """Step 1 of the rule."""
    top1, p1 = elicited.top1[rows], elicited.top1_probability[rows] / 100
    answered = (top1 >= 0) & (p1 >= 0)  # false for NaN
    if not answered.all():
        top1, p1 = np.where(answered, top1, 0), np.where(answered, p1, 0.0)
    row_starts = np.arange(len(top1)) * elicited.impossible.shape[1]
    at1 = at2 = row_starts + top1
    p2, has2 = np.zeros(len(top1)), np.zeros(len(top1), dtype=np.bool_)
    if second:
        top2, p2 = elicited.top2[rows], elicited.top2_probability[rows] / 100
        given = answered & (top2 >= 0) & (p2 >= 0)
        same = given & (top2 == top1)
        if same.any():
            p1 = np.where(same, p2, p1)
            given &= ~same
        has2 = given & (p2 > 0)
        p2 = np.where(has2, p2, 0.0)
        at2 = np.where(has2, row_starts + top2, at1)
    return _Named(answered, top1, at1, at2, p1, p2, p1 > 0, has2, p1 + p2)


def _spread(
    named: _Named, impossible: Bools, variety: Variety, gamma: float, likeness: Floats | None
) -> _Spread | None:
    """Steps 2 and 3 of the rule; None where nothing is spread."""
    if variety.spread == "clamp":
        return _clamp(named, impossible, gamma)
    if variety.spread == "uniform":
        free = np.subtract(impossible.shape[1], named.count(), dtype=np.float64)
        return _Spread(_share(np.maximum(1 - named.mass, 0.0), free), None, free)
    if likeness is not None:
        return _semantic(named, likeness)
    return None


def _clamp(named: _Named, impossible: Bools, gamma: float) -> _Spread:
    """Steps 2 and 3 under clamp, all masses where m >= 1 standing multiplied by m/(1 - gamma).

    Step 4 divides by their sum anyway; so the named classes can keep p/100 throughout, and only the
    mass to spread differs.
    """
    rest = 1 - named.mass
    np.copyto(rest, named.mass * (gamma / (1 - gamma)), where=rest <= ROUNDING)
    weights = np.logical_not(impossible).astype(np.float64)
    free = weights @ np.ones(weights.shape[1]) - named.count()
    # A named class that was ticked as impossible too took no possible one away.
    contradictions = (impossible.take(named.at1) & named.has1).view(np.uint8)
    contradictions = contradictions + (impossible.take(named.at2) & named.has2)
    return _Spread(_share(rest, free), weights, free + contradictions)


def _semantic(named: _Named, likeness: Floats) -> _Spread:
    weights = likeness[named.top1]
    flat = weights.reshape(-1)
    flat[named.at2[named.has2]] = 0
    flat[named.at1[named.has1]] = 0
    unlike = ~weights.any(axis=1)
    weights[unlike] = 1
    weight = weights.sum(axis=1)
    weight[unlike] -= named.count()[unlike]
    return _Spread(_share(np.maximum(1 - named.mass, 0.0), weight), weights, weight)


def _share(rest: Floats, among: Floats) -> Floats:
    """rest/among, and nothing where there is no class to take it."""
    nobody = among <= 0
    if nobody.any():
        rest, among = np.where(nobody, 0.0, rest), np.where(nobody, 1.0, among)
    share: Floats = rest / among
    return share


def _fill(named: _Named, spread: _Spread | None, labels: Floats, kept: Bools) -> None:
    """Step 4: write the normalised labels, and which of them are labels."""
    total = named.mass.copy() if spread is None else named.mass + spread.share * spread.weight
    np.logical_and(named.answered, total > 0, out=kept)
    if not kept.all():
        total[~kept] = np.inf  # their rows become zeros
    factor = 1 / total
    if spread is None:
        labels.fill(0.0)
    elif spread.weights is None:
        labels[:] = (spread.share * factor)[:, np.newaxis]
    else:
        np.multiply(spread.weights, (spread.share * factor)[:, np.newaxis], out=labels)
    flat = labels.reshape(-1)
    first, second = named.p1 * factor, named.p2 * factor
    if named.has1.all():
        flat[named.at2] = second  # where there is no second class this is the first one's place, written next
        flat[named.at1] = first
    else:
        flat[named.at2[named.has2]] = second[named.has2]
        flat[named.at1[named.has1]] = first[named.has1]


def _likeness(similarity: Floats | None, k: int) -> Floats:
    if similarity is None:
        raise ValueError("a semantic label needs the similarity of the classes; give a similarity matrix")
    check_similarity(similarity, k)
    positive: Floats = np.maximum(np.asarray(similarity, dtype=np.float64), 0.0)
    return positive


def entropy(labels: Floats) -> Floats:
    """The entropy of each label in nats, [N], with 0 log 0 = 0.

    >>> entropy(np.array([[0.5, 0.5], [1.0, 0.0]])).round(4).tolist()
    [0.6931, 0.0]
    """
    logs = np.log(labels, out=np.zeros_like(labels), where=labels > 0)
    nats: Floats = np.abs(np.einsum("nk,nk->n", labels, logs))  # abs: no sign on a zero
    return nats
