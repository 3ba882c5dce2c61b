"""Every kind of label that a network is trained on, from what they are made of.

    hard                        hard_labels(reference, K)
    random, uniform             random_labels(n, K, rng), uniform_labels(n, K)
    label smoothing             smoothed(hard_labels(reference, K), beta)
    annotator counts            pool = counts_pool(counts): a label for each annotator, kept apart
    elicited ("ours")           pool = soft_label_pool(elicited, image, images, variety): likewise
    aggregated                  pool.mean(); of counts also counts_labels(counts)
    from M sampled annotators   pool.draw(M, rng): drawn for each image without replacement

Arrays [N, K] become pools of one label an image by `label_pools.pool_of`. Source: K. M. Collins (MPhil thesis,
Cambridge, 2022), section 3.3 and appendix B.2. No function gives a label that is not a distribution; a NaN is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.elicited import Elicited, Floats, Ints
from crowdloom.analysis.label_pools import LabelPool, pool_by_image
from crowdloom.analysis.label_simulator import check_counts
from crowdloom.analysis.labels import Variety, build_labels


def hard_labels(reference: npt.ArrayLike, classes: int) -> Floats:
    """One-hot labels [N, K] of the reference classes [N].

    Raises ValueError for an image without one (-1), or a class beyond K.

    >>> hard_labels([1, 0], 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    known = np.asarray(reference, dtype=np.intp)
    wrong = np.flatnonzero((known < 0) | (known >= classes))
    if len(wrong):
        what = "no reference class" if known[wrong[0]] < 0 else f"the class {known[wrong[0]]} of {classes}"
        raise ValueError(f"{_some(wrong, len(known))} {what}, so it gets no hard label; leave out images without one")
    labels: Floats = np.eye(classes)[known]
    return labels


def uniform_labels(images: int, classes: int) -> Floats:
    """Labels [N, K] that give every class the same."""
    return np.full((images, classes), 1 / classes)


def random_labels(images: int, classes: int, rng: np.random.Generator) -> Floats:
    """One-hot labels [N, K] of classes drawn at random, each with the same probability."""
    return hard_labels(rng.integers(classes, size=images), classes)


def smoothed(labels: Floats, beta: float) -> Floats:
    """Label smoothing: (1 - beta) y + beta/K (appendix B.2; C. Szegedy et al., 2015). beta lies in [0, 1].

    >>> smoothed(np.array([[1.0, 0.0]]), 0.05).tolist()
    [[0.975, 0.025]]
    """
    if not 0 <= beta <= 1:  # true for NaN too
        raise ValueError(f"beta is {beta}; it must lie between 0 and 1")
    softer: Floats = (1 - beta) * labels + beta / labels.shape[1]
    return softer


def counts_labels(counts: npt.NDArray[Any]) -> Floats:
    """The aggregated labels [N, K] of annotator counts [N, K]: each class's share.

    Raises ValueError for a count that is negative or no number, and an image that nobody annotated.
    """
    check_counts(counts, counts.shape[-1])
    shares: Floats = counts / counts.sum(axis=1, keepdims=True, dtype=np.float64)
    return shares


def counts_pool(counts: npt.NDArray[Any]) -> LabelPool:
    """The hard labels of an image's annotators, one row for each, by how many chose each class, [N, K].

    Raises ValueError as `counts_labels` does, and for a count that is not whole.

    >>> pool = counts_pool(np.array([[2, 1], [0, 1]]))
    >>> pool.count.tolist(), pool.mean().round(2).tolist()
    ([3, 1], [[0.67, 0.33], [0.0, 1.0]])
    """
    check_counts(counts, counts.shape[-1])
    whole = counts.astype(np.intp)
    if (whole != counts).any():
        raise ValueError("the counts are not all whole numbers, so they are not of annotators")
    images, classes = whole.shape
    chosen = np.repeat(np.tile(np.arange(classes), images), whole.reshape(-1))
    return pool_by_image(np.eye(classes)[chosen], np.repeat(np.arange(images), whole.sum(axis=1)), images)


def soft_label_pool(
    elicited: Elicited,
    image: Ints,
    images: int,
    variety: Variety,
    gamma: float = 0.1,
    similarity: Floats | None = None,
) -> LabelPool:
    """The labels of each image's answers, kept apart; `image` [R] is the position of what each answer is about.

    Answers that have no label are left out. Raises ValueError where that leaves an image without any, for a position
    that is no image's, and as `build_labels` does.

    >>> from crowdloom.analysis.labels import parse_variety
    >>> said = Elicited(
    ...     np.array([0, 1, -1]), np.array([80.0, 100.0, np.nan]),
    ...     np.array([1, -1, -1]), np.array([20.0, np.nan, np.nan]),
    ...     np.zeros((3, 2), dtype=np.bool_),
    ... )
    >>> pool = soft_label_pool(said, np.array([0, 0, 0]), 1, parse_variety("T2-none"))
    >>> pool.labels.tolist()
    [[0.8, 0.2], [0.0, 1.0]]
    """
    if image.shape != (len(elicited),) or (len(image) and not (image.min() >= 0 and image.max() < images)):
        raise ValueError(f"each of {len(elicited)} answers needs the position of its image, 0 to {images - 1}")
    labels, kept = build_labels(elicited, variety, gamma, similarity)
    without = np.flatnonzero(np.bincount(image[kept], minlength=images) == 0)
    if len(without):
        raise ValueError(f"{_some(without, images)} no label, so it cannot be trained on; leave out images without one")
    return pool_by_image(labels[kept], image[kept], images)


def _some(which: Ints, images: int) -> str:
    """The first of some images, as the beginning of a sentence."""
    return f"image {which[0]} (one of {len(which)} such among {images}) has"
