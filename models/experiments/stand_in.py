"""Material without anybody's data: scikit-learn's digits, and people who are simulated."""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np

from crowdloom.analysis.digits import load_digits, neighbours_classes
from crowdloom.analysis.elicited import Elicited, Floats, Ints
from crowdloom.analysis.labels import entropy
from crowdloom.analysis.similarity import second_choice_similarity
from crowdloom.models.experiments.answers import Mixed, SoftAnswers
from crowdloom.models.experiments.material import Material
from crowdloom.models.image_sets import ImageSet, image_set
from crowdloom.models.splits import seeded_split
from crowdloom.models.squares import Image
from crowdloom.tasks.mixing_coefficient import MixingCoefficient, MixingOptions
from crowdloom.tasks.protocol import Answer, Person, Trial
from crowdloom.tasks.soft_label import SoftLabel

CLASSES = tuple("0123456789")
SIZE = 32
SLIPS = 0.04
"""The share of a simulated person's single choices that is any class."""
PEOPLE, SOFT_IMAGES, ANNOTATORS = 51, 120, 6
PAIRS, INFERENCES = 20, 2
COEFFICIENTS = ((0.5,), (0.1, 0.25), (0.75, 0.9))
"""One mix of each pair by one coefficient of each list, as in the thesis' section 4.2.1."""


def stand_in_material(seed: int) -> Material:
    """All kinds of material: 1,797 images, 51 people's counts, soft answers of six for 120, 60 mixes with two answers.

    An image's true label is the share of each class among its 15 nearest neighbours; what people say of it is what
    `SoftLabel.simulate` and `MixingCoefficient.simulate` make of that. Of the 120 images half are the most ambiguous
    ones, as the thesis enriched its own (section 3.2.1). The same seed gives the same material.
    """
    rng = np.random.default_rng(seed)
    digits, truth = _digits()
    counts = rng.multinomial(PEOPLE, (1 - SLIPS) * truth + SLIPS / len(CLASSES)).astype(np.intp)
    split = seeded_split(len(digits), 0.3, seed, by=digits.reference)
    soft = _soft_answers(_enriched(split.train, truth, rng), truth, seed)
    return Material(
        pictures=digits,
        counts=counts,
        soft=soft,
        train=split.train,
        test=split.test,
        mixed=_mixed(digits, split.train, rng, seed),
        similarity=second_choice_similarity(soft.elicited, len(CLASSES)),
        origins={
            "images": f"scikit-learn's 1,797 digits, resized to {SIZE} x {SIZE} pixels in three channels.",
            "counts": f"{PEOPLE} simulated people for each image: no real ones.",
            "soft": f"{ANNOTATORS} simulated people for each of {SOFT_IMAGES} images: no real ones.",
            "mixed": f"{INFERENCES} simulated people for each of {PAIRS * len(COEFFICIENTS)} mixes: no real ones.",
            "split": f"30 % of each class for evaluation, drawn with the seed {seed}.",
            "similarity": "The second choices of the simulated people.",
        },
    )


def _digits() -> tuple[ImageSet, Floats]:
    """The digits, dark on white, and the true label of each, [N, K]."""
    given = load_digits()
    keys = [f"digit-{number:04d}" for number in range(len(given.targets))]
    pictures = image_set(list(given.dark_on_white()), keys, given.targets, CLASSES, size=SIZE)
    return pictures.in_colour(), neighbours_classes(given)


def _enriched(train: Ints, truth: Floats, rng: np.random.Generator) -> Ints:
    """Images for soft answers: half the most ambiguous, half any others; ascending."""
    order = train[np.argsort(-entropy(truth[train]), kind="stable")]
    half = SOFT_IMAGES // 2
    return np.sort(np.concatenate([order[:half], rng.choice(order[half:], SOFT_IMAGES - half, replace=False)]))


def _soft_answers(images: Ints, truth: Floats, seed: int) -> SoftAnswers:
    """Each of the people answers for each of the images."""
    task, rng = SoftLabel(), random.Random(f"{seed} soft answers")  # noqa: S311 - reproducible on purpose
    people = [Person(skill=rng.uniform(0.8, 0.95)) for _ in range(ANNOTATORS)]
    trial = Trial(classes=CLASSES, class_order=CLASSES)
    labels = [dict(zip(CLASSES, truth[image].tolist(), strict=True)) for image in images]
    said = [task.parse(task.simulate(label, person, trial, rng), trial) for label in labels for person in people]

    def position(name: str | None) -> int:
        return -1 if name is None else CLASSES.index(name)

    elicited = Elicited(
        np.array([position(answer["top1"]) for answer in said], dtype=np.intp),
        np.array([answer["top1_probability"] for answer in said], dtype=np.float64),
        np.array([position(answer["top2"]) for answer in said], dtype=np.intp),
        np.array([answer["top2_probability"] for answer in said], dtype=np.float64),  # None becomes NaN
        np.array([[name in answer["impossible"] for name in CLASSES] for answer in said], dtype=np.bool_),
    )
    return SoftAnswers(np.repeat(images, ANNOTATORS), np.tile(np.arange(ANNOTATORS), len(images)), elicited)


def _mixed(digits: ImageSet, train: Ints, rng: np.random.Generator, seed: int) -> Mixed:
    """Mixes of images of two classes, and what people say is in them."""
    pairs = rng.permutation(list(combinations(range(len(CLASSES)), 2)))[:PAIRS]
    ends = np.repeat(pairs, len(COEFFICIENTS), axis=0)
    sources = [[rng.choice(train[digits.reference[train] == name]) for name in pair] for pair in pairs]
    first, second = np.repeat(np.array(sources), len(COEFFICIENTS), axis=0).T
    shares = np.array([rng.choice(chosen) for _ in pairs for chosen in COEFFICIENTS])
    item = np.repeat(np.arange(len(shares)), INFERENCES)
    annotator = np.tile(np.arange(INFERENCES), len(shares))
    said = _inferences(ends[item], shares[item], annotator, seed)
    return Mixed(
        images=_mix(digits.images[first], digits.images[second], shares),
        endpoint1=ends[:, 0].astype(np.intp),
        endpoint2=ends[:, 1].astype(np.intp),
        coefficient=shares,
        item=item,
        annotator=annotator,
        inferred=np.array([answer["inferred"] for answer in said], dtype=np.float64),
        confidence=np.array([answer["confidence"] for answer in said], dtype=np.float64) / 100,
    )


def _inferences(ends: Ints, shares: Floats, annotator: Ints, seed: int) -> list[Answer]:
    task, rng = MixingCoefficient(), random.Random(f"{seed} mixes")  # noqa: S311 - reproducible on purpose
    people = [Person(skill=rng.uniform(0.8, 0.95)) for _ in range(INFERENCES)]
    said = []
    for (one, two), share, person in zip(ends.tolist(), shares.tolist(), annotator.tolist(), strict=True):
        attributes = {"endpoint1": CLASSES[one], "endpoint2": CLASSES[two], "coefficient": share}
        trial = Trial(classes=CLASSES, class_order=CLASSES, attributes=attributes, options=MixingOptions())
        truth = {CLASSES[one]: share, CLASSES[two]: 1 - share}
        said.append(task.parse(task.simulate(truth, people[person], trial, rng), trial))
    return said


def _mix(first: Image, second: Image, shares: Floats) -> Image:
    """x = c x1 + (1 - c) x2, rounded."""
    weights = shares[:, np.newaxis, np.newaxis, np.newaxis]
    return (weights * first + (1 - weights) * second).round().astype(np.uint8)
