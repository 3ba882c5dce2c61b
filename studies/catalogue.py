"""The catalogue: designs to start from, one for each task and one for each ready study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from crowdloom.studies.errors import OptionError
from crowdloom.tasks import TASKS

FOLDER = Path(__file__).resolve().parent / "designs"


@dataclass(frozen=True)
class Entry:
    """A design of the catalogue: its name, whether it is for a task or a study, and its first line."""

    name: str
    kind: str
    summary: str
    path: Path


def entries() -> list[Entry]:
    """The catalogue, tasks first."""
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        first = path.read_text(encoding="utf-8").splitlines()[0].lstrip("# ").rstrip()
        kind = "task" if path.stem in TASKS else "study"
        summary = TASKS[path.stem].summary if kind == "task" else first
        found.append(Entry(path.stem, kind, summary, path))
    return sorted(found, key=lambda entry: (entry.kind != "task", entry.name))


def find_design(name: str) -> Path:
    """The file of the design with this name. Raises OptionError, with the names there are."""
    known = {entry.name: entry.path for entry in entries()}
    if name not in known:
        raise OptionError(f"the catalogue has no {name!r}; there are: {', '.join(known)}")
    return known[name]


def write_design(name: str, path: Path) -> None:
    """Write a design of the catalogue to a new file. Raises OptionError where the file exists."""
    source = find_design(name).read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(source)
    except FileExistsError as error:
        raise OptionError(f"{path} exists already and stays as it is; give another name") from error
