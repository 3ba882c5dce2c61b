"""How the images of a table's row get their labels: one small class for each kind, as data.

A labelling has `needs`, the parts of the material that it cannot do without, and `pool(material, images, rng)`: the
labels of the images at these positions, in their order; of mixes, where it is one of chapter 4. All chance comes from
`rng`. Source: K. M. Collins (MPhil thesis, Cambridge, 2022), sections 3.3, 4.3 and 5.2.3, appendix B.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from crowdloom.analysis.elicited import Floats, Ints
from crowdloom.analysis.label_kinds import (
    counts_pool,
    hard_labels,
    random_labels,
    smoothed,
    soft_label_pool,
    uniform_labels,
)
from crowdloom.analysis.label_pools import LabelPool, joined, pool_of
from crowdloom.analysis.label_simulator import fit_simulator, is_ambiguous
from crowdloom.analysis.labels import parse_variety
from crowdloom.analysis.mixing_targets import MixedAnswers, aggregated_targets, mixup_targets, separate_targets
from crowdloom.analysis.similarity import second_choice_similarity
from crowdloom.models.errors import ModelError
from crowdloom.models.experiments.material import Material
from crowdloom.models.image_sets import UNKNOWN

Part = Literal["counts", "soft", "mixed"]
"""What a material may lack; named as its attributes are."""

GAMMA = 0.1
"""The mass that clamp spreads where an answer left none (section 3.3)."""


@dataclass(frozen=True)
class Labelling(ABC):
    """One kind of labels."""

    needs: ClassVar[tuple[Part, ...]] = ()

    @abstractmethod
    def pool(self, material: Material, images: Ints, rng: np.random.Generator) -> LabelPool:
        """The labels of the images, or mixes, at these positions. Raises ValueError where one cannot be labelled."""

    def as_json(self) -> dict[str, Any]:
        """As plain values, for records."""
        return {"kind": type(self).__name__.lower(), **asdict(self)}


class Hard(Labelling):
    """One-hot labels of the images' own classes."""

    def pool(self, material: Material, images: Ints, rng: np.random.Generator) -> LabelPool:
        unknown = images[material.reference[images] == UNKNOWN]
        if len(unknown):
            raise ModelError(
                f"the image {material.keys[unknown[0]]!r} has no class, so it gets no hard label; leave it out"
            )
        return pool_of(hard_labels(material.reference[images], len(material.classes)))


class Random(Labelling):
    """One-hot labels of classes drawn at random; of images and of mixes."""

    def pool(self, material: Material, images: Ints, rng: np.random.Generator) -> LabelPool:
        return pool_of(random_labels(len(images), len(material.classes), rng))


class Uniform(Labelling):
    """Labels that give every class the same; of images and of mixes."""

    def pool(self, material: Material, images: Ints, rng: np.random.Generator) -> LabelPool:
        return pool_of(uniform_labels(len(images), len(material.classes)))


@dataclass(frozen=True)
class Smoothed(Labelling):
    """Hard labels, beta of whose mass all classes share (appendix B.2)."""

    beta: float

    def pool(self, material: Material, images: Ints, rng: np.random.Generator) -> LabelPool:
        return pool_of(smoothed(Hard().pool(material, images, rng).labels, self.beta))


@dataclass(frozen=True)
class Counted(Labelling):
    """Of the people who each chose one class (CIFAR-10H): their mean, or each one's `apart`; of all, or of M drawn."""

    needs: ClassVar[tuple[Part, ...]] = ("counts",)
    apart: bool = False
    annotators: int | None = None

    def pool(self, material: Material, images: Ints, rng: np.random.Generator) -> LabelPool:
        assert material.counts is not None
        return _of_people(counts_pool(material.counts[images]), self.apart, self.annotators, rng)


@dataclass(frozen=True)
class Soft(Labelling):
    """Of the people who gave soft answers (ours, CIFAR-10S): their mean, or each one's `apart`; of all, or of M drawn.

    `variety` is one of `analysis.labels`. A semantic one goes by the material's similarity, or, where it has none, by
    which classes people named together.
    """

    needs: ClassVar[tuple[Part, ...]] = ("soft",)
    variety: str = "T2-clamp"
    apart: bool = False
    annotators: int | None = None

    def pool(self, material: Material, images: Ints, rng: np.random.Generator) -> LabelPool:
        soft, variety = material.soft.about(images), parse_variety(self.variety)
        said = (soft.elicited.top1 >= 0) & (soft.elicited.top1_probability >= 0)  # false for NaN
        mute = np.setdiff1d(np.arange(len(images)), soft.item[said])
        if len(mute):
            raise ModelError(
                f"no answer about the image {material.keys[images[mute[0]]]!r} gives a label; leave it out"
            )
        similarity = similarity_of(material) if variety.spread == "semantic" else None
        whole = soft_label_pool(soft.elicited, soft.item, len(images), variety, GAMMA, similarity)
        return _of_people(whole, self.apart, self.annotators, rng)


@dataclass(frozen=True)
class Extended(Labelling):
    """Ours, T2-clamp and apart, where people gave soft answers, and elsewhere those of so many simulated ones.

    The simulator of appendix B.5 is fitted to the answers about images that are trained on, and starts from annotators'
    counts. The thesis does not say how many people it simulates: as many here as it asked, 6, and one of them is drawn
    at each step.
    """

    needs: ClassVar[tuple[Part, ...]] = ("counts", "soft")
    annotators: int = 6

    def pool(self, material: Material, images: Ints, rng: np.random.Generator) -> LabelPool:
        assert material.counts is not None
        asked = np.isin(images, material.soft.item)
        soft = material.soft.take(np.isin(material.soft.item, material.train))
        simulator = fit_simulator(soft.elicited, is_ambiguous(material.counts[soft.item]), similarity_of(material))
        simulated = simulator.simulate(material.counts[images[~asked]], self.annotators, rng)
        both = joined([Soft(apart=True).pool(material, images[asked], rng), simulated])
        return both.take(np.argsort(np.concatenate([np.flatnonzero(asked), np.flatnonzero(~asked)])))


class OfMixup(Labelling):
    """Of mixes: the label that mixup assumes, by the generating coefficient (section 4.3.1)."""

    needs: ClassVar[tuple[Part, ...]] = ("mixed",)

    def pool(self, material: Material, images: Ints, rng: np.random.Generator) -> LabelPool:
        return mixup_targets(mixed_answers(material), len(material.classes)).take(images)


@dataclass(frozen=True)
class Inferred(Labelling):
    """Of mixes: by the coefficients that people inferred, their mean or each one's `apart`; perhaps smoothed by
    `confidence` (sections 4.3.2 to 4.3.4).
    """

    needs: ClassVar[tuple[Part, ...]] = ("mixed",)
    apart: bool = False
    confidence: bool = False

    def pool(self, material: Material, images: Ints, rng: np.random.Generator) -> LabelPool:
        targets = separate_targets if self.apart else aggregated_targets
        return targets(mixed_answers(material, images), len(material.classes), confidence=self.confidence)


def mixed_answers(material: Material, mixes: Ints | None = None) -> MixedAnswers:
    """The material's mixes, or only some of them in that order, as analysis takes them."""
    assert material.mixed is not None
    mixed = material.mixed if mixes is None else material.mixed.take(mixes)
    return MixedAnswers(
        mixed.endpoint1, mixed.endpoint2, mixed.coefficient, mixed.item, mixed.inferred, mixed.confidence
    )


def similarity_of(material: Material) -> Floats:
    """The material's similarity of the classes; without one, by the second choices of its soft answers."""
    if material.similarity is not None:
        return material.similarity
    return second_choice_similarity(material.soft.elicited, len(material.classes))


def _of_people(whole: LabelPool, apart: bool, annotators: int | None, rng: np.random.Generator) -> LabelPool:
    drawn = whole if annotators is None else whole.draw(annotators, rng)
    return drawn if apart else pool_of(drawn.mean())
