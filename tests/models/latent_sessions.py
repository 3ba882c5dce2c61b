"""Sessions for the tests: on digits, and on a network that comes to numbers that are not finite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from crowdloom.models.latent_scenarios import Scenario, ScenarioData
from crowdloom.models.live import Context
from crowdloom.tasks.latent_options import LatentOptions
from crowdloom.tasks.latent_records import SessionState, TrainInput
from crowdloom.tasks.protocol import Trial

BRITTLE = f"{__name__}:brittle"


def context(
    folder: Path,
    *,
    scenario: str = "digits",
    seed: str = "somebody and digits",
    report: Callable[[float, str], None] = lambda fraction, message: None,
    stopped: Callable[[], bool] = lambda: False,
    asked_at: float | None = None,
    **options: Any,
) -> Context:
    """What a step of a session is handed."""
    trial = Trial((), (), attributes={"scenario": scenario}, options=LatentOptions(**options), seed=seed)
    return Context(folder, "somebody", None, trial, "a-trial", asked_at, report=report, stopped=stopped)


def spread_out(state: SessionState, **values: Any) -> TrainInput:
    """An arrangement that pulls all classes apart."""
    wanted = {"number": state.number, "x": [1.5 * x for x in state.x], "y": [1.5 * y for y in state.y]}
    return TrainInput(**(wanted | values))


def same(one: SessionState, other: SessionState) -> bool:
    """Whether two sessions have all numbers in common, but for when they took place."""
    without = {"seconds_left": 0.0, "first_step_at": None}
    return one.model_copy(update=without) == other.model_copy(update=without)


class Brittle(nn.Module):
    """After its twelfth step of training its logits are not finite."""

    def __init__(self) -> None:
        super().__init__()
        self.features, self.head = nn.Linear(16, 4), nn.Linear(4, 2)
        self.steps: Tensor
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(x.flatten(1))
        if self.training:
            self.steps += 1
        return self.head(features) * (torch.inf if self.training and self.steps > 12 else 1), features


def brittle() -> Scenario:
    """Four steps an epoch and two epochs of pretraining: it can be trained for one epoch more."""
    return Scenario(
        name="brittle",
        title="Brittle",
        kind="image",
        classes=("dark", "bright"),
        network=Brittle,
        load=_noise,
        batch=32,
        pretraining=2,
    )


def _noise(path: Path | None) -> ScenarioData:
    chance = torch.Generator().manual_seed(1)
    items = torch.randint(0, 256, (192, 4, 4), generator=chance, dtype=torch.uint8)
    x = items[:, None] / 255
    labels = (x.mean((1, 2, 3)) > 0.5).long()
    return ScenarioData(x[:128], labels[:128], x[128:], labels[128:], items[:128].numpy())
