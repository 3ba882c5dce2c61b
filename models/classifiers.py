"""Image classifiers: a network with its class names and with how it wants its images."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from crowdloom.models.called import called
from crowdloom.models.errors import ArgumentError, ModelError, first_line
from crowdloom.models.squares import square
from crowdloom.models.weights import load_weights, read_weights

Image = npt.NDArray[np.uint8]
"""A picture, [H, W] or [H, W, 3]."""

SIZE = 224
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""As torchvision's classifiers were trained on ImageNet."""
BATCH = 32


def silent(done: int, total: int) -> None:
    """No progress is shown."""


@dataclass(frozen=True)
class Classifier:
    """A network in test mode; `size` is the side of its square input in pixels, `mean` and `std` are each channel's.

    `digest` is the SHA-256 of its weights and of how images are prepared for it.
    """

    network: nn.Module
    classes: tuple[str, ...]
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    name: str
    digest: str

    @property
    def channels(self) -> int:
        """1 for grey images, 3 for colour."""
        return len(self.mean)

    def squares(self, images: Sequence[Image]) -> Image:
        """What the network sees of each picture, [N, size, size] or [N, size, size, 3].

        The shorter side is resized to `size` (bilinearly, with antialiasing), and the middle is cut out.
        """
        return np.stack([square(image, self.size, self.channels) for image in images])

    def prepare(self, images: Sequence[Image]) -> Tensor:
        """The pictures as the network wants them, [N, C, size, size]."""
        seen = torch.from_numpy(self.squares(images)).float().div_(255)
        seen = seen.unsqueeze(1) if self.channels == 1 else seen.permute(0, 3, 1, 2)
        mean, std = (torch.tensor(values).float().view(1, -1, 1, 1) for values in (self.mean, self.std))
        return ((seen - mean) / std).contiguous()

    def predict(
        self, images: Sequence[Image], progress: Callable[[int, int], None] = silent
    ) -> npt.NDArray[np.float32]:
        """The probability of each class for each picture, [N, K]; `progress(done, total)` counts pictures.

        Raises ModelError where the network cannot take the pictures, or gives something else than K numbers for each.
        """
        parts = [np.empty((0, len(self.classes)), dtype=np.float32)]
        for start in range(0, len(images), BATCH):
            outputs = self._outputs(self.prepare(images[start : start + BATCH]))
            parts.append(outputs.numpy())
            progress(min(start + BATCH, len(images)), len(images))
        return np.concatenate(parts)

    def _outputs(self, prepared: Tensor) -> Tensor:
        try:
            with torch.inference_mode():
                given = self.network(prepared).float()
                outputs: Tensor = given.softmax(1)
        except Exception as error:  # a network is anybody's code
            taken = f"{self.channels} × {self.size} × {self.size}"
            raise ArgumentError(
                f"{self.name} fails on images of {taken} ({first_line(error)}); mend it, or give its own size",
                "size",
            ) from error
        if outputs.ndim != 2:
            raise ModelError(
                f"{self.name} gives outputs of the shape {list(outputs.shape)}, not one number for each class; "
                "name a classifier"
            )
        if outputs.shape[1] != len(self.classes):
            raise ArgumentError(
                f"{self.name} gives {outputs.shape[1]} outputs, but {len(self.classes)} classes are named; "
                "give the file with the names of its own classes",
                "classes",
            )
        return outputs


def classifier_of(
    network: nn.Module,
    classes: Sequence[str],
    *,
    size: int = SIZE,
    mean: tuple[float, ...] = MEAN,
    std: tuple[float, ...] = STD,
    name: str = "a network",
) -> Classifier:
    """A classifier around a network, which is put into test mode. Raises ModelError where a number cannot be."""
    mean, std = tuple(float(m) for m in mean), tuple(float(s) for s in std)
    channels = torch.tensor([mean, std] if len(mean) == len(std) else [])
    if len(mean) not in (1, 3) or not channels.numel() or not channels.isfinite().all() or size < 1:
        raise ModelError("mean and std need one finite number for grey images or three for colour")
    if channels[1].min() <= 0:
        raise ModelError("mean and std need one number for grey images or three for colour, each std above 0")
    digest = hashlib.sha256(json.dumps([size, mean, std]).encode())
    for key, tensor in sorted(network.state_dict().items()):
        if is_lazy(tensor):
            raise ArgumentError(
                f"{name} has no values in {key!r} before it has seen an image; let it see one, or give its weights",
                "weights",
            )
        digest.update(key.encode())
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return Classifier(network.eval(), tuple(classes), size, mean, std, name, digest.hexdigest())


def load_classifier(
    model: str,
    *,
    weights: Path | None = None,
    classes: Sequence[str] | None = None,
    size: int | None = None,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> Classifier:
    """The classifier that `model` names: `torchvision:NAME` with its weights, or `PACKAGE.MODULE:CALLABLE`.

    The callable is called without arguments and gives the network. `weights` is a file with a state dict, read without
    unpickling anything but tensors. Sizes and means are those of torchvision's ImageNet classifiers
    where they are not given. Raises ModelError with what is wrong: a wrong name before what is missing beside it.
    """
    network = None if _is_torchvision(model) else _called(model)
    if network is None:
        _check_torchvision(model)
        if weights is None:
            raise ArgumentError(f"{model} has learned nothing without its weights; give the file with them", "weights")
    state = None if weights is None else read_weights(weights, model)
    if classes is None:
        raise ArgumentError(
            f"{model} does not say what its classes are called; give a file with a name in each line", "classes"
        )
    fitting = model
    if network is None:
        network, fitting = _torchvision(model, len(classes)), f"{model} with {len(classes)} classes"
    if weights is not None:
        load_weights(network, state, weights, fitting)
    said: dict[str, Any] = {"size": size, "mean": mean, "std": std}
    return classifier_of(network, classes, name=model, **{k: v for k, v in said.items() if v is not None})


def _is_torchvision(model: str) -> bool:
    return model.startswith("torchvision:")


def _check_torchvision(model: str) -> None:
    from torchvision import models

    name = model.removeprefix("torchvision:")
    if name not in models.list_models(module=models):
        raise ModelError(f"torchvision has no classifier {name!r}; such as resnet50 or efficientnet_b0")


def _torchvision(model: str, classes: int) -> nn.Module:
    from torchvision import models

    network: nn.Module = models.get_model(model.removeprefix("torchvision:"), weights=None, num_classes=classes)
    return network


def _called(model: str) -> nn.Module:
    instead = "write small-cnn, torchvision:NAME or PACKAGE.MODULE:CALLABLE"
    return called(model, nn.Module, what="classifier", gives="a torch.nn.Module", instead=instead)
