"""Item sources: where a design's stimuli come from, read into one kind of record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from crowdloom.studies.design import Design
from crowdloom.studies.errors import ItemError
from crowdloom.studies.items.arrays import read_arrays
from crowdloom.studies.items.classes import read_classes
from crowdloom.studies.items.digits import read_digits
from crowdloom.studies.items.folder import read_folder
from crowdloom.studies.items.item import SourceItem, entropy
from crowdloom.studies.items.mixed import mixed_items
from crowdloom.studies.items.scenarios import read_scenarios
from crowdloom.studies.items.table import read_table

__all__ = ["SourceItem", "entropy", "read_items"]

_LONGEST_KEY = 200  # characters, as the store has them

_SOURCES: dict[str, Callable[[Design, Path], Iterator[SourceItem]]] = {
    "digits": read_digits,
    "folder": read_folder,
    "csv": read_table,
    "arrays": read_arrays,
    "scenarios": read_scenarios,
    "classes": read_classes,
}


def read_items(design: Design, folder: Path) -> list[SourceItem]:
    """All items of the design's source, in its order, or their mixes; relative paths start at `folder`.

    Raises ItemError for a source that is missing or broken, a key given twice, a reference
    that is none of the design's classes, or images that cannot be mixed as the design says.
    """
    source = _SOURCES.get(design.items.source)
    if source is None:
        raise ItemError(f"items.source {design.items.source!r} marks an imported study, which cannot be loaded again")
    items = list(source(design, folder))
    if not items:
        raise ItemError(f"the source {design.items.path or design.items.source} holds no items; check items.path")
    _check_keys(items)
    for item in items:
        if item.reference is not None and item.reference not in design.classes:
            raise ItemError(
                f"{item.name}: the reference class {item.reference!r} is not one of the design's classes "
                f"({', '.join(design.classes)})"
            )
    if design.items.mixed is None:
        return items
    mixes = mixed_items(design, items)
    _check_keys(mixes)
    return mixes


def _check_keys(items: list[SourceItem]) -> None:
    seen: set[str] = set()
    for item in items:
        _check_key(item)
        if item.key in seen:
            raise ItemError(f"{item.name}: the key {item.key!r} stands there twice; keys must differ")
        seen.add(item.key)


def _check_key(item: SourceItem) -> None:
    if not 1 <= len(item.key) <= _LONGEST_KEY:
        raise ItemError(f"{item.name}: a key needs 1 to {_LONGEST_KEY} characters, this one has {len(item.key)}")
    if "\0" in item.key or not item.key.isprintable():
        raise ItemError(f"{item.name}: the key {item.key!r} has signs that cannot be shown; rename it")
