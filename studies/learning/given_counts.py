"""How many other people chose each class for images that somebody has, from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from crowdloom.analysis.elicited import Ints
from crowdloom.analysis.mixing import read_counts
from crowdloom.models.image_sets import ImageSet
from crowdloom.studies.errors import ItemError, OptionError


def counts_of(path: Path, pictures: ImageSet) -> Ints:
    """The counts of the images, int [N, K], from an .npy [rows, K].

    Where keys are whole numbers an image's row is its key, as CIFAR-10H's rows are positions in CIFAR-10's test set;
    otherwise rows are the images' in their order. Raises OptionError for a file that has no such counts, and ItemError
    where its rows are not the images', or nobody chose a class for one.
    """
    try:
        counts = read_counts(path)
    except ValueError as error:
        raise OptionError(str(error)) from error
    if counts.shape[1] != len(pictures.classes):
        raise OptionError(f"{path} has counts of {counts.shape[1]} classes, the images have {len(pictures.classes)}")
    numbers = key_numbers(pictures)
    if numbers is not None and numbers.max() < len(counts):
        chosen = counts[numbers]
    elif len(counts) == len(pictures):
        chosen = counts
    else:
        raise ItemError(
            f"{path} has {len(counts)} rows, neither those of the {len(pictures)} images in their order nor those "
            "that the images' keys number; give a row for each image"
        )
    if (chosen != np.round(chosen)).any():
        raise OptionError(f"{path} has counts that are no whole numbers; give how many people chose each class")
    if (nobody := chosen.sum(axis=1) == 0).any():
        key = pictures.keys[int(np.flatnonzero(nobody)[0])]
        raise ItemError(f"{path}: nobody chose a class for the image {key!r}; leave such images out")
    return chosen.astype(np.intp)


def key_numbers(pictures: ImageSet) -> Ints | None:
    """The keys as whole numbers, where all are such."""
    if all(key.isascii() and key.isdigit() and len(key) < 10 for key in pictures.keys):
        return np.array([int(key) for key in pictures.keys], dtype=np.intp)
    return None
