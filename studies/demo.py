"""The demo: a whole study, from its design to a figure of its labels, answered by simulated people."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from sqlalchemy import select

from crowdloom.analysis.export import LabelTable, write_labels
from crowdloom.analysis.figures import entropy_figure, label_figure, save_figure
from crowdloom.analysis.labels import entropy
from crowdloom.analysis.soft_label_summary import describe_soft_labels
from crowdloom.analysis.summary import Summary
from crowdloom.studies.catalogue import find_design
from crowdloom.studies.database import Store, new_token, now, open_store
from crowdloom.studies.design_file import read_design
from crowdloom.studies.exporting import export_frame
from crowdloom.studies.label_recipes import Recipe
from crowdloom.studies.labelling import build_label_set, record_label_set
from crowdloom.studies.loading import load_design
from crowdloom.studies.media import get_media
from crowdloom.studies.reading import find_answers, read_frame
from crowdloom.studies.rehearsal import Rehearsal, rehearse
from crowdloom.studies.tables import Item

STUDY = "digits"
PEOPLE = 16
"""Fewer than the study has places, so that some are left for whoever runs the demo."""
SHOWN = 8


@dataclass(frozen=True)
class Demo:
    """What the demo made, and where."""

    database: Path
    answers: Path
    labels: Path
    figure: Path
    entropies: Path
    rehearsal: Rehearsal
    summary: Summary


def run_demo(folder: Path, on_end: Callable[[int], None] = lambda done: None) -> Demo:
    """Run the demo into a new folder below `folder`, named by the time: nothing of an earlier one is touched.

    `on_end` is called with how many of the `PEOPLE` are done.
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
        made = Demo(database, answers, labels, drawn, entropies, rehearsal, summary)
        export_frame(frame, made.answers)
        write_labels(built.table, made.labels)
        save_figure(figure, made.figure)
        save_figure(entropy_figure(entropy(table.labels)), made.entropies)
        with store.write() as connection:
            record_label_set(connection, STUDY, recipe, built)
    finally:
        store.close()
    return made


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
