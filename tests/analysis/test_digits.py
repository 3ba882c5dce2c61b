"""The digits are scikit-learn's, and so are their neighbours, but for equally near ones."""

from __future__ import annotations

import numpy as np
from sklearn import datasets
from sklearn.neighbors import NearestNeighbors

from crowdloom.analysis.digits import NEIGHBOURS, load_digits, neighbours_classes


def test_they_are_those_of_scikit_learn() -> None:
    """The same images and classes in the same order."""
    ours, theirs = load_digits(), datasets.load_digits()
    assert np.array_equal(ours.images, theirs.images)
    assert np.array_equal(ours.targets, theirs.target)


def test_the_shares_are_those_of_the_nearest_others() -> None:
    """Of a digit whose 15th and 16th neighbour are equally near the first in scikit-learn's order counts."""
    theirs = datasets.load_digits()
    far, near = NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(theirs.data).kneighbors()
    sure = far[:, NEIGHBOURS - 1] < far[:, NEIGHBOURS]
    of_class = theirs.target[near[:, :NEIGHBOURS], np.newaxis] == np.arange(10)
    shares = neighbours_classes(load_digits())
    assert sure.mean() > 0.95
    assert np.array_equal(shares[sure], of_class.mean(axis=1)[sure])
    for number in np.flatnonzero(~sure):
        order = np.argsort(((theirs.data - theirs.data[number]) ** 2).sum(axis=1), kind="stable")
        first = theirs.target[order[order != number][:NEIGHBOURS]]
        assert np.array_equal(shares[number], (first[:, np.newaxis] == np.arange(10)).mean(axis=0))
