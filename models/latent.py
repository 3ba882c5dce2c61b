"""The latent loop: what a person wants of a network's latent space, and what training makes of it.

A network gives logits and latent features. A linear layer projects the features into the plane, where a person
rearranges them by classes; the human loss says how far the projected features of a batch are from what the person
wants, and training lowers it together with the cross-entropy. Source: D. Geissler et al., *Human in the Latent Loop
(HILL)*, section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from crowdloom.models.errors import ModelError, first_line
from crowdloom.models.latent_loss import Targets, human_loss, targets_of

__all__ = ["START", "LatentModel", "Scale", "Targets", "check_network", "human_loss", "new_model", "targets_of"]

Scale = Literal["learned", "as-published"]

START: dict[Scale, float] = {"learned": 1.0, "as-published": 10.0}
"""Where the scale begins."""


class LatentModel(nn.Module):
    """A network and the projection of its latent features into the plane.

    `network` gives logits [B, K] and features [B, F] (see `check_network`, which finds F). The projection is never
    trained but in the first epoch (see `latent_training`), and the projected points, all their numbers together, are
    brought to the mean and the standard deviation of the batch's features. `learned` scales begin at 1 and multiply the
    points; `as-published` begins at 10 and multiplies nothing, as in the authors' code.
    """

    def __init__(self, network: nn.Module, features: int, scale: Scale = "learned") -> None:
        super().__init__()
        self.network = network
        self.projection = nn.Linear(features, 2).requires_grad_(False)
        self.scale = nn.Parameter(torch.tensor(START[scale]))
        self.scaling: Scale = scale

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits [B, K], points [B, 2] and features [B, F] of a batch."""
        logits, features = self.network(x)
        return logits, self.placed(self.projection(features), features.mean(), features.std()), features

    def placed(self, projected: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        """Where projected features [N, 2] lie in the plane, when all features have that mean and standard deviation."""
        points = standardised(projected) * std + mean
        return points * self.scale if self.scaling == "learned" else points

    def use_scale(self, scale: Scale) -> None:
        """Begin with this kind of scale, whatever the scale was before."""
        self.scaling = scale
        with torch.no_grad():
            self.scale.fill_(START[scale])


def standardised(projected: Tensor) -> Tensor:
    """All numbers together with mean 0 and standard deviation 1; numbers that are all alike become 0."""
    return (projected - projected.mean()) / projected.std().clamp_min(torch.finfo(projected.dtype).tiny)


def new_model(
    network: Callable[[], nn.Module], example: Tensor, classes: int, *, seed: int, scale: Scale = "learned"
) -> LatentModel:
    """A model that has not learned yet. Its weights come from `seed` alone, and whoever calls keeps their chance.

    `example` [B, …] is a batch as the network takes it. Raises ModelError where the network lacks the interface.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # not torch.manual_seed, which would seed graphics cards, too
        made = network()
        return LatentModel(made, check_network(made, example, classes), scale)


def check_network(network: nn.Module, example: Tensor, classes: int) -> int:
    """How many latent features the network gives. Raises ModelError, in one sentence, where it lacks the interface.

    The interface: it is a `torch.nn.Module` that takes a batch and gives two tensors of floating-point numbers, logits
    [B, classes] and features [B, F], which training can change. `example` is a batch [B, …]; the network is left as it
    was.
    """
    name = type(network).__name__
    needed = f"a network for the latent loop gives logits [B, {classes}] and features [B, F]"
    if not isinstance(network, nn.Module):
        raise ModelError(f"{needed}; {name} is no torch.nn.Module")
    training = network.training
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            given = network.eval()(example)
    except Exception as error:  # a user's network may raise anything
        raise ModelError(
            f"{name} cannot compute a batch of shape {list(example.shape)} ({first_line(error)}); {needed}"
        ) from error
    finally:
        network.train(training)
    if not isinstance(given, (tuple, list)) or len(given) != 2 or not all(isinstance(part, Tensor) for part in given):
        raise ModelError(f"{needed}, two tensors; the forward of {name} gives {_in_words(given)}")
    logits, features = given
    if logits.shape != (len(example), classes) or features.ndim != 2 or len(features) != len(example):
        raise ModelError(f"{needed}, of {len(example)} examples; {name} gives {_in_words(given)}")
    if not features.shape[1]:
        raise ModelError(f"{needed}; {name} gives no features")
    for what, part in (("logits", logits), ("features", features)):
        if not part.requires_grad:
            raise ModelError(f"training could not change the {what} of {name}; do not detach them")
    return int(features.shape[1])


def _in_words(given: object) -> str:
    """What a network gave."""
    if isinstance(given, Tensor):
        return f"one tensor {list(given.shape)}"
    if isinstance(given, (tuple, list)):
        return f"{len(given)} values: {', '.join(_in_words(part).removeprefix('one ') for part in given) or 'none'}"
    return f"a {type(given).__name__}"
