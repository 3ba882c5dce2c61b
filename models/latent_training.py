"""The one loop in which a network of the latent loop learns: before, in and without a session.

Every epoch draws its order and its dropout from (seed, epoch) alone: whoever goes on from the state after any epoch
comes to the same numbers, and so does a training beside another one in the same process. It computes in float32 with
one thread. Dropout draws from the process's own generator, which is put back after each epoch, so trainings in one
process take turns; threads that train at once are not foreseen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import get_total_norm

from crowdloom.models.errors import ModelError, TrainingError, first_line
from crowdloom.models.latent import LatentModel, Targets, human_loss
from crowdloom.models.latent_evaluation import COMPUTING, Evaluation, evaluate, on_no_part
from crowdloom.models.latent_plane import ClassPlane
from crowdloom.models.training_loop import batches
from crowdloom.tasks.latent_records import Epoch

BATCH = 512


class Examples(Protocol):
    """What is trained on and validated on: float32 [N, …] as the network takes it, and int64 [N]."""

    @property
    def x(self) -> Tensor: ...
    @property
    def labels(self) -> Tensor: ...
    @property
    def validation_x(self) -> Tensor: ...
    @property
    def validation_labels(self) -> Tensor: ...


def on_no_step(epoch: int, step: int, steps: int) -> None:
    """Nobody listens."""


def on_no_epoch(evaluation: Evaluation) -> None:
    """Nobody listens."""


def new_optimizer(model: LatentModel, *, rate: float = 1e-4, weight_decay: float = 1e-5) -> torch.optim.Adam:
    """Adam for the network and the scale; the projection is not among them.

    The weight decay is the network's alone: it would pull the scale to 0, which its own term holds at 1.
    """
    groups = [
        {"params": list(model.network.parameters()), "weight_decay": weight_decay},
        {"params": [model.scale], "weight_decay": 0.0},
    ]
    return torch.optim.Adam(groups, lr=rate, fused=True)


def train_epochs(
    model: LatentModel,
    optimizer: torch.optim.Adam,
    data: Examples,
    *,
    classes: int,
    first_epoch: int,
    epochs: int,
    seed: int,
    targets: Targets | None = None,
    alpha: float = 0.5,
    scale_weight: float = 0.1,
    batch: int = BATCH,
    on_step: Callable[[int, int, int], None] = on_no_step,
    on_part: Callable[[], None] = on_no_part,
    on_epoch: Callable[[Evaluation], None] = on_no_epoch,
) -> list[Epoch]:
    """Trains a model in place for some epochs, and says how well it does after each.

    The loss is (1 - alpha) cross-entropy + alpha human loss + scale_weight |1 - scale|; without `targets` it is the
    cross-entropy and the last term. `first_epoch` is the number, from 1, of the first of `epochs`; in epoch 1 the
    projection learns, too. `on_step(epoch, step, steps)` is called after each step,
    `on_part` while the validation examples are looked at, `on_epoch` after each epoch with
    what the network does on the validation examples; what they raise ends the training, within an epoch with weights
    in between: put the last state back then.

    Raises TrainingError where the loss or the weights are not finite; the sentence says where, and whoever calls adds
    what to do. Put the last state back, too.
    """
    curve = []
    with COMPUTING.in_use():
        for epoch in range(first_epoch, first_epoch + epochs):
            order_seed, dropout_seed = seeds(seed, epoch)
            order = torch.randperm(len(data.x), generator=torch.Generator().manual_seed(order_seed))
            chosen = batches(order, batch)
            plane = ClassPlane(model, classes) if epoch == 1 else None
            model.train()
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(dropout_seed)
                for step, rows in enumerate(chosen, 1):
                    # ---- Loss.
                    labels = data.labels[rows]
                    logits, points, features = model(data.x[rows])
                    loss = functional.cross_entropy(logits, labels)
                    if targets is not None:
                        loss = (1 - alpha) * loss + alpha * human_loss(points, labels, *targets)
                    loss = loss + scale_weight * (1 - model.scale).abs()
                    if not math.isfinite(loss.item()):
                        raise TrainingError(f"the loss is not finite in epoch {epoch}, step {step}")

                    # ---- Gradient, weights.
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    if plane:
                        plane.add(features, labels)
                    on_step(epoch, step, len(chosen))
            optimizer.zero_grad()
            if plane:
                plane.finish()
            if not get_total_norm([parameter.detach() for parameter in model.parameters()]).isfinite():
                raise TrainingError(f"the weights are not finite after epoch {epoch}")
            evaluation = evaluate(
                model,
                data.validation_x,
                data.validation_labels,
                classes,
                epoch=epoch,
                on_part=on_part,
            )
            curve.append(evaluation.record)
            on_epoch(evaluation)
    model.eval()
    return curve


def seeds(seed: int, epoch: int) -> tuple[int, int]:
    """Of an epoch's order and of its dropout, 63 bits each."""
    order, dropout = np.random.SeedSequence([seed, epoch]).generate_state(2, np.uint64).tolist()
    return order >> 1, dropout >> 1


@dataclass(frozen=True)
class LatentState:
    """What a training is after an epoch: all that the next one needs, in tensors of its own.

    model    the state dict: network, projection and scale
    adam     Adam's moments and steps, named as `exp_avg.network.0.weight`
    curve    how well it did after each epoch so far; its length is the epoch
    """

    model: Mapping[str, Tensor]
    adam: Mapping[str, Tensor]
    curve: tuple[Epoch, ...]

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.curve)

    @classmethod
    def of(cls, model: LatentModel, optimizer: torch.optim.Adam, curve: Sequence[Epoch]) -> LatentState:
        """A copy of how things stand."""
        adam = {
            f"{moment}.{name}": value.clone()
            for name, parameter in model.named_parameters()
            for moment, value in optimizer.state.get(parameter, {}).items()
        }
        return cls({name: tensor.detach().clone() for name, tensor in model.state_dict().items()}, adam, tuple(curve))

    def put_into(self, model: LatentModel, optimizer: torch.optim.Adam) -> None:
        """Put all as it was. Raises ModelError where the state is another model's; then nothing is changed."""
        parameters = dict(model.named_parameters())
        by_parameter: dict[nn.Parameter, dict[str, Tensor]] = {}
        expected = {name: tensor.shape for name, tensor in model.state_dict().items()}
        if expected != {name: tensor.shape for name, tensor in self.model.items()}:
            raise ModelError("the state does not fit this network; begin anew")
        for key, value in self.adam.items():
            moment, _, name = key.partition(".")
            if name not in parameters or value.shape not in (torch.Size(()), parameters[name].shape):
                raise ModelError("the optimizer's state does not fit this network; begin anew")
            # In the layout of the weights, with which it is computed.
            kept = torch.empty_like(parameters[name], requires_grad=False) if value.ndim else torch.empty_like(value)
            by_parameter.setdefault(parameters[name], {})[moment] = kept.copy_(value)
        model.load_state_dict(self.model)
        optimizer.state.clear()
        for parameter, moments in by_parameter.items():
            optimizer.state[parameter] = moments

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name, laid out as safetensors writes them."""
        named = {f"model.{name}": tensor for name, tensor in self.model.items()}
        named |= {f"adam.{name}": tensor for name, tensor in self.adam.items()}
        return {name: tensor.contiguous() for name, tensor in named.items()}

    def values(self) -> dict[str, Any]:
        """The rest, as plain values."""
        return {"curve": [line.model_dump() for line in self.curve]}

    @classmethod
    def restored(cls, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> LatentState:
        """What `tensors` and `values` gave. Raises ModelError where something is missing."""
        try:
            curve = tuple(Epoch.model_validate(line) for line in values["curve"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"this is no state of a latent loop ({first_line(error)}); begin anew") from error
        model, adam = (
            {name.removeprefix(part): tensor for name, tensor in tensors.items() if name.startswith(part)}
            for part in ("model.", "adam.")
        )
        return cls(model, adam, curve)
