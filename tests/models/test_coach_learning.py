"""Epochs whose state is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from crowdloom.models.coach_learning import learn
from crowdloom.models.errors import TrainingError


def test_a_loss_that_is_not_finite_ends_the_training(tmp_path: Path) -> None:
    """In that epoch, whose state is not kept."""
    network, file = nn.Linear(1, 1), tmp_path / "state.safetensors"
    losses = [1.0, float("nan"), 1.0]
    with pytest.raises(TrainingError, match="not finite in epoch 2 of 3"):
        learn(network, torch.optim.Adam(network.parameters()), 3, file, {}, losses.__getitem__)
    assert learn(network, torch.optim.Adam(network.parameters()), 1, file, {}, losses.__getitem__) == [1.0]
