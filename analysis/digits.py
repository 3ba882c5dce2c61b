"""scikit-learn's handwritten digits, and how ambiguous each is.

They are read from scikit-learn's file: importing it takes longer than most commands, and its own nearest neighbours
differ with the number of threads where several are equally near.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.elicited import Floats, Ints

NEIGHBOURS = 15


class Digits(NamedTuple):
    """The 1,797 digits, in scikit-learn's order."""

    images: npt.NDArray[np.uint8]
    """[1797, 8, 8], light on dark, from 0 to 16."""
    targets: Ints
    """[1797], which digit each is."""

    def dark_on_white(self) -> npt.NDArray[np.uint8]:
        """The images from 0 to 255, uint8 [1797, 8, 8]."""
        return (255 - self.images * (255 / 16)).round().astype(np.uint8)


@lru_cache(maxsize=1)
def load_digits() -> Digits:
    """The digits; source: E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits* (UCI, 1998).

    >>> images, targets = load_digits()
    >>> images.shape, targets[:10].tolist()
    ((1797, 8, 8), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    found = find_spec("sklearn")
    assert found is not None
    assert found.origin is not None
    rows = np.loadtxt(Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz", np.uint8, delimiter=",")
    digits = Digits(rows[:, :-1].reshape(-1, 8, 8), rows[:, -1].astype(np.intp))
    for array in digits:
        array.flags.writeable = False  # all callers have the same
    return digits


def neighbours_classes(digits: Digits) -> Floats:
    """The share of each class among each digit's 15 nearest others, [1797, 10]; of the equally near the first count.

    >>> neighbours_classes(load_digits())[683].round(2).tolist()
    [0.0, 0.6, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.4]
    """
    pixels = digits.images.reshape(len(digits.images), -1).astype(np.float64)
    squares = (pixels**2).sum(axis=1)
    far = squares[:, np.newaxis] + squares - 2 * pixels @ pixels.T  # whole numbers, so exact whatever the order
    np.fill_diagonal(far, np.inf)
    in_order = far * len(far) + np.arange(len(far))  # no two alike in a row
    near = digits.targets[np.argpartition(in_order, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]]
    return np.stack([(near == number).mean(axis=1) for number in range(10)], axis=1)
