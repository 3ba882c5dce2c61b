"""From one label per response to one label per item."""

from __future__ import annotations

import numpy as np

from crowdloom.analysis.elicited import Bools, Floats, Ints


class MeanLabels:
    """The mean label of every item, added up in stretches, in memory that the responses do not enlarge.

    >>> means = MeanLabels(n_items=2, n_classes=2)
    >>> means.add(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([True, True]), np.array([0, 0]))
    >>> means.result()[0].tolist(), means.result()[1].tolist()
    ([[0.75, 0.25], [0.0, 0.0]], [2, 0])
    """

    def __init__(self, n_items: int, n_classes: int) -> None:
        self._sums = np.zeros((n_classes, n_items))
        self._counts = np.zeros(n_items, dtype=np.intp)

    def add(self, labels: Floats, kept: Bools, item: Ints) -> None:
        """Add labels [N, K], of which `kept` [N] count, for the items at positions `item` [N].

        Raises ValueError for shapes that do not fit and for an item outside 0 ... n_items - 1.
        """
        k, n_items = self._sums.shape
        if labels.shape != (len(item), k) or kept.shape != (len(item),):
            raise ValueError(f"labels {labels.shape}, kept {kept.shape} and item {item.shape} do not fit {k} classes")
        if not len(item):
            return
        if item.min() < 0 or item.max() >= n_items:
            raise ValueError(f"items must lie between 0 and {n_items - 1}")
        if not kept.all():
            labels, item = labels[kept], item[kept]
        self._counts += np.bincount(item, minlength=n_items)
        for number in range(k):
            self._sums[number] += np.bincount(item, weights=labels[:, number], minlength=n_items)

    def result(self) -> tuple[Floats, Ints]:
        """Means [I, K] and how many labels each is the mean of, [I]; an item with none has a row of zeros."""
        return np.ascontiguousarray((self._sums / np.maximum(self._counts, 1)).T), self._counts.copy()


def mean_by_item(labels: Floats, kept: Bools, item: Ints, n_items: int) -> tuple[Floats, Ints]:
    """The mean label of every item, [I, K], and the number of labels in it, [I]; see `MeanLabels`."""
    means = MeanLabels(n_items, labels.shape[1])
    means.add(labels, kept, item)
    return means.result()
