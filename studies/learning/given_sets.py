"""Images that a command is given, as a set to learn from: CIFAR-10, an .npz, a folder, or scikit-learn's digits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from crowdloom.models.image_sets import ImageSet, image_set, read_cifar10, read_images_npz
from crowdloom.studies.errors import ItemError
from crowdloom.studies.given_images import read_given
from crowdloom.studies.learning.mapped import mapped

_CIFAR10 = "cifar-10-batches-py"


class Source(NamedTuple):
    """Images, and a sentence that says where they came from."""

    pictures: ImageSet
    origin: str


def read_source(
    where: str, *, classes: Sequence[str] | None = None, size: int | None = None, download: bool = False
) -> Source:
    """The images that `where` names.

    A folder with `cifar-10-batches-py` (with `download` any folder, into which it is fetched) gives CIFAR-10's test
    images, another folder what `read_image_folder` does; an .npz has `images`, `label`, `index`; and there is `digits`.
    `classes` are the names in the order of the labels' numbers, without which they are those that occur; `size` resizes
    all images. Raises ItemError, naming the file, for what cannot be read.
    """
    path = Path(where)
    if where != "digits" and not download and not path.exists():
        raise ItemError(f"--images {path}: there is no such file or folder; name a folder, an .npz, or digits")
    if where == "digits" or (path.is_dir() and not download and not _is_cifar10(path)):
        pictures = _read_given(where, classes, size)
        origin = "scikit-learn's digits." if where == "digits" else f"Images of the folder {path.name}."
    elif path.is_dir() or download:
        with mapped():
            pictures = read_cifar10(path, download=download)
        origin = "The test images of CIFAR-10 (A. Krizhevsky, 2009)."
    else:
        with mapped():
            pictures = read_images_npz(path, classes)
        origin = f"Images of the file {path.name}."
    if size is not None:
        pictures = pictures.resized(size)
    return Source(pictures, origin)


def read_image_folder(folder: Path, *, classes: Sequence[str] | None = None, size: int | None = None) -> ImageSet:
    """The images of a folder with one sub-folder for each class, such as `cat/1.png`; keys are paths inside it.

    `size` resizes them all; without it images of different sizes raise ItemError, as does a file that is no image, or
    a sub-folder that is none of `classes`, where these are given.
    """
    return _read_given(str(folder), classes, size)


def _read_given(where: str, classes: Sequence[str] | None, size: int | None) -> ImageSet:
    given = read_given(where)
    names = tuple(classes) if classes is not None else given.class_names()
    numbers = given.class_numbers(names)
    with mapped(where):
        return image_set(given.images, given.keys, numbers, names, size=size)


def _is_cifar10(path: Path) -> bool:
    return path.name == _CIFAR10 or (path / _CIFAR10).is_dir()
