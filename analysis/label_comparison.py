"""Two label sets of the same items: how uncertain each is, how far they are apart, and where most.

Source: K. M. Collins (MPhil thesis, Cambridge, 2022), section 3.2.3 and appendix B.1, which compares CIFAR-10S (the
first) with CIFAR-10H (the second). For distances see `analysis.wasserstein`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from crowdloom.analysis.confidence import HIGH, LOW
from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.labels import entropy
from crowdloom.analysis.measures import mean_of, median_of
from crowdloom.analysis.noise_ceiling import cross_entropy
from crowdloom.analysis.paired import PairedDifference, paired_difference, paired_frame
from crowdloom.analysis.summary import Table
from crowdloom.analysis.wasserstein import total_variation, values_distance, wasserstein

ZERO_ONE = "0/1"


@dataclass(frozen=True)
class LabelComparison:
    """Two label sets item by item."""

    first: str
    second: str
    """What the two are called."""
    ground: str
    """What the ground metric is called."""
    by_item: pd.DataFrame
    """Indexed by item: entropy1, entropy2 and softening (their difference, in nats), variation (total variation),
    wasserstein (over classes), values (the authors' variant), same_top (the most probable class is the same)."""


def compare_labels(
    items: Sequence[str],
    first: Floats,
    second: Floats,
    names: tuple[str, str] = ("first", "second"),
    distances: Floats | None = None,
    ground: str = ZERO_ONE,
    progress: Callable[[int, int], None] | None = None,
) -> LabelComparison:
    """Compare labels [I, K] of the same items in the same order.

    `distances` [K, K] is the ground metric, called `ground`; without it it is 0/1. Raises ValueError where shapes do
    not fit, a row is no distribution, or the matrix is no ground metric.
    """
    for name, labels in zip(names, (first, second), strict=True):
        if labels.shape != first.shape or labels.ndim != 2 or len(labels) != len(items):
            raise ValueError(
                f"the labels {name} have the shape {labels.shape}; give one row for each of {len(items)} items"
            )
        bad = np.flatnonzero(~((labels >= -1e-9).all(axis=1) & (np.abs(labels.sum(axis=1) - 1) < 1e-6)))
        if len(bad):
            raise ValueError(
                f"the label {name} of the item {items[bad[0]]!r} is no distribution; its row must sum to 1"
            )
    entropy1, entropy2 = entropy(first), entropy(second)
    by_item = pd.DataFrame(
        {
            "entropy1": entropy1,
            "entropy2": entropy2,
            "softening": entropy1 - entropy2,
            "variation": total_variation(first, second),
            "wasserstein": wasserstein(first, second, distances, progress),
            "values": values_distance(first, second),
            "same_top": first.argmax(axis=1) == second.argmax(axis=1) if first.size else np.empty(0, dtype=np.bool_),
        },
        index=pd.Index(list(items), name="item", dtype=object),
    )
    return LabelComparison(*names, ZERO_ONE if distances is None else ground, by_item)


def largest_distance(
    compared: LabelComparison, n: int = 3, by: Literal["wasserstein", "values"] = "wasserstein"
) -> list[str]:
    """The items whose labels are furthest apart, the furthest first (figures 3.4 and B.1).

    The thesis' own three, a dog, a frog and a bird, come out by `values`, of labels in which repeats count too.
    """
    return _first(compared.by_item.sort_values(by, ascending=False, kind="stable"), n)


def softened(compared: LabelComparison, n: int = 3) -> list[str]:
    """Items that the second set is sure of (at most 0.1 nats) and the first is not, though both find the same class
    most probable; the largest difference in entropy first (figures 3.3 and B.2)."""
    sure = compared.by_item[(compared.by_item["entropy2"] <= LOW) & compared.by_item["same_top"]]
    some = sure[sure["softening"] > 0]
    return _first(some.sort_values("softening", ascending=False, kind="stable"), n)


def alike_and_uncertain(compared: LabelComparison, n: int = 1) -> list[str]:
    """Items of which both sets are unsure (at least 0.5 nats) in much the same way (figure 3.4).

    Their distance is at most the median of all items'; the highest entropy, by the surer of the two, comes first.
    """
    found = compared.by_item
    unsure = found[["entropy1", "entropy2"]].min(axis=1)
    some = (unsure >= HIGH) & (found["wasserstein"] <= found["wasserstein"].median())
    return _first(found.assign(unsure=unsure)[some].sort_values("unsure", ascending=False, kind="stable"), n)


def comparison_tables(compared: LabelComparison, n: int = 10) -> list[Table]:
    """Entropies and distances over all items, and the `n` items with the largest distance."""
    found, first, second = compared.by_item, compared.first, compared.second
    entropies = paired_difference("entropy (nats)", found["entropy1"], found["entropy2"])
    distances = {
        f"Wasserstein over classes, ground metric {compared.ground}": "wasserstein",
        "total variation": "variation",
        "Wasserstein of the probability values alone (the authors' variant)": "values",
    }
    spread = pd.DataFrame(
        {
            "n": [len(found)] * 3,
            **{
                name: pd.Series([of(found[column]) for column in distances.values()], dtype=float).tolist()
                for name, of in (("mean", mean_of), ("median", median_of), ("largest", _largest))
            },
        },
        index=pd.Index(list(distances), name="distance", dtype=object),
    )
    most = found.loc[largest_distance(compared, n)]
    furthest = f"The {len(most)} items whose labels are" if len(most) > 1 else "The labels of the item that are"
    shown = most.rename(columns={"entropy1": f"entropy, {first}", "entropy2": f"entropy, {second}"})
    return [
        Table(
            f"Entropy of the items' labels, {first} less {second}, with its 95 % interval over items",
            paired_frame([entropies], first, second),
        ),
        Table(f"Distance between the labels of an item, {first} and {second}", spread),
        Table(f"{furthest} furthest apart", shown.drop(columns=["softening", "same_top"])),
    ]


def compare_against(
    first: Floats, second: Floats, reference: Floats, distances: Floats | None = None, ground: str = ZERO_ONE
) -> list[PairedDifference]:
    """How near two label sets are to a third, paired by item; labels [I, K]. Less is nearer.

    Cross entropy of the reference by the label (see `noise_ceiling.cross_entropy`), total variation, and Wasserstein
    over classes where a ground metric is given. Raises ValueError where shapes do not fit.
    """
    if not first.shape == second.shape == reference.shape:
        raise ValueError(f"labels {first.shape} and {second.shape} do not fit the reference {reference.shape}")
    measures: dict[str, Callable[[Floats], Floats]] = {
        "cross entropy of the reference (nats)": lambda labels: cross_entropy(reference, labels),
        "total variation from the reference": lambda labels: total_variation(labels, reference),
    }
    if distances is not None:
        measures[f"Wasserstein from the reference, {ground}"] = lambda labels: wasserstein(labels, reference, distances)
    return [paired_difference(name, of(first), of(second)) for name, of in measures.items()]


def _first(found: pd.DataFrame, n: int) -> list[str]:
    return [str(item) for item in found.index[:n]]


def _largest(values: pd.Series) -> float | None:
    return float(values.max()) if len(values) else None
