"""Labels to train on: for each image one label or several people's, of which one is drawn at each step.

A label that is the same at every step (hard, aggregated, smoothed) is a pool of one; labels that are kept apart
("de-aggregated": at each step an image's target is the label of one annotator drawn at random) are a pool of several.
So whoever trains needs to know one kind of label only. Source: K. M. Collins (MPhil thesis, Cambridge, 2022),
section 3.3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.elicited import Bools, Floats, Ints

ROUNDING = 1e-4
"""How far from 1 a label's sum may be: others' files have rounded numbers."""


@dataclass(frozen=True)
class LabelPool:
    """The labels of N images, those of each image in consecutive rows.

    labels    float [R, K], each a distribution over the classes
    start     int [N], the first row of each image
    count     int [N], how many rows it has, at least 1

    Raises ValueError where shapes do not fit, an image has no label, or a label is no distribution (NaN included).
    """

    labels: Floats
    start: Ints
    count: Ints

    def __post_init__(self) -> None:
        if self.labels.ndim != 2 or self.start.shape != self.count.shape or self.start.ndim != 1:
            raise ValueError("a pool needs labels [rows, classes], and start and count for each image")
        if len(self) and (self.count.min() < 1 or self.start.min() < 0):
            raise ValueError("every image needs at least one label to be trained on; leave out those without")
        if len(self) and (self.start + self.count).max() > len(self.labels):
            raise ValueError("start and count reach beyond the labels")
        if (wrong := no_distributions(self.labels)).any():
            raise ValueError(f"label {int(np.flatnonzero(wrong)[0])} is no distribution over the classes")

    def __len__(self) -> int:
        return len(self.start)

    @property
    def classes(self) -> int:
        """K, how many classes there are."""
        return int(self.labels.shape[1])

    def take(self, which: npt.ArrayLike) -> LabelPool:
        """The pool of these images, by position; the rows of others are dropped."""
        chosen = np.asarray(which, dtype=np.intp)
        count = self.count[chosen]
        return LabelPool(self.labels[_rows(self.start[chosen], count)], _before(count), count)

    def mean(self) -> Floats:
        """The aggregated label of each image, the mean of its rows, [N, K] (the thesis' section 3.3.2)."""
        whose = np.repeat(np.arange(len(self)), self.count)
        sums = np.zeros((len(self), self.classes))
        np.add.at(sums, whose, self.labels[_rows(self.start, self.count)])
        means: Floats = sums / self.count[:, np.newaxis]
        return means

    def draw(self, annotators: int, rng: np.random.Generator) -> LabelPool:
        """The pool of `annotators` labels of each image, drawn without replacement; all, where it has no more."""
        count = np.minimum(self.count, annotators)
        rows = [
            start + rng.permutation(has)[:takes]
            for start, has, takes in zip(self.start, self.count, count, strict=True)
        ]
        return LabelPool(self.labels[np.concatenate([np.empty(0, np.intp), *rows])], _before(count), count)


def pool_of(labels: Floats) -> LabelPool:
    """The pool of one label [N, K] for each image.

    >>> pool = pool_of(np.array([[1.0, 0.0], [0.5, 0.5]]))
    >>> len(pool), pool.mean().tolist()
    (2, [[1.0, 0.0], [0.5, 0.5]])
    """
    n = len(labels)
    return LabelPool(np.asarray(labels, dtype=np.float64), np.arange(n), np.ones(n, dtype=np.intp))


def pool_by_image(labels: Floats, image: Ints, images: int) -> LabelPool:
    """The pool of labels [R, K] of the image at position `image` [R] among so many.

    >>> pool = pool_by_image(np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]), np.array([1, 0, 1]), 2)
    >>> pool.count.tolist(), pool.mean().tolist()
    ([1, 2], [[0.0, 1.0], [0.75, 0.25]])
    """
    order = np.argsort(image, kind="stable")
    count = np.bincount(image, minlength=images).astype(np.intp)
    return LabelPool(np.asarray(labels, dtype=np.float64)[order], _before(count), count)


def joined(pools: Sequence[LabelPool]) -> LabelPool:
    """The pools of some images, then of others, as one."""
    offsets = np.cumsum([0, *(len(pool.labels) for pool in pools)])
    starts = [pool.start + offset for pool, offset in zip(pools, offsets[:-1], strict=True)]
    labels = np.concatenate([pool.labels for pool in pools])
    return LabelPool(labels, np.concatenate(starts), np.concatenate([pool.count for pool in pools]))


def no_distributions(labels: Floats) -> Bools:
    """Which labels [N, K] are no distributions over the classes: not finite, negative, or not 1 in sum, [N].

    >>> no_distributions(np.array([[0.5, 0.5], [1.5, -0.5], [np.nan, 1.0]])).tolist()
    [False, True, True]
    """
    off = np.abs(labels.sum(axis=1) - 1)
    wrong: Bools = ~((labels >= 0).all(axis=1) & (off <= ROUNDING))  # true for NaN too
    return wrong


def _rows(start: Ints, count: Ints) -> Ints:
    """All rows of images whose rows begin and are as many as these say, image by image."""
    rows: Ints = np.repeat(start - _before(count), count) + np.arange(count.sum())
    return rows


def _before(count: Ints) -> Ints:
    """Where each image's rows begin, where they follow each other."""
    return (np.cumsum(count) - count).astype(np.intp)
