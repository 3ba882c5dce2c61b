"""What people said of images and of mixes, as the tables take it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from crowdloom.analysis.elicited import Bools, Elicited, Floats, Ints
from crowdloom.models.errors import ModelError
from crowdloom.models.squares import Image


@dataclass(frozen=True)
class SoftAnswers:
    """R first answers to the task soft-label, each of one person about one image.

    item        int [R], positions of the material's images
    annotator   int [R], a number for each person who answered
    elicited    what they said, R answers
    """

    item: Ints
    annotator: Ints
    elicited: Elicited

    def __post_init__(self) -> None:
        if not self.item.shape == self.annotator.shape == (len(self.elicited),):
            raise ModelError(f"{len(self.elicited)} soft answers need an image and an annotator each")

    def __len__(self) -> int:
        return len(self.item)

    def take(self, which: Ints | Bools) -> SoftAnswers:
        """Only these answers, by position or by a mask."""
        said = {name: getattr(self.elicited, name)[which] for name in Elicited.__dataclass_fields__}
        return SoftAnswers(self.item[which], self.annotator[which], Elicited(**said))

    def about(self, images: Ints) -> SoftAnswers:
        """Only those about these images, whose new positions are their places in `images`."""
        part = self.take(np.isin(self.item, images))
        return replace(part, item=places(images)[part.item])


@dataclass(frozen=True)
class Mixed:
    """M mixed images x = c x1 + (1 - c) x2, and A first answers to how much of each is in them.

    images                  uint8 [M, H, W, C], as large as the material's
    endpoint1, endpoint2    int [M], the classes of x1 and x2
    coefficient             float [M] in [0, 1]: c, the generating coefficient lambda_f
    item                    int [A], the mix that an answer is about
    annotator               int [A], a number for each person who answered
    inferred                float [A] in [0, 1]: lambda_h, the share of endpoint1 that they inferred
    confidence              float [A] in [0, 1]; NaN where none was given
    """

    images: Image
    endpoint1: Ints
    endpoint2: Ints
    coefficient: Floats
    item: Ints
    annotator: Ints
    inferred: Floats
    confidence: Floats

    def __post_init__(self) -> None:
        of_mixes, of_answers = (len(self.images),), self.item.shape
        if not self.endpoint1.shape == self.endpoint2.shape == self.coefficient.shape == of_mixes:
            raise ModelError(f"{len(self.images)} mixes need two endpoints and a coefficient each")
        if not self.annotator.shape == self.inferred.shape == self.confidence.shape == of_answers:
            raise ModelError(f"{len(self.item)} answers about mixes need an annotator, a share and a confidence each")
        if not (_shares(self.coefficient) and _shares(self.inferred) and _shares(np.nan_to_num(self.confidence))):
            raise ModelError("the coefficients, shares and confidences of mixes must lie between 0 and 1")
        if len(self.item) and not 0 <= self.item.min() <= self.item.max() < len(self.images):
            raise ModelError("an answer is about a mix that is not there")

    def take(self, mixes: Ints) -> Mixed:
        """Only these mixes, with their answers."""
        kept = np.isin(self.item, mixes)
        of_mixes = {name: getattr(self, name)[mixes] for name in ("images", "endpoint1", "endpoint2", "coefficient")}
        of_answers = {name: getattr(self, name)[kept] for name in ("annotator", "inferred", "confidence")}
        return Mixed(**of_mixes, item=places(mixes)[self.item[kept]], **of_answers)


def no_soft_answers(classes: int) -> SoftAnswers:
    """The soft answers of nobody."""
    none, nothing = np.empty(0, dtype=np.intp), np.empty(0)
    return SoftAnswers(none, none, Elicited(none, nothing, none, nothing, np.empty((0, classes), dtype=np.bool_)))


def places(chosen: Ints) -> Ints:
    """The place in `chosen` of each position up to the highest; -1 for those that were not chosen."""
    found = np.full(int(chosen.max(initial=-1)) + 1, -1, dtype=np.intp)
    found[chosen] = np.arange(len(chosen))
    return found


def _shares(values: Floats) -> bool:
    return bool(((values >= 0) & (values <= 1)).all())
