"""The kinds of labels that networks are trained on, for images with people's labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from crowdloom.analysis.elicited import Ints
from crowdloom.analysis.label_kinds import counts_pool, hard_labels, random_labels, smoothed, uniform_labels
from crowdloom.analysis.label_pools import LabelPool, pool_of
from crowdloom.studies.errors import OptionError
from crowdloom.studies.learning.labelled import Labelled


@dataclass(frozen=True)
class Making:
    """Labels for some of the images that people gave labels: those at `places` of `labelled.asked`, in this order."""

    labelled: Labelled
    places: Ints
    annotators: int | None
    beta: float
    rng: np.random.Generator

    @property
    def classes(self) -> int:
        """K."""
        return len(self.labelled.pictures.classes)

    def hard(self) -> LabelPool:
        return pool_of(hard_labels(self.labelled.hard[self.places], self.classes))

    def random(self) -> LabelPool:
        return pool_of(random_labels(len(self.places), self.classes, self.rng))

    def uniform(self) -> LabelPool:
        return pool_of(uniform_labels(len(self.places), self.classes))

    def smoothed(self) -> LabelPool:
        return pool_of(smoothed(self.hard().labels, self.beta))

    def apart(self) -> LabelPool:
        """Each person's label; of `annotators` that are drawn, where so many are asked for."""
        return self._drawn(self.labelled.pool.take(self.places))

    def counts_apart(self) -> LabelPool:
        """The class that each of the other people chose; likewise."""
        assert self.labelled.counts is not None
        return self._drawn(counts_pool(self.labelled.counts[self.labelled.asked[self.places]]))

    def _drawn(self, pool: LabelPool) -> LabelPool:
        return pool if self.annotators is None else pool.draw(self.annotators, self.rng)


@dataclass(frozen=True)
class Kind:
    """One kind: what it is, how it is made, and whether it is made of people's labels or of other people's counts."""

    meaning: str
    make: Callable[[Making], LabelPool]
    of: str = ""


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "hard": Kind("each item's reference, or the majority's class where it has none", Making.hard),
        "random": Kind("a class drawn at random for each image", Making.random),
        "uniform": Kind("all classes alike", Making.uniform),
        "smoothed": Kind("hard, but all classes share --beta of the mass", Making.smoothed),
        "aggregated": Kind("the mean of people's labels", lambda made: pool_of(made.apart().mean()), "labels"),
        "de-aggregated": Kind("people's labels apart: at each step that of one of them", Making.apart, "labels"),
        "counts-aggregated": Kind("the shares of --counts", lambda made: pool_of(made.counts_apart().mean()), "counts"),
        "counts-de-aggregated": Kind("at each step the choice of one of --counts", Making.counts_apart, "counts"),
    }
)


def usual_kinds(labelled: Labelled) -> list[str]:
    """What is trained on where nobody says: hard labels, and all people's that there are."""
    kinds = ["hard", "aggregated"]
    if labelled.several:
        kinds.append("de-aggregated")
    if labelled.counts is not None:
        kinds.append("counts-aggregated")
    return kinds


def check_kinds(kinds: Sequence[str], labelled: Labelled, annotators: int | None) -> None:
    """Raise OptionError for a kind that cannot be made of these labels, or of those of so many people."""
    for kind in kinds:
        if KINDS[kind].of == "counts" and labelled.counts is None:
            raise OptionError(f"--labels {kind} needs other people's choices; give them with --counts")
    if "de-aggregated" in kinds and not labelled.several:
        raise OptionError(
            f"--labels de-aggregated: {labelled.name!r} has one label for each image, so there is nothing to keep "
            "apart; choose aggregated"
        )
    if annotators is not None:
        _check_annotators(annotators, {KINDS[kind].of for kind in kinds} - {""}, labelled)


def _check_annotators(annotators: int, of: set[str], labelled: Labelled) -> None:
    if not of:
        raise OptionError("--annotators belongs to labels of people, such as aggregated; give some, or leave it out")
    if "labels" in of and annotators > (most := int(labelled.pool.count.max())):
        raise OptionError(
            f"--annotators {annotators}: no image of {labelled.name!r} has so many labels; {most} at most"
        )
    if "counts" in of and labelled.counts is not None and annotators > (most := int(labelled.counts.sum(1).max())):
        raise OptionError(f"--annotators {annotators}: no image was seen by so many people of --counts; {most} at most")


def row_name(kind: str, labelled: Labelled, annotators: int | None, beta: float) -> str:
    """How a row of the table is called."""
    if kind == "smoothed":
        return f"smoothed, beta {beta:g}"
    name = f"{labelled.variety} {kind}" if KINDS[kind].of == "labels" and labelled.variety else kind
    if KINDS[kind].of and annotators is not None:
        name += f", {annotators} annotator{'s' * (annotators > 1)}"
    return name
