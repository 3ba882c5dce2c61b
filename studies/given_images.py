"""Images with their classes, given to a command: a folder, an .npz, or scikit-learn's digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdloom.studies.errors import ItemError
from crowdloom.studies.images import open_image
from crowdloom.studies.items.item import read_file

_SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True)
class GivenImages:
    """Images as uint8 arrays [H, W] or [H, W, 3], with a key and the name (or number) of the class of each."""

    keys: list[str]
    images: Any
    labels: list[str | int]

    def numbers(self, classes: Sequence[str]) -> list[int]:
        """The labels as numbers of `classes`. Raises ItemError for one that is none of them."""
        known = {name: number for number, name in enumerate(classes)}
        numbers = []
        for key, label in zip(self.keys, self.labels, strict=True):
            number = known.get(label, -1) if isinstance(label, str) else label
            if not 0 <= number < len(classes):
                raise ItemError(
                    f"{key}: its class {label!r} is none of the classifier's {len(classes):,} classes; "
                    "name the folders, or the labels, as the classes are named"
                )
            numbers.append(number)
        return numbers

    def class_names(self) -> tuple[str, ...]:
        """The classes that occur: names in alphabetical order, or the numbers 0, 1, … to the highest."""
        if any(isinstance(label, str) for label in self.labels):
            return tuple(sorted({str(label) for label in self.labels}))
        return tuple(str(number) for number in range(max(int(label) for label in self.labels) + 1))


def read_given(where: str) -> GivenImages:
    """What `where` names: `digits`, an .npz with `images` and `label`, or a folder with one sub-folder a class.

    Raises ItemError, naming the file, for anything that cannot be read.
    """
    if where == "digits":
        return _digits()
    path = Path(where)
    return _folder(path) if path.is_dir() else _arrays(path)


def _digits() -> GivenImages:
    from sklearn.datasets import load_digits

    digits = load_digits()
    greys = (255 - digits.images * (255 / 16)).round().astype("uint8")  # dark on white, as the source `digits`
    return GivenImages([f"digit-{number:04d}" for number in range(len(greys))], greys, digits.target.tolist())


def _arrays(path: Path) -> GivenImages:
    import numpy as np

    if not path.exists():
        raise ItemError(f"--images {path}: there is no such file or folder; name a folder, an .npz, or digits")
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            images, labels = file["images"], file["label"]
            index = file["index"] if "index" in file.files else np.arange(len(images))
    except Exception as error:  # numpy and zipfile raise many kinds for a torn or strange file
        raise ItemError(f"{path} cannot be read as an .npz with `images` and `label` ({error})") from error
    if images.dtype != np.uint8 or images.ndim < 3 or images.shape[3:] not in ((), (3,)) or not images.size:
        raise ItemError(f"{path}: needs `images` of uint8 [N, H, W] or [N, H, W, 3], not {images.dtype} {images.shape}")
    if labels.shape != images.shape[:1] or len(index) != len(images) or labels.dtype.kind not in "iuU":
        raise ItemError(f"{path}: needs a number or a name in `label` for each of the {len(images)} images")
    return GivenImages([str(key) for key in index.tolist()], images, labels.tolist())


def _folder(root: Path) -> GivenImages:
    import numpy as np
    from PIL import ImageOps

    keys, images, labels = [], [], []
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        if any(part.startswith(".") for part in inside.parts) or path.suffix.lower() not in _SUFFIXES:
            continue
        if len(inside.parts) < 2:
            raise ItemError(f"{path} lies in no sub-folder; put each image into one with the name of its class")
        image = ImageOps.exif_transpose(open_image(read_file(path), str(path)))
        keys.append(inside.as_posix())
        images.append(np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB")))
        labels.append(inside.parts[0])
    if not keys:
        raise ItemError(f"{root} holds no images; give a folder with one sub-folder of images for each class")
    if len({image.ndim for image in images}) > 1:  # some grey, some in colour
        images = [image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2) for image in images]
    return GivenImages(keys, images, labels)
