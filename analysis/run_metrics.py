"""The metrics of trained networks, by the names that their columns have everywhere: headings, and what they mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """How a metric is called and read. Source of most: K. M. Collins (MPhil thesis, Cambridge, 2022), section 3.3.1."""

    heading: str
    """Of its column."""
    meaning: str
    """Of what, in one line."""
    better: Literal["lower", "higher"] | None
    """None where nobody has said which values are the better ones, so that none is marked."""


METRICS = {
    "cross_entropy": Metric("CE", "cross-entropy of the predictions against the evaluation labels, in nats", "lower"),
    "calibration_error": Metric(
        "Calibration",
        "root mean square, over bins of equally many predictions, of confidence less the share that is correct",
        "lower",
    ),
    "fgsm_loss": Metric("FGSM loss", "cross-entropy after one step of the fast gradient sign method, 4/255", "lower"),
    "pgd_loss": Metric("PGD loss", "cross-entropy after projected gradient descent within 4/255", "lower"),
    "corruption_cross_entropy": Metric(
        "Corruption CE", "cross-entropy under common corruptions of the images at strength 3", "lower"
    ),
    "accuracy": Metric("Accuracy", "share of images whose likeliest class is that of the evaluation label", "higher"),
    "top2_accuracy": Metric("Top-2 accuracy", "share of images with it among the two likeliest classes", "higher"),
    "entropy_correlation": Metric(
        "Entropy correlation", "of the predictions' entropies with those of the evaluation labels, Pearson's", "higher"
    ),
    "entropy_rank_correlation": Metric("Entropy rank correlation", "the same by ranks, Spearman's", "higher"),
}
"""In the order of a table's columns."""

_PER_CLASS = "accuracy_"


def metric_of(name: str) -> Metric:
    """The metric of a column; one that nobody has described is called by its name.

    >>> metric_of("fgsm_loss").heading, metric_of("accuracy_cat").heading, metric_of("made_up").better
    ('FGSM loss', 'Accuracy, cat', None)
    """
    if name in METRICS:
        return METRICS[name]
    if name.startswith(_PER_CLASS):
        which = name.removeprefix(_PER_CLASS)
        return Metric(f"Accuracy, {which}", f"share of images of the class {which} that are taken for it", "higher")
    return Metric(name, "", None)


def in_order(names: Iterable[str]) -> list[str]:
    """The metrics' names, each once: those of `METRICS` in its order, then others as they come.

    >>> in_order(["accuracy_cat", "accuracy", "cross_entropy", "accuracy"])
    ['cross_entropy', 'accuracy', 'accuracy_cat']
    """
    found = dict.fromkeys(names)
    return [name for name in METRICS if name in found] + [name for name in found if name not in METRICS]
