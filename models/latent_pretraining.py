"""The training before the first interaction, which goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch

from crowdloom.models.errors import ModelError, TrainingError
from crowdloom.models.latent import LatentModel
from crowdloom.models.latent_evaluation import Evaluation
from crowdloom.models.latent_scenarios import Scenario, ScenarioData
from crowdloom.models.latent_training import LatentState, train_epochs
from crowdloom.models.run_folder import read_tensors, write_tensors
from crowdloom.tasks.latent_records import Epoch

Progress = Callable[[float, str], None]
"""Told how far a preparation is (0 to 1) and what it does; what it raises ends the preparation."""


def unheard(fraction: float, message: str) -> None:
    """Nobody listens."""


def pretrained(
    scenario: Scenario,
    data: ScenarioData,
    model: LatentModel,
    optimizer: torch.optim.Adam,
    checkpoint: Path,
    progress: Progress,
) -> LatentState:
    """Trains the new network, from where an earlier attempt stopped; the state after each epoch is kept in a file.

    Raises TrainingError where the loss or the weights are not finite.
    """
    curve = list(_resumed(checkpoint, model, optimizer))

    def on_step(epoch: int, step: int, steps: int) -> None:
        before = f" · accuracy {100 * curve[-1].accuracy:.1f} %" if curve else ""
        progress((epoch - 1 + step / steps) / scenario.pretraining, f"epoch {epoch} of {scenario.pretraining}{before}")

    def on_epoch(evaluation: Evaluation) -> None:
        curve.append(evaluation.record)
        state = LatentState.of(model, optimizer, curve)
        write_tensors(checkpoint, state.tensors(), state.values() | {"versions": versions()})

    try:
        train_epochs(
            model,
            optimizer,
            data,
            classes=len(scenario.classes),
            first_epoch=len(curve) + 1,
            epochs=scenario.pretraining - len(curve),
            seed=scenario.seed,
            batch=scenario.batch,
            on_step=on_step,
            on_epoch=on_epoch,
        )
    except TrainingError as error:
        raise TrainingError(
            f"{scenario.name} cannot be prepared with a learning rate of {scenario.rate:g}: {error}"
        ) from error
    return LatentState.of(model, optimizer, curve)


def _resumed(checkpoint: Path, model: LatentModel, optimizer: torch.optim.Adam) -> tuple[Epoch, ...]:
    """Puts the state of an earlier attempt back and gives its curve; without one that can be used, nothing is done.

    Under other versions the numbers would be such as nothing can make again.
    """
    if not checkpoint.exists():
        return ()
    try:
        tensors, values = read_tensors(checkpoint)
        state = LatentState.restored(tensors, values)
        if values.get("versions") != versions():
            return ()
        state.put_into(model, optimizer)
    except ModelError:
        return ()
    return state.curve


def versions() -> dict[str, str]:
    """Those on which the numbers of a training depend."""
    return {name: version(name) for name in ("crowdloom", "torch")}
