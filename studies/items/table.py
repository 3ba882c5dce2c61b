"""The source `csv`: a table that names image files."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from crowdloom.studies.design import Design
from crowdloom.studies.errors import ItemError
from crowdloom.studies.items.item import SourceItem, read_file
from crowdloom.studies.participation import VIEWS

VIEW = "view."
"""How the names of columns with further pictures begin."""


def read_table(design: Design, folder: Path) -> Iterator[SourceItem]:
    """A table with the columns key, image and, if there are any, reference, difficulty and view.NAME; others are kept.

    A cell of view.NAME names the file of a further picture of its item, or is empty.
    """
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
                    yield _item(dict(zip(header, row, strict=True)), path, rows.line_num)
        except (UnicodeDecodeError, csv.Error) as error:
            raise ItemError(f"{path}:{rows.line_num}: not CSV in UTF-8 ({error}); correct this line") from error


def _check_header(header: list[str], path: Path) -> None:
    for name in ("key", "image"):
        if name not in header:
            raise ItemError(f"{path}:1: the column {name!r} is missing; the header says {', '.join(header)!r}")
    if VIEW in header or VIEWS in header:
        raise ItemError(f"{path}:1: name the columns of further pictures {VIEW}NAME, such as {VIEW}gradcam")
    if twice := [name for name in header if header.count(name) > 1]:
        raise ItemError(f"{path}:1: the column {twice[0]!r} stands there twice; rename one")


def _item(row: dict[str, str], path: Path, line: int) -> SourceItem:
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
    columns = {name: row.pop(name) for name in list(row) if name.startswith(VIEW)}
    views = {name.removeprefix(VIEW): _view(path, line, name, cell) for name, cell in columns.items() if cell}
    return SourceItem(
        key=row.pop("key"),
        name=f"{path}:{line} ({image.name})",
        image=partial(read_file, image),
        reference=row.pop("reference", "") or None,
        difficulty=difficulty,
        attributes=dict(row),
        views=views,
    )


def _view(table: Path, line: int, column: str, cell: str) -> Callable[[], bytes]:
    """What reads the picture that a cell names; where that cannot be, the message names the cell."""
    where, picture = f"{table}:{line}: {column}", table.parent / cell
    if not picture.is_file():
        raise ItemError(f"{where}: there is no file {picture}; correct the cell or leave it empty")

    def read() -> bytes:
        try:
            return read_file(picture)
        except ItemError as error:
            raise ItemError(f"{where}: {error}") from error

    return read
