"""How far two labels are from each other: the Wasserstein distance over classes, and one over probability values.

Over classes it is the least work that turns one label into the other, where moving the mass m from class j to class k
costs m d(j, k). Which d is the *ground metric* has to be said: by default 0 for the same class and 1 for any other,
which makes it the total variation; or from a similarity s of the classes, d = 1 - s.

The authors of CIFAR-10S compared labels by `scipy.stats.wasserstein_distance` of the two vectors, which takes each
vector as a sample of K numbers: it compares how the probabilities are spread and not what classes they belong to, so
that a label certain of one class is at no distance from a label certain of another. `values_distance` is that.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from crowdloom.analysis.elicited import Floats

_AT_A_TIME = 50
"""Items in one linear programme: more of them share the cost of a call, many more slow the solver down."""


def ground_distances(similarity: Floats) -> Floats:
    """The ground metric 1 - s [K, K] of a similarity of classes (such as a cosine) from -1 to 1; 0 on the diagonal.

    Raises ValueError where the matrix is not square, not symmetric, or has a similarity above 1.

    >>> ground_distances(np.array([[1.0, 0.75], [0.75, 1.0]])).tolist()
    [[0.0, 0.25], [0.25, 0.0]]
    """
    s = np.asarray(similarity, dtype=np.float64)
    if s.ndim != 2 or s.shape[0] != s.shape[1]:
        raise ValueError(f"the similarity has the shape {s.shape}; give one row and one column for each class")
    distances = 1 - s
    np.fill_diagonal(distances, 0.0)
    return check_ground(distances, len(s))


def check_ground(distances: Floats, n_classes: int) -> Floats:
    """The matrix, if it can be a ground metric: [K, K], finite, symmetric, 0 on the diagonal and nowhere below 0.

    Raises ValueError with what is wrong.
    """
    d = np.asarray(distances, dtype=np.float64)
    if d.shape != (n_classes, n_classes) or not np.isfinite(d).all():
        raise ValueError(f"the ground metric must be a matrix of {n_classes} x {n_classes} finite numbers")
    if not np.allclose(d, d.T, rtol=0, atol=1e-9):
        raise ValueError("the ground metric is not symmetric: two classes are as far from each other either way")
    if np.diagonal(d).any() or (d < 0).any():
        raise ValueError(
            "the ground metric must be 0 from a class to itself and nowhere below 0 (similarities up to 1)"
        )
    return d


def total_variation(first: Floats, second: Floats) -> Floats:
    """Half the sum of |p - q|, [N], from 0 to 1, of labels [N, K]; the Wasserstein distance with the 0/1 metric.

    >>> total_variation(np.array([[1.0, 0.0]]), np.array([[0.25, 0.75]])).tolist()
    [0.75]
    """
    difference = first - second
    variation: Floats = np.abs(difference, out=difference).sum(axis=1) / 2
    return variation


def wasserstein(
    first: Floats, second: Floats, distances: Floats | None = None, progress: Callable[[int, int], None] | None = None
) -> Floats:
    """The Wasserstein distance over classes, [N], of labels [N, K] whose rows sum to 1.

    `distances` [K, K] is the ground metric, 0/1 where none is given. With another it is the optimum of a linear
    programme for each item (exact within the solver's 1e-7). `progress` is told the items done and the items to do.
    Raises ValueError as `check_ground` does.

    >>> on_a_line = np.abs(np.subtract.outer([0.0, 1.0, 2.0], [0.0, 1.0, 2.0]))
    >>> wasserstein(np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 0.5, 0.5]]), on_a_line).round(6).tolist()
    [1.5]
    """
    if distances is None:
        return total_variation(first, second)
    n, k = first.shape
    cost = check_ground(distances, k).reshape(-1)
    from_class = sparse.kron(sparse.eye(k), np.ones((1, k)))  # of the flow [k, k], what leaves each class
    to_class = sparse.kron(np.ones((1, k)), sparse.eye(k))
    one = sparse.vstack([from_class, to_class])
    found = np.zeros(n)
    different = np.flatnonzero((first != second).any(axis=1))
    for start in range(0, len(different), _AT_A_TIME):
        some = different[start : start + _AT_A_TIME]
        solved = linprog(
            np.tile(cost, len(some)),
            A_eq=sparse.kron(sparse.eye(len(some)), one).tocsr(),
            b_eq=np.hstack([first[some], second[some]]).reshape(-1),
            bounds=(0, None),
            method="highs",
        )
        if solved.x is None:
            raise ValueError(f"two labels cannot be turned into each other; do their rows sum to 1? {solved.message}")
        found[some] = solved.x.reshape(len(some), -1) @ cost
        if progress is not None:
            progress(start + len(some), len(different))
    return found


def values_distance(first: Floats, second: Floats) -> Floats:
    """The authors' variant, [N]: the mean difference between the sorted probabilities of labels [N, K].

    >>> values_distance(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])).tolist()
    [0.0]
    """
    distance: Floats = np.abs(np.sort(first, axis=1) - np.sort(second, axis=1)).mean(axis=1)
    return distance
