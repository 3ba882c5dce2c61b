"""Tables and figures of the thesis from material at hand: their runs, the sweep that does them, what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.run_figures import Place
from crowdloom.analysis.run_tables import RunTable, run_table
from crowdloom.models.estimating import open_runs, training_seconds
from crowdloom.models.experiments.building import images_of, runs_of
from crowdloom.models.experiments.catalogue import EXPERIMENTS, resolve
from crowdloom.models.experiments.experiment import Experiment
from crowdloom.models.experiments.material import Material
from crowdloom.models.image_sets import channels_first
from crowdloom.models.runs import Run
from crowdloom.models.sweep_book import Progress
from crowdloom.studies.database import Store
from crowdloom.studies.learning.given_material import Given
from crowdloom.studies.learning.sweeping import Engine, Swept, mapped_options, swept

ALL = "all"
REDUCED = ", reduced"
"""Follows an experiment's name in the store, so that nobody takes a try for the table."""


@dataclass(frozen=True)
class Way:
    """How tables are made, where not as the thesis has it.

    reduced     narrow networks that train for two epochs on few images
    seeds       how many
    networks    which; of each table its own if none is named
    epochs      of training, with the rate falling after the same shares of them
    """

    reduced: bool = False
    seeds: int | None = None
    networks: Sequence[str] = ()
    epochs: int | None = None


@dataclass(frozen=True)
class Planned:
    """One table or figure with all its runs, and the study whose labels are learned from, if it is one."""

    experiment: Experiment
    runs: Sequence[Run]
    study: str | None

    @property
    def with_mixes(self) -> bool:
        """Whether its runs need the mixes beside the images."""
        return self.experiment.trained_on == "all and mixes"

    @property
    def stored_as(self) -> str:
        """The experiment's name in results."""
        return self.runs[0].experiment

    def described(self) -> dict[str, dict[str, str]]:
        """What is said of each row in columns; of images, how many it was really trained on."""
        trained = {run.row: len(run.index) for run in self.runs}
        said = {}
        for row in self.experiment.rows:
            columns = dict(row.columns) | ({"Images": trained[row.name]} if row.images is not None else {})
            named = {} if {"Labels", "Algorithm"} & columns.keys() else {"Labels": row.name}
            texts = {name: value if isinstance(value, str) else f"{value:g}" for name, value in columns.items()}
            said[row.name] = named | texts
        return said

    def places(self) -> dict[str, Place]:
        """Of a figure: each row's kind of labels, and how many people or images it has."""
        said = self.described()
        counted = "Images" if "Images" in next(iter(said.values())) else "M"
        return {row: Place(columns["Labels"], float(columns[counted])) for row, columns in said.items()}


@dataclass(frozen=True)
class Made:
    """One table or figure with what came of its runs."""

    planned: Planned
    swept: Swept

    def table(self) -> RunTable:
        """Metrics in the thesis' order."""
        made = run_table(self.planned.stored_as, self.swept.frame, self.swept.failed, self.planned.experiment.groups())
        there = set(made.metrics)
        return replace(made, metrics=[name for name in self.planned.experiment.metrics if name in there])


def chosen(names: Iterable[str]) -> list[Experiment]:
    """The experiments of these names, each once; `all` are all. Raises OptionError for one that is none."""
    found: dict[str, Experiment] = {}
    with mapped_options():
        for name in names:
            for one in EXPERIMENTS.values() if name == ALL else [resolve(name)]:
                found[one.name] = one
    return list(found.values())


def plan(experiment: Experiment, material: Material, given: Given, way: Way) -> Planned:
    """A table's runs on the material. Raises OptionError where that lacks something."""
    seeds = None if way.seeds is None else range(way.seeds)
    with mapped_options():
        runs = runs_of(experiment, material, way.reduced, seeds=seeds, networks=way.networks or None)
    if way.epochs is not None:
        milestones = experiment.settings.milestones_in(way.epochs)
        runs = [replace(run, settings=replace(run.settings, epochs=way.epochs, milestones=milestones)) for run in runs]
    if way.reduced:
        runs = [replace(run, experiment=experiment.name + REDUCED) for run in runs]
    return Planned(experiment, runs, _study(experiment, given))


def _study(experiment: Experiment, given: Given) -> str | None:
    """The study that a table is about: the one that it cannot do without."""
    if "mixed" in experiment.needs:
        return given.mixed
    return given.study or given.mixed


@dataclass(frozen=True)
class Work:
    """What one sweep does: the tables that share images and a study."""

    tables: Sequence[Planned]
    images: npt.NDArray[np.uint8]

    @property
    def runs(self) -> list[Run]:
        """All runs of its tables."""
        return [run for one in self.tables for run in one.runs]

    @property
    def study(self) -> str | None:
        """Whose labels are learned from."""
        return self.tables[0].study


def work_of(tables: Sequence[Planned], material: Material) -> list[Work]:
    """Tables put together by what they learn from.

    Images that a table does not need are no part of its work: its runs stay the same whether or not there are mixes.
    """
    groups: dict[tuple[bool, str | None], list[Planned]] = {}
    for one in tables:
        groups.setdefault((one.with_mixes, one.study), []).append(one)
    return [
        Work(group, images_of(material) if with_mixes else material.images) for (with_mixes, _), group in groups.items()
    ]


def still_to_do(work: Work, folder: Path) -> list[Run]:
    """The runs that are not done, each once, although several tables may ask for it."""
    return open_runs(channels_first(work.images), work.runs, folder)


def seconds_needed(work: Work, runs: Sequence[Run], engine: Engine) -> float:
    """About how long these runs train one after the other, measured here."""
    with mapped_options():
        return training_seconds(channels_first(work.images), runs, threads=engine.threads, device=engine.device)


def make(
    work: Work,
    folder: Path,
    engine: Engine,
    store: Store | None,
    progress: Callable[[], AbstractContextManager[Callable[[Progress], None]]],
) -> list[Made]:
    """Do the work, or what is left of it, in `folder`; what came of it goes into the store, if one is given."""
    with progress() as show:
        done = swept(work.images, work.runs, folder, engine, store=store, study=work.study, on_progress=show)
    results = iter(done.results)
    return [Made(one, Swept([next(results) for _ in one.runs])) for one in work.tables]
