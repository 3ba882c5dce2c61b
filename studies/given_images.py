"""Images with their classes, given to a command: a folder, an .npz, or scikit-learn's digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

from crowdloom.studies.errors import ItemError
from crowdloom.studies.images import opaque_pixels, open_image
from crowdloom.studies.items.arrays import load_arrays
from crowdloom.studies.items.digits import digit_images
from crowdloom.studies.items.folder import image_files
from crowdloom.studies.items.item import read_file


class Pictures(Sequence[Any]):
    """Pictures, uint8 [H, W] or [H, W, 3], that are read when they are asked for: more of them than memory holds."""

    def __init__(self, read: Callable[[int], Any], numbers: Sequence[int]) -> None:
        self._read, self.numbers = read, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, position: int) -> Any: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[Any]: ...
    def __getitem__(self, position: int | slice) -> Any:
        if isinstance(position, slice):
            return [self._read(number) for number in self.numbers[position]]
        return self._read(self.numbers[position])

    def part(self, positions: Sequence[int]) -> Pictures:
        """Only those at these positions."""
        return Pictures(self._read, [self.numbers[position] for position in positions])


@dataclass(frozen=True)
class GivenImages:
    """Images with a key and the name (or number) of the class of each."""

    keys: Sequence[str]
    images: Pictures
    labels: Sequence[str | int]

    def class_names(self) -> tuple[str, ...]:
        """The classes that occur: names in alphabetical order, or the numbers 0, 1, … to the highest."""
        if any(isinstance(label, str) for label in self.labels):
            return tuple(sorted({str(label) for label in self.labels}))
        return tuple(str(number) for number in range(max(int(label) for label in self.labels) + 1))

    def class_numbers(self, classes: Sequence[str]) -> list[int]:
        """The labels as numbers of `classes`. Raises ItemError for one that is none of them."""
        known = {name: number for number, name in enumerate(classes)}
        numbers = []
        for key, label in zip(self.keys, self.labels, strict=True):
            number = known.get(label, -1) if isinstance(label, str) else label
            if not 0 <= number < len(classes):
                raise ItemError(
                    f"image {key}: its class {label!r} is none of the {len(classes):,} classes; "
                    "call the folders, or the labels, as the classes are called"
                )
            numbers.append(number)
        return numbers

    def part(self, positions: Sequence[int]) -> GivenImages:
        """Only the images at these positions."""
        return replace(
            self,
            keys=[self.keys[position] for position in positions],
            images=self.images.part(positions),
            labels=[self.labels[position] for position in positions],
        )


def read_given(where: str) -> GivenImages:
    """What `where` names: `digits`, an .npz with `images` and `label`, or a folder with one sub-folder a class.

    The pictures of a folder are read later, one by one. Raises ItemError, naming the file, for anything that
    cannot be read; for such a picture it is raised then.
    """
    if where == "digits":
        images, targets = digit_images()
        return GivenImages(
            [f"digit-{number:04d}" for number in range(len(images))],
            Pictures(images.__getitem__, range(len(images))),
            targets.tolist(),
        )
    path = Path(where)
    if not path.exists():
        raise ItemError(f"--images {path}: there is no such file or folder; name a folder, an .npz, or digits")
    return _folder(path) if path.is_dir() else _arrays(path)


def _arrays(path: Path) -> GivenImages:
    arrays = load_arrays(path, "--images")
    images, labels = arrays["images"], arrays.get("label")
    if labels is None or labels.dtype.kind not in "iuU" or not len(images):
        raise ItemError(f"{path}: needs the class of each image in `label`, by its number or name")
    keys = arrays["index"].tolist() if "index" in arrays else range(len(images))
    return GivenImages([str(key) for key in keys], Pictures(images.__getitem__, range(len(images))), labels.tolist())


def _folder(root: Path) -> GivenImages:
    paths = list(image_files(root))
    inside = [path.relative_to(root) for path in paths]
    for path, name in zip(paths, inside, strict=True):
        if len(name.parts) < 2:
            raise ItemError(f"{path} lies in no sub-folder; put each image into one with the name of its class")
    if not paths:
        raise ItemError(f"{root} holds no images; give a folder with one sub-folder of images for each class")

    def read(number: int) -> Any:
        name = str(paths[number])
        return opaque_pixels(open_image(read_file(paths[number]), name), name)

    return GivenImages(
        [name.as_posix() for name in inside], Pictures(read, range(len(paths))), [name.parts[0] for name in inside]
    )


def read_classes(path: Path) -> tuple[str, ...]:
    """Class names from a text file, one a line. Raises ItemError for one that is empty or stands there twice."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").rstrip().splitlines()]
    except OSError as error:
        raise ItemError(f"{path} cannot be read ({error.strerror}); check the file with the class names") from error
    except UnicodeDecodeError as error:
        raise ItemError(f"{path} is no text in UTF-8; write one class name a line") from error
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line or line in seen:
            said = f"{line!r} stands there twice" if line else "this line is empty"
            raise ItemError(f"{path}:{number}: {said}; write one class name a line, each another")
        seen.add(line)
    if not lines:
        raise ItemError(f"{path} is empty; write one class name a line")
    return tuple(lines)
