"""Epochs of a training whose state is kept in a file, so that it goes on where it was stopped."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from crowdloom.models.coach_training import CoachState
from crowdloom.models.errors import ModelError, TrainingError
from crowdloom.models.run_folder import read_tensors, write_tensors

_WARMING = 100  # steps


def learn(
    networks: nn.Module,
    optimizer: torch.optim.Adam,
    epochs: int,
    file: Path,
    versions: dict[str, str],
    epoch_of: Callable[[int], float],
) -> list[float]:
    """Calls `epoch_of` for each of the epochs that are not done yet, counted from 0; gives the mean loss of each.

    It trains the networks for one epoch and gives the mean loss; what it draws should come from the epoch's number
    alone, so that the numbers are the same with a stop in between. The state after each epoch is kept in `file`; one of
    other networks or versions is left aside. `optimizer` has all parameters of `networks`. Raises TrainingError where
    the loss is not finite.
    """
    losses = list(_resumed(networks, optimizer, file, versions))
    for epoch in range(len(losses), epochs):
        losses.append(epoch_of(epoch))
        if not math.isfinite(losses[-1]):
            raise TrainingError(f"the loss is not finite in epoch {epoch + 1} of {epochs}; look at the pictures")
        state = CoachState.of(networks, optimizer, losses)
        write_tensors(file, state.tensors(), {"losses": losses, "versions": versions})
    return losses


def learn_in_batches(
    networks: nn.Module,
    optimizer: torch.optim.Adam,
    loss_of: Callable[[Tensor, float, torch.Generator], Tensor],
    *,
    examples: int,
    batch: int,
    rate: float,
    epochs: int,
    seed: int,
    file: Path,
    versions: dict[str, str],
    on_step: Callable[[int, int], None],
    largest_gradient: float | None = None,
) -> None:
    """`learn` by epochs of all examples, each epoch in an order of its own.

    `loss_of(rows, done, chance)` is the mean loss of the examples `rows`, when the share `done` of the training is
    over; what it draws comes from `chance`. The optimizer's first group has the rate of `rate_at`, and gradients that
    together are no longer than `largest_gradient`. `on_step(done, of)` is called after each step; what it raises ends
    the training.
    """
    steps = -(-examples // batch)

    def epoch_of(epoch: int) -> float:
        chance = torch.Generator().manual_seed(1000 * seed + epoch)
        total = 0.0
        for number, rows in enumerate(torch.randperm(examples, generator=chance).split(batch), epoch * steps):
            optimizer.param_groups[0]["lr"] = rate_at(number, epochs * steps, rate=rate)
            loss = loss_of(rows, number / (epochs * steps), chance)
            optimizer.zero_grad()
            loss.backward()
            if largest_gradient is not None:
                clip_grad_norm_(optimizer.param_groups[0]["params"], largest_gradient)
            optimizer.step()
            total += loss.item() * len(rows)
            on_step(number + 1, epochs * steps)
        return total / examples

    learn(networks, optimizer, epochs, file, versions, epoch_of)


def losses_in(file: Path) -> list[float]:
    """The mean loss of each epoch of a training whose state is in a file. Raises ModelError where it cannot be read."""
    _, values = read_tensors(file)
    return [float(loss) for loss in values["losses"]]


def rate_at(step: int, steps: int, *, rate: float) -> float:
    """The learning rate of a step: it rises over the first ones and then falls to 0 as a cosine.

    >>> [round(rate_at(step, 1000, rate=1.0), 2) for step in (0, 99, 500, 999)]
    [0.01, 0.98, 0.5, 0.0]
    """
    return rate * min(1.0, (step + 1) / _WARMING) * 0.5 * (1 + math.cos(math.pi * step / steps))


def _resumed(networks: nn.Module, optimizer: torch.optim.Adam, file: Path, versions: dict[str, str]) -> list[float]:
    if not file.exists():
        return []
    try:
        tensors, values = read_tensors(file)
        if values.get("versions") != versions:
            return []
        state = CoachState.restored(tensors, values["losses"])
        state.put_into(networks, optimizer)
    except (ModelError, KeyError):
        return []
    return list(state.losses)
