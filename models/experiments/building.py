"""From an experiment and the material at hand to the runs that a sweep does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.elicited import Ints
from crowdloom.analysis.label_kinds import counts_labels
from crowdloom.analysis.label_pools import LabelPool, joined
from crowdloom.analysis.mixing_targets import pair_boundaries
from crowdloom.models.errors import ModelError
from crowdloom.models.experiments.chapter3 import RATES
from crowdloom.models.experiments.experiment import Experiment, Row
from crowdloom.models.experiments.labellings import Hard, Labelling, Soft, mixed_answers
from crowdloom.models.experiments.material import Material
from crowdloom.models.runs import Corrupted, Evaluation, Run
from crowdloom.models.settings import Settings
from crowdloom.models.splits import Split, held_out

HELD_OUT = 10
"""One of so many images with soft answers is held out for evaluation: 100 of the thesis' 1,000."""

REDUCED_IMAGES, REDUCED_EPOCHS, REDUCED_SEEDS = 120, 2, 2
"""Of the reduced setting: what to hand to `Material.reduced`, and how long to train."""

REDUCED_WIDTHS: Mapping[str, int] = MappingProxyType({"resnet-34a": 4})
"""Of networks in the reduced setting; the others are 8 channels wide."""

_LABELS, _IMAGES = 3, 4  # so that draws of one seed for different ends differ
_LACKING = {
    "counts": "how many people chose each class for each image (counts, as CIFAR-10H has them)",
    "soft": "answers to the task soft-label about images that are trained on",
    "mixed": "mixed images with answers to the task mixing-coefficient",
}


def images_of(material: Material) -> npt.NDArray[np.uint8]:
    """The images that positions in runs are of: the material's and then its mixes, uint8 [N + M, H, W, C]."""
    if material.mixed is None:
        return material.images
    return np.concatenate([material.images, material.mixed.images])


def runs_of(
    experiment: Experiment,
    material: Material,
    reduced: bool = False,
    *,
    seeds: Sequence[int] | None = None,
    networks: Sequence[str] | None = None,
) -> list[Run]:
    """Every run of a table or figure: seeds, then rows, then networks; `index` counts in `images_of(material)`.

    `reduced` makes networks narrow and training short, so that a table takes seconds; the material is taken as it is,
    so reduce it first: `material.reduced(REDUCED_IMAGES, seed)`. Without `seeds` and `networks` they are those of the
    thesis (0, 1, …), of seeds two in the reduced setting.

    All that is drawn depends on the seed alone: rows differ in nothing but what they say, and rows of two tables that
    say the same are one run (`Run.digest`). Raises ModelError, in one sentence, where the material lacks a part, an
    image that needs a label of the row's kind has none, or no category boundary can be fitted.
    """
    check_material(experiment, material)
    if seeds is None:
        seeds = range(min(REDUCED_SEEDS, experiment.seeds) if reduced else experiment.seeds)
    by_pair = any(row.by_pair for row in experiment.rows)
    boundaries = None
    if by_pair:
        with _in_words(experiment):
            boundaries = pair_boundaries(mixed_answers(material), len(material.classes))
    runs = []
    for seed in seeds:
        task = _Task(experiment, material, seed, reduced)
        evaluations = task.evaluations()
        for row in experiment.rows:
            index, pool = task.training_set(row)
            mixing, origin = row.mixing, _origin(experiment, row, material, reduced)
            if row.by_pair and boundaries is not None:
                mixing = replace(mixing, slopes=boundaries.slopes, midpoints=boundaries.midpoints)
                names = material.classes
                origin["boundary_of_all_pairs"] = [f"{names[i]}–{names[j]}" for i, j in boundaries.borrowed]
            for network in networks or experiment.networks:
                settings = replace(settings_of(experiment.settings, network, reduced), mixing=mixing, kappa=row.kappa)
                runs.append(
                    Run(
                        experiment=experiment.name,
                        row=row.name,
                        settings=settings,
                        seed=seed,
                        index=index,
                        pool=pool,
                        evaluations=evaluations,
                        metrics=experiment.metrics,
                        origin=origin,
                    )
                )
    return runs


def settings_of(base: Settings, network: str, reduced: bool) -> Settings:
    """An experiment's settings for a network: its rate, and, in the reduced setting, its width and few epochs.

    >>> settings_of(Settings(), "resnet-50", reduced=False).rate
    0.4
    >>> short = settings_of(Settings(), "resnet-34a", reduced=True)
    >>> short.width, short.epochs, short.milestones
    (4, 2, (1,))
    """
    settings = replace(base, network=network, rate=RATES.get(network, base.rate))
    if not reduced:
        return settings
    width, milestones = REDUCED_WIDTHS.get(network, 8), base.milestones_in(REDUCED_EPOCHS)
    return replace(settings, width=width, epochs=REDUCED_EPOCHS, milestones=milestones)


def check_material(experiment: Experiment, material: Material) -> None:
    """Raise ModelError, in one sentence, where the material lacks a part that the experiment needs."""
    has = {
        "counts": material.counts is not None,
        "soft": len(material.labelled) > 1,
        "mixed": material.mixed is not None and len(material.mixed.item) > 0,
    }
    lacking = [_LACKING[part] for part in experiment.needs if not has[part]]
    if "CIFAR-10H" in experiment.evaluated_on and not len(material.test):
        lacking.append("images that are kept for evaluation")
    if not len(material.train):
        lacking.append("images to train on")
    if lacking:
        raise ModelError(f"{experiment.called} needs {' and '.join(lacking)}; the material has none, so add them")


@dataclass
class _Task:
    """One seed of an experiment."""

    experiment: Experiment
    material: Material
    seed: int
    reduced: bool

    def __post_init__(self) -> None:
        self._pools: dict[tuple[Labelling, bytes], LabelPool] = {}
        labelled = self.material.labelled
        self.asked = Split(labelled, labelled[:0])
        if self.experiment.trained_on.startswith("asked"):
            self.asked = held_out(labelled, max(1, len(labelled) // HELD_OUT), self.seed)

    def training_set(self, row: Row) -> tuple[Ints, LabelPool]:
        """The images of a row, and their labels (see `TrainedOn`)."""
        material, labels = self.material, row.labels
        match self.experiment.trained_on:
            case "asked and others":
                own = self.asked.train
                others = np.setdiff1d(material.train, own) if len(material.others) else own[:0]
                others = self._known(others)
            case "asked":
                own, others = self._some(self.asked.train, row.images), self.asked.train[:0]
            case "all":
                own, others = self._known(material.train), material.train[:0]
            case _:
                mixes, others = self._answered_mixes(), self._known(material.train)
                if labels is None:
                    return others, self._labelled(Hard(), others)
                index = np.concatenate([others, len(material.images) + mixes])
                return index, joined([self._labelled(Hard(), others), self._labelled(labels, mixes)])
        assert labels is not None
        pools = [self._labelled(labels, own), self._labelled(row.others, others)]
        return np.concatenate([own, others]), joined(pools)

    def evaluations(self) -> list[Evaluation]:
        """What every run of this seed is tried on (see `EvaluatedOn`)."""
        found = []
        for name in self.experiment.evaluated_on:
            if name == "CIFAR-10H":
                assert self.material.counts is not None
                test = self.material.test
                labels = counts_labels(self.material.counts[test])
                found.append(Evaluation(name, test, labels, bin=100, corrupted=self._corrupted(test)))
            else:
                test = self.asked.test
                labels = self._labelled(Soft(), test).mean()
                found.append(Evaluation(name, test, labels, bin=10, corrupted=self._corrupted(test)))
        return found

    def _corrupted(self, images: Ints) -> Corrupted | None:
        """These images in CIFAR-10-C, where somebody has it and the table looks at it."""
        folder = self.material.corrupted
        if folder is None or "corruption_cross_entropy" not in self.experiment.metrics:
            return None
        keys = [self.material.keys[position] for position in images]
        if wrong := [key for key in keys if not (key.isascii() and key.isdigit())]:
            raise ModelError(
                f"CIFAR-10-C has CIFAR-10's test images, whose keys are positions in that set; {wrong[0]!r} is none"
            )
        return Corrupted(folder, np.array([int(key) for key in keys], dtype=np.intp))

    def _labelled(self, labels: Labelling, images: Ints) -> LabelPool:
        """Kept, as rows share many."""
        key = (labels, images.tobytes())
        if key not in self._pools:
            with _in_words(self.experiment):
                self._pools[key] = labels.pool(self.material, images, np.random.default_rng([_LABELS, self.seed]))
        return self._pools[key]

    def _known(self, images: Ints) -> Ints:
        """Those whose class is known; an image without one gets no hard label."""
        known: Ints = images[self.material.reference[images] >= 0]
        return known

    def _answered_mixes(self) -> Ints:
        """The mixes that somebody answered: with others, rows would differ in their images too."""
        assert self.material.mixed is not None
        return np.unique(self.material.mixed.item)

    def _some(self, images: Ints, wanted: int | None) -> Ints:
        """So many of the images; more of them contain fewer. In the reduced setting it is their share of the most."""
        if wanted is None:
            return images
        most = max(row.images or 0 for row in self.experiment.rows)
        if self.reduced:
            wanted = max(1, wanted * len(images) // most)
        elif most > len(images):
            raise ModelError(
                f"{self.experiment.called} trains on up to {most} images with soft answers, but there are "
                f"{len(images)}; take the reduced setting, which scales the numbers of images"
            )
        order = np.random.default_rng([_IMAGES, self.seed]).permutation(len(images))
        return np.sort(images[order[:wanted]])


@contextmanager
def _in_words(experiment: Experiment) -> Iterator[None]:
    """Turn what analysis refuses to label or to fit into a ModelError that names the table."""
    try:
        yield
    except ValueError as error:
        raise ModelError(f"{experiment.called}: {error}") from error


def _origin(experiment: Experiment, row: Row, material: Material, reduced: bool) -> dict[str, object]:
    """Where a run comes from, as JSON values."""
    return {
        "classes": list(material.classes),
        "experiment": experiment.called,
        "title": experiment.title,
        "labels": row.labels.as_json() if row.labels else None,
        "labels_of_others": row.others.as_json(),
        "columns": dict(row.columns),
        "trained_on": experiment.trained_on,
        "reduced": reduced,
        "material": dict(material.origins),
    }
