"""Labels to train on for a finite set of mixed images, and category boundaries to mix any two images by.

A study shows people N mixes x = lambda_f x1 + (1 - lambda_f) x2 and asks for the coefficient, lambda_h, and how sure
they are, omega. Source: K. M. Collins, *Improving Machine Learning Systems by Eliciting and Incorporating Additional
Human Knowledge* (MPhil thesis, Cambridge, 2022): section 4.3 for the labels, appendix C for the boundaries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdloom.analysis.boundaries import Boundary, fit_boundary
from crowdloom.analysis.elicited import Floats, Ints
from crowdloom.analysis.label_pools import LabelPool, pool_by_image, pool_of
from crowdloom.analysis.mixing_labels import GAMMA, smooth_by_confidence, two_hot


@dataclass(frozen=True)
class MixedAnswers:
    """N mixed images and R answers about them.

    endpoint1, endpoint2    int [N], the classes of the two images that were mixed
    coefficient             float [N], lambda_f, the share of endpoint1
    image                   int [R], which of the N images the answer is about
    inferred                float [R] in [0, 1], lambda_h, the share of endpoint1 that a person inferred
    confidence              float [R] in [0, 1], omega; NaN where it was not asked
    """

    endpoint1: Ints
    endpoint2: Ints
    coefficient: Floats
    image: Ints
    inferred: Floats
    confidence: Floats

    def __len__(self) -> int:
        return len(self.endpoint1)


def mixup_targets(mixed: MixedAnswers, n_classes: int) -> LabelPool:
    """lambda_f y1 + (1 - lambda_f) y2, what mixup assumes of each image; the answers are not used (section 4.1.2)."""
    return pool_of(two_hot(mixed.coefficient, mixed.endpoint1, mixed.endpoint2, n_classes))


def aggregated_targets(
    mixed: MixedAnswers, n_classes: int, *, confidence: bool = False, gamma: float = GAMMA
) -> LabelPool:
    """Each image's label with the mean of its lambda_h (section 4.3.2), one row an image.

    With `confidence` it is smoothed by gamma to the power of the image's mean omega (section 4.3.4). Raises ValueError
    where an image has no answer, or no confidence that is asked for.
    """
    mean = _means(mixed.image, mixed.inferred, len(mixed))
    labels = two_hot(mean, mixed.endpoint1, mixed.endpoint2, n_classes)
    if confidence:
        labels = smooth_by_confidence(labels, _means(mixed.image, _confidence(mixed), len(mixed)), gamma)
    return pool_of(labels)


def separate_targets(
    mixed: MixedAnswers, n_classes: int, *, confidence: bool = False, gamma: float = GAMMA
) -> LabelPool:
    """A label of each answer, with its own lambda_h (section 4.3.3), one row an answer.

    With `confidence` each is smoothed by gamma to the power of its own omega (section 4.3.4). Raises ValueError as
    `aggregated_targets` does.

    >>> two = np.array([0, 0])
    >>> mixed = MixedAnswers(np.array([0]), np.array([1]), np.array([0.5]), two, np.array([0.9, 0.5]), np.array([1, 0]))
    >>> separate_targets(mixed, 3, confidence=True).labels.round(3).tolist()
    [[0.897, 0.101, 0.002], [0.333, 0.333, 0.333]]
    >>> aggregated_targets(mixed, 3).labels.round(3).tolist()
    [[0.7, 0.3, 0.0]]
    """
    labels = two_hot(mixed.inferred, mixed.endpoint1[mixed.image], mixed.endpoint2[mixed.image], n_classes)
    if confidence:
        labels = smooth_by_confidence(labels, _confidence(mixed), gamma)
    _check_answered(mixed.image, len(mixed))
    return pool_by_image(labels, mixed.image, len(mixed))


@dataclass(frozen=True)
class PairBoundaries:
    """A logistic function for every pair of classes, as `models.settings.Mixing` wants them.

    slopes, midpoints    [K][K]; of the share of the row's class when it is mixed with the column's. A pair says the
                         same in both orders: slopes are symmetric, midpoints are 1 minus each other. 1 and 1/2 on the
                         diagonal, where nobody looks.
    borrowed             the pairs (i, j), i < j, that have the boundary of all pairs
    """

    slopes: tuple[tuple[float, ...], ...]
    midpoints: tuple[tuple[float, ...], ...]
    borrowed: tuple[tuple[int, int], ...]


def pair_boundaries(mixed: MixedAnswers, n_classes: int) -> PairBoundaries:
    """Each pair's boundary, fitted to its answers (appendix C; `analysis.boundaries`).

    A pair takes the boundary of all pairs where its own cannot be fitted, or falls: a slope that is not above 0 would
    give the smaller label to the larger share, and comes from few answers. Raises ValueError where there is no rising
    boundary of all pairs either.
    """
    first = np.minimum(mixed.endpoint1, mixed.endpoint2)[mixed.image]
    second = np.maximum(mixed.endpoint1, mixed.endpoint2)[mixed.image]
    turned = mixed.endpoint1[mixed.image] != first
    shares = mixed.coefficient[mixed.image]
    # rounded: 1 - 0.9 is the 0.1 of a mix the other way round
    shares = np.where(turned, 1 - shares, shares).round(6)
    answers = np.where(turned, 1 - mixed.inferred, mixed.inferred)

    everything = fit_boundary(shares, answers)
    slopes, midpoints = np.ones((n_classes, n_classes)), np.full((n_classes, n_classes), 0.5)
    borrowed = []
    for i in range(n_classes):
        for j in range(i + 1, n_classes):
            its = (first == i) & (second == j)
            found = fit_boundary(shares[its], answers[its])
            if not _rises(found):
                if not _rises(everything):
                    problem = everything.problem or "what people infer falls as the share rises"
                    raise ValueError(f"no category boundary can be fitted to {len(answers)} answers: {problem}")
                borrowed.append((i, j))
                found = everything
            slopes[i, j] = slopes[j, i] = found.slope
            midpoints[i, j] = found.midpoint
            midpoints[j, i] = 1 - midpoints[i, j]
    return PairBoundaries(tuple(map(tuple, slopes.tolist())), tuple(map(tuple, midpoints.tolist())), tuple(borrowed))


def _rises(boundary: Boundary) -> bool:
    return boundary.slope is not None and boundary.slope > 0


def _means(image: Ints, values: Floats, images: int) -> Floats:
    _check_answered(image, images)
    return np.bincount(image, values, images) / np.bincount(image, minlength=images)


def _confidence(mixed: MixedAnswers) -> Floats:
    lacking = int(np.isnan(mixed.confidence).sum())
    if lacking:
        raise ValueError(f"{lacking} of {len(mixed.confidence)} answers come without a confidence to smooth labels by")
    return mixed.confidence


def _check_answered(image: Ints, images: int) -> None:
    unanswered = images - len(np.unique(image))
    if unanswered:
        raise ValueError(f"{unanswered} of {images} mixed images have no inferred coefficient; leave them out")
