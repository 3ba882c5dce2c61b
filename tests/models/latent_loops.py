"""A small latent loop for the tests: digits, and the small network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from torch import Tensor

from crowdloom.models.latent import LatentModel, Scale, new_model
from crowdloom.models.latent_networks import DigitsNetwork
from crowdloom.models.latent_training import new_optimizer

CLASSES = 10


@dataclass(frozen=True)
class Digits:
    """What is trained on and validated on."""

    x: Tensor
    labels: Tensor
    validation_x: Tensor
    validation_labels: Tensor


def digits(count: int = 600) -> Digits:
    """So many of scikit-learn's to train on, and 300 others to validate on."""
    data = load_digits()
    x = torch.tensor(data.images / 16, dtype=torch.float32)[:, None]
    labels = torch.tensor(data.target)
    return Digits(x[:count], labels[:count], x[-300:], labels[-300:])


def loop(seed: int = 0, scale: Scale = "learned", rate: float = 1e-3) -> tuple[LatentModel, torch.optim.Adam]:
    """A model that has not learned, and its optimizer."""
    model = new_model(DigitsNetwork, digits().x[:2], CLASSES, seed=seed, scale=scale)
    return model, new_optimizer(model, rate=rate)
