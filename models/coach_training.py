"""Training recognisers, and coaches with their discriminators: the N networks of a setting as one stack.

Network n draws its first weights and the order of its examples from its own seed alone, so a stack comes to what its
networks would come to one by one, but for the last digits. Every epoch's order is drawn from (seed, epoch): whoever
goes on from the state after any epoch comes to the same numbers.

Source: J. Schneider, *Human-to-AI Coach* (IDA 2020), section 4: Adam with a rate of 1e-4, batches of 8, 10 epochs for
all networks, no augmentation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import get_total_norm

from crowdloom.models.coach_data import CoachData
from crowdloom.models.coach_loss import Alphas, both_losses
from crowdloom.models.coach_networks import WIDTHS, Classifier, Coach, Discriminator, stack
from crowdloom.models.errors import ModelError, TrainingError
from crowdloom.models.precision import Computing

Network = TypeVar("Network", bound=nn.Module)

RATE, BATCH, EPOCHS, NETWORKS = 1e-4, 8, 10, 5
LARGEST_BLOCK = 31 << 20
"""Bytes: the largest size, a little less than 32 MiB, from which the GNU C library learns how much to keep."""
FIRST = 0.1
"""By what the first layer's weights are multiplied to begin with."""


def computing(device: str = "cpu") -> Computing:
    """How coaches compute: in float32, and with one thread, so that numbers do not depend on a machine's processors."""
    return Computing(device, bf16=False, channels_last=True, threads=1)


@dataclass(frozen=True)
class CoachState:
    """What a training is after an epoch: all that the next one needs, in tensors of its own.

    networks   the state dict: `coach.encoder1.weight`, `discriminator.conv1.weight` …
    adam       Adam's moments and steps, named as `exp_avg.coach.encoder1.weight`
    losses     the mean loss of each epoch so far; their number is the epoch
    """

    networks: Mapping[str, Tensor]
    adam: Mapping[str, Tensor]
    losses: tuple[float, ...]

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.losses)

    @classmethod
    def of(cls, networks: nn.Module, optimizer: torch.optim.Adam, losses: Sequence[float]) -> CoachState:
        """A copy of how things stand."""
        adam = {
            f"{moment}.{name}": value.clone()
            for name, parameter in networks.named_parameters()
            for moment, value in optimizer.state.get(parameter, {}).items()
        }
        return cls({name: tensor.clone() for name, tensor in networks.state_dict().items()}, adam, tuple(losses))

    def put_into(self, networks: nn.Module, optimizer: torch.optim.Adam) -> None:
        """Put all as it was. Raises ModelError where the state is other networks'; then nothing is changed."""
        parameters = dict(networks.named_parameters())
        shapes = {name: tensor.shape for name, tensor in networks.state_dict().items()}
        names = {key.partition(".")[2] for key in self.adam}
        if shapes != {name: tensor.shape for name, tensor in self.networks.items()} or not names <= set(parameters):
            raise ModelError("the state does not fit these networks; begin anew")
        networks.load_state_dict(self.networks)
        for key, value in self.adam.items():
            moment, _, name = key.partition(".")
            # In the layout of the weights, with which it is computed.
            kept = torch.empty_like(parameters[name], requires_grad=False) if value.ndim else torch.empty_like(value)
            optimizer.state[parameters[name]][moment] = kept.copy_(value)

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name."""
        named = {f"networks.{name}": tensor for name, tensor in self.networks.items()}
        return named | {f"adam.{name}": tensor for name, tensor in self.adam.items()}

    @classmethod
    def restored(cls, tensors: Mapping[str, Tensor], losses: Sequence[float]) -> CoachState:
        """What `tensors` and `losses` gave."""
        networks, adam = (
            {name.removeprefix(part): tensor for name, tensor in tensors.items() if name.startswith(part)}
            for part in ("networks.", "adam.")
        )
        return cls(networks, adam, tuple(losses))


def unheard(state: CoachState) -> None:
    """Nobody listens."""


def on_no_step(epoch: int, step: int, steps: int) -> None:
    """Nobody listens."""


def train_classifier(data: CoachData, *, seed: int, epochs: int = EPOCHS, rate: float = RATE) -> Classifier:
    """A recogniser that has learned from the data, on the processor, as the paper trains it; in test mode."""
    with computing().in_use():
        classifier = drawn(lambda: Classifier(len(data.classes)), seed)
        classifier.to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(classifier.parameters(), lr=rate, fused=True)
        images, labels = torch.from_numpy(data.images), torch.from_numpy(data.labels)
        for epoch in range(epochs):
            for rows in _order(seed, epoch, len(images)).split(BATCH):
                loss = functional.cross_entropy(classifier(_pixels(images[rows])[:, None]), labels[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return classifier.eval().requires_grad_(False)


def new_coaches(classes: int, seeds: Sequence[int], weights: int = 0) -> Coach:
    """Coaches that have not learned yet, one for each seed, from which alone its weights come."""
    return stack([drawn(lambda: _new_coach(classes, weights), seed) for seed in seeds])


def new_discriminators(seeds: Sequence[int]) -> Discriminator:
    """Discriminators that have not learned yet, one for each seed."""
    return stack([drawn(Discriminator, seed) for seed in seeds])


def train_coaches(
    data: CoachData,
    classifier: Classifier,
    alphas: Alphas,
    *,
    seeds: Sequence[int],
    epochs: int = EPOCHS,
    device: str = "cpu",
    state: CoachState | None = None,
    on_epoch: Callable[[CoachState], None] = unheard,
    on_step: Callable[[int, int, int], None] = on_no_step,
) -> tuple[Coach, CoachState]:
    """A stack of coaches of one setting, one for each seed, from the start or from a state; and the state at the end.

    `classifier` stays as it is. `on_epoch` is called after each epoch with the state, which may be kept,
    `on_step(epoch, step, steps)` after each step; what they raise ends the training. Raises ModelError for a state of
    other networks, TrainingError where numbers are not finite.
    """
    with computing(device).in_use():
        _keep_freed_memory()

        # ---- Data, on the device once.
        images, labels = torch.from_numpy(data.images).to(device), torch.from_numpy(data.labels).to(device)
        reader = deepcopy(classifier).to(device).requires_grad_(False)

        # ---- Networks and optimizer. Adam keeps each weight's moments apart, so one does for coach and discriminator.
        coach, discriminator = new_coaches(len(data.classes), seeds), None
        networks = nn.ModuleDict({"coach": coach})
        if alphas.discriminator != 0:
            discriminator = networks["discriminator"] = new_discriminators(seeds)
        networks.to(device).to(memory_format=torch.channels_last)
        parameters = dict(networks.named_parameters())
        optimizer = torch.optim.Adam(parameters.values(), lr=RATE, fused=torch.device(device).type != "mps")
        if state is not None:
            state.put_into(networks, optimizer)
        losses = list(state.losses) if state else []

        total = torch.zeros((), device=device)
        for epoch in range(len(losses), epochs):
            # ---- All images once, for each network in an order of its own: [n, N].
            orders = torch.stack([_order(seed, epoch, len(images)) for seed in seeds], dim=1).to(device)
            steps = orders.split(BATCH)
            total.zero_()
            for step, rows in enumerate(steps, 1):
                pictures, asked = _pixels(images[rows]), labels[rows]
                loss = both_losses(reader, discriminator, pictures, coach(pictures, asked), asked, alphas)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total.add_(loss.detach() * len(rows))
                on_step(epoch, step, len(steps))
            losses.append(_finite_mean(total / len(images), parameters.values(), epoch, epochs))
            state = CoachState.of(networks, optimizer, losses)
            on_epoch(state)
        optimizer.zero_grad()
    return coach.eval(), state or CoachState.of(networks, optimizer, losses)


def _new_coach(classes: int, weights: int) -> Coach:
    """One coach that proposes something for whatever drawing it is given, and nothing for a blank one.

    As PyTorch draws them, the weights of the last layer leave every second network without any output above 0, from
    where a ReLU's gradient leads nowhere; and of the others most become blank within some hundred steps, as nearly all
    of a drawing is paper, which pulls down what lights it: of 20 none learned. So biases and the maps' weights begin at
    0, the last layer's without their sign, all of the size that keeps a signal's (K. He et al., *Delving deep into
    rectifiers*, ICCV 2015), the first layer's a tenth of it, so that a proposal has about its drawing's ink. Of 16 all
    learn then; three become blank where alpha_EF is 16, half of alpha_RE, from where blank is nearly as good.
    """
    coach = Coach(classes, 1, weights)
    with torch.no_grad():
        for layer in (coach.encoder1, coach.encoder2, coach.decoder1, coach.decoder2, coach.decoder3):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # they have one
        coach.encoder1.weight[:, :1] *= FIRST
        coach.encoder1.weight[:, 1:] = 0
        coach.decoder1.weight[:, WIDTHS[1] :] = 0
        coach.decoder3.weight.abs_()
    return coach


def drawn(make: Callable[[], Network], seed: int) -> Network:
    """What is made by chance, from this seed; whoever calls keeps theirs."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # not torch.manual_seed, which would seed graphics cards, too
        return make()


def _order(seed: int, epoch: int, n: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(n))


def _pixels(images: Tensor) -> Tensor:
    return images.to(torch.get_default_dtype()).div_(255)


def _keep_freed_memory() -> None:
    """So that the maps of one step are laid where those of the step before were.

    The C library gives freed memory back to the system from twice the size on of the largest block that it was given
    back itself, and what is fetched anew at each step takes a tenth of the step's time.
    """
    torch.empty(LARGEST_BLOCK, dtype=torch.uint8)


def _finite_mean(mean: Tensor, parameters: Any, epoch: int, epochs: int) -> float:
    """The epoch's mean loss. Raises TrainingError where it, or a weight, is not finite."""
    loss, size = torch.stack([mean, get_total_norm([parameter.detach() for parameter in parameters])]).tolist()
    if not (math.isfinite(loss) and math.isfinite(size)):
        raise TrainingError(f"the loss or the weights are not finite in epoch {epoch + 1} of {epochs}; give other ones")
    return float(loss)
