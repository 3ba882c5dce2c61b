"""The one loop in which networks are trained: it reads from top to bottom, and a target is just a distribution.

Everything that is random comes from one generator on the device, and the state after any epoch says all that the next
one needs: whoever goes on from it comes to the same weights. Within an epoch nothing waits for the device.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, get_total_norm

from crowdloom.analysis.label_pools import LabelPool
from crowdloom.models.augmentation import crop_and_flip
from crowdloom.models.errors import ModelError, TrainingError, first_line
from crowdloom.models.mixing_policies import batch_loss
from crowdloom.models.networks import make_network
from crowdloom.models.normalised import Normalised, mean_and_std
from crowdloom.models.precision import Computing
from crowdloom.models.recorded_step import RecordedStep
from crowdloom.models.settings import Settings


@dataclass(frozen=True)
class TrainingState:
    """What a training is after an epoch: all that the next one needs, in tensors of its own.

    epoch      how many epochs are done
    losses     the mean loss of each
    network    the network's state dict
    momentum   of each of its parameters, by name
    chance     the state of the generator
    """

    epoch: int
    losses: tuple[float, ...]
    network: Mapping[str, Tensor]
    momentum: Mapping[str, Tensor]
    chance: Tensor

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name, laid out as safetensors writes them."""
        named = {f"network.{name}": tensor for name, tensor in self.network.items()}
        named |= {f"momentum.{name}": tensor for name, tensor in self.momentum.items()}
        return {name: tensor.contiguous() for name, tensor in named.items()} | {"chance": self.chance}

    def values(self) -> dict[str, Any]:
        """The rest, as plain values."""
        return {"epoch": self.epoch, "losses": list(self.losses)}

    @classmethod
    def restored(cls, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> TrainingState:
        """What `tensors` and `values` gave. Raises ModelError where something is missing."""
        try:
            epoch, losses = int(values["epoch"]), tuple(float(loss) for loss in values["losses"])
            chance = tensors["chance"]
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"this is no state of a training ({first_line(error)}); begin anew") from error
        network, momentum = (
            {name.removeprefix(part): tensor for name, tensor in tensors.items() if name.startswith(part)}
            for part in ("network.", "momentum.")
        )
        return cls(epoch, losses, network, momentum, chance)


def unheard(state: TrainingState) -> None:
    """Nobody listens."""


def new_network(settings: Settings, images: Tensor, classes: int, *, seed: int) -> Normalised:
    """The network of the settings before it has learned, on the processor.

    `images` uint8 [N, C, H, W] are those that it will be trained on, by whose mean and std its input is normalised. The
    weights come from `seed` alone; whoever calls keeps their chance. Raises ModelError for an unknown network.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # not torch.manual_seed, which would seed graphics cards, too
        network = make_network(settings.network, images.shape[1], classes, settings.width)
    return Normalised(network, *mean_and_std(images))


def train(
    network: nn.Module,
    images: Tensor,
    pool: LabelPool,
    settings: Settings,
    *,
    seed: int,
    computing: Computing,
    state: TrainingState | None = None,
    on_epoch: Callable[[TrainingState], None] = unheard,
) -> TrainingState:
    """Trains a network in place, from the start or from a state, and gives the state at the end.

    `network` takes pixels in [0, 1], [B, C, H, W], as `new_network`'s does; it is moved to the device, and is in test
    mode afterwards. `images` uint8 [N, C, H, W] with the labels of `pool` are all it is trained on. `on_epoch` is
    called after each epoch with the state, which may be kept; what it raises ends the training. The same seed gives the
    same numbers on one device, also where the training was interrupted and went on from a state.

    Raises ModelError where images, labels or the state do not fit, TrainingError where the loss or the weights are not
    finite.
    """
    if len(images) != len(pool) or len(images) < 2:
        raise ModelError(f"there are {len(images)} images and labels of {len(pool)}; give as many of both, two or more")
    device = torch.device(computing.device)
    with computing.in_use():
        # ---- Data: on the device once.
        data = images.to(device)
        labels = torch.from_numpy(pool.labels).float().to(device)
        start, count = (torch.from_numpy(rows).long().to(device) for rows in (pool.start, pool.count))

        # ---- Network and optimizer.
        network.to(device).to(memory_format=computing.memory_format).train()
        parameters = dict(network.named_parameters())
        optimizer = torch.optim.SGD(
            parameters.values(),
            lr=settings.rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
            fused=device.type != "mps",  # one pass over all weights
        )

        # ---- Chance, and what was done before.
        chance = torch.Generator(device).manual_seed(seed)
        if state is not None:
            _go_on(network, optimizer, chance, state)
        losses = list(state.losses) if state else []

        total = torch.zeros((), device=device)

        # ---- The step. `chosen` are positions on the device; nothing in it waits for it.
        def step(chosen: Tensor) -> None:
            # Targets: of each image one of its labels, by chance.
            drawn = torch.rand(len(chosen), generator=chance, device=device) * count[chosen]
            y = labels[start[chosen] + drawn.long()]

            # Pixels: each image cropped and flipped anew.
            x = data[chosen]
            if settings.augment:
                x = crop_and_flip(x, chance)
            x = x.to(torch.float32, memory_format=computing.memory_format) / 255

            # Loss, gradient, weights.
            optimizer.zero_grad()
            with computing.autocast():
                loss = batch_loss(network, x, y, settings, chance)
            loss.backward()
            if settings.clip is not None:
                clip_grad_norm_(parameters.values(), settings.clip, foreach=device.type != "mps")
            optimizer.step()
            total.add_(loss.detach() * len(chosen))

        played = RecordedStep(step, settings.batch, chance) if computing.playback else None

        for epoch in range(len(losses), settings.epochs):
            # ---- The rate falls at the milestones.
            if played and epoch in settings.milestones:
                played.forget()
            for group in optimizer.param_groups:
                group["lr"] = settings.rate * settings.drop ** sum(epoch >= begun for begun in settings.milestones)

            # ---- All images once, in an order of their own.
            total.zero_()
            order = torch.randperm(len(data), generator=chance, device=device)
            for chosen in batches(order, settings.batch):
                (played or step)(chosen)

            # ---- The end of the epoch: the only place that waits for the device.
            losses.append(_finite_mean(total / len(data), parameters.values(), epoch, settings))
            state = _state(losses, network, optimizer, parameters, chance)
            on_epoch(state)

        optimizer.zero_grad()
        network.eval()
        return state or _state(losses, network, optimizer, parameters, chance)


def batches(order: Tensor, size: int) -> Sequence[Tensor]:
    """The order in parts of `size`; a last image that would be alone joins those before it.

    Batch norm cannot normalise one image whose map is one pixel.

    >>> [part.tolist() for part in batches(torch.arange(5), 2)]
    [[0, 1], [2, 3, 4]]
    """
    parts = list(order.split(size))
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


def _finite_mean(mean: Tensor, parameters: Any, epoch: int, settings: Settings) -> float:
    """The epoch's mean loss as a number. Raises TrainingError where it, or a weight, is not finite."""
    loss, size = torch.stack([mean, get_total_norm([parameter.detach() for parameter in parameters])]).tolist()
    if not (math.isfinite(loss) and math.isfinite(size)):
        what = "the weights are" if math.isfinite(loss) else "the loss is"
        raise TrainingError(
            f"{what} not finite in epoch {epoch + 1} of {settings.epochs}; lower the learning rate, {settings.rate:g}, "
            "or clip the gradient to a smaller norm"
        )
    return float(loss)


def _state(
    losses: Sequence[float],
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    parameters: Mapping[str, nn.Parameter],
    chance: torch.Generator,
) -> TrainingState:
    buffers = {name: optimizer.state[parameter].get("momentum_buffer") for name, parameter in parameters.items()}
    return TrainingState(
        epoch=len(losses),
        losses=tuple(losses),
        network={name: tensor.detach().clone() for name, tensor in network.state_dict().items()},
        momentum={name: buffer.clone() for name, buffer in buffers.items() if buffer is not None},
        chance=chance.get_state(),
    )


def _go_on(network: nn.Module, optimizer: torch.optim.Optimizer, chance: torch.Generator, state: TrainingState) -> None:
    """Put all as it was. Raises ModelError where the state is of another network or another kind of device."""
    try:
        if state.epoch != len(state.losses):
            raise ValueError(f"it has {len(state.losses)} losses of {state.epoch} epochs")
        network.load_state_dict(state.network)
        for name, parameter in network.named_parameters():
            if state.epoch and optimizer.defaults["momentum"]:
                # In the layout of the weights: another would sum in another order.
                buffer = torch.empty_like(parameter, requires_grad=False)
                optimizer.state[parameter]["momentum_buffer"] = buffer.copy_(state.momentum[name])
        chance.set_state(state.chance.cpu())
    except (RuntimeError, KeyError, ValueError, TypeError) as error:
        raise ModelError(f"the state does not fit this training ({first_line(error)}); begin anew") from error
