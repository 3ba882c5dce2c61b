"""How well a network of the latent loop does, and where it puts the points that are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from crowdloom.models.errors import ModelError, TrainingError
from crowdloom.models.latent import LatentModel
from crowdloom.models.precision import Computing
from crowdloom.tasks.latent_records import Epoch

COMPUTING = Computing("cpu", bf16=False, channels_last=False, threads=1)
"""How the latent loop computes: the numbers of a session do not depend on how many processors a machine has."""

AT_A_TIME = 256
"""Examples forwarded at once: what a processor's cache holds."""


def on_no_part() -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Evaluation:
    """How well a network does on labelled examples.

    accuracy, macro_f1   shares; macro-F1 is the plain mean over the classes that are among labels or predictions
    class_accuracy       [K], the share of each class's examples that it recognised; None for a class without examples
    confusion            [K][K], how many of each class (row) it took for each (column)
    epoch                how many epochs the network had; 0 where nobody said
    """

    accuracy: float
    macro_f1: float
    class_accuracy: list[float | None]
    confusion: list[list[int]]
    epoch: int = 0

    @property
    def record(self) -> Epoch:
        """The line of the curve."""
        return Epoch(epoch=self.epoch, accuracy=self.accuracy, macro_f1=self.macro_f1)


def evaluate(
    model: LatentModel,
    x: Tensor,
    labels: Tensor,
    classes: int,
    *,
    epoch: int = 0,
    on_part: Callable[[], None] = on_no_part,
) -> Evaluation:
    """How well the network recognises the examples `x` [N, …] of these `labels` [N].

    `on_part` is called before each `AT_A_TIME` of them; what it raises ends the evaluation.
    Raises ModelError without examples, TrainingError for outputs that are no numbers.
    """
    if not len(x) or len(x) != len(labels):
        raise ModelError(f"there are {len(x)} examples and {len(labels)} labels; give as many of both, one or more")
    with _evaluating(model):
        parts = []
        for part in x.split(AT_A_TIME):
            on_part()
            parts.append(model.network(part)[0])
        logits = torch.cat(parts)
    if not logits.isfinite().all():
        raise TrainingError("the network's outputs are not finite; lower the learning rate")
    pairs = labels.long() * classes + logits.argmax(1)
    confusion = torch.bincount(pairs, minlength=classes * classes).view(classes, classes).numpy()
    right, true, predicted = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    among = true + predicted > 0
    return Evaluation(
        accuracy=float(right.sum() / true.sum()),
        macro_f1=float((2 * right[among] / (true + predicted)[among]).mean()),
        class_accuracy=[float(hits / of) if of else None for hits, of in zip(right, true, strict=True)],
        confusion=confusion.tolist(),
        epoch=epoch,
    )


def shown(model: LatentModel, x: Tensor) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any]]:
    """Where the examples `x` [n, …] lie in the plane, float32 [n, 2], and what the network takes them for [n].

    Only these are forwarded, and the mean and standard deviation to which points are brought are those of all `x`
    together. Raises ModelError without examples, TrainingError for outputs that are no numbers.
    """
    if not len(x):
        raise ModelError("there are no points to show; give one or more")
    projected, predictions = [], []
    count, total, squares = 0, 0.0, 0.0
    with _evaluating(model):
        for part in x.split(AT_A_TIME):  # features are not kept: of 100,000 points they would not fit into memory
            logits, features = model.network(part)
            projected.append(model.projection(features))
            predictions.append(logits.argmax(1))
            count += features.numel()
            total += features.sum(dtype=torch.float64).item()
            squares += features.double().square().sum().item()
        mean = total / count
        std = (max(squares - count * mean**2, 0.0) / max(count - 1, 1)) ** 0.5
        points = model.placed(torch.cat(projected), torch.tensor(mean).float(), torch.tensor(std).float())
    if not points.isfinite().all():
        raise TrainingError("the network puts points nowhere: its features are not finite; lower the learning rate")
    return points.numpy(), torch.cat(predictions).numpy()


@contextmanager
def _evaluating(model: LatentModel) -> Iterator[None]:
    """Test mode, no gradients, one thread; afterwards all is as it was."""
    training = model.training
    model.eval()
    try:
        with COMPUTING.in_use(), torch.inference_mode():
            yield
    finally:
        model.train(training)
