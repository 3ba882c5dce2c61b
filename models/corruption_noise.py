"""Noise of the common corruptions: see `corruptions`."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def gaussian_noise(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Normal noise with a standard deviation of 0.08 on every value."""
    return images + 0.08 * torch.from_numpy(rng.standard_normal(images.shape, dtype=np.float32))


def shot_noise(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Photons that are counted: Poisson with a mean of 100 for white."""
    return torch.from_numpy(rng.poisson(100 * images.numpy()).astype(np.float32)) / 100


def impulse_noise(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Salt and pepper: 3 % of all values become 1 or 0, with equal chances."""
    chance = torch.from_numpy(rng.random(images.shape, dtype=np.float32))
    return images.masked_fill(chance < 0.03, 0).masked_fill(chance < 0.015, 1)
