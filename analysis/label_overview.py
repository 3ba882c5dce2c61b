"""A study's labels in a table: one label per item, by each way to aggregate, beside the items' reference classes.

Labels of single answers are T2-clamp with gamma 0.1, as everywhere in a report; first answers count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crowdloom.analysis.aggregate_intervals import STATISTICS
from crowdloom.analysis.aggregation import METHODS, Answers, fit
from crowdloom.analysis.annotations import Annotations, SoftAnnotations
from crowdloom.analysis.elicited import Elicited, Floats
from crowdloom.analysis.labels import build_labels, entropy, parse_variety
from crowdloom.analysis.measures import mean_of
from crowdloom.analysis.noise_ceiling import share_of_top
from crowdloom.analysis.summary import Table


@dataclass(frozen=True)
class GivenLabels:
    """The answers of a frame, as what aggregates take."""

    items: list[str]
    """I keys, in the frame's order."""
    reference: list[str | None]
    """[I]"""
    classes: Sequence[str]
    soft: SoftAnnotations
    """A T2-clamp label for each first answer that gives one."""
    hard: Annotations
    """The most probable class of each first answer that names one."""

    def for_method(self, name: str) -> Answers:
        """The answers that this method of `METHODS` takes."""
        return self.soft if METHODS[name].takes == "soft" else self.hard


def given_labels(frame: pd.DataFrame, classes: Sequence[str]) -> GivenLabels:
    """The first answers of a soft-label frame (see `analysis.frame`), by item and participant."""
    first = frame[~frame["is_repeat"].astype(bool)]
    item, items = pd.factorize(first["item"])
    person, people = pd.factorize(first["participant"])
    elicited = Elicited.from_frame(first, classes)
    labels, kept = build_labels(elicited, parse_variety("T2-clamp"), gamma=0.1)
    named = elicited.top1 >= 0
    item, person = item.astype(np.intp), person.astype(np.intp)
    said = first.drop_duplicates("item")["reference"]
    return GivenLabels(
        [str(key) for key in items],
        [None if pd.isna(name) else str(name) for name in said],
        classes,
        SoftAnnotations(item[kept], person[kept], labels[kept], len(items), len(people)),
        Annotations(
            item[named], person[named], elicited.top1[named].astype(np.intp), len(items), len(people), len(classes)
        ),
    )


def methods_table(given: GivenLabels) -> tuple[Table, dict[str, Floats]]:
    """Each method of `METHODS` in a row, and the labels [I, K] it gives.

    items           with a label
    accuracy        share of the items with a reference whose most probable class it is; where n classes are equally
                    probable, and the reference is one of them, the item counts 1/n
    mean entropy    of the labels, in nats
    mean certainty  the mean probability of the most probable class
    """
    place = {name: number for number, name in enumerate(given.classes)}
    right = np.array([-1 if name is None else place.get(name, -1) for name in given.reference], dtype=np.intp)
    rows, labels = [], {}
    for name in METHODS:
        found = fit(name, given.for_method(name))
        labels[name] = found.probabilities
        present = found.probabilities[found.answered]
        known = found.answered & (right >= 0)
        hits = share_of_top(found.probabilities[known], right[known])
        rows.append(
            [METHODS[name].about, int(found.answered.sum()), mean_of(hits)]
            + [statistic(present) if len(present) else None for statistic in STATISTICS.values()]
        )
    columns = ["label of an item", "items", "accuracy", *STATISTICS]
    table = pd.DataFrame(rows, index=pd.Index(list(METHODS), name="method"), columns=columns, dtype=object)
    title = "One label per item, by each way to aggregate, and the share whose most probable class is the reference"
    return Table(title, table.where(table.notna(), None)), labels


def labels_frame(given: GivenLabels, labels: Floats) -> pd.DataFrame:
    """Each item's label [I, K] with what it comes to, the least certain first; indexed by item.

    reference, most_probable, answers (first answers that give a label), entropy (nats), then a column for each class.
    Items without such an answer are left out.
    """
    answers = np.bincount(given.soft.item, minlength=len(given.items))
    best = labels.argmax(axis=1) if len(labels) else np.empty(0, np.intp)
    about = pd.DataFrame(
        {
            "reference": pd.Series(given.reference, dtype=object),
            "most_probable": pd.Series([given.classes[number] for number in best], dtype=object),
            "answers": answers,
            "entropy": entropy(labels),
        }
    )
    whole = pd.concat([about, pd.DataFrame(labels, columns=[f"p({name})" for name in given.classes])], axis=1)
    whole.index = pd.Index(given.items, name="item", dtype=object)
    return whole[answers > 0].sort_values("entropy", ascending=False, kind="stable")
