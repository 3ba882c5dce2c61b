"""The demo: a whole study, from its design to networks that learn from its labels, answered by simulated people."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from sqlalchemy import select

from crowdloom.analysis.export import LabelTable, write_labels
from crowdloom.analysis.figures import entropy_figure, label_figure, save_figure
from crowdloom.analysis.labels import entropy
from crowdloom.analysis.soft_label_summary import describe_soft_labels
from crowdloom.analysis.summary import Summary
from crowdloom.studies.analysing.writing import write_analysis
from crowdloom.studies.catalogue import find_design
from crowdloom.studies.database import Store, new_token, now, open_store
from crowdloom.studies.design_file import read_design
from crowdloom.studies.exporting import export_frame
from crowdloom.studies.label_recipes import Recipe
from crowdloom.studies.labelling import build_label_set, record_label_set
from crowdloom.studies.learning.extra import lacking
from crowdloom.studies.loading import load_design
from crowdloom.studies.media import get_media
from crowdloom.studies.reading import find_answers, read_frame
from crowdloom.studies.rehearsal import Rehearsal, rehearse
from crowdloom.studies.tables import Item

if TYPE_CHECKING:
    from crowdloom.models.sweep_book import Progress
    from crowdloom.studies.learning.train import Trained

STUDY = "digits"
PEOPLE = 16
"""Fewer than the study has places, so that some are left for whoever runs the demo."""
SHOWN = 8
MODELS = "models"


@dataclass(frozen=True)
class Demo:
    """What the demo made, and where."""

    report: Path
    """With tables and figures in the folder beside it, which has its name without .html."""
    database: Path
    answers: Path
    labels: Path
    figure: Path
    entropies: Path
    rehearsal: Rehearsal
    summary: Summary
    trained: Trained | None
    """None where what networks are trained with is not installed."""

    @property
    def models(self) -> Path:
        """Where the networks lie, each with its record."""
        return self.database.parent / MODELS


def run_demo(
    folder: Path,
    on_end: Callable[[int], None] = lambda done: None,
    on_training: Callable[[Progress], None] = lambda progress: None,
) -> Demo:
    """Run the demo into a new folder below `folder`, named by the time: nothing of an earlier one is touched.

    `on_end` is called with how many of the `PEOPLE` are done, `on_training` with how far the networks are.
    """
    folder = folder / f"{now():%Y-%m-%d-%H%M%S}-{new_token(2)}"
    folder.mkdir(parents=True)
    database = folder / "demo.db"
    design, source = read_design(find_design(STUDY))
    store = open_store(str(database))
    try:
        load_design(store, design, source, folder)
        rehearsal = rehearse(store, STUDY, participants=PEOPLE, seed=design.seed, on_end=on_end)
        recipe, mean = Recipe(), Recipe(aggregate="mean")
        with store.read() as connection:
            frame = read_frame(connection, STUDY)
            summary = describe_soft_labels(frame, find_answers(connection, STUDY).classes)
            built = build_label_set(connection, STUDY, recipe)
            table = build_label_set(connection, STUDY, mean).table
        figure = _figure(store, table)
        answers, labels, drawn, entropies = (
            folder / name for name in ("answers.csv", "labels.json", "labels.png", "entropy.png")
        )
        export_frame(frame, answers)
        write_labels(built.table, labels)
        save_figure(figure, drawn)
        save_figure(entropy_figure(entropy(table.labels)), entropies)
        with store.write() as connection:
            record_label_set(connection, STUDY, recipe, built)
        trained = None if lacking() else _trained(store, folder / MODELS, on_training)
        report = folder / "report.html"
        made = Demo(report, database, answers, labels, drawn, entropies, rehearsal, summary, trained)
        write_analysis(store, STUDY, made.report, ["crowdloom", "analyse", STUDY, "--out", str(made.report)])
    finally:
        store.close()
    return made


def _trained(store: Store, folder: Path, on_progress: Callable[[Progress], None]) -> Trained:
    """Networks that learned from hard labels and from people's soft ones, tried on all digits that they never saw.

    On the processor: a graphics card takes longer to begin than a network for 8 x 8 pixels to learn.
    """
    from crowdloom.studies.learning.labelled import Images, labelled_by_study
    from crowdloom.studies.learning.sweeping import Engine
    from crowdloom.studies.learning.train import Training, train

    labelled = labelled_by_study(store, STUDY, Recipe(), Images("digits"))
    return train(labelled, Training(), folder, Engine(device="cpu"), store=store, on_progress=on_progress)


def _figure(store: Store, table: LabelTable) -> Figure:
    """The items whose labels are the least certain, and two of the most certain for comparison."""
    order = np.argsort(-entropy(table.labels), kind="stable")
    chosen = [int(number) for number in (*order[: SHOWN - 2], *order[-2:])]
    keys = [table.item[number] for number in chosen]
    with store.read() as connection:
        wanted = select(Item.key, Item.reference, Item.shown).where(Item.key.in_(keys))
        rows = {row.key: row for row in connection.execute(wanted)}
    images = []
    for key in keys:
        found = get_media(store, rows[key].shown)
        images.append(None if found is None else np.asarray(Image.open(io.BytesIO(found[0]))))
    references = [rows[key].reference for key in keys]
    return label_figure(keys, table.labels[chosen], table.classes, images, references)
