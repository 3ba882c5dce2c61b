"""Labels of mixed images: mass on the two classes that were mixed, smoothed by how sure people were.

Source: K. M. Collins, *Improving Machine Learning Systems by Eliciting and Incorporating Additional Human
Knowledge* (MPhil thesis, Cambridge, 2022), sections 4.1.2, 4.3.2 and 4.3.4; H. Zhang et al., *mixup: Beyond
Empirical Risk Minimization* (2017) for the label that takes the generating coefficient.
"""

from __future__ import annotations

import numpy as np

from crowdloom.analysis.elicited import Floats, Ints

GAMMA = 0.005
"""The base of the smoothing, as in the thesis."""


def two_hot(coefficient: Floats, endpoint1: Ints, endpoint2: Ints, n_classes: int) -> Floats:
    """The label lambda y1 + (1 - lambda) y2 of each mix, [N, K].

    coefficient [N] is lambda, the share of endpoint1 in [0, 1]: lambda_h as a person inferred it, the mean of
    several people's, or lambda_f as the image was made; endpoint1 and endpoint2 [N] are positions of classes.
    Raises ValueError for a coefficient or a class out of range, and where both endpoints are the same.

    >>> two_hot(np.array([0.7]), np.array([0]), np.array([2]), 3).round(2).tolist()
    [[0.7, 0.0, 0.3]]
    """
    n = len(coefficient)
    if n and not (coefficient.min() >= 0 and coefficient.max() <= 1):  # true for NaN too
        raise ValueError("a mixing coefficient must lie between 0 and 1")
    ends = np.concatenate([endpoint1, endpoint2])
    if len(ends) and not (ends.min() >= 0 and ends.max() < n_classes):
        raise ValueError(f"an endpoint must be the position of one of the {n_classes} classes")
    if (endpoint1 == endpoint2).any():
        raise ValueError("the two endpoints of a mix must be different classes")
    labels = np.zeros((n, n_classes))
    rows = np.arange(n)
    labels[rows, endpoint1] = coefficient
    labels[rows, endpoint2] = 1 - coefficient
    return labels


def smooth_by_confidence(labels: Floats, confidence: Floats, gamma: float = GAMMA) -> Floats:
    """Labels [N, K] moved toward uniform by the weight gamma ** omega, [N, K] (section 4.3.4).

    confidence [N] is omega in [0, 1]: with 0 the label becomes uniform, with 1 all but gamma of it stays.
    Raises ValueError for a confidence outside [0, 1] or a gamma outside (0, 1].

    >>> smooth_by_confidence(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0.0, 1.0])).round(4).tolist()
    [[0.5, 0.5], [0.9975, 0.0025]]
    """
    if not 0 < gamma <= 1:
        raise ValueError(f"gamma is {gamma}; it must be above 0 and at most 1")
    if len(confidence) and not (confidence.min() >= 0 and confidence.max() <= 1):  # true for NaN too
        raise ValueError("a confidence must lie between 0 and 1")
    weight = (gamma**confidence)[:, np.newaxis]
    smoothed: Floats = (1 - weight) * labels + weight / labels.shape[1]
    return smoothed
