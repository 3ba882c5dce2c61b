"""Networks trained on collected labels of several kinds, and tried on images that were held out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crowdloom.analysis.elicited import Floats, Ints
from crowdloom.analysis.files import whole_file
from crowdloom.analysis.label_kinds import counts_labels, hard_labels
from crowdloom.analysis.run_table_files import write_run_table
from crowdloom.analysis.run_tables import RunTable, run_table
from crowdloom.models.evaluating import METRICS
from crowdloom.models.experiments.chapter3 import BETA, RATES
from crowdloom.models.image_sets import UNKNOWN
from crowdloom.models.runs import Evaluation, Run
from crowdloom.models.settings import Settings
from crowdloom.models.splits import Split, seeded_split
from crowdloom.models.sweep_book import Progress, silent
from crowdloom.studies.database import Store
from crowdloom.studies.errors import OptionError
from crowdloom.studies.learning.kinds import KINDS, Making, check_kinds, row_name, usual_kinds
from crowdloom.studies.learning.labelled import Labelled
from crowdloom.studies.learning.mapped import mapped
from crowdloom.studies.learning.sweeping import Engine, Swept, keeping_runs, swept
from crowdloom.studies.words import count

HELD_OUT = 0.2
"""Of the images with labels, how many are held out for evaluation."""
EPOCHS, STEPS = 40, 300
"""Training takes so many epochs, or as many as make so many steps, where that is more."""
LAST = (3 / 4, 7 / 8)
"""After these shares of the epochs the rate falls to a tenth."""
MOST_IN_SMALL_BINS, SMALL_BIN, BIN = 1000, 10, 100
"""Predictions in one bin of the calibration error: fewer where fewer images than these are tried."""
USUAL_METRICS = ("cross_entropy", "calibration_error", "accuracy", "fgsm_loss")

RESULTS, TABLE = "results.parquet", "table.md"
_OF_CLASSES = ("hard", "smoothed")
_LABELS = 5  # so that draws of one seed for different ends differ


@dataclass(frozen=True)
class Training:
    """What is trained on which labels.

    kinds        names of `kinds.KINDS`; without any, `usual_kinds`
    seeds        how many, from 0 on; each has its own images held out, and its own draws
    epochs       None for `EPOCHS` and `STEPS`
    held_out     the share of the images with labels that is held out, of each class alike
    metrics      of `models.evaluating.METRICS`
    annotators   how many people's labels are drawn for each image; None for all
    beta         of smoothed labels
    augment      a fresh random crop and flip of every image in every epoch

    Raises OptionError for an unknown name, and a share that is none.
    """

    kinds: Sequence[str] = ()
    networks: Sequence[str] = ("small-cnn",)
    seeds: int = 3
    epochs: int | None = None
    held_out: float = HELD_OUT
    metrics: Sequence[str] = USUAL_METRICS
    annotators: int | None = None
    beta: float = BETA
    augment: bool = False

    def __post_init__(self) -> None:
        for option, names, known in (("labels", self.kinds, KINDS), ("metrics", self.metrics, METRICS)):
            if unknown := [name for name in names if name not in known]:
                raise OptionError(f"--{option}: there is no {unknown[0]!r}; choose from {', '.join(known)}")
        if not 0 < self.held_out < 1:
            raise OptionError(f"--held-out {self.held_out:g}: give a share between 0 and 1, such as {HELD_OUT:g}")


@dataclass(frozen=True)
class Trained:
    """What came of it."""

    labelled: Labelled
    swept: Swept
    table: RunTable
    runs: Sequence[Run]

    def sentences(self) -> list[str]:
        """What it was trained and tried on."""
        labelled, one = self.labelled, self.runs[0]
        said = [
            f"{count(len(labelled.asked), 'image')} with {count(len(labelled.pool.labels), 'label')}: for each seed "
            f"{len(one.index):,} are trained on, and {len(one.evaluations[0].index):,} others held out."
        ]
        if labelled.left_out:
            said.append(f"{count(labelled.left_out, 'item')} with labels but without an image: left out.")
        if (unknown := labelled.without_reference) and any(run.origin["labels"] in _OF_CLASSES for run in self.runs):
            has, their = ("has", "its") if unknown == 1 else ("have", "their")
            said.append(
                f"{count(unknown, 'image')} {has} no reference; {their} hard label is the likeliest class by people's "
                "labels."
            )
        return said


def train(
    labelled: Labelled,
    training: Training,
    folder: Path,
    engine: Engine,
    *,
    store: Store | None = None,
    on_progress: Callable[[Progress], None] = silent,
) -> Trained:
    """Train and try all networks, or what is left to do in `folder`; write `results.parquet` and `table.md` there.

    A network is tried on the images held out, against their aggregated labels and, where there are counts, against
    these; and on the images that nobody was asked about, where they have counts or references. What came of all runs
    goes into the store, if one is given. Raises OptionError or ItemError where something does not fit together.
    """
    runs = runs_of(labelled, training)
    done = swept(
        labelled.pictures.images, runs, folder, engine, store=store, study=labelled.study, on_progress=on_progress
    )
    table = run_table(labelled.name, done.frame, done.failed)
    with keeping_runs(folder / RESULTS), whole_file(folder / RESULTS) as part:
        done.frame.to_parquet(part, index=False)
    with keeping_runs(folder / TABLE):
        write_run_table(table, folder / TABLE)
    return Trained(labelled, done, table, runs)


def runs_of(labelled: Labelled, training: Training) -> list[Run]:
    """Every run: seeds, then kinds of labels, then networks. Raises OptionError as `train` does."""
    kinds = list(dict.fromkeys(training.kinds)) or usual_kinds(labelled)
    check_kinds(kinds, labelled, training.annotators)
    if len(np.unique(labelled.hard)) < 2:
        raise OptionError(f"all images of {labelled.name!r} have one class, so there is nothing to learn")
    runs = []
    for seed in range(training.seeds):
        split = _split(labelled, training.held_out, seed)
        evaluations = _evaluations(labelled, split)
        settings = [settings_of(network, len(split.train), training) for network in training.networks]
        for kind in kinds:
            rng = np.random.default_rng([_LABELS, seed])
            making = Making(labelled, split.train, training.annotators, training.beta, rng)
            pool = KINDS[kind].make(making)
            runs += [
                Run(
                    experiment=labelled.name,
                    row=row_name(kind, labelled, training.annotators, training.beta),
                    settings=one,
                    seed=seed,
                    index=labelled.asked[split.train],
                    pool=pool,
                    evaluations=evaluations,
                    metrics=training.metrics,
                    origin={**labelled.origin, "labels": kind, "held_out": training.held_out},
                )
                for one in settings
            ]
    return runs


def settings_of(network: str, images: int, training: Training) -> Settings:
    """How a network is trained on so many images.

    As in chapter 3 of K. M. Collins' thesis (`Settings`), but for as long as a small set of images needs, and without
    crops and flips unless they are asked for: a mirrored digit is another sign.

    >>> one = settings_of("small-cnn", 900, Training())
    >>> one.epochs, one.milestones, settings_of("small-cnn", 32, Training()).epochs
    (40, (30, 35), 300)
    """
    epochs = training.epochs or max(EPOCHS, math.ceil(STEPS / math.ceil(images / Settings.batch)))
    milestones = sorted({math.floor(epochs * share) for share in LAST} - {0})
    rate = RATES.get(network, Settings.rate)
    return Settings(network, rate=rate, epochs=epochs, milestones=tuple(milestones), augment=training.augment)


def _split(labelled: Labelled, share: float, seed: int) -> Split:
    """Positions in `labelled.asked`."""
    with mapped():
        split = seeded_split(len(labelled.asked), share, seed, by=labelled.hard)
    if len(split.train) < 2:
        raise OptionError(f"{len(labelled.asked)} images with labels are too few to train on some and try the others")
    return split


def _evaluations(labelled: Labelled, split: Split) -> list[Evaluation]:
    """What every run of a seed is tried on."""
    held_out = labelled.asked[split.test]
    found = [_evaluation("held-out images", held_out, labelled.mean[split.test])]
    others = np.setdiff1d(np.arange(len(labelled.pictures)), labelled.asked)
    if labelled.counts is not None:
        found.append(_evaluation("held-out images, by counts", held_out, counts_labels(labelled.counts[held_out])))
        if len(others):
            found.append(_evaluation("other images, by counts", others, counts_labels(labelled.counts[others])))
        return found
    reference = labelled.pictures.reference
    known = others[reference[others] != UNKNOWN]
    if len(known):
        hard = hard_labels(reference[known], len(labelled.pictures.classes))
        found.append(_evaluation("other images, by reference", known, hard))
    return found


def _evaluation(name: str, index: Ints, labels: Floats) -> Evaluation:
    return Evaluation(name, index, labels, SMALL_BIN if len(index) < MOST_IN_SMALL_BINS else BIN)
