"""What a scenario of HILL is: a data set, a network that learns it, and how it is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from crowdloom.models.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn


ADAPTABLE = ("rate", "weight_decay", "batch")

LEAST_CLASSES = 2
"""So many need two examples to train on, which have a spread, and one to validate on."""


@dataclass(frozen=True)
class ScenarioData:
    """The examples of a scenario.

    x                   float32 [N, ...], the training examples as the network wants them
    labels              int64 [N], positions of the scenario's classes
    validation_x        float32 [M, ...], examples that the network never learns from
    validation_labels   int64 [M]
    items               the training examples as people see them, in the order of x: uint8 [N, H, W] (grey) or
                        [N, H, W, 3] (colour), or float32 [N, C, T] of a signal with C channels
    settings            of the scenario's fields in `ADAPTABLE` those that these data need otherwise
    """

    x: Tensor
    labels: Tensor
    validation_x: Tensor
    validation_labels: Tensor
    items: npt.NDArray[Any]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """A data set with a network and how it is trained; the settings' defaults are the paper's.

    name          as studies name it
    title         as participants read it
    kind          what an item is: "image" or "signal"
    classes       as they are counted
    network       makes a new network, whose weights come from PyTorch's global chance
    load          reads the data from where the user says it is; None for a scenario that has its own
    names, hertz  of a signal: what its channels are called, and how many samples a second it has
    rate, weight_decay, batch   of Adam and of a step
    pretraining   so many epochs are trained before the first interaction
    seed          of the network's first weights and of the pretraining, and of which points are shown
    needs_data    whether `load` needs to be told where the data is

    Source: D. Geissler et al., *Human in the Latent Loop (HILL)*, sections 3.2 and 4.1, and the authors' code.
    """

    name: str
    title: str
    kind: Literal["image", "signal"]
    classes: tuple[str, ...]
    network: Callable[[], nn.Module]
    load: Callable[[Path | None], ScenarioData]
    names: tuple[str, ...] = ()
    hertz: float = 0.0
    rate: float = 1e-4
    weight_decay: float = 1e-5
    batch: int = 512
    pretraining: int = 25
    seed: int = 0
    needs_data: bool = False


def check_scenario(scenario: Scenario) -> None:
    """Raises ModelError, in one sentence, where a scenario's settings cannot be."""
    said = f"the scenario {scenario.name!r}"
    if len(set(scenario.classes)) != len(scenario.classes) or len(scenario.classes) < 2:
        raise ModelError(f"{said} needs two classes or more, each with another name; it has {scenario.classes}")
    if scenario.kind not in ("image", "signal"):
        raise ModelError(f"{said} is of the kind {scenario.kind!r}; say image or signal")
    if scenario.kind == "signal" and not (scenario.names and scenario.hertz > 0):
        raise ModelError(f"{said} has signals, and needs the names of their channels and how many samples a second")
    if min(scenario.batch - 1, scenario.pretraining, scenario.seed + 1) < 1 or not 0 < scenario.rate < 100:
        raise ModelError(
            f"{said} needs batches of 2 or more, one epoch of pretraining or more, a seed from 0 on and a learning "
            f"rate above 0; it has {scenario.batch}, {scenario.pretraining}, {scenario.seed} and {scenario.rate:g}"
        )
    if not 0 <= scenario.weight_decay < 100:
        raise ModelError(f"{said} has a weight decay of {scenario.weight_decay:g}; give 0 or more")


def check_data(scenario: Scenario, data: ScenarioData) -> None:
    """Raises ModelError, in one sentence, where a scenario's data cannot be learned from.

    Not every class has to be there, but two need two training examples and a validation example each.
    """
    said = f"the data of {scenario.name}"
    if not isinstance(data, ScenarioData):
        raise ModelError(f"{said} is a {type(data).__name__}; what loads it must give a ScenarioData")
    if unknown := set(data.settings) - set(ADAPTABLE):
        raise ModelError(f"{said} wants another {min(unknown)!r}; data can only change {', '.join(ADAPTABLE)}")
    _check_examples(scenario, f"{said} to train on", data.x, data.labels, 2)
    _check_examples(scenario, f"{said} to validate on", data.validation_x, data.validation_labels, 1)
    _check_classes(scenario, said, data)
    if data.x.shape[1:] != data.validation_x.shape[1:]:
        raise ModelError(
            f"{said} has examples of {list(data.x.shape[1:])} to train on and of {list(data.validation_x.shape[1:])} "
            "to validate on; give both the same shape"
        )
    _check_items(scenario, said, data.items, len(data.x))


def _check_examples(scenario: Scenario, said: str, x: Tensor, labels: Tensor, fewest: int) -> None:
    import torch

    if x.dtype != torch.float32 or x.ndim < 2 or labels.dtype != torch.int64 or labels.ndim != 1:
        raise ModelError(
            f"{said} must be float32 [N, ...] with int64 labels [N]; it is {x.dtype} {list(x.shape)} with "
            f"{labels.dtype} {list(labels.shape)}"
        )
    if len(x) != len(labels) or len(x) < fewest:
        raise ModelError(f"{said} has {len(x)} examples and {len(labels)} labels; give as many of both")
    if int(labels.min()) < 0 or int(labels.max()) >= len(scenario.classes):
        raise ModelError(
            f"{said} has labels from {int(labels.min())} to {int(labels.max())}; the {len(scenario.classes)} classes "
            "are counted from 0"
        )
    if fewest > 1 and int(labels.min()) == int(labels.max()):
        only = scenario.classes[int(labels[0])]
        raise ModelError(f"{said} has one class alone, {only}; nothing can be told apart in it")
    # In parts, so that a large set needs no second one of its size for the answer.
    if not all(bool(part.isfinite().all()) for part in x.split(4096)):
        raise ModelError(f"{said} has numbers that are not finite; leave those examples out, or fill the gaps")


def _check_classes(scenario: Scenario, said: str, data: ScenarioData) -> None:
    count = len(scenario.classes)
    enough = (data.labels.bincount(minlength=count) > 1) & (data.validation_labels.bincount(minlength=count) > 0)
    if int(enough.sum()) < LEAST_CLASSES:
        raise ModelError(
            f"{said} has two training examples and a validation example of {int(enough.sum())} of its {count} classes; "
            "at least two classes need them, so give more examples"
        )


def _check_items(scenario: Scenario, said: str, items: npt.NDArray[Any], count: int) -> None:
    if scenario.kind == "image":
        fits = items.dtype == np.uint8 and (items.ndim == 3 or (items.ndim == 4 and items.shape[3] in (1, 3)))
        wanted = "uint8 [N, H, W] or [N, H, W, 3]"
    else:
        fits = items.dtype == np.float32 and items.ndim == 3 and items.shape[1] == len(scenario.names)
        wanted = f"float32 [N, {len(scenario.names)}, T], a row for each of {', '.join(scenario.names)}"
    if not fits or len(items) != count:
        raise ModelError(
            f"{said} has items of {items.dtype} {list(items.shape)} for {count} training examples; they must be "
            f"{wanted}, one for each example"
        )
    if items.dtype == np.float32 and not all(
        np.isfinite(items[start : start + 4096]).all() for start in range(0, count, 4096)
    ):
        raise ModelError(f"{said} has items with numbers that are not finite; fill the gaps")
