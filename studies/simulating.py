"""Soft labels simulated by what a study's people answered, for images with annotator counts; see B.5 of the thesis."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from crowdloom.analysis.elicited import Elicited, Ints
from crowdloom.analysis.export import LabelTable
from crowdloom.analysis.label_pools import LabelPool, pool_by_image
from crowdloom.analysis.label_simulator import LabelSimulator, Side, check_counts, fit_simulator, is_ambiguous
from crowdloom.analysis.labels import build_labels, parse_variety
from crowdloom.analysis.reference_comparison import counts_of_items
from crowdloom.analysis.simulated_labels import PoolNumbers, pool_numbers
from crowdloom.studies.class_similarity import ClassSimilarity, similarity_of
from crowdloom.studies.errors import OptionError
from crowdloom.studies.labelling import check_soft_labels, record_labels
from crowdloom.studies.reading import Answers, find_answers, read_first
from crowdloom.studies.words import count


@dataclass(frozen=True)
class Simulation:
    """How labels are simulated."""

    annotators: int
    seed: int
    gamma: float
    similarity: Path | None = None
    vectors: Path | None = None
    version: int | None = None


@dataclass(frozen=True)
class SimulatedLabels:
    """Simulated labels ready to be written, what they came from, and how they compare on the study's own items."""

    table: LabelTable
    simulator: LabelSimulator
    alike: ClassSimilarity
    items: int
    responses: int
    """First answers, of which it was fitted to those that name a class with its probability."""
    collected: PoolNumbers
    simulated: PoolNumbers

    def sentences(self) -> list[str]:
        """What it was fitted on, and how the simulated labels compare."""
        said, mine = self.collected, self.simulated
        return [
            f"Fitted to accepted first answers: {_of(self.simulator.low, 'low')}; {_of(self.simulator.high, 'high')}. "
            f"Classes are ranked by {self.alike.source}.",
            f"On the study's {count(self.items, 'item')}, simulated against collected: entropy {mine.entropy:.2f} "
            f"against {said.entropy:.2f} nats a label and {mine.mean_entropy:.2f} against {said.mean_entropy:.2f} an "
            f"item; highest probability {mine.highest:.2f} against {said.highest:.2f}; mass on at most two classes in "
            f"{mine.few:.0%} against {said.few:.0%}.",
        ]


def simulate_labels(
    connection: Connection, study: str, counts: npt.NDArray[Any], simulation: Simulation
) -> SimulatedLabels:
    """Simulate the labels of every row of the counts [rows, K]; an item's row is the number that is its key, from 0.

    Fitted on accepted first answers. Raises StudyError for an unknown study, OptionError where the study or an option
    does not fit.
    """
    answers = find_answers(connection, study, "accepted", simulation.version)
    check_soft_labels(answers)
    try:
        alike = similarity_of(connection, answers, simulation.similarity, simulation.vectors)
        first = read_first(connection, answers)
        said, item = Elicited.from_records(first.records, len(answers.classes)), first.item
        rows = _rows_of(answers, item, counts)
        simulator = fit_simulator(said, is_ambiguous(counts[rows])[item], alike.matrix)
        pool = simulator.simulate(
            counts, simulation.annotators, np.random.default_rng(simulation.seed), simulation.gamma
        )
        labels, kept = build_labels(said, parse_variety("T2-clamp"), simulation.gamma)
    except ValueError as error:
        raise OptionError(str(error)) from error
    answered, position = np.unique(item[kept], return_inverse=True)
    return SimulatedLabels(
        _table(pool, answers.classes),
        simulator,
        alike,
        len(answered),
        len(said),
        pool_numbers(pool_by_image(labels[kept], position.astype(np.intp), len(answered))),
        pool_numbers(pool.take(rows[answered])),
    )


def record_simulated(
    connection: Connection, study: str, counts: npt.NDArray[Any], simulation: Simulation, made: SimulatedLabels
) -> str:
    """Write down that labels were simulated, by all that they can be simulated by again; the token of the row."""
    recipe = {
        "variety": "simulated",
        "gamma": simulation.gamma,
        "similarity_from": made.alike.source,
        "annotators": simulation.annotators,
        "seed": simulation.seed,
        "counts": hashlib.sha256(np.ascontiguousarray(counts).tobytes()).hexdigest(),
        "simulator": made.simulator.to_json(),
        "responses": "accepted",
        "version": simulation.version,
    }
    return record_labels(connection, study, recipe, made.table.labels, made.responses, 0)


def _rows_of(answers: Answers, item: Ints, counts: npt.NDArray[Any]) -> Ints:
    """The row of the counts for each of the study's items; 0 for those without an answer, which nobody looks at."""
    rows = np.zeros(len(answers.items), dtype=np.intp)
    answered = np.unique(item)
    try:
        check_counts(counts, len(answers.classes))
        counts_of_items([answers.items[number] for number in answered], counts, len(answers.classes))
    except ValueError as error:
        raise OptionError(f"--counts: {error}") from error
    rows[answered] = [int(answers.items[number]) for number in answered]
    return rows


def _table(pool: LabelPool, classes: Sequence[str]) -> LabelTable:
    """A label for each row and simulated annotator; who they are is called by their number."""
    image = np.repeat(np.arange(len(pool)), pool.count)
    names = [f"simulated-{number}" for number in (np.arange(len(image)) - pool.start[image]) + 1]
    return LabelTable(
        pool.labels, [str(row) for row in image], classes, names, names, np.zeros(len(image), dtype=np.intp)
    )


def _of(side: Side, name: str) -> str:
    """What people answered to one side's items."""
    said = (
        f"the first class {side.top1.mean:.2f} (sd {side.top1.sd:.2f}), a second {side.top2.mean:.2f} "
        f"({side.top2.sd:.2f}), and {side.mean_possible():.1f} other classes possible"
    )
    if side.own:
        return f"{name} entropy ({count(side.answers, 'answer')}): {said}"
    return f"{name} entropy (too few answers, so all {side.answers:,} of them): {said}"
