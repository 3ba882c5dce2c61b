"""Images with the labels that people gave them, from a study in the store or from a file of labels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crowdloom.analysis.elicited import Floats, Ints
from crowdloom.analysis.export import LabelTable
from crowdloom.analysis.label_files import read_labels
from crowdloom.analysis.label_pools import LabelPool, pool_by_image
from crowdloom.models.image_sets import UNKNOWN, ImageSet
from crowdloom.models.squares import commonest_size
from crowdloom.studies.database import Store
from crowdloom.studies.errors import ItemError, OptionError
from crowdloom.studies.label_recipes import Recipe
from crowdloom.studies.labelling import build_label_set, kept_label_set
from crowdloom.studies.learning.given_counts import counts_of
from crowdloom.studies.learning.given_sets import read_source
from crowdloom.studies.learning.soft_study import check_classes
from crowdloom.studies.learning.study_images import study_images
from crowdloom.studies.reading import find_answers

SMALLEST = 8
"""Pixels that networks need on a side."""
_CLASSLESS = ".json"
"""Its numbers stand in the order of the images' classes."""


@dataclass(frozen=True)
class Images:
    """Which images are learned from: `where`, as `given_sets.read_source` takes it, resized to `size` where given."""

    where: str | None = None
    size: int | None = None


@dataclass(frozen=True)
class Labelled:
    """N images, some of which people gave labels.

    name       of the study, or of the file
    pictures   the images, square
    asked      int [A], ascending: the positions of those with labels
    pool       the labels of these, each person's apart, in the same order
    variety    how the labels were built, where they are a study's
    counts     int [N, K], how many other people chose each class; None without such people
    study      the study, where there is one
    left_out   how many items have labels, but no image
    origin     where all this comes from, as JSON values, for records and model cards
    """

    name: str
    pictures: ImageSet
    asked: Ints
    pool: LabelPool
    variety: str | None
    counts: Ints | None
    study: str | None
    left_out: int
    origin: Mapping[str, Any]

    @property
    def mean(self) -> Floats:
        """The aggregated labels of the images with labels, [A, K]."""
        return self.pool.mean()

    @property
    def hard(self) -> Ints:
        """The class of each image with labels, [A]: its reference, or, without one, the likeliest by its labels."""
        reference = self.pictures.reference[self.asked]
        return np.where(reference == UNKNOWN, self.mean.argmax(axis=1), reference)

    @property
    def without_reference(self) -> int:
        """How many images with labels have no reference."""
        return int((self.pictures.reference[self.asked] == UNKNOWN).sum())

    @property
    def several(self) -> bool:
        """Whether some image has more than one person's label, so that these can be kept apart."""
        return bool((self.pool.count > 1).any())


def labelled_by_study(
    store: Store, study: str, recipe: Recipe, images: Images | None = None, counts: Path | None = None
) -> Labelled:
    """The labels that a study's first answers give by a recipe, with the images of its items or others with their keys.

    The label set is recorded in the store, unless the same one is there already. Raises StudyError for an unknown
    study, OptionError where the recipe does not fit it or it has no answers, ItemError where no item has an image.
    """
    images = images or Images()
    with store.read() as connection:
        answers = find_answers(connection, study, recipe.responses, recipe.version)
        built = build_label_set(connection, study, recipe)
    if not len(built.table.labels):
        raise OptionError(f"{study!r} has no answers that count and give labels, so there is nothing to learn from")
    if images.where is None:
        pictures = study_images(store, study, version=recipe.version, size=images.size)
        said = f"The items of the study {study!r}."
    else:
        pictures, said = read_source(images.where, classes=answers.classes, size=images.size)
    check_classes(answers, pictures)
    with store.write() as connection:
        token = kept_label_set(connection, study, recipe, built)
    variety = str(built.settings["variety"])
    origin = {"study": study, "label_set": token, "variety": variety, "images": said}
    return _labelled(study, pictures, built.table, counts, origin, variety=variety, study=study)


def labelled_by_file(path: Path, images: Images, counts: Path | None = None) -> Labelled:
    """The labels of a file that `crowdloom labels` or `simulate-labels` wrote, with the images that have their keys.

    Raises OptionError for a file that cannot be read or without images, ItemError where no item has an image.
    """
    if images.where is None:
        raise OptionError(f"{path} holds labels, but no images; say with --images where they are, or name a study")
    table = None if path.suffix.lower() == _CLASSLESS else _read(path)
    pictures, said = read_source(images.where, classes=table.classes if table else None, size=images.size)
    if table is None or tuple(table.classes) != pictures.classes:
        table = _read(path, pictures.classes)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    origin = {"labels_file": path.name, "label_set": f"sha256:{sha256}", "images": said}
    return _labelled(path.stem, pictures, table, counts, origin)


def _read(path: Path, classes: Sequence[str] | None = None) -> LabelTable:
    try:
        table = read_labels(path, classes)
    except ValueError as error:
        raise OptionError(str(error)) from error
    if not len(table.labels):
        raise OptionError(f"{path} holds no labels, so there is nothing to learn from")
    if table.repeat_index is not None and np.asarray(table.repeat_index).all():
        raise OptionError(f"{path} holds labels of repeats alone, and only first answers are learned from")
    return table


def _labelled(
    name: str,
    pictures: ImageSet,
    table: LabelTable,
    counts: Path | None,
    origin: dict[str, Any],
    variety: str | None = None,
    study: str | None = None,
) -> Labelled:
    pictures = _square(pictures)
    first = slice(None) if table.repeat_index is None else np.asarray(table.repeat_index) == 0
    items, item = np.unique(np.asarray(table.item, dtype=np.str_)[first], return_inverse=True)
    position = pictures.positions(items.tolist())
    has_image = position[item] >= 0
    if not has_image.any():
        raise ItemError(
            f"none of the {len(items)} items of {name!r}, such as {str(items[0])!r}, is one of the {len(pictures)} "
            f"images, whose keys are such as {pictures.keys[0]!r}; give images whose keys are those of the items"
        )
    asked, place = np.unique(position[item][has_image], return_inverse=True)
    pool = pool_by_image(table.labels[first][has_image], place, len(asked))
    if counts is not None:
        origin["counts"] = counts.name
    return Labelled(
        name=name,
        pictures=pictures,
        asked=asked,
        pool=pool,
        variety=variety,
        counts=None if counts is None else counts_of(counts, pictures),
        study=study,
        left_out=len(items) - len(asked),
        origin=origin | {"classes": list(pictures.classes)},
    )


def _square(pictures: ImageSet) -> ImageSet:
    """Networks take squares. Raises ItemError for images that are too small."""
    height, width = pictures.images.shape[1:3]
    if min(height, width) < SMALLEST:
        raise ItemError(
            f"the images are {width} x {height} pixels, and networks need {SMALLEST} x {SMALLEST} or more; "
            f"enlarge them with --size {SMALLEST}"
        )
    return pictures if height == width else pictures.resized(commonest_size(list(pictures.images)))
