"""Training a small network on labelled images: one loop, in which a label is a distribution over classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from crowdloom.models.classifiers import Classifier, Image, classifier_of, silent
from crowdloom.models.errors import ModelError
from crowdloom.models.networks import SmallCNN

EPOCHS = 12
BATCH = 64
RATE, WEIGHT_DECAY = 0.01, 1e-4


def train_small_cnn(
    images: Sequence[Image],
    labels: npt.NDArray[np.floating] | npt.NDArray[np.integer],
    classes: Sequence[str],
    *,
    epochs: int = EPOCHS,
    seed: int = 0,
    progress: Callable[[int, int], None] = silent,
) -> Classifier:
    """A small classifier trained on images (uint8 [H, W] or [H, W, 3], all of one size).

    `labels` [N] are positions of `classes`, or [N, K] distributions over them. Adam with a rate that rises to 0.01 and
    falls to 0 over the epochs, batches of 64, no augmentation. The same seed gives the same
    network on one machine. `progress(done, epochs)` is called after each epoch. Raises ModelError where there are fewer
    than two classes, no images, or images of different sizes.
    """
    if len(classes) < 2 or len(np.unique(labels, axis=0)) < 2:
        raise ModelError("all images have one class, so there is nothing to learn; add images of other classes")
    shapes = {image.shape for image in images}
    if len(shapes) != 1 or len({image.shape[0] for image in images} | {image.shape[1] for image in images}) != 1:
        raise ModelError(
            f"training needs square images of one size, these have {len(shapes)} shapes; resize them first"
        )
    channels = 1 if images[0].ndim == 2 else 3
    stacked = np.stack(list(images)).reshape(len(images), -1, channels) / 255
    mean, std = stacked.mean((0, 1)), stacked.std((0, 1)).clip(1e-3)

    # Chance is ours alone, and whoever calls us keeps theirs.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SmallCNN(channels, len(classes))
        classifier = classifier_of(
            network, classes, size=len(images[0]), mean=tuple(mean), std=tuple(std), name="small-cnn"
        )
        inputs = classifier.prepare(images)
        targets = torch.as_tensor(labels)
        if targets.ndim == 1:
            targets = functional.one_hot(targets.long(), len(classes))
        targets = targets.float()

        optimizer = torch.optim.Adam(network.parameters(), weight_decay=WEIGHT_DECAY)
        steps = epochs * -(-len(inputs) // BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
        network.train()
        for epoch in range(epochs):
            for chosen in torch.randperm(len(inputs)).split(BATCH):
                loss = functional.cross_entropy(network(inputs[chosen]), targets[chosen])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
            progress(epoch + 1, epochs)
    # Its digest is that of what it has learned.
    return classifier_of(network, classes, size=len(images[0]), mean=tuple(mean), std=tuple(std), name="small-cnn")
