"""A study of soft labels in a few numbers; of mixed images also how much mass stays on what was mixed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from crowdloom.analysis.consistency import repeat_pairs
from crowdloom.analysis.labels import Elicited, build_labels, entropy, mean_by_item, parse_variety
from crowdloom.analysis.measures import error_of, mean_of, spread_by
from crowdloom.analysis.mixed_labels import (
    elsewhere_by_coefficient,
    endpoint_masses,
    endpoint_points,
    item_masses,
    mass_correlations,
)
from crowdloom.analysis.mixing import mixed_items
from crowdloom.analysis.summary import MEANINGS as SHARED
from crowdloom.analysis.summary import TIMES, Summary, Table, people_and_answers, seconds_taken

MEANINGS = {
    **SHARED,
    "responses_without_label": "first answers that give no T2-clamp label; left out of the entropies",
    **TIMES,
    "top1_accuracy": "share of first answers whose most probable class is the reference class",
    "top2_accuracy": "share of first answers whose most or second most probable class is the reference class",
    "label_entropy_mean": "mean entropy of the labels (T2-clamp, gamma 0.1) of first answers, in nats",
    "item_label_entropy_mean": "mean entropy of the items' mean labels, in nats",
    "repeat_agreement": "share of repeats with the same most probable class as the first answer",
    "repeat_agreement_chance": "the same, with the first answers of the same submission to all its other items",
    "repeat_total_variation": "mean total variation between the labels of a repeat and of its first answer, 0 to 1",
    "repeat_total_variation_chance": "the same, with the first answers of the same submission to all its other items",
}
"""Every key of `describe_soft_labels` with its meaning in a line."""

MIXED_MEANINGS = {
    "mixed_items": "mixed items with at least one label",
    "mass_correlation": "Pearson r of the mass on each endpoint and its share of the mix, two points a response",
    "mass_correlation_endpoint1": "Pearson r of the mass on endpoint1 alone and lambda_f, one point a response",
    "item_mass_correlation": "the first of these two over the items' mean labels",
    "item_mass_correlation_endpoint1": "the second of these two over the items' mean labels",
    "mass_elsewhere_mean": "mean mass on classes that are not mixed in, over first answers",
    "mass_elsewhere_se": "standard error of that mean",
    "item_mass_elsewhere_mean": "the same mean over the items' mean labels",
    "item_mass_elsewhere_se": "standard error of that mean",
}
"""What items with endpoints add to it."""

_PAIRS = 200_000
"""Pairs of labels compared at a time, to bound memory."""


def describe_soft_labels(frame: pd.DataFrame, classes: Sequence[str]) -> Summary:
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
    labelled = is_first & kept
    means, counts = mean_by_item(labels[is_first], kept[is_first], item[is_first], len(item_names))

    return {
        **people_and_answers(frame),
        "responses_without_label": int((is_first & ~kept).sum()),
        **seconds_taken(frame),
        "top1_accuracy": mean_of(right1[judged]),
        "top2_accuracy": mean_of(right2[judged]),
        "label_entropy_mean": mean_of(entropy(labels[labelled])),
        "item_label_entropy_mean": mean_of(entropy(means[counts > 0])),
        **_consistency(submission, item, is_first, elicited.top1, np.where(kept[:, np.newaxis], labels, np.nan)),
    }


def soft_label_summary(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Summary:
    """The numbers of `MEANINGS`, and those of `MIXED_MEANINGS` where any item has endpoints.

    Raises FrameError where an item says a mix that cannot be; see `analysis.mixing`.
    """
    summary = describe_soft_labels(frame, classes)
    if not len(mixed_items(items, classes)):
        return summary
    masses = endpoint_masses(frame, items, classes)
    means = item_masses(masses)
    of_responses, of_items = mass_correlations(masses), mass_correlations(means)
    return {
        **summary,
        "mixed_items": len(means),
        "mass_correlation": of_responses["both endpoints"],
        "mass_correlation_endpoint1": of_responses["endpoint1"],
        "item_mass_correlation": of_items["both endpoints"],
        "item_mass_correlation_endpoint1": of_items["endpoint1"],
        "mass_elsewhere_mean": mean_of(masses["elsewhere"]),
        "mass_elsewhere_se": error_of(masses["elsewhere"]),
        "item_mass_elsewhere_mean": mean_of(means["elsewhere"]),
        "item_mass_elsewhere_se": error_of(means["elsewhere"]),
    }


def soft_label_tables(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> list[Table]:
    """By mixing coefficient, the mass on the endpoints and elsewhere; no table where no item is mixed."""
    if not len(mixed_items(items, classes)):
        return []
    masses = endpoint_masses(frame, items, classes)
    by_share = spread_by(endpoint_points(masses), "mass", "coefficient")
    return [
        Table("Mass on an endpoint, by its share of the mix; two points a response", by_share),
        Table("Mass on classes that are not mixed in, by lambda_f, over responses", elsewhere_by_coefficient(masses)),
        Table(
            "The same over the items' mean labels",
            elsewhere_by_coefficient(item_masses(masses)),
        ),
    ]


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
    # for each repeat: mean over pairs of (agreement, total variation), with the same item and with the others
    same: list[npt.NDArray[np.float64]] = [np.empty((0, 2))]
    other: list[npt.NDArray[np.float64]] = [np.empty((0, 2))]
    for repeat, first, same_item in repeat_pairs(submission, item, is_first, _PAIRS):
        agreement = (top1[repeat] == top1[first]).astype(np.float64)
        variation = np.abs(labels[repeat] - labels[first]).sum(axis=1) / 2
        some, which = np.unique(repeat, return_inverse=True)
        for found, pairs in ((same, same_item), (other, ~same_item)):
            found.append(
                np.column_stack([_mean_by(which[pairs], values[pairs], len(some)) for values in (agreement, variation)])
            )
    summary: Summary = {}
    for name, column in (("repeat_agreement", 0), ("repeat_total_variation", 1)):
        for suffix, found in (("", same), ("_chance", other)):
            summary[name + suffix] = mean_of(np.concatenate(found)[:, column])
    return summary


def _mean_by(group: npt.NDArray[np.intp], values: npt.NDArray[np.float64], groups: int) -> npt.NDArray[np.float64]:
    """The mean of the values of each group that are no NaN, [groups]; NaN where there is none."""
    known = ~np.isnan(values)
    counts = np.bincount(group[known], minlength=groups)
    sums = np.bincount(group[known], weights=values[known], minlength=groups)
    means: npt.NDArray[np.float64] = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return means
