"""Any PyTorch data set as the data of a scenario."""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from crowdloom.models.errors import ModelError, first_line
from crowdloom.models.latent_scenarios.scenario import ScenarioData


def data_of(
    training: Dataset[Any], validation: Dataset[Any], item: Callable[[Tensor], npt.ArrayLike] | None = None
) -> ScenarioData:
    """The examples of two data sets, each of which gives pairs (x, label): x a tensor, label a position of the classes.

    Every example is asked for once, so data sets that change their examples by chance are kept as they first come.
    `item` makes of a training example's x what people see: uint8 [H, W] or [H, W, 3], or of a signal [C, T]. Without
    it an image [C, H, W] is taken from black, its least number, to white, its greatest, and a signal is shown as it is.
    Raises ModelError where an example is no such pair, examples differ in shape, or no item can be made of one.

    >>> from torch.utils.data import TensorDataset
    >>> examples = TensorDataset(torch.rand(6, 1, 4, 4), torch.arange(6) % 2)
    >>> data = data_of(examples, examples)
    >>> list(data.x.shape), data.labels.tolist(), data.items.shape, data.items.dtype.name
    ([6, 1, 4, 4], [0, 1, 0, 1, 0, 1], (6, 4, 4), 'uint8')
    """
    x, labels = _examples(training, "training")
    validation_x, validation_labels = _examples(validation, "validation")
    try:
        items = np.stack([np.asarray((item or _shown)(one)) for one in x])
    except Exception as error:  # `item` is anybody's code
        raise ModelError(
            f"of a training example of {list(x.shape[1:])} no item can be made ({first_line(error)}); give an `item` "
            "that makes uint8 [H, W] or [H, W, 3] of it, or float32 [C, T]"
        ) from error
    return ScenarioData(x, labels, validation_x, validation_labels, items)


def _examples(dataset: Dataset[Any], called: str) -> tuple[Tensor, Tensor]:
    if not isinstance(dataset, Sized) or not len(dataset):
        raise ModelError(f"the {called} data set is empty or has no length; give one that counts its examples")
    pairs = []
    for number in range(len(dataset)):
        try:
            x, label = dataset[number]
            pairs.append((torch.as_tensor(x).float(), int(label)))
        except Exception as error:  # and so is the data set
            raise ModelError(
                f"example {number} of the {called} data set is no pair of a tensor and a whole number "
                f"({first_line(error)}); give pairs (x, label)"
            ) from error
        if pairs[-1][0].shape != pairs[0][0].shape:
            raise ModelError(
                f"example {number} of the {called} data set is {list(pairs[-1][0].shape)}, the first one is "
                f"{list(pairs[0][0].shape)}; give all the same shape"
            )
    return torch.stack([x for x, _ in pairs]), torch.tensor([label for _, label in pairs])


def _shown(x: Tensor) -> npt.NDArray[Any]:
    if x.ndim == 2:
        return x.numpy()
    least, most = x.min(), x.max()
    grey = ((x - least) / (most - least).clamp(min=1e-12) * 255).round().to(torch.uint8)
    return grey[0].numpy() if len(grey) == 1 else grey[:3].permute(1, 2, 0).contiguous().numpy()
