"""The answers of a study of soft labels, for images that somebody has."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from crowdloom.analysis.elicited import Elicited
from crowdloom.models.experiments.answers import SoftAnswers
from crowdloom.models.image_sets import ImageSet
from crowdloom.studies.class_similarity import ClassSimilarity, similarity_of
from crowdloom.studies.database import Store
from crowdloom.studies.errors import ItemError, OptionError
from crowdloom.studies.reading import Answers, find_answers, read_first

TASK = "soft-label"


def soft_answers(
    store: Store,
    study: str,
    pictures: ImageSet,
    *,
    similarity: Path | None = None,
    vectors: Path | None = None,
    version: int | None = None,
) -> tuple[SoftAnswers, ClassSimilarity]:
    """The first accepted answers of a study to the items among `pictures`, and how alike its classes are.

    Items and images are matched by their keys; of CIFAR-10 both are positions in the test set. A person is a
    submission. Raises OptionError where the study is none of soft labels, its classes are not the images', it has no
    answers or `class_similarity.similarity_of` raises it, and ItemError where an item that was answered has no image.
    """
    with store.read() as connection:
        answers = find_answers(connection, study, version=version)
        check_study(answers, TASK, pictures)
        first = read_first(connection, answers)
        if not len(first.item):
            raise OptionError(f"{study!r} has no accepted answers to learn from")
        alike = similarity_of(connection, answers, similarity, vectors)
    positions = pictures.positions(answers.items)
    _check_images(
        study, [answers.items[number] for number in np.unique(first.item) if positions[number] < 0], len(pictures)
    )
    elicited = Elicited.from_records(first.records, len(answers.classes))
    return SoftAnswers(positions[first.item], first.submission, elicited), alike


def check_study(answers: Answers, task: str, pictures: ImageSet) -> None:
    """Raise OptionError where a study has another task, or not the classes of the images in their order."""
    if answers.task != task:
        raise OptionError(f"{answers.study!r} is a study of the task {answers.task!r}; name one of {task!r}")
    check_classes(answers, pictures)


def check_classes(answers: Answers, pictures: ImageSet) -> None:
    """Raise OptionError where a study's classes are not those of the images in their order."""
    if tuple(answers.classes) != pictures.classes:
        raise OptionError(
            f"{answers.study!r} has the classes {', '.join(answers.classes)}, the images "
            f"{', '.join(pictures.classes)}; both need the same ones in the same order"
        )


def _check_images(study: str, missing: list[str], images: int) -> None:
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise ItemError(
            f"the item {missing[0]!r}{more} of {study!r} is none of the {images} images given; give images whose keys "
            "are those of the study's items"
        )
