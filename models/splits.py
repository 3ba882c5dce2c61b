"""Which images are trained on and which are kept for evaluation; every draw depends on its seed alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.elicited import Ints
from crowdloom.models.archives import read_npz
from crowdloom.models.errors import ModelError

_HELD_OUT, _SPLIT = 1, 2  # so that draws of one seed for different ends differ


@dataclass(frozen=True)
class Split:
    """Two sets of whole numbers, int [n] and [m], ascending, without one that is in both.

    Raises ModelError where a number is negative or stands there twice.
    """

    train: Ints
    test: Ints

    def __post_init__(self) -> None:
        both = np.concatenate([self.train, self.test])
        if len(both) and both.min() < 0:
            raise ModelError(f"a split counts images from 0, but holds {int(both.min())}")
        numbers, times = np.unique(both, return_counts=True)
        if (times > 1).any():
            raise ModelError(f"the image {int(numbers[times > 1][0])} stands in a split twice; each can be on one side")

    def present(self, index: npt.ArrayLike) -> Split:
        """The same as positions in a set of images whose numbers are `index` [N]: what of the split is there.

        Images that the split does not name are on no side.

        >>> Split(np.array([0, 3, 7]), np.array([5])).present([7, 3, 4]).train.tolist()
        [0, 1]
        """
        numbers = np.asarray(index, dtype=np.intp)
        return Split(np.flatnonzero(np.isin(numbers, self.train)), np.flatnonzero(np.isin(numbers, self.test)))


def authors_split(path: Path) -> Split:
    """The thesis authors' split of the CIFAR-10 test set, from an .npz with `train` (7,000) and `test` (3,000).

    Numbers are positions in the test set. Raises ModelError, naming the file, where it cannot be read or holds no
    split. Source: A. Uma et al., *A Case for Soft Loss Functions* (HCOMP 2020), whose split K. M. Collins (MPhil
    thesis, Cambridge, 2022) takes over in section 3.3.
    """
    arrays = read_npz(path, ("train", "test"))
    if len(arrays) != 2:
        raise ModelError(f"{path} holds no split; it needs the arrays `train` and `test`")
    train, test = arrays["train"], arrays["test"]
    if any(side.ndim != 1 or side.dtype.kind not in "iu" for side in (train, test)):
        raise ModelError(f"{path}: `train` and `test` must hold the numbers of images, int [n]")
    try:
        return Split(np.sort(train).astype(np.intp), np.sort(test).astype(np.intp))
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def held_out(indices: npt.ArrayLike, count: int, seed: int) -> Split:
    """`count` of these images, drawn anew for each seed, as `test`; the others as `train`.

    The thesis (section 3.3) so holds out 100 of its 1,000 images with soft labels. What is drawn depends on which the
    images are, not on their order. Raises ModelError where there are no more images than are to be held out.

    >>> one = held_out(range(10), 3, seed=0)
    >>> len(one.train), len(one.test), sorted([*one.train, *one.test]) == list(range(10))
    (7, 3, True)
    """
    images = np.unique(np.asarray(indices, dtype=np.intp))
    if not 0 <= count < len(images):
        raise ModelError(f"{count} images cannot be held out of {len(images)}; some must be left to train on")
    order = np.random.default_rng([_HELD_OUT, seed]).permutation(images)
    return Split(np.sort(order[count:]), np.sort(order[:count]))


def seeded_split(n: int, share: float, seed: int, by: npt.ArrayLike | None = None) -> Split:
    """A split of n images of somebody's own, positions from 0, of which about `share` are for evaluation.

    `by` [n] are the images' classes (-1 where unknown is one of its own): each class gives the same share, rounded so
    that the whole is as near to `share` as it can be, and keeps an image on each side where it has two. Raises
    ModelError where `share` is not between 0 and 1 or one side would be empty.

    >>> split = seeded_split(10, 0.3, seed=0, by=[0, 0, 0, 0, 0, 0, 1, 1, 1, 1])
    >>> len(split.test), [int((split.test < 6).sum()), int((split.test >= 6).sum())]
    (3, [2, 1])
    """
    if not 0 < share < 1:
        raise ModelError(f"the share {share:g} that is kept for evaluation must lie between 0 and 1")
    classes = np.zeros(n, dtype=np.intp) if by is None else np.asarray(by)
    if classes.shape != (n,):
        raise ModelError(f"a split by class needs the class of each of the {n} images, got {len(classes)}")
    rng = np.random.default_rng([_SPLIT, seed])
    test, owed = [np.empty(0, dtype=np.intp)], 0.0
    for name in np.unique(classes):
        members = rng.permutation(np.flatnonzero(classes == name))
        owed += share * len(members)
        most = len(members) - 1
        taken = min(max(round(owed), min(1, most)), most)
        owed = min(max(owed - taken, -0.5), 0.5)  # what rounding left over goes to the next class
        test.append(members[:taken])
    kept = np.sort(np.concatenate(test))
    if len(kept) == 0 or len(kept) == n:
        raise ModelError(
            f"{n} images of {len(np.unique(classes))} classes are too few to keep a share of {share:g} of each for "
            "evaluation; add images"
        )
    return Split(np.setdiff1d(np.arange(n), kept), kept)
