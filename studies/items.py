"""Item sources: where a design's stimuli come from, read into one kind of record."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from crowdloom.studies.design import Design
from crowdloom.studies.errors import ItemError
from crowdloom.studies.images import array_to_png

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

    def digest(self, content: bytes) -> str:
        """What makes it the same item in another version: its bytes and all that is said of it."""
        said = json.dumps([self.reference, self.difficulty, self.attributes], sort_keys=True)
        return hashlib.sha256(content + said.encode()).hexdigest()


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
        if item.key in seen:
            raise ItemError(f"{item.name}: the key {item.key!r} stands there twice; keys must differ")
        seen.add(item.key)
        if item.reference is not None and item.reference not in design.classes:
            raise ItemError(
                f"{item.name}: the reference class {item.reference!r} is not one of the design's classes "
                f"({', '.join(design.classes)})"
            )
    return items


def _digits(design: Design, folder: Path) -> Iterator[SourceItem]:
    """scikit-learn's 1,797 digits, dark on white; difficulty is the entropy (nats) of their neighbours' classes."""
    for number, (grey, target, difficulty) in enumerate(_read_digits()):
        yield SourceItem(
            key=f"digit-{number:04d}",
            name=f"digit {number}",
            image=partial(array_to_png, grey),
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
            image=path.read_bytes,
            reference=inside.parts[0] if len(inside.parts) > 1 else None,
        )


def _csv(design: Design, folder: Path) -> Iterator[SourceItem]:
    """A table with the columns key, image and, if there are any, reference and difficulty; others are kept."""
    path = folder / str(design.items.path)
    try:
        handle = path.open(newline="", encoding="utf-8-sig")
    except OSError as error:
        raise ItemError(f"items.path: {path} cannot be read ({error.strerror})") from error
    with handle:
        rows = csv.reader(handle)
        try:
            header = next(rows, [])
            if absent := [name for name in ("key", "image") if name not in header]:
                raise ItemError(f"{path}:1: the column {absent[0]!r} is missing; the header says {', '.join(header)}")
            for row in rows:
                if len(row) != len(header):
                    raise ItemError(
                        f"{path}:{rows.line_num}: {len(row)} fields where the header has {len(header)}; "
                        "the line is torn or has a stray comma"
                    )
                yield _csv_item(dict(zip(header, row, strict=True)), path, rows.line_num)
        except (UnicodeDecodeError, csv.Error) as error:
            raise ItemError(f"{path}: is not a CSV file in UTF-8 ({error}); save it as one") from error


def _csv_item(row: dict[str, str], path: Path, line: int) -> SourceItem:
    image = path.parent / row.pop("image")
    if not image.is_file():
        raise ItemError(f"{path}:{line}: there is no file {image}; correct the column image")
    written = row.pop("difficulty", "")
    try:
        difficulty = float(written) if written else None
    except ValueError as error:
        raise ItemError(f"{path}:{line}: the difficulty {written!r} is not a number") from error
    return SourceItem(
        key=row.pop("key"),
        name=f"{path}:{line} ({image.name})",
        image=image.read_bytes,
        reference=row.pop("reference", "") or None,
        difficulty=difficulty,
        attributes=dict(row),
    )


def _arrays(design: Design, folder: Path) -> Iterator[SourceItem]:
    """An .npz: `images` uint8 [N, H, W] or [N, H, W, 3]; optionally `label`, `index` (keys), `difficulty`."""
    import numpy as np

    path = folder / str(design.items.path)
    arrays = _load_npz(path)
    if "images" not in arrays or arrays["images"].dtype != np.uint8 or arrays["images"].ndim not in (3, 4):
        raise ItemError(f"{path}: needs an array `images` of uint8 [N, H, W] or [N, H, W, 3]")
    n = len(arrays["images"])
    for name, array in arrays.items():
        if len(array) != n:
            raise ItemError(f"{path}: `{name}` has {len(array)} rows where `images` has {n}")
    index = arrays.get("index", np.arange(n))
    difficulty = arrays.get("difficulty")
    if design.items.counts:
        counts = _load_counts(folder / design.items.counts, index)
        difficulty = entropy(counts / counts.sum(axis=1, keepdims=True))
    labels = arrays.get("label")
    for number in range(n):
        yield SourceItem(
            key=str(index[number]),
            name=f"{path}[{number}]",
            image=partial(array_to_png, arrays["images"][number]),
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
    import zipfile

    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, AttributeError) as error:
        raise ItemError(f"items.path: {path} cannot be read as .npz ({error})") from error


def _load_counts(path: Path, index: Any) -> Any:
    import numpy as np

    try:
        counts = np.load(path, allow_pickle=False)
        rows = counts[index.astype(int)]
    except (OSError, ValueError, IndexError) as error:
        raise ItemError(f"items.counts: {path} cannot be read as one row for each index ({error})") from error
    if rows.ndim != 2 or (rows.sum(axis=1) <= 0).any():
        raise ItemError(f"items.counts: {path} needs a row of counts, not all zero, for each index")
    return rows


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
