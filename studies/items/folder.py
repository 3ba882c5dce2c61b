"""The source `folder`: image files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from crowdloom.studies.design import Design
from crowdloom.studies.errors import ItemError
from crowdloom.studies.items.item import SourceItem, read_file

_SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"}


def read_folder(design: Design, folder: Path) -> Iterator[SourceItem]:
    """Image files; a file in a sub-folder has the sub-folder's name as its reference class."""
    root = folder / str(design.items.path)
    if not root.is_dir():
        raise ItemError(f"items.path: {root} is not a folder; give a folder of images")
    for path in image_files(root):
        inside = path.relative_to(root)
        yield SourceItem(
            key=inside.as_posix(),
            name=str(path),
            image=partial(read_file, path),
            reference=inside.parts[0] if len(inside.parts) > 1 else None,
        )


def image_files(root: Path) -> Iterator[Path]:
    """The image files in a folder and below, sorted."""
    for path in sorted(root.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)  # of editors and of archives
        if not hidden and path.suffix.lower() in _SUFFIXES and path.is_file():
            yield path
