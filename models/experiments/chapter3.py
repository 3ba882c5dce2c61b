"""Chapter 3 and appendix B of the thesis: learning from soft labels of each annotator.

900 of 7,000 images get the labels of a row, and networks are trained as A. Uma et al. (HCOMP 2020) did. All after table
3.1 keep annotators' labels apart: at each step an image's target is one of them, drawn at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from crowdloom.models.experiments.experiment import EvaluatedOn, Experiment, Row
from crowdloom.models.experiments.labellings import Counted, Hard, Random, Smoothed, Soft, Uniform
from crowdloom.models.settings import Settings

THREE_NETWORKS = ("resnet-34a", "resnet-50", "vgg-11")
RATES = MappingProxyType({"resnet-50": 0.4})
"""Learning rates to begin with that are not the usual 0.1 (section 3.3)."""

METRICS = ("cross_entropy", "calibration_error", "fgsm_loss")
BOTH: tuple[EvaluatedOn, ...] = ("CIFAR-10H", "CIFAR-10S")

BETA = 0.05
"""Of label smoothing, which is "applied to all N examples" (appendix B.2): not to the 900 alone."""

SECONDS_10H, SECONDS_OURS, SECONDS_PIECE = 2.5, 32.0, 6.4
"""How long a person takes for an image's label in CIFAR-10H and for one of ours, and for each of the five pieces of
information that ours consists of (sections 3.3.4 and 3.3.5)."""

_OURS = Soft("T2-clamp", apart=True)
_10H = Counted(apart=True)


def _experiment(
    name: str,
    title: str,
    rows: Sequence[Row],
    *,
    kind: Literal["table", "figure"] = "table",
    networks: Sequence[str] = ("resnet-34a",),
    metrics: Sequence[str] = METRICS,
    within: str = "",
) -> Experiment:
    """One that evaluates on both, with 5 seeds."""
    return Experiment(
        name, kind, title, rows, "asked and others", BOTH, networks, 5, Settings(), metrics, within=within
    )


TABLE_3_1 = _experiment(
    "3.1",
    "Labels aggregated from people's answers, against hard, random and uniform ones.",
    [
        Row("Hard Labels", Hard()),
        Row("Random Labels", Random()),
        Row("Uniform Labels", Uniform()),
        Row("CIFAR-10H", Counted()),
        Row("Ours (T2, Clamp)", Soft("T2-clamp")),
    ],
    networks=THREE_NETWORKS,
)

TABLE_3_2 = _experiment(
    "3.2",
    "De-aggregated labels: at each step the target is the label of one person, drawn at random.",
    [Row("CIFAR-10H", _10H), Row("Ours (T2, Clamp)", _OURS)],
    networks=THREE_NETWORKS,
)

TABLE_3_3 = _experiment(
    "3.3",
    "De-aggregated labels of two people for each image, and of one.",
    [
        Row(f"{whose}, M = {m}", replace(labels, annotators=m), {"Labels": whose, "M": m})
        for m in (2, 1)
        for whose, labels in (("CIFAR-10H", _10H), ("Ours", _OURS))
    ],
    within="M",
)

TABLE_3_4 = _experiment(
    "3.4",
    "Labels built from parts of what people were asked, and the time that asking for each part takes.",
    [
        Row(name, Soft(variety, apart=True), {"Time (s)": round(pieces * SECONDS_PIECE, 1)})
        for name, variety, pieces in (
            ("T1, Unif", "T1-uniform", 2),
            ("T1, Clamp", "T1-clamp", 3),
            ("T2, Unif", "T2-uniform", 4),
            ("T2, Clamp", "T2-clamp", 5),
        )
    ],
    metrics=("cross_entropy", "fgsm_loss", "calibration_error"),
)

_BY_PEOPLE = [
    Row(
        f"{whose}, M = {m}",
        replace(labels, annotators=m),
        {"Labels": whose, "M": m, "Time (s)": m * seconds},
    )
    for whose, labels, many, seconds in (
        ("CIFAR-10H", _10H, (1, 2, 4, 8, 16, 32, 51), SECONDS_10H),
        ("Ours", _OURS, (1, 2, 3, 4, 5, 6), SECONDS_OURS),
    )
    for m in many
]

FIGURE_3_5 = _experiment(
    "3.5", "Performance by the time that people take to label an image.", _BY_PEOPLE, kind="figure"
)

FIGURE_3_6 = Experiment(
    "3.6",
    "figure",
    "Performance by the number of images, all with labels from people and nothing else to train on.",
    [
        Row(f"{whose}, {images} images", labels, {"Labels": whose, "Images": images}, images=images)
        for whose, labels in (("CIFAR-10H", _10H), ("Ours", _OURS))
        for images in (250, 500, 750, 900)
    ],
    trained_on="asked",
    evaluated_on=("CIFAR-10H",),
    networks=("resnet-34a",),
    seeds=10,
    settings=Settings(),
    metrics=METRICS,
)

TABLE_B_1 = _experiment(
    "B.1",
    "De-aggregated labels of people, against label smoothing of all images.",
    [
        Row("Label Smoothing", Smoothed(BETA), others=Smoothed(BETA)),
        Row("CIFAR-10H", _10H),
        Row("Ours (T2, Clamp)", _OURS),
    ],
    networks=THREE_NETWORKS,
)


def _redistribution(name: str, title: str, tier: Literal["T1", "T2"]) -> Experiment:
    rows = [Row(way.capitalize(), Soft(f"{tier}-{way}", apart=True)) for way in ("uniform", "semantic")]
    return _experiment(name, title, rows)


TABLE_B_2 = _redistribution(
    "B.2", "Labels of the most probable class, whose rest is spread evenly or by the similarity of classes.", "T1"
)

TABLE_B_3 = _redistribution(
    "B.3", "Labels of the two most probable classes, whose rest is spread evenly or by the similarity of classes.", "T2"
)

FIGURE_B_3 = _experiment(
    "figure-B.3", "Performance by the number of people who label an image.", _BY_PEOPLE, kind="figure"
)
