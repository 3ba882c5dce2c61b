"""The report's part on labels: every way to one label per item, and two label sets of the same items compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.figure_style import NothingToDrawError
from crowdloom.analysis.label_comparison import (
    alike_and_uncertain,
    compare_labels,
    comparison_tables,
    largest_distance,
    softened,
)
from crowdloom.analysis.label_comparison_figures import compared_labels_figure, entropies_figure
from crowdloom.analysis.label_overview import GivenLabels, given_labels, labels_frame, methods_table
from crowdloom.analysis.reference_comparison import counts_of_items
from crowdloom.analysis.report import Block, Drawing, Prose, Tabular
from crowdloom.analysis.summary import Table
from crowdloom.analysis.wasserstein import ground_distances

LEAST_SURE = 10
"""Items in the table of those that people are least sure of."""

Pictures = Callable[[Sequence[str]], Mapping[str, bytes]]
"""The images of items, by their keys, as far as there are any."""


def label_blocks(
    frame: pd.DataFrame, classes: Sequence[str], counts: npt.NDArray[Any] | None, pictures: Pictures
) -> list[Block]:
    """Labels of a soft-label frame's items; the mean ones beside `counts` [rows, K], or beside the votes without them.

    Raises FrameError where the counts do not fit the items.
    """
    given = given_labels(frame, classes)
    table, labels = methods_table(given)
    each = labels_frame(given, labels["linear-pool"])
    if not len(each):
        return [Prose("No answer gives a label.")]
    least_sure = each[["reference", "most_probable", "answers", "entropy"]].head(LEAST_SURE)
    most = f"{len(least_sure)} items" if len(least_sure) > 1 else "item"
    return [
        Tabular(
            table,
            "labels-by-method",
            "Single answers are T2-clamp labels, gamma 0.1; entropy in nats. Mean certainty is the mean probability of "
            "the most probable class; where several are equally probable, accuracy counts each its share. "
            "crowdloom labels writes any of these, and with --intervals how sure they are; or one label per answer.",
        ),
        Tabular(
            Table(
                f"The {most} of which people are least sure, by the mean label",
                least_sure.rename(columns={"most_probable": "most probable"}),
            ),
            "labels",
            "The file holds all items with their mean labels.",
            each,
        ),
        *_compared(given, labels, counts, pictures),
    ]


def _compared(
    given: GivenLabels, labels: Mapping[str, Floats], counts: npt.NDArray[Any] | None, pictures: Pictures
) -> list[Block]:
    """Figures 3.3, 3.4, B.1 and B.2 of the soft-label thesis, of these labels."""
    mean, distances, ground = labels["linear-pool"], None, "0/1"
    kept = np.flatnonzero(mean.sum(axis=1) > 0.5)
    if counts is None:
        names, note = ("mean labels", "votes"), "Votes are the shares of people whose most probable class it is."
        second = labels["majority-vote"]
        kept = kept[second[kept].sum(axis=1) > 0.5]
        second = second[kept]
    else:
        names = ("mean labels", "counts")
        rows = counts_of_items([given.items[number] for number in kept], counts, len(given.classes))
        second = rows / rows.sum(axis=1, keepdims=True)
        distances, ground = _ground(counts), "1 - cosine"
        note = "Counts are those of --counts; the cosine is that of two classes' counts over all their rows."
    if not len(kept):
        return []
    items = [given.items[number] for number in kept]
    compared = compare_labels(items, mean[kept], second, names, distances, ground)
    tables = comparison_tables(compared)
    blocks: list[Block] = [
        Tabular(tables[0], "labels-entropy", note),
        Tabular(tables[1], "labels-distance", "", compared.by_item),
        Tabular(tables[2], "labels-furthest"),
        Drawing(
            entropies_figure(compared),
            "labels-entropies",
            f"Entropy of each item's label: {names[0]} against {names[1]}, in nats.",
        ),
    ]
    references = dict(zip(given.items, given.reference, strict=True))
    for stem, shown, caption in (
        (
            "labels-furthest",
            largest_distance(compared, 4),
            f"The labels that are furthest apart, {names[0]} and {names[1]}. Bold: the reference.",
        ),
        (
            "labels-softened",
            softened(compared, 4),
            f"Labels that are sure in the {names[1]} and not in the {names[0]}, with the same most probable class.",
        ),
        ("labels-unsure", alike_and_uncertain(compared, 4), "Labels that are unsure in much the same way in both."),
    ):
        try:
            drawn = compared_labels_figure(
                compared, shown, mean[kept], second, given.classes, pictures(shown), references
            )
        except NothingToDrawError:
            blocks.append(Prose(f"No item belongs here: {caption[0].lower()}{caption[1:]}"))
        else:
            blocks.append(Drawing(drawn, stem, caption))
    return blocks


def _ground(counts: npt.NDArray[Any]) -> Floats:
    """The ground metric [K, K]: 1 less the cosine of two classes' counts over all rows; 1 for a class nobody chose."""
    columns = counts.astype(np.float64)
    length = np.linalg.norm(columns, axis=0)
    unit = columns / np.where(length > 0, length, 1)
    return ground_distances(np.minimum(unit.T @ unit, 1.0))
