"""A study of soft labels beside what is known of its items: their reference classes, and other annotators' counts.

Source: K. M. Collins (MPhil thesis, Cambridge, 2022), section 3.2, which sets CIFAR-10S beside the labels of CIFAR-10
and the counts of CIFAR-10H (about 51 people an image). Labels are T2-clamp with gamma 0.1; first answers count, unless
it says otherwise. Entropies are in nats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.item_means import item_means
from crowdloom.analysis.labels import entropy
from crowdloom.analysis.measures import correlation, mean_of
from crowdloom.analysis.rounding import tied
from crowdloom.analysis.soft_label_summary import describe_soft_labels
from crowdloom.analysis.summary import Table

FEW = 2
"""Counts of so many classes at most can be told by a most probable and a second class."""


@dataclass(frozen=True)
class Number:
    """One number of the table; None where it is not defined."""

    what: str
    value: float | None
    over: str
    """What was counted."""


def reference_numbers(
    frame: pd.DataFrame, classes: Sequence[str], counts: npt.NDArray[Any] | None = None
) -> list[Number]:
    """People, answers, seconds, accuracy, entropy and consistency; with `counts` also what other annotators said.

    `counts` [rows, K] say how many annotators chose each class of an image (see `mixing.read_counts`); an item's row is
    the number that is its key, from 0, such as CIFAR-10's test index. The frame was checked at the door. Raises
    FrameError as `counts_of_items` does.
    """
    summary = describe_soft_labels(frame, classes)
    found = [Number(what, summary[key], over) for key, what, over in _SUMMARY]
    seconds = frame.loc[~frame["is_repeat"].astype(bool), "rt_ms"].dropna() / 1000
    found += [
        Number("median seconds", float(seconds.median()) if len(seconds) else None, "first answers"),
        Number("mean seconds", mean_of(seconds), "first answers"),
    ]
    means, names, reference = _items(frame, classes)
    known = reference >= 0
    found.append(
        Number(
            "top-1 accuracy",
            mean_of((means.argmax(axis=1) == reference)[known]),
            "mean labels of items with a reference",
        )
    )
    return found if counts is None else [*found, *_beside_counts(means, names, reference, classes, counts)]


def reference_table(frame: pd.DataFrame, classes: Sequence[str], counts: npt.NDArray[Any] | None = None) -> Table:
    """`reference_numbers` as a table; raises FrameError as they do."""
    found = reference_numbers(frame, classes, counts)
    return Table(
        "The study beside its items' reference classes" + ("" if counts is None else " and the annotators' counts"),
        pd.DataFrame(
            {
                "value": pd.Series([one.value for one in found], dtype=float).tolist(),
                "over": [one.over for one in found],
            },
            index=pd.Index([one.what for one in found], name="number", dtype=object),
        ),
    )


_SUMMARY = (
    ("participants", "# participants", "the study"),
    ("submissions", "# submissions", "the study"),
    ("items", "# items", "the study"),
    ("responses_first", "# first answers", "the study"),
    ("responses_repeat", "# repeats", "the study"),
    ("top1_accuracy", "top-1 accuracy", "first answers"),
    ("top2_accuracy", "top-2 accuracy", "first answers"),
    ("label_entropy_mean", "mean entropy", "labels of first answers"),
    ("item_label_entropy_mean", "mean entropy", "items' mean labels"),
    ("repeat_agreement", "same most probable class", "repeats and their first answers"),
    ("repeat_agreement_chance", "same most probable class", "repeats and first answers to other items"),
    ("repeat_total_variation", "mean total variation", "repeats and their first answers"),
    ("repeat_total_variation_chance", "mean total variation", "repeats and first answers to other items"),
    ("seconds_median", "median seconds", "answers, repeats included"),
    ("seconds_mean", "mean seconds", "answers, repeats included"),
)


def _items(frame: pd.DataFrame, classes: Sequence[str]) -> tuple[Floats, list[str], npt.NDArray[np.intp]]:
    """Of each item with a label its mean label [I, K], its key and the position of its reference class, or -1."""
    names, means = item_means(frame, classes)
    said = frame.drop_duplicates("item").set_index("item")["reference"]
    reference = pd.Categorical(said.loc[names], categories=list(classes)).codes.astype(np.intp)
    return means, names, reference


def _beside_counts(
    means: Floats,
    names: Sequence[str],
    reference: npt.NDArray[np.intp],
    classes: Sequence[str],
    counts: npt.NDArray[Any],
) -> list[Number]:
    rows = counts_of_items(names, counts, len(classes))
    theirs, ours = entropy(rows / rows.sum(axis=1, keepdims=True)), entropy(means)
    known = reference >= 0
    right = (rows.argmax(axis=1) == reference)[known]
    found = [
        Number("top-1 accuracy", mean_of(right), "counts of items with a reference"),
        Number("mean entropy", mean_of(theirs), "items' counts"),
        Number("Pearson's r of the entropies", correlation(ours, theirs), "items' mean labels and counts"),
        Number(
            "Spearman's rho of the entropies",
            correlation(_ranks(ours), _ranks(theirs)),
            "items' mean labels and counts",
        ),
        Number("mass on at most two classes", mean_of(_few(rows)), "items' counts"),
    ]
    counted = counts[counts.sum(axis=1) > 0]
    return [
        *found,
        Number("mass on at most two classes", mean_of(_few(counted)), f"all {len(counted)} rows of the counts"),
    ]


def counts_of_items(names: Sequence[str], counts: npt.NDArray[Any], n_classes: int) -> Floats:
    """The rows [I, K] of the counts that the items' keys number from 0.

    Raises FrameError for a key that is no row, a row of zeros, and counts of another number of classes.

    >>> counts_of_items(["1"], np.array([[50, 0], [25, 25]]), 2).tolist()
    [[25.0, 25.0]]
    """
    if counts.ndim != 2 or counts.shape[1] != n_classes:
        raise FrameError(
            f"the counts have the shape {counts.shape}; a column is needed for each of {n_classes} classes"
        )
    for name in names:
        if not (name.isascii() and name.isdigit() and int(name) < len(counts)):
            raise FrameError(f"the item {name!r} is no row of the counts, 0 to {len(counts) - 1}")
    rows: Floats = counts[[int(name) for name in names]].astype(np.float64)
    if (empty := np.flatnonzero(rows.sum(axis=1) == 0)).size:
        raise FrameError(f"the item {names[empty[0]]!r} has a row of the counts that is all zeros")
    return rows


def _ranks(entropies: Floats) -> Floats:
    """Ranks, the mean one for ties: the same counts of other classes differ by rounding in their sums alone."""
    ranks: Floats = rankdata(tied(entropies))
    return ranks


def _few(counts: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    few: npt.NDArray[np.bool_] = np.count_nonzero(counts, axis=1) <= FEW
    return few
