"""The material of all tables, from files and from studies in the store."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from crowdloom.analysis.elicited import Bools
from crowdloom.models.experiments.answers import Mixed, SoftAnswers, no_soft_answers
from crowdloom.models.experiments.material import Material
from crowdloom.models.image_sets import ImageSet
from crowdloom.models.splits import Split, authors_split, seeded_split
from crowdloom.studies.database import Store
from crowdloom.studies.errors import ItemError, OptionError
from crowdloom.studies.learning.given_counts import counts_of, key_numbers
from crowdloom.studies.learning.given_sets import Source
from crowdloom.studies.learning.mapped import mapped
from crowdloom.studies.learning.mixed_study import mixed_material
from crowdloom.studies.learning.soft_study import soft_answers
from crowdloom.studies.learning.study_images import study_images

SHARE = 0.3
"""Of somebody's own images, what is kept for evaluation: as of CIFAR-10's test images in the thesis."""


def gather(
    store: Store | None,
    *,
    images: Source | None = None,
    soft_study: str | None = None,
    mixed_study: str | None = None,
    counts: Path | None = None,
    split: Path | None = None,
    similarity: Path | None = None,
    vectors: Path | None = None,
    corrupted: Path | None = None,
    seed: int = 0,
) -> Material:
    """The material that the given parts make together.

    store        None where no study is named
    images       what `given_sets.read_source` read; without it those of `soft_study`'s items
    soft_study   a study of the task soft-label; mixed_study one of mixing-coefficient
    counts       an .npy [rows, K]. Where keys are whole numbers an image's row is its key, as CIFAR-10H's rows are
                 positions in CIFAR-10's test set; otherwise rows are the images' in their order
    split        the authors' .npz, whose numbers are keys of images; without it `seed` draws 30 % of each class for
                 evaluation. Where none of its images for evaluation is there, the images with soft answers are trained
                 on and the other ones kept. No image for evaluation is part of a mix: where the split is drawn, those
                 that are mixed are trained on, and where it is given, such mixes are left out
    similarity, vectors   as for `crowdloom labels`; with neither, the second choices of `soft_study`
    corrupted    the folder of CIFAR-10-C

    Raises OptionError where something is missing or does not fit together, ItemError where keys do not match, and as
    the readers of the parts do.
    """
    if images is None and soft_study is None:
        raise OptionError("there is nothing to learn from; give images, or a study of soft labels with images")
    if soft_study is None and (similarity is not None or vectors is not None):
        raise OptionError("--similarity and --vectors are of use for a study of soft labels only; name one")
    pictures, origins = _pictures(store, images, soft_study)
    soft, alike = no_soft_answers(len(pictures.classes)), None
    if soft_study is not None:
        assert store is not None
        soft, alike = soft_answers(store, soft_study, pictures, similarity=similarity, vectors=vectors)
        origins["soft"] = (
            f"{len(soft)} first answers of {len(np.unique(soft.annotator))} submissions about "
            f"{len(np.unique(soft.item))} images, from the study {soft_study!r}."
        )
        origins["similarity"] = f"By {alike.source}."
    people = None if counts is None else counts_of(counts, pictures)
    if counts is not None:
        origins["counts"] = f"Annotators' choices in {counts.name}."
    if corrupted is not None and not corrupted.is_dir():
        raise OptionError(f"{corrupted} is no folder; give the one with CIFAR-10-C's .npy files")
    sides, origins["split"] = _split(split, pictures, soft, seed)
    mixed = None
    if mixed_study is not None:
        assert store is not None
        mixed, sources = mixed_material(store, mixed_study, pictures)
        left_out = ""
        if split is None:
            seen = np.isin(sides.test, sources)
            sides = Split(np.sort(np.concatenate([sides.train, sides.test[seen]])), sides.test[~seen])
            origins["split"] = f"{origins['split'][:-1]}; images that mixes are made of are all trained on."
        else:
            first, second = np.isin(sources, sides.test).T
            mixed, left_out = _without(mixed, first | second, mixed_study)
        origins["mixed"] = (
            f"{len(mixed.item)} first answers of {len(np.unique(mixed.annotator))} submissions about "
            f"{len(mixed.images)} mixes, from the study {mixed_study!r}{left_out}."
        )
    with mapped():
        return Material(
            pictures=pictures,
            counts=people,
            soft=soft,
            train=sides.train,
            test=sides.test,
            mixed=mixed,
            similarity=None if alike is None else alike.matrix,
            corrupted=corrupted,
            origins=origins,
        )


def _pictures(store: Store | None, images: Source | None, soft_study: str | None) -> tuple[ImageSet, dict[str, str]]:
    if images is not None:
        return images.pictures, {"images": images.origin}
    assert soft_study is not None
    assert store is not None
    return study_images(store, soft_study), {"images": f"The items of the study {soft_study!r}."}


def _without(mixed: Mixed, leaking: Bools, study: str) -> tuple[Mixed, str]:
    """The mixes without those that would show an image for evaluation in training, and what was left out."""
    many = int(leaking.sum())
    if not many:
        return mixed, ""
    if many == len(leaking):
        raise ItemError(
            f"every mix of {study!r} is made of an image that is kept for evaluation; give another split, or none"
        )
    said = "1 mix of an image" if many == 1 else f"{many:,} mixes of images"
    verb = "is" if many == 1 else "are"
    return mixed.take(np.flatnonzero(~leaking)), f"; {said} that {verb} kept for evaluation {verb} left out"


def _split(path: Path | None, pictures: ImageSet, soft: SoftAnswers, seed: int) -> tuple[Split, str]:
    """Positions of the images on each side, and a sentence that says how they came there."""
    if path is None:
        with mapped():
            drawn = seeded_split(len(pictures), SHARE, seed, by=pictures.reference)
        return drawn, f"{100 * SHARE:g} % of each class for evaluation, drawn with the seed {seed}."
    with mapped():
        whole = authors_split(path)
    numbers = key_numbers(pictures)
    there = None if numbers is None else whole.present(numbers)
    if there is None or not len(there.train):
        raise ItemError(f"{path} names none of the images to train on, by numbers that are their keys; leave it out")
    if len(there.test):
        return there, f"As {path.name} has it: {len(there.train)} images to train on, {len(there.test)} for evaluation."
    answered = np.intersect1d(there.train, soft.item)
    others = np.setdiff1d(there.train, soft.item)
    if not len(answered) or not len(others):
        raise ItemError(f"none of the images that {path} keeps for evaluation is there; give them, or leave it out")
    said = (
        f"Of the images that {path.name} keeps for evaluation none is there: the {len(answered)} with soft answers are "
        f"trained on, and the other {len(others)} kept."
    )
    return Split(answered, others), said
