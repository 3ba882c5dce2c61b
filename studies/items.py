"""Item sources: where a design's stimuli come from, read into one kind of record."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from crowdloom.studies.design import Design
from crowdloom.studies.errors import ItemError
from crowdloom.studies.images import array_to_png

_LONGEST_KEY = 200  # characters, as the store has them
SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True)
class SourceItem:
    """A stimulus as its source gives it; `name` is what messages call it."""

    key: str
    name: str
    image: Callable[[], bytes]
    reference: str | None = None
    difficulty: float | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    pixels: bytes | None = None
    """What it is made from, where `image` encodes it; encoders differ between versions."""

    def digest(self, content: bytes, image_size: int = 0) -> str:
        """What makes it the same item in another version: its picture, its size on the page, and what is said of it."""
        difficulty = None if self.difficulty is None else f"{self.difficulty:.9g}"  # computed: its last digits vary
        said = json.dumps([self.reference, difficulty, self.attributes, image_size], sort_keys=True)
        return hashlib.sha256((self.pixels or content) + said.encode()).hexdigest()


def read_items(design: Design, folder: Path) -> list[SourceItem]:
    """All items of the design's source, in its order; relative paths start at `folder`.

    Raises ItemError for a source that is missing or broken, a key given twice, or a reference
    that is none of the design's classes.
    """
    source = _SOURCES.get(design.items.source)
    if source is None:
        raise ItemError(f"items.source {design.items.source!r} marks an imported study, which cannot be loaded again")
    items = list(source(design, folder))
    if not items:
        raise ItemError(f"the source {design.items.path or design.items.source} holds no items; check items.path")
    seen: set[str] = set()
    for item in items:
        _check_key(item)
        if item.key in seen:
            raise ItemError(f"{item.name}: the key {item.key!r} stands there twice; keys must differ")
        seen.add(item.key)
        if item.reference is not None and item.reference not in design.classes:
            raise ItemError(
                f"{item.name}: the reference class {item.reference!r} is not one of the design's classes "
                f"({', '.join(design.classes)})"
            )
    return items


def _check_key(item: SourceItem) -> None:
    if not 1 <= len(item.key) <= _LONGEST_KEY:
        raise ItemError(f"{item.name}: a key needs 1 to {_LONGEST_KEY} characters, this one has {len(item.key)}")
    if "\0" in item.key or not item.key.isprintable():
        raise ItemError(f"{item.name}: the key {item.key!r} has signs that cannot be shown; rename it")


def _digits(design: Design, folder: Path) -> Iterator[SourceItem]:
    """scikit-learn's 1,797 digits, dark on white; difficulty is the entropy (nats) of their neighbours' classes."""
    for number, (grey, target, difficulty) in enumerate(_read_digits()):
        yield SourceItem(
            key=f"digit-{number:04d}",
            name=f"digit {number}",
            image=partial(array_to_png, grey),
            pixels=grey.tobytes(),
            reference=str(target),
            difficulty=difficulty,
        )


@lru_cache(maxsize=1)
def _read_digits() -> list[tuple[Any, int, float]]:
    """Image, class and difficulty of each digit."""
    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.neighbors import NearestNeighbors

    digits = load_digits()
    near = NearestNeighbors(n_neighbors=15).fit(digits.data).kneighbors(return_distance=False)
    shares = np.stack([(digits.target[near] == k).mean(axis=1) for k in range(10)], axis=1)
    greys = (255 - digits.images * (255 / 16)).round().astype("uint8")
    return list(zip(greys, digits.target.tolist(), entropy(shares).tolist(), strict=True))


def _folder(design: Design, folder: Path) -> Iterator[SourceItem]:
    """Image files; a file in a sub-folder has the sub-folder's name as its reference class."""
    root = folder / str(design.items.path)
    if not root.is_dir():
        raise ItemError(f"items.path: {root} is not a folder; give a folder of images")
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        inside = path.relative_to(root)
        yield SourceItem(
            key=inside.as_posix(),
            name=str(path),
            image=partial(_read, path),
            reference=inside.parts[0] if len(inside.parts) > 1 else None,
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ItemError(f"{path} cannot be read ({error.strerror}); check the file and its rights") from error


def _csv(design: Design, folder: Path) -> Iterator[SourceItem]:
    """A table with the columns key, image and, if there are any, reference and difficulty; others are kept."""
    path = folder / str(design.items.path)
    try:
        handle = path.open(newline="", encoding="utf-8-sig")
    except OSError as error:
        raise ItemError(f"items.path: {path} cannot be read ({error.strerror})") from error
    with handle:
        rows = csv.reader(handle, strict=True)
        try:
            header = next(rows, [])
            _check_header(header, path)
            for row in rows:
                if len(row) != len(header) and row:
                    raise ItemError(
                        f"{path}:{rows.line_num}: {len(row)} fields where the header has {len(header)}; "
                        "the line is torn or has a stray comma"
                    )
                if row:
                    yield _csv_item(dict(zip(header, row, strict=True)), path, rows.line_num)
        except (UnicodeDecodeError, csv.Error) as error:
            raise ItemError(f"{path}:{rows.line_num}: not CSV in UTF-8 ({error}); correct this line") from error


def _check_header(header: list[str], path: Path) -> None:
    for name in ("key", "image"):
        if name not in header:
            raise ItemError(f"{path}:1: the column {name!r} is missing; the header says {', '.join(header)!r}")
    if twice := [name for name in header if header.count(name) > 1]:
        raise ItemError(f"{path}:1: the column {twice[0]!r} stands there twice; rename one")


def _csv_item(row: dict[str, str], path: Path, line: int) -> SourceItem:
    image = path.parent / row.pop("image")
    if not image.is_file():
        raise ItemError(f"{path}:{line}: there is no file {image}; correct the column image")
    written = row.pop("difficulty", "").strip()
    try:
        difficulty = float(written) if written else None
    except ValueError:
        difficulty = math.nan
    if difficulty is not None and not math.isfinite(difficulty):
        raise ItemError(f"{path}:{line}: the difficulty {written!r} is not a number; correct it or leave it empty")
    return SourceItem(
        key=row.pop("key"),
        name=f"{path}:{line} ({image.name})",
        image=partial(_read, image),
        reference=row.pop("reference", "") or None,
        difficulty=difficulty,
        attributes=dict(row),
    )


def _arrays(design: Design, folder: Path) -> Iterator[SourceItem]:
    """An .npz: `images` uint8 [N, H, W] or [N, H, W, 3]; optionally `label`, `index` (keys), `difficulty`."""
    import numpy as np

    path = folder / str(design.items.path)
    arrays = _load_npz(path)
    images = arrays.get("images", np.empty(0))
    if images.dtype != np.uint8 or images.shape[3:] not in ((), (3,)) or images.ndim < 3 or 0 in images.shape[1:]:
        raise ItemError(f"{path}: needs an array `images` of uint8 [N, H, W] or [N, H, W, 3]")
    n = len(images)
    for name, array in arrays.items():
        if array.ndim == 0 or len(array) != n:
            raise ItemError(f"{path}: `{name}` needs a row for each of the {n} `images`, its shape is {array.shape}")
    index = arrays.get("index", np.arange(n))
    difficulty = arrays.get("difficulty")
    if design.items.counts:
        counts = _load_counts(folder / design.items.counts, index)
        difficulty = entropy(counts / counts.sum(axis=1, keepdims=True))
    if difficulty is not None and not (difficulty.dtype.kind in "fiu" and np.isfinite(difficulty).all()):
        raise ItemError(f"{path}: `difficulty` must hold finite numbers")
    labels = arrays.get("label")
    for number in range(n):
        yield SourceItem(
            key=str(index[number]),
            name=f"{path}[{number}]",
            image=partial(array_to_png, images[number]),
            pixels=str(images[number].shape).encode() + images[number].tobytes(),
            reference=None if labels is None else _class_name(labels[number], design, f"{path}[{number}]"),
            difficulty=None if difficulty is None else float(difficulty[number]),
        )


def _class_name(label: Any, design: Design, name: str) -> str:
    """A label as a class name: numbers count the design's classes."""
    if label.dtype.kind not in "iu":
        return str(label)
    if not 0 <= label < len(design.classes):
        raise ItemError(f"{name}: the label {label} is not the number of one of the {len(design.classes)} classes")
    return design.classes[int(label)]


def _load_npz(path: Path) -> dict[str, Any]:
    import numpy as np

    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            return {name: file[name] for name in ("images", "label", "index", "difficulty") if name in file.files}
    except _UNREADABLE as error:
        raise ItemError(f"items.path: {path} cannot be read as .npz ({error})") from error


def _load_counts(path: Path, index: Any) -> Any:
    import numpy as np

    try:
        with path.open("rb") as handle:
            counts = np.asarray(np.load(handle, allow_pickle=False))
        positions = index.astype(int)
        rows = counts[positions]
    except (*_UNREADABLE, IndexError) as error:
        raise ItemError(f"items.counts: {path} cannot be read as one row for each index ({error})") from error
    if rows.ndim != 2 or (positions < 0).any() or not ((rows >= 0).all() and (rows.sum(axis=1) > 0).all()):
        raise ItemError(f"items.counts: {path} needs a row of counts, none negative and not all zero, for each index")
    return rows


_UNREADABLE = (OSError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error)


def entropy(shares: Any) -> Any:
    """The entropy in nats of each row of class shares [N, K] (thesis, section 3.2.1); 0 log 0 is 0."""
    from scipy.special import entr

    return entr(shares).sum(axis=1)


_SOURCES: dict[str, Callable[[Design, Path], Iterator[SourceItem]]] = {
    "digits": _digits,
    "folder": _folder,
    "csv": _csv,
    "arrays": _arrays,
}
