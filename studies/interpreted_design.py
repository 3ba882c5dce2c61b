"""The design of a study of images that `crowdloom interpret` chose: the catalogue's, with their classes and items."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from crowdloom.analysis.files import whole_file
from crowdloom.studies.catalogue import find_design
from crowdloom.studies.design_file import parse_design

NAME = "study.toml"

_CLASSES = re.compile(r"^classes = \[[^\]]*\]", re.MULTILINE)
_ITEMS = re.compile(r"^\[items\]\n.*?(?=^\[)", re.MULTILINE | re.DOTALL)
_STUDY = re.compile(r'^name = "[^"]*"', re.MULTILINE)


def write_interpreted_design(folder: Path, classes: Sequence[str], table: str = "items.csv") -> Path | None:
    """Write `study.toml` beside the table of interpreted images, and give its path.

    It is the catalogue's design `wrong-label`, comments and all, with these classes, the items of `table`,
    and the folder's name. None where there is a study.toml already, which stays as it is. Raises
    DesignError where the classes do not fit the task; then nothing is written.
    """
    path = folder / NAME
    if path.exists():
        return None
    source = find_design("wrong-label").read_text(encoding="utf-8")
    source = _replaced(_CLASSES, f"classes = {_list(classes)}", source)
    source = _replaced(_ITEMS, _items(table), source)
    if own := re.sub(r"[^a-z0-9_-]+", "-", folder.resolve().name.lower()).strip("-_")[:100]:
        source = _replaced(_STUDY, f'name = "{own}"', source)
    parse_design(source, str(path))
    with whole_file(path) as part:
        part.write_text(source, encoding="utf-8")
    return path


def _replaced(what: re.Pattern[str], by: str, source: str) -> str:
    changed, count = what.subn(lambda _: by, source, count=1)
    assert count == 1, f"the catalogue's design has no {what.pattern}"
    return changed


def _list(classes: Sequence[str]) -> str:
    """A TOML list, broken into lines where it is long; what JSON escapes in a text, TOML does too."""
    quoted = [json.dumps(name, ensure_ascii=False) for name in classes]
    line = f"[{', '.join(quoted)}]"
    return line if len(line) < 100 else "[\n" + "".join(f"  {name},\n" for name in quoted) + "]"


def _items(table: str) -> str:
    return f"""\
[items]
source = "csv"                    # written by `crowdloom interpret`, with the pictures that it names
path = {json.dumps(table)}
# sample = 200                    # draw so many; without it, all are used
image_size = 240                  # smaller images are enlarged to this; 0 leaves them as they are, 160 if left out

"""
