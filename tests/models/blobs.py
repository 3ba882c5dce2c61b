"""A scenario of its own for tests, which is prepared in a fraction of a second: three blobs of four numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from crowdloom.models.latent_scenarios import Scenario, ScenarioData


class Small(nn.Module):
    """One hidden layer, whose outputs are the features."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.head = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Dropout(0.1)), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.hidden(x)
        return self.head(features), features


def data(path: Path | None = None) -> ScenarioData:
    """90 examples to train on and 30 to validate on."""
    chance = np.random.default_rng(3)
    labels = np.arange(120) % 3
    x = np.eye(3, 4)[labels] * 200 + chance.uniform(0, 55, (120, 4))
    pixels = x.astype(np.uint8).reshape(-1, 2, 2)
    given, target = torch.from_numpy(x / 255).float(), torch.from_numpy(labels)
    return ScenarioData(given[:90], target[:90], given[90:], target[90:], pixels[:90])


def blobs() -> Scenario:
    """The scenario."""
    return Scenario("own", "Blobs", "image", ("a", "b", "c"), Small, data, rate=0.02, batch=16, pretraining=6)


def with_data(**changes: Any) -> Scenario:
    """The scenario with something else in its data."""
    return replace(blobs(), load=lambda path: replace(data(), **changes))


def failing() -> Scenario:
    """No scenario at all."""
    raise RuntimeError("the sensor is off")


def number() -> int:
    """Likewise."""
    return 7
