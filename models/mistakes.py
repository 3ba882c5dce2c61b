"""What a classifier gets wrong, and the stimuli of a study in which people guess it.

Source: H. Shen and T.-H. Huang, *How Useful Are the Machine-Generated Interpretations to General Users?* (HCOMP
2020), section Method, steps 1 and 3.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crowdloom.models.classifiers import Classifier, Image, silent
from crowdloom.models.errors import MistakesError

OPTIONS = 5
"""The wrong prediction and four distractors."""


@dataclass(frozen=True)
class Mistakes:
    """Of a labelled set of images: those that a classifier got wrong, as positions, with the class that it saw."""

    accuracy: float
    images: int
    positions: list[int]
    references: list[int]
    predictions: list[int]


@dataclass(frozen=True)
class Stimulus:
    """An image by its position; its class, the one wrongly predicted, and the options in the order drawn."""

    position: int
    reference: int
    prediction: int
    options: tuple[int, ...]


def find_mistakes(
    classifier: Classifier,
    images: Sequence[Image],
    labels: Sequence[int],
    progress: Callable[[int, int], None] = silent,
) -> Mistakes:
    """What the classifier gets wrong in these images, whose classes `labels` [N] are positions of `classes`.

    Raises MistakesError for a set with one class only, in which no class can be told from another.
    """
    if len(set(labels)) < 2:
        one = classifier.classes[labels[0]] if len(labels) else "none"
        raise MistakesError(
            f"the images have one class only ({one}), so the classifier has nothing to confuse; add other classes"
        )
    predicted = classifier.predict(images, progress).argmax(axis=1).tolist()
    wrong = [number for number, (said, true) in enumerate(zip(predicted, labels, strict=True)) if said != true]
    return Mistakes(
        accuracy=1 - len(wrong) / len(labels),
        images=len(labels),
        positions=wrong,
        references=[labels[number] for number in wrong],
        predictions=[predicted[number] for number in wrong],
    )


def draw_stimuli(mistakes: Mistakes, classes: int, count: int, seed: int) -> list[Stimulus]:
    """So many mistakes drawn at random, each with five options: the wrong prediction and four distractors.

    Distractors are drawn from all classes but the correct one and the wrong prediction; the five are shuffled.
    What is drawn for an image depends on the seed and on its position alone. Raises MistakesError where the
    classifier made no mistake or fewer than `count`, or where there are too few classes.

    >>> mistakes = Mistakes(0.75, 4, positions=[2], references=[0], predictions=[3])
    >>> (stimulus,) = draw_stimuli(mistakes, classes=10, count=1, seed=1)
    >>> 3 in stimulus.options, 0 in stimulus.options, len(set(stimulus.options))
    (True, False, 5)
    """
    if classes < OPTIONS + 1:
        raise MistakesError(
            f"{OPTIONS} options beside the correct class need {OPTIONS + 1} classes, there are {classes}; "
            "use a set with more classes"
        )
    if not mistakes.positions:
        raise MistakesError(
            f"the classifier makes no mistake in {mistakes.images} images, so there is nothing to guess; "
            "give it more or harder images"
        )
    if count > len(mistakes.positions):
        raise MistakesError(
            f"{count} images are asked for, but the classifier makes only {len(mistakes.positions)} mistakes; "
            "ask for fewer, or give it more images"
        )
    order = list(range(len(mistakes.positions)))
    random.Random(f"{seed} mistakes").shuffle(order)  # noqa: S311 - reproducible on purpose
    return [_stimulus(mistakes, number, classes, seed) for number in sorted(order[:count])]


def _stimulus(mistakes: Mistakes, number: int, classes: int, seed: int) -> Stimulus:
    position, reference, prediction = (
        mistakes.positions[number],
        mistakes.references[number],
        mistakes.predictions[number],
    )
    rng = random.Random(f"{seed} options of {position}")  # noqa: S311 - reproducible on purpose
    others = [name for name in range(classes) if name not in (reference, prediction)]
    options = [prediction, *rng.sample(others, OPTIONS - 1)]
    rng.shuffle(options)
    return Stimulus(position, reference, prediction, tuple(options))
