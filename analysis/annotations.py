"""What is aggregated: annotators' answers to items, hard (a class each) or soft (a distribution over classes each).

Everything is positions: item and annotator say whose answer to what it is, and nothing is known of names. An annotator
may answer an item more than once, and every answer counts; some items, annotators and classes may not occur at all.

`drawn` [A], which many functions here take, says how often each annotator counts: 1 for all where it is None, and for
a bootstrap sample how often it holds each. An annotator drawn twice is two people who answered alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from crowdloom.analysis.elicited import Bools, Floats, Ints

LARGEST = 200_000_000
"""Numbers in one dense array at most (1.5 GiB): more is refused with a sentence, before the memory runs out."""


@dataclass(frozen=True)
class Annotations:
    """N hard answers: item, annotator and label [N] are positions among n_items, n_annotators and n_classes.

    Raises ValueError where lengths differ or a position lies outside.
    """

    item: Ints
    annotator: Ints
    label: Ints
    n_items: int
    n_annotators: int
    n_classes: int

    def __post_init__(self) -> None:
        _check_positions(self, len(self.item), ("item", "annotator", "label"))

    def __len__(self) -> int:
        return len(self.item)

    def one_hot(self) -> SoftAnnotations:
        """The same as soft answers that are certain. Raises ValueError where that would be too large."""
        if len(self) * self.n_classes > LARGEST:
            raise ValueError(
                f"{len(self)} answers in {self.n_classes} classes are too many for a method of distributions; "
                "take majority-vote or dawid-skene"
            )
        labels = np.zeros((len(self), self.n_classes))
        labels[np.arange(len(self)), self.label] = 1
        return SoftAnnotations(self.item, self.annotator, labels, self.n_items, self.n_annotators)


@dataclass(frozen=True)
class SoftAnnotations:
    """N soft answers: labels [N, K], whose rows sum to 1, and whose they are and of what, as in `Annotations`.

    Raises ValueError where shapes differ, a position lies outside, or a row is no distribution.
    """

    item: Ints
    annotator: Ints
    labels: Floats
    n_items: int
    n_annotators: int

    def __post_init__(self) -> None:
        if self.labels.ndim != 2 or len(self.labels) != len(self.item):
            raise ValueError(f"labels have shape {self.labels.shape}, but there are {len(self.item)} answers")
        _check_positions(self, len(self.item), ("item", "annotator"))
        if len(self.labels):
            off = np.abs(self.labels.sum(axis=1) - 1)
            bad = np.flatnonzero(~((off < 1e-6) & (self.labels.min(axis=1) >= 0)))  # true for NaN too
            if len(bad):
                raise ValueError(f"label {bad[0]} is no distribution: its numbers must be at least 0 and sum to 1")

    def __len__(self) -> int:
        return len(self.item)

    @property
    def n_classes(self) -> int:
        """K."""
        return int(self.labels.shape[1])

    @cached_property
    def by_item(self) -> Any:
        """Sparse [I, N]: a one where an answer is one to the item; its product with [N, ...] sums by item."""
        return _gather(self.item, self.n_items)

    @cached_property
    def by_annotator(self) -> Any:
        """Sparse [A, N]: the same for annotators."""
        return _gather(self.annotator, self.n_annotators)

    @cached_property
    def answers(self) -> Ints:
        """How many answers each annotator gave, [A]."""
        return np.bincount(self.annotator, minlength=self.n_annotators)

    def most_probable(self) -> Annotations:
        """The hard answers that name each label's most probable class; between equal ones, the first."""
        label = self.labels.argmax(axis=1).astype(np.intp) if len(self) else np.empty(0, np.intp)
        return Annotations(self.item, self.annotator, label, self.n_items, self.n_annotators, self.n_classes)


def others_mean(answers: SoftAnnotations, drawn: Floats | None = None) -> tuple[Floats, Bools]:
    """For each answer the mean label that all other annotators gave the item, [N, K], and whether there is one, [N].

    An annotator's own answers are left out, also where the item was answered twice; so are the copies of a person
    drawn more than once. Where nobody else answered, the row is zeros.

    >>> answers = SoftAnnotations(np.array([0, 0]), np.array([0, 1]), np.array([[1.0, 0.0], [0.5, 0.5]]), 1, 2)
    >>> others_mean(answers)[0].tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    weight = np.ones(len(answers)) if drawn is None else drawn[answers.annotator]
    weighted = answers.labels * weight[:, np.newaxis]
    total, count = answers.by_item @ weighted, answers.by_item @ weight
    pairs, which = np.unique(answers.item * answers.n_annotators + answers.annotator, return_inverse=True)
    if len(pairs) < len(answers):  # somebody answered an item more than once
        own = _gather(which, len(pairs))
        weighted, weight = (own @ weighted)[which], (own @ weight)[which]
    left = count[answers.item] - weight
    known: Bools = left > 0.5  # counts are whole numbers; less than that is rounding
    rest = np.maximum(total[answers.item] - weighted, 0.0)
    mean: Floats = rest / np.where(known, left, 1.0)[:, np.newaxis]
    mean[~known] = 0
    return mean, known


@dataclass(frozen=True)
class Confusions:
    """How annotators answer: for P pairs of annotator and label the probability of that label, given each true class.

    annotator, label [P]; probabilities [P, K], with the true class in columns. A pair that is not listed has the
    probability 0. For every annotator with answers, and every true class, the probabilities sum to 1.
    """

    annotator: Ints
    label: Ints
    probabilities: Floats

    def dense(self, n_annotators: int) -> Floats:
        """[A, K, K]: of annotator, true class, label. Raises ValueError where that would be too large."""
        k = self.probabilities.shape[1]
        if n_annotators * k * k > LARGEST:
            raise ValueError(f"the confusions of {n_annotators} annotators in {k} classes are too many for one array")
        full = np.zeros((n_annotators, k, k))
        full[self.annotator, :, self.label] = self.probabilities
        return full


@dataclass(frozen=True)
class Aggregate:
    """One distribution over classes per item, and what was fitted on the way.

    probabilities [I, K] has rows that sum to 1, or a row of zeros for an item without an answer that counts.
    """

    method: str
    probabilities: Floats
    answered: Bools
    """[I] Whether an item has a distribution."""
    prior: Floats | None = None
    """[K] How frequent each true class is, where the method has true classes."""
    confusions: Confusions | None = None
    weights: Floats | None = None
    """[A] What each annotator weighs in a pool, on average 1; None where all weigh the same."""
    temperatures: Floats | None = None
    """[A] Of the calibration that came first, if any; see `analysis.calibration`."""
    history: tuple[float, ...] = ()
    """The log likelihood (soft-dawid-skene: the log posterior) of what each iteration began with."""
    converged: bool | None = None
    """Whether the iterations ended because the gain was small; None for methods without iterations."""


def _gather(into: Ints, size: int) -> Any:
    ones = np.ones(len(into))
    return sparse.csr_array((ones, (into, np.arange(len(into)))), shape=(size, len(into)))


def _check_positions(answers: Any, n: int, names: tuple[str, ...]) -> None:
    for name in names:
        values = getattr(answers, name)
        size = getattr(answers, {"item": "n_items", "annotator": "n_annotators", "label": "n_classes"}[name])
        if values.shape != (n,):
            raise ValueError(f"{name} has shape {values.shape}, but there are {n} answers; give one value each")
        if n and (values.min() < 0 or values.max() >= size):
            raise ValueError(f"{name} must lie between 0 and {size - 1}")
