"""Everything that is said of a trained network on a set of labelled images, in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from statistics import fmean
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn

from crowdloom.models import metrics as measures
from crowdloom.models.attacks import fgsm, pgd, random_start
from crowdloom.models.errors import ModelError, TrainingError
from crowdloom.models.packing import fast_copy
from crowdloom.models.precision import Computing

METRICS = (
    "cross_entropy",
    "calibration_error",
    "fgsm_loss",
    "pgd_loss",
    "corruption_cross_entropy",
    "accuracy",
    "top2_accuracy",
    "entropy_correlation",
    "entropy_rank_correlation",
    "class_accuracy",
)
"""What `evaluate` may be asked for. `class_accuracy` becomes one column `accuracy_CLASS` for each class."""

_Attack = Callable[[Tensor, Tensor, Tensor | None], Tensor]
_BATCH = {"cpu": 128, "cuda": 1024}
"""Images at a time: on a processor what its cache holds, on a graphics card what fills it."""


def evaluate(
    network: nn.Module,
    images: Tensor,
    labels: npt.NDArray[Any] | Tensor,
    *,
    bin: int,  # noqa: A002
    metrics: Sequence[str],
    computing: Computing,
    seed: int = 0,
    classes: Sequence[str] | None = None,
    corruptions: Mapping[str, Tensor] | None = None,
) -> dict[str, float]:
    """Metrics of a network on images, by column, in the order asked for.

    `network` takes images [n, C, H, W] in 0..1 and gives outputs [n, K]; it is put on the computing device, and left as
    it is otherwise. `images` uint8 [n, C, H, W]; `labels` [n, K] are distributions; `metrics` are names from METRICS:

    cross_entropy, accuracy, top2_accuracy, class_accuracy    see `metrics`; `classes` names the K classes in columns
        `accuracy_CLASS` (else they are counted from 0), and a class without images has no column
    calibration_error    root mean square, adaptive bins of `bin` predictions
    fgsm_loss, pgd_loss    cross-entropy after the attack (see `attacks`), at 4/255 in pixels; PGD from a random start
    corruption_cross_entropy    the mean of the cross-entropies under each of `corruptions`, {name: uint8 [n, C, H, W]}
        as `read_corrupted` gives them; without them, under each corruption of `corruptions.CORRUPTIONS`
    entropy_correlation, entropy_rank_correlation    Pearson's and Spearman's; no column where one is not defined

    All chance comes from `seed`, so the same call gives the same numbers on one device. The network's convolutions
    compute in bfloat16 where `computing` says so, metrics in float32. Raises ModelError for an unknown metric, no
    images, or shapes that do not fit, TrainingError for outputs that are no numbers.

    >>> from crowdloom.models.networks import SmallCNN
    >>> images = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    >>> computing = Computing("cpu", bf16=False, channels_last=False, threads=1)
    >>> labels = torch.eye(2)[[0, 0, 0, 1]]
    >>> found = evaluate(SmallCNN(1, 2), images, labels, bin=2, metrics=["accuracy"], computing=computing)
    >>> found["accuracy"] in (0.25, 0.75)
    True
    """
    unknown = [name for name in metrics if name not in METRICS]
    if unknown:
        raise ModelError(f"{unknown[0]!r} is no metric; choose from {', '.join(METRICS)}")
    targets = torch.as_tensor(labels).float().cpu()
    if not len(images) or targets.ndim != 2 or len(targets) != len(images):
        raise ModelError(f"{len(images)} images cannot be evaluated against labels of shape {list(targets.shape)}")
    found: dict[str, float] = {}
    with computing.in_use():
        tried = _Tried(network, images, targets, computing)
        _check_numbers(tried.clean)
        for name in metrics:
            match name:
                case "fgsm_loss":
                    found[name] = tried.loss_after(lambda x, y, _: fgsm(tried.network, x, y))
                case "pgd_loss":
                    start = random_start(images.shape, seed)
                    found[name] = tried.loss_after(lambda x, y, s: pgd(tried.network, x, y, start=s), start)
                case "corruption_cross_entropy":
                    from crowdloom.models.corruptions import corrupted  # loads SciPy's filters

                    found[name] = tried.loss_under(corruptions.items() if corruptions else corrupted(images, seed))
                case _:
                    found |= _of_predictions(name, tried.clean, targets, bin, classes)
    return found


def _check_numbers(predicted: Tensor) -> None:
    """Raise TrainingError where a prediction is NaN: it would count as right among the two highest, for one."""
    broken = int(predicted.isnan().any(1).sum())
    if broken:
        raise TrainingError(
            f"the network's outputs are not all numbers for {broken} of {len(predicted)} images; train it with a lower "
            "learning rate"
        )


def _of_predictions(
    name: str,
    predicted: Tensor,
    labels: Tensor,
    size: int,
    classes: Sequence[str] | None,
) -> dict[str, float]:
    """The columns of a metric that needs only log-probabilities [n, K]; `size` is that of the calibration's bins."""
    match name:
        case "cross_entropy":
            return {name: measures.cross_entropy(predicted, labels)}
        case "calibration_error":
            right = measures.correct(predicted, labels)
            return {name: measures.rms_calibration_error(predicted.amax(1).exp(), right, size)}
        case "accuracy":
            return {name: measures.accuracy(predicted, labels)}
        case "top2_accuracy":
            return {name: measures.top2_accuracy(predicted, labels)}
        case "class_accuracy":
            shares = measures.per_class_accuracy(predicted, labels)
            names = classes or [str(number) for number in range(len(shares))]
            named = zip(names, shares, strict=True)
            return {f"accuracy_{of}": share for of, share in named if share is not None}
        case _:
            pearson, spearman = measures.entropy_correlation(predicted, labels)
            value = pearson if name == "entropy_correlation" else spearman
            return {} if value is None else {name: value}


class _Tried:
    """A network on its device, asked about images in batches; what it says comes back as log-probabilities [n, K]."""

    def __init__(self, network: nn.Module, images: Tensor, labels: Tensor, computing: Computing) -> None:
        self.device = torch.device(computing.device)
        self.memory_format = computing.memory_format
        self.batch = _BATCH.get(self.device.type, _BATCH["cpu"])
        self.images, self.labels = images, labels
        example = self._pixels(images[: self.batch])
        self.network = fast_copy(network.to(self.device), example, "bfloat16" if computing.bf16 else "float32")

    @cached_property
    def clean(self) -> Tensor:
        """Of the images as they are."""
        return torch.cat([self._says(self._pixels(images)) for images in self.images.split(self.batch)]).cpu()

    def loss_after(self, attack: _Attack, start: Tensor | None = None) -> float:
        """The cross-entropy after an attack, which is given images, labels, and where it starts."""
        losses = []
        for first in range(0, len(self.images), self.batch):
            rows = slice(first, first + self.batch)
            labels = self.labels[rows].to(self.device)
            begin = None if start is None else start[rows].to(self.device)
            changed = attack(self._pixels(self.images[rows]), labels, begin)
            losses.append(measures.cross_entropies(self._says(changed), labels))
        return float(torch.cat(losses).cpu().mean())

    def loss_under(self, corruptions: Iterable[tuple[str, Tensor]]) -> float:
        """The mean of the cross-entropies under each corruption."""
        losses = []
        for _, images in corruptions:
            predicted = torch.cat([self._says(self._pixels(part)) for part in images.split(self.batch)]).cpu()
            losses.append(measures.cross_entropy(predicted, self.labels))
        return fmean(losses)

    def _pixels(self, images: Tensor) -> Tensor:
        """As the network wants them: float in 0..1."""
        return images.to(self.device).float().div_(255).contiguous(memory_format=self.memory_format)

    def _says(self, pixels: Tensor) -> Tensor:
        with torch.no_grad():
            return measures.log_probabilities(self.network(pixels))
