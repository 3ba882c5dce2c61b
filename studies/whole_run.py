"""A whole study with simulated people in a folder of its own: what the demos and simulations of live tasks share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from crowdloom.studies.database import Store, new_token, now
from crowdloom.studies.design import Design
from crowdloom.studies.errors import OptionError
from crowdloom.studies.loading import load_design
from crowdloom.studies.rehearsal import Habits, Rehearsal, rehearse

DATABASE, ANALYSIS, WORKER_LOG = "study.db", "analysis", "worker.log"
FAITHFUL = Habits(drop_out=0.0, careless=0.0, restless=0.0)
"""Whoever comes here stays to the end."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class WholeRun:
    """What a run made, and where."""

    folder: Path
    rehearsal: Rehearsal
    said: Sequence[str]
    """What the analysis says in sentences."""

    @property
    def database(self) -> Path:
        """The store."""
        return self.folder / DATABASE

    @property
    def analysis(self) -> Path:
        """The folder with the analysis."""
        return self.folder / ANALYSIS


def new_folder(below: Path) -> Path:
    """A new folder, named by the time: nothing of an earlier run is touched."""
    folder = below / f"{now():%Y-%m-%d-%H%M%S}-{new_token(2)}"
    folder.mkdir(parents=True)
    return folder


def empty_folder(folder: Path) -> Path:
    """This folder, made if need be. Raises OptionError where it has anything in it."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise OptionError(f"--out {folder} has files in it already, and they stay as they are; give another folder")
    return folder


def take_part(
    store: Store, design: Design, source: str, folder: Path, *, people: int, seed: int, show: Say
) -> Rehearsal:
    """Load a design into an empty store and let so many simulated people take the study, all of them to its end.

    `show` hears how many are done. Raises as `rehearse`.
    """
    load_design(store, design, source, folder)
    return rehearse(
        store,
        design.name,
        participants=people,
        seed=seed,
        habits=FAITHFUL,
        on_end=lambda done: show(f"{done} of {people} are done"),
    )
