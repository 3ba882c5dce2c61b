"""Training a small network on labelled images, where one only wants a classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch

from crowdloom.analysis.label_pools import pool_of
from crowdloom.models.classifiers import Classifier, Image, classifier_of, silent
from crowdloom.models.errors import ModelError
from crowdloom.models.precision import computing_of
from crowdloom.models.settings import Settings
from crowdloom.models.training_loop import TrainingState, new_network, train

EPOCHS = 12


def train_small_cnn(
    images: Sequence[Image],
    labels: npt.NDArray[np.floating] | npt.NDArray[np.integer],
    classes: Sequence[str],
    *,
    epochs: int = EPOCHS,
    seed: int = 0,
    progress: Callable[[int, int], None] = silent,
) -> Classifier:
    """A small classifier trained on images (uint8 [H, W] or [H, W, 3], all of one size), on the processor.

    `labels` [N] are positions of `classes`, or [N, K] distributions over them. Batches of 32, no augmentation; the rate
    is a tenth for the last quarter of the epochs. The same seed gives the same network on one machine. `progress(done,
    epochs)` is called after each epoch. Raises ModelError where there are fewer than two classes, no images, images of
    different sizes, or labels that are no distributions.
    """
    if len(classes) < 2 or len(np.unique(labels, axis=0)) < 2:
        raise ModelError("all images have one class, so there is nothing to learn; add images of other classes")
    shapes = {image.shape for image in images}
    if len(shapes) != 1 or len({image.shape[0] for image in images} | {image.shape[1] for image in images}) != 1:
        raise ModelError(
            f"training needs square images of one size, these have {len(shapes)} shapes; resize them first"
        )
    try:
        pool = pool_of((np.eye(len(classes))[labels] if labels.ndim == 1 else labels).astype(np.float64))
    except ValueError as error:
        raise ModelError(f"{error}; mend it") from error
    size = len(images[0])
    pixels = torch.from_numpy(np.stack(list(images)).reshape(len(images), size, size, -1)).permute(0, 3, 1, 2)

    def told(state: TrainingState) -> None:
        progress(state.epoch, epochs)

    settings = Settings("small-cnn", epochs=epochs, milestones=(epochs - epochs // 4,), augment=False)
    network = new_network(settings, pixels, len(classes), seed=seed)
    computing = computing_of("cpu", settings.network, size=size)
    train(network, pixels, pool, settings, seed=seed, computing=computing, on_epoch=told)
    mean, std = tuple(network.mean.tolist()), tuple(network.std.tolist())
    return classifier_of(network.network, classes, size=size, mean=mean, std=std, name="small-cnn")
