"""Sets of images to learn from: CIFAR-10, an .npz, or whatever images somebody has, all of one size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.elicited import Ints
from crowdloom.models.archives import read_npz
from crowdloom.models.errors import ModelError, first_line
from crowdloom.models.squares import Image, square
from crowdloom.tasks.soft_label import CIFAR10

UNKNOWN = -1
"""The reference of an image whose class nobody knows."""

_BATCHES = "cifar-10-batches-py"
_SIZES_NAMED = 4  # in a message


@dataclass(frozen=True)
class ImageSet:
    """N images of one size, each with its key and, where it is known, its class.

    images      uint8 [N, H, W, C], C = 1 (grey) or 3 (colour)
    keys        [N], each another
    reference   int [N], positions of `classes`; -1 where unknown
    classes     [K], each another

    Raises ModelError, in one sentence, where these do not fit together.

    >>> pets = ImageSet(np.zeros((2, 8, 8, 1), np.uint8), ("a", "b"), np.array([1, -1]), ("cat", "dog"))
    >>> pets.in_colour().images.shape, pets.positions(["b", "c"]).tolist()
    ((2, 8, 8, 3), [1, -1])
    """

    images: Image
    keys: tuple[str, ...]
    reference: Ints
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        shape = self.images.shape
        if self.images.dtype != np.uint8 or len(shape) != 4 or shape[3] not in (1, 3) or 0 in shape:
            raise ModelError(
                f"images must be uint8 [N, H, W, 1] or [N, H, W, 3], at least one; these are {self.images.dtype} "
                f"{list(shape)}"
            )
        if len(self.keys) != shape[0] or self.reference.shape != (shape[0],):
            raise ModelError(
                f"{shape[0]} images have {len(self.keys)} keys and {len(self.reference)} classes; give one of each to "
                "each image"
            )
        for what, names in (("key", self.keys), ("class", self.classes)):
            if twice := [name for name, count in Counter(names).items() if count > 1]:
                raise ModelError(f"the {what} {twice[0]!r} stands there twice; each needs a name of its own")
        if len(self.classes) < 2:
            raise ModelError(f"at least two classes are needed, got {len(self.classes)}")
        outside = (self.reference < UNKNOWN) | (self.reference >= len(self.classes))
        if outside.any():
            number = int(np.flatnonzero(outside)[0])
            raise ModelError(
                f"the image {self.keys[number]!r} has the class number {int(self.reference[number])}, but the "
                f"{len(self.classes)} classes are counted from 0"
            )

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, positions: npt.ArrayLike) -> ImageSet:
        """Only the images at these positions, in their order."""
        chosen = np.asarray(positions, dtype=np.intp)
        keys = tuple(self.keys[position] for position in chosen)
        return replace(self, images=self.images[chosen], keys=keys, reference=self.reference[chosen])

    def positions(self, keys: Sequence[str]) -> Ints:
        """Where each key stands, [n]; -1 for one that is none of the set's."""
        known = {key: number for number, key in enumerate(self.keys)}
        return np.array([known.get(key, UNKNOWN) for key in keys], dtype=np.intp)

    def resized(self, size: int) -> ImageSet:
        """The same with `size` x `size` pixels; see `square`."""
        if self.images.shape[1:3] == (size, size):
            return self
        channels = self.images.shape[3]
        squares = np.stack([square(image, size, channels) for image in self.images])
        return replace(self, images=squares.reshape(len(self), size, size, channels))

    def in_colour(self) -> ImageSet:
        """The same with three channels; those of a grey image are equal."""
        if self.images.shape[3] == 3:
            return self
        return replace(self, images=np.repeat(self.images, 3, axis=3))


def image_set(
    images: Sequence[Image],
    keys: Sequence[str],
    reference: npt.ArrayLike,
    classes: Sequence[str],
    *,
    size: int | None = None,
) -> ImageSet:
    """The set of these pictures, uint8 [H, W] or [H, W, 3]; grey ones among pictures in colour become such.

    `size` makes them all so many pixels wide and high (see `square`). Raises ModelError where they differ in size and
    no `size` is given, and as `ImageSet` does.
    """
    channels = 3 if any(image.ndim == 3 for image in images) else 1
    if size is not None:
        arrays = [square(image, size, channels) for image in images]
    else:
        _check_sizes(images, keys)
        arrays = [image if image.ndim == 3 or channels == 1 else np.stack([image] * 3, axis=2) for image in images]
    stacked = np.stack(arrays) if arrays else np.empty((0, 0, 0), np.uint8)
    stacked = stacked[..., np.newaxis] if stacked.ndim == 3 else stacked
    return ImageSet(stacked, tuple(keys), np.asarray(reference, dtype=np.intp), tuple(classes))


def channels_first(images: Image) -> Image:
    """Images [N, H, W, C] as networks are given them, uint8 [N, C, H, W]."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def read_cifar10(folder: Path, train: bool = False, download: bool = False) -> ImageSet:
    """CIFAR-10's 10,000 test images, or its 50,000 training images, from a folder with `cifar-10-batches-py`.

    A test image's key is its position in the test set, "0" to "9999", by which CIFAR-10H, CIFAR-10S and the authors'
    split count; a training image's is "train-0" and so on. `download` fetches what is missing into the folder. The
    files are pickles: torchvision checks the MD5 sums of them all before it unpickles one, so that nobody's but the
    data set's own are read. Raises ModelError for a folder without them.

    Source: A. Krizhevsky, *Learning Multiple Layers of Features from Tiny Images* (2009).
    """
    from torchvision.datasets import CIFAR10 as Torchvision  # noqa: N811 - a class of ours has its name

    root = folder.parent if folder.name == _BATCHES else folder
    try:
        data = Torchvision(root, train=train, download=download)
    except (OSError, RuntimeError) as error:
        if download:
            raise ModelError(
                f"CIFAR-10 could not be downloaded into {root} ({first_line(error)}); check the connection and the "
                "folder, or put the data set there yourself"
            ) from error
        raise ModelError(
            f"{root} has no whole {_BATCHES}; unpack the Python version of www.cs.toronto.edu/~kriz/cifar.html there, "
            "or add --download"
        ) from error
    keys = [f"train-{number}" if train else str(number) for number in range(len(data.targets))]
    return ImageSet(data.data, tuple(keys), np.array(data.targets, dtype=np.intp), CIFAR10)


def read_images_npz(path: Path, classes: Sequence[str] | None = None) -> ImageSet:
    """An .npz with `images` uint8 [N, H, W] or [N, H, W, 3], and optionally `label` and `index`, the keys.

    Labels are numbers of `classes`, or names; without `classes` they are the names that occur, or "0", "1", … to the
    highest number; where there are no labels, `classes` must be given. Without `index` keys count from 0. Raises
    ModelError, naming the file, where it cannot be read.
    """
    arrays = read_npz(path, ("images", "label", "index"))
    images = arrays.get("images", np.empty(0))
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or 0 in images.shape:
        raise ModelError(f"{path} needs an array `images` of uint8 [N, H, W] or [N, H, W, 3]")
    if "label" not in arrays and not classes:
        raise ModelError(f"{path} has no array `label`; give the class of each image there, a number or a name")
    index = arrays.get("index", np.arange(len(images)))
    labels = arrays.get("label", np.full(len(images), UNKNOWN))
    if labels.ndim != 1 or labels.dtype.kind not in "iuU" or index.ndim != 1:
        raise ModelError(f"{path} needs one number or name for each image in `label`, and one key in `index`")
    for name, given in (("label", labels), ("index", index)):
        if len(given) != len(images):
            raise ModelError(f"{path} has {len(images)} images and {len(given)} in `{name}`; give one to each image")
    if labels.dtype.kind == "U":
        names = tuple(classes or sorted(set(labels.tolist())))
        if unknown := set(labels.tolist()) - set(names):
            raise ModelError(f"{path} has the label {min(unknown)!r}, which is none of {', '.join(names)}")
        labels = np.array([names.index(label) for label in labels.tolist()])
    else:
        names = tuple(classes or (str(number) for number in range(int(labels.max()) + 1)))
    try:
        stacked = images[..., np.newaxis] if images.ndim == 3 else images
        return ImageSet(stacked, tuple(str(key) for key in index.tolist()), labels.astype(np.intp), names)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def _check_sizes(images: Sequence[Image], keys: Sequence[str]) -> None:
    first: dict[tuple[int, int], str] = {}
    for image, key in zip(images, keys, strict=True):
        first.setdefault((image.shape[1], image.shape[0]), key)
    if len(first) > 1:
        said = [f"{width} x {height} ({key})" for (width, height), key in first.items()]
        more = f" and {len(said) - _SIZES_NAMED} more" if len(said) > _SIZES_NAMED else ""
        raise ModelError(
            f"the images have different sizes, {', '.join(said[:_SIZES_NAMED])}{more}; give a size that they are all "
            "resized to"
        )
