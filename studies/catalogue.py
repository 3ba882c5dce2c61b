"""The catalogue: designs to start from, one for each task and one for each ready study."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from crowdloom.analysis.files import whole_file
from crowdloom.studies.design import Design
from crowdloom.studies.design_file import read_design
from crowdloom.studies.errors import OptionError
from crowdloom.tasks import TASKS
from crowdloom.tasks.coach_coaching import VERSIONS

FOLDER = Path(__file__).resolve().parent / "designs"


@dataclass(frozen=True)
class Entry:
    """A design of the catalogue: its name, whether it is for a task or a study, its first line, and what it says."""

    name: str
    kind: str
    summary: str
    path: Path
    design: Design

    @property
    def items(self) -> int | None:
        """How many items it shows; None where its source alone knows."""
        said = self.design.items
        if said.names:
            return len(said.names)
        if said.source == "classes":
            versions = len(VERSIONS) if self.design.batches.versions else 1
            return len(said.only or self.design.classes) * (said.rounds or 1) * versions
        if said.sample is not None or said.mixed is None or said.mixed.keep:
            return said.sample
        pairs = said.mixed.pairs * math.comb(len(self.design.classes), 2)
        return pairs * max(len(said.mixed.coefficients), 1)


def entries() -> list[Entry]:
    """The catalogue, tasks first."""
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        design, source = read_design(path)
        first = source.splitlines()[0].lstrip("# ").rstrip()
        kind = "task" if path.stem in TASKS else "study"
        summary = TASKS[path.stem].summary if kind == "task" else first
        found.append(Entry(path.stem, kind, summary, path, design))
    return sorted(found, key=lambda entry: (entry.kind != "task", entry.name))


def find_design(name: str) -> Path:
    """The file of the design with this name. Raises OptionError, with the names there are."""
    path = FOLDER / f"{name}.toml"
    if path not in FOLDER.glob("*.toml"):
        known = [entry.name for entry in entries()]
        raise OptionError(f"the catalogue has no {name!r}; there are: {', '.join(known)}")
    return path


def write_design(name: str, path: Path) -> None:
    """Write a design of the catalogue to a new file; one for a task is named after the file.

    Raises OptionError where the file exists.
    """
    source = find_design(name).read_text(encoding="utf-8")
    if name in TASKS and (own := re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")):
        source = re.sub(r'^name = "[^"]*"', f'name = "{own}"', source, count=1, flags=re.MULTILINE)
    if path.exists():
        raise OptionError(f"{path} exists already and stays as it is; give another name")
    with whole_file(path) as part:
        part.write_text(source, encoding="utf-8")
