"""What all tables are made of: images, annotators' counts, soft answers, mixes, and where each of them came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from crowdloom.analysis.elicited import Floats, Ints
from crowdloom.models.errors import ModelError
from crowdloom.models.experiments.answers import Mixed, SoftAnswers, places
from crowdloom.models.image_sets import ImageSet
from crowdloom.models.squares import Image

_IMAGES, _MIXES = 1, 2  # so that draws of one seed for different ends differ


@dataclass(frozen=True)
class Material:
    """All that the tables are built from; whatever is int is a position, of images or of classes.

    pictures      N images with their keys, their classes (-1: unknown) and the names of the K classes
    counts        int [N, K], how many people chose each class (CIFAR-10H); None without such people
    soft          soft answers (CIFAR-10S); there may be none
    train, test   int, ascending: the images that are trained on and those kept for evaluation; an image is on one side
                  or on none
    mixed         mixed images with their answers; None without
    similarity    float [K, K], how alike the classes are, rows the most probable one; None where nobody knows
    corrupted     the folder of CIFAR-10-C, where somebody has it
    origins       where each part came from, a sentence each, by the part's name

    Raises ModelError where the parts do not fit together.
    """

    pictures: ImageSet
    counts: Ints | None
    soft: SoftAnswers
    train: Ints
    test: Ints
    mixed: Mixed | None = None
    similarity: Floats | None = None
    corrupted: Path | None = None
    origins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        n, k = len(self.pictures), len(self.classes)
        if self.counts is not None:
            if self.counts.shape != (n, k):
                raise ModelError(f"counts need a row for each of {n} images and a column for each of {k} classes")
            empty = (self.counts < 0).any(axis=1) | (self.counts.sum(axis=1) == 0)
            if empty.any():
                key = self.keys[int(np.flatnonzero(empty)[0])]
                raise ModelError(f"the counts of the image {key!r} are negative or all 0; each needs some people's")
        if self.soft.elicited.impossible.shape[1] != k:
            raise ModelError(f"soft answers speak of {self.soft.elicited.impossible.shape[1]} classes, not of {k}")
        for what, positions in (("soft answer", self.soft.item), ("split", np.concatenate([self.train, self.test]))):
            if len(positions) and not 0 <= positions.min() <= positions.max() < n:
                raise ModelError(f"a {what} names an image that is not there")
        if len(np.intersect1d(self.train, self.test)):
            raise ModelError("an image is both trained on and kept for evaluation")
        if self.similarity is not None and self.similarity.shape != (k, k):
            raise ModelError(f"the similarity of {k} classes needs as many rows and columns")
        if self.mixed is not None:
            if self.mixed.images.shape[1:] != self.images.shape[1:]:
                raise ModelError(
                    f"mixes are {_format(self.mixed.images)}, images {_format(self.images)}; both must be alike"
                )
            ends = np.concatenate([self.mixed.endpoint1, self.mixed.endpoint2])
            if len(ends) and not 0 <= ends.min() <= ends.max() < k:
                raise ModelError("a mix has an endpoint that is none of the classes")

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the K classes."""
        return self.pictures.classes

    @property
    def images(self) -> Image:
        """The pixels, uint8 [N, H, W, C]."""
        return self.pictures.images

    @property
    def keys(self) -> tuple[str, ...]:
        """The images' keys, [N]."""
        return self.pictures.keys

    @property
    def reference(self) -> Ints:
        """The images' classes, int [N]; -1 where unknown."""
        return self.pictures.reference

    @property
    def labelled(self) -> Ints:
        """Of the images that are trained on, those with soft answers (the thesis' 1,000), ascending."""
        return np.intersect1d(self.train, self.soft.item)

    @property
    def others(self) -> Ints:
        """Of the images that are trained on, those without soft answers (the thesis' 6,000), ascending."""
        return np.setdiff1d(self.train, self.soft.item)

    def reduced(self, images: int, seed: int) -> Material:
        """A material with about so many images, for a quick try: of all kinds, each class in turn, with all answers.

        A third each are images with soft answers, others that are trained on, and images for evaluation, as far as
        there are such; there are as many mixes as there are images with soft answers, and all are in the order they
        had. The same seed gives the same ones.
        """
        rng = np.random.default_rng([_IMAGES, seed])
        kinds = (self.labelled, self.others, self.test)
        parts = _dealt(images, [len(kind) for kind in kinds])
        kept = np.sort(
            np.concatenate(
                [
                    kind[_each_class_in_turn(self.reference[kind], part, rng)]
                    for kind, part in zip(kinds, parts, strict=True)
                ]
            )
        )
        place, mixed = places(kept), self.mixed
        if mixed is not None:
            some = max(parts[0], 1)
            rng = np.random.default_rng([_MIXES, seed])
            mixed = mixed.take(np.sort(_each_class_in_turn(mixed.endpoint1, some, rng)))
        return replace(
            self,
            pictures=self.pictures.take(kept),
            counts=None if self.counts is None else self.counts[kept],
            soft=self.soft.about(kept),
            train=place[np.intersect1d(self.train, kept)],
            test=place[np.intersect1d(self.test, kept)],
            mixed=mixed,
            origins={**self.origins, "reduced": f"Of all images {len(kept)} were drawn with the seed {seed}."},
        )


def _dealt(total: int, sizes: list[int]) -> list[int]:
    """So many, dealt evenly to groups of these sizes; what one cannot take goes to the others."""
    taken = [0] * len(sizes)
    while sum(taken) < min(total, sum(sizes)):
        for group, size in enumerate(sizes):
            if taken[group] < size and sum(taken) < total:
                taken[group] += 1
    return taken


def _each_class_in_turn(classes: Ints, count: int, rng: np.random.Generator) -> Ints:
    """`count` positions drawn at random, so that each class has as many as another, as far as it has so many."""
    order = rng.permutation(len(classes))
    round_ = np.empty(len(classes), dtype=np.intp)  # how many of its class came before it
    for name in np.unique(classes):
        of_class = order[classes[order] == name]
        round_[of_class] = np.arange(len(of_class))
    chosen: Ints = order[np.argsort(round_[order], kind="stable")][:count]
    return chosen


def _format(images: Image) -> str:
    return f"{images.shape[2]} x {images.shape[1]} pixels with {images.shape[3]} channels"
