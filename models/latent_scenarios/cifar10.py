"""CIFAR-10, or some of its images in an .npz.

Source: A. Krizhevsky, *Learning Multiple Layers of Features from Tiny Images* (2009). Pixels in [0, 1] are normalised
to the range from -1 to 1.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from crowdloom.models.errors import ModelError
from crowdloom.models.image_sets import UNKNOWN, ImageSet, channels_first, read_cifar10, read_images_npz
from crowdloom.models.latent_networks import Cifar10Network
from crowdloom.models.latent_scenarios.scenario import Scenario, ScenarioData
from crowdloom.models.splits import seeded_split
from crowdloom.tasks.soft_label import CIFAR10

VALIDATION = 0.2
"""Of each class in an .npz."""
SIZE = 32
FEW = 10_000
FOR_FEW = MappingProxyType({"rate": 1e-3, "batch": 64})


def load(path: Path | None) -> ScenarioData:
    """Reads the data set from its folder, or an .npz with `images` uint8 [N, 32, 32, 3] and `label`.

    From the folder (the one that has `cifar-10-batches-py` in it, or that itself) the network learns from the 50,000
    training images and is tried on the 10,000 test images. Of an .npz it is tried on a fifth of each class, drawn by
    the scenario's seed; from few images it learns in smaller batches and at a higher rate, or it would make 3 steps in
    an epoch of 1,200. Raises ModelError where there is neither.
    """
    assert path is not None  # the scenario needs data
    if path.is_dir():
        try:
            return _data(read_cifar10(path, train=True), read_cifar10(path, train=False))
        except ModelError as error:
            raise ModelError(
                f"{path} has no whole cifar-10-batches-py; unpack the Python version of "
                "www.cs.toronto.edu/~kriz/cifar.html there"
            ) from error
    images = read_images_npz(path, CIFAR10)
    if images.images.shape[1:] != (SIZE, SIZE, 3):
        raise ModelError(f"{path} has images of {list(images.images.shape[1:])}; CIFAR-10's are {[SIZE, SIZE, 3]}")
    if (images.reference == UNKNOWN).any():
        raise ModelError(f"{path} needs an array `label` with the class of each image")
    split = seeded_split(len(images), VALIDATION, SCENARIO.seed, by=images.reference)
    data = _data(images.take(split.train), images.take(split.test))
    return replace(data, settings=FOR_FEW) if len(images) < FEW else data


def _data(train: ImageSet, test: ImageSet) -> ScenarioData:
    return ScenarioData(
        _pixels(train.images),
        torch.from_numpy(train.reference.astype(np.int64)),
        _pixels(test.images),
        torch.from_numpy(test.reference.astype(np.int64)),
        train.images,
    )


def _pixels(images: npt.NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(channels_first(images)).float().div_(127.5).sub_(1)


SCENARIO = Scenario(
    name="cifar10",
    title="Photographs of ten kinds of things",
    kind="image",
    classes=CIFAR10,
    network=lambda: Cifar10Network(len(CIFAR10)),
    load=load,
    needs_data=True,
)
"""Settings as in the paper; of few images, see `load`."""
