"""How well each submission's labels match those of the other annotators."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def agreement_with_others(
    labels: npt.NDArray[np.float64], item: npt.NDArray[np.intp], submission: npt.NDArray[np.intp], n_submissions: int
) -> npt.NDArray[np.float64]:
    """The mean, over a submission's items, of 1 - TV(own label, mean label of all others for the item).

    `labels` [N, K] are those of first responses, `item` [N] and `submission` [N] say whose and of what.
    TV is the total variation, sum |p - q| / 2. Items that nobody else answered do not count. Returns
    [n_submissions] numbers between 0 and 1, NaN for a submission without an item that others answered.

    >>> labels = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> agreement_with_others(labels, np.zeros(3, int), np.arange(3), 3).tolist()
    [0.5, 0.5, 0.0]
    """
    n_items = int(item.max(initial=-1)) + 1
    sums = np.zeros((n_items, labels.shape[1]))
    np.add.at(sums, item, labels)
    others = np.bincount(item, minlength=n_items)[item] - 1
    shared = others > 0
    rest = (sums[item[shared]] - labels[shared]) / others[shared, np.newaxis]
    match = 1 - np.abs(labels[shared] - rest).sum(axis=1) / 2
    total = np.bincount(submission[shared], weights=match, minlength=n_submissions)
    count = np.bincount(submission[shared], minlength=n_submissions)
    mean = np.full(n_submissions, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean
