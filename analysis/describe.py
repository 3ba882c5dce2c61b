"""A study's answers in a few numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from crowdloom.analysis.labels import Elicited, build_labels, entropy, mean_by_item, parse_variety

Summary = dict[str, int | float | None]

MEANINGS = {
    "participants": "people whose answers count here",
    "submissions": "passes through a batch whose answers count here",
    "items": "items answered at least once",
    "responses_first": "first answers of a submission to an item",
    "responses_repeat": "answers to an item shown again in the same submission",
    "responses_without_label": "first answers that give no T2-clamp label; left out of the entropies",
    "seconds_median": "median seconds per answer, repeats included",
    "seconds_mean": "mean seconds per answer, repeats included",
    "top1_accuracy": "share of first answers whose most probable class is the reference class",
    "top2_accuracy": "share of first answers whose most or second most probable class is the reference class",
    "label_entropy_mean": "mean entropy of the labels (T2-clamp, gamma 0.1) of first answers, in nats",
    "item_label_entropy_mean": "mean entropy of the items' mean labels, in nats",
    "repeat_agreement": "share of repeats with the same most probable class as the first answer",
    "repeat_agreement_chance": "the same, with the first answers of the same submission to all its other items",
    "repeat_total_variation": "mean total variation between the labels of a repeat and of its first answer, 0 to 1",
    "repeat_total_variation_chance": "the same, with the first answers of the same submission to all its other items",
}
"""Every key of `describe` with its meaning in a line."""

_PAIRS = 200_000
"""Pairs of labels compared at a time, to bound memory."""


def describe(frame: pd.DataFrame, classes: Sequence[str]) -> Summary:
    """The numbers of `MEANINGS` for a frame of soft labels that was checked at the door.

    Accuracy is over all first answers to items that have a reference class. What chance would give
    is exact, with no random draw: each repeat is compared with every first answer that the same
    submission gave to another item, these comparisons are averaged for each repeat, and then over
    the repeats. A number that is not defined (no repeats, no reference, no times) is None.
    """
    item, item_names = pd.factorize(frame["item"])
    submission, _ = pd.factorize(frame["submission"])
    is_first = ~frame["is_repeat"].to_numpy(dtype=bool)
    elicited = Elicited.from_frame(frame, classes)
    labels, kept = build_labels(elicited, parse_variety("T2-clamp"), gamma=0.1)

    position = {name: number for number, name in enumerate(classes)}
    reference = np.array([position.get(name, -1) for name in frame["reference"]], dtype=np.intp)
    judged = is_first & (reference >= 0)
    right1 = elicited.top1 == reference
    right2 = right1 | (elicited.top2 == reference)
    seconds = frame["rt_ms"].to_numpy(dtype=np.float64) / 1000
    seconds = seconds[~np.isnan(seconds)]
    labelled = is_first & kept
    means, counts = mean_by_item(labels[is_first], kept[is_first], item[is_first], len(item_names))

    return {
        "participants": int(frame["participant"].nunique()),
        "submissions": int(frame["submission"].nunique()),
        "items": len(item_names),
        "responses_first": int(is_first.sum()),
        "responses_repeat": int((~is_first).sum()),
        "responses_without_label": int((is_first & ~kept).sum()),
        "seconds_median": float(np.median(seconds)) if len(seconds) else None,
        "seconds_mean": _mean(seconds),
        "top1_accuracy": _mean(right1[judged]),
        "top2_accuracy": _mean(right2[judged]),
        "label_entropy_mean": _mean(entropy(labels[labelled])),
        "item_label_entropy_mean": _mean(entropy(means[counts > 0])),
        **_consistency(submission, item, is_first, elicited.top1, np.where(kept[:, np.newaxis], labels, np.nan)),
    }


def describe_rows(summary: Mapping[str, int | float | None]) -> list[tuple[str, str, str]]:
    """The summary as rows (name, value, meaning) for printing; what is not defined reads "–".

    >>> describe_rows({"participants": 248, "seconds_median": None})[0]
    ('participants', '248', 'people whose answers count here')
    """
    return [(name, _shown(value), MEANINGS[name]) for name, value in summary.items()]


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def _mean(values: npt.NDArray[np.bool_] | npt.NDArray[np.float64]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _consistency(
    submission: npt.NDArray[np.intp],
    item: npt.NDArray[np.intp],
    is_first: npt.NDArray[np.bool_],
    top1: npt.NDArray[np.intp],
    labels: npt.NDArray[np.float64],
) -> Summary:
    """How far repeats agree with first answers to the same item, and to the other items of the submission.

    A response without a label has a row of NaN.
    """
    firsts = np.flatnonzero(is_first)
    firsts = firsts[np.argsort(submission[firsts], kind="stable")]
    starts = np.searchsorted(submission[firsts], submission, side="left")
    sizes = np.searchsorted(submission[firsts], submission, side="right") - starts
    # for each repeat: mean over pairs of (agreement, total variation), with the same item and with the others
    same: list[npt.NDArray[np.float64]] = [np.empty((0, 2))]
    other: list[npt.NDArray[np.float64]] = [np.empty((0, 2))]
    repeats = np.flatnonzero(~is_first)
    per_stretch = max(1, _PAIRS // int(sizes[repeats].max(initial=1) or 1))
    for start in range(0, len(repeats), per_stretch):
        some = repeats[start : start + per_stretch]
        which = np.repeat(np.arange(len(some)), sizes[some])
        within = np.arange(len(which)) - np.repeat(np.cumsum(sizes[some]) - sizes[some], sizes[some])
        repeat, first = some[which], firsts[starts[some][which] + within]
        agreement = (top1[repeat] == top1[first]).astype(np.float64)
        variation = np.abs(labels[repeat] - labels[first]).sum(axis=1) / 2
        same_item = item[repeat] == item[first]
        for found, pairs in ((same, same_item), (other, ~same_item)):
            found.append(
                np.column_stack([_mean_by(which[pairs], values[pairs], len(some)) for values in (agreement, variation)])
            )
    summary: Summary = {}
    for name, column in (("repeat_agreement", 0), ("repeat_total_variation", 1)):
        for suffix, found in (("", same), ("_chance", other)):
            values = np.concatenate(found)[:, column]
            summary[name + suffix] = _mean(values[~np.isnan(values)])
    return summary


def _mean_by(group: npt.NDArray[np.intp], values: npt.NDArray[np.float64], groups: int) -> npt.NDArray[np.float64]:
    """The mean of the values of each group that are no NaN, [groups]; NaN where there is none."""
    known = ~np.isnan(values)
    counts = np.bincount(group[known], minlength=groups)
    sums = np.bincount(group[known], weights=values[known], minlength=groups)
    means: npt.NDArray[np.float64] = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return means
