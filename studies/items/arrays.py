"""The source `arrays`: images in an .npz."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from crowdloom.studies.design import Design
from crowdloom.studies.errors import ItemError
from crowdloom.studies.images import array_to_png
from crowdloom.studies.items.item import SourceItem, entropy

_UNREADABLE = (OSError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error)


def read_arrays(design: Design, folder: Path) -> Iterator[SourceItem]:
    """An .npz: `images` uint8 [N, H, W] or [N, H, W, 3]; optionally `label`, `index` (keys), `difficulty`."""
    import numpy as np

    path = folder / str(design.items.path)
    arrays = load_arrays(path)
    images = arrays["images"]
    n = len(images)
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
            array=images[number],
        )


def _class_name(label: Any, design: Design, name: str) -> str:
    """A label as a class name: numbers count the design's classes."""
    if label.dtype.kind not in "iu":
        return str(label)
    if not 0 <= label < len(design.classes):
        raise ItemError(f"{name}: the label {label} is not the number of one of the {len(design.classes)} classes")
    return design.classes[int(label)]


def load_arrays(path: Path, said_by: str = "items.path") -> dict[str, Any]:
    """`images` of an .npz, and those of `label`, `index` and `difficulty` that it has, with as many rows.

    Raises ItemError where it cannot be read or they do not fit; `said_by` is what named the file.
    """
    import numpy as np

    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("images", "label", "index", "difficulty") if name in file.files}
    except _UNREADABLE as error:
        # NumPy would advise to load it unsafely.
        raise ItemError(
            f"{said_by}: {path} cannot be read as .npz, an archive of arrays without Python objects; write it with "
            "numpy.savez"
        ) from error
    images = arrays.setdefault("images", np.empty(0))
    if images.dtype != np.uint8 or images.shape[3:] not in ((), (3,)) or images.ndim < 3 or 0 in images.shape[1:]:
        raise ItemError(f"{path}: needs an array `images` of uint8 [N, H, W] or [N, H, W, 3]")
    for name, array in arrays.items():
        if array.ndim == 0 or len(array) != len(images):
            raise ItemError(
                f"{path}: `{name}` needs a row for each of the {len(images)} `images`, its shape is {array.shape}"
            )
    return arrays


def _load_counts(path: Path, index: Any) -> Any:
    import numpy as np

    try:
        with path.open("rb") as handle:
            counts = np.asarray(np.load(handle, allow_pickle=False))
        positions = index.astype(int)
        rows = counts[positions]
    except (*_UNREADABLE, IndexError) as error:
        raise ItemError(
            f"items.counts: {path} cannot be read as an .npy array with a row for each index; write it with numpy.save"
        ) from error
    if rows.ndim != 2 or (positions < 0).any() or not ((rows >= 0).all() and (rows.sum(axis=1) > 0).all()):
        raise ItemError(f"items.counts: {path} needs a row of counts, none negative and not all zero, for each index")
    return rows
