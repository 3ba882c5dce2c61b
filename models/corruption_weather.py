"""Weather of the common corruptions: see `corruptions`. Without frost, which is made of photographs of frost."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.special import ndtr
from torch import Tensor

from crowdloom.models.corruption_blur import moved, zoomed


def snow(images: Tensor, rng: np.random.Generator) -> Tensor:
    """A whitened image under flakes that fall within 45 degrees of straight down, and under the same turned round."""
    n, _, height, width = images.shape
    drawn = rng.standard_normal((n, height * width + 1))
    flakes = torch.from_numpy(drawn[:, 1:].reshape(n, 1, height, width)).float().mul_(0.3).add_(0.15)
    flakes = zoomed(flakes, 1.75)
    flakes = (flakes.masked_fill(flakes < 0.55, 0).clamp_(0, 1) * 255).floor_().div_(255)
    angles = torch.from_numpy(ndtr(drawn[:, 0])) * (math.pi / 2) - 3 * math.pi / 4  # uniform, of one normal number
    flakes = moved(flakes, angles, radius=10, sigma=4)
    whitened = torch.maximum(images, _grey(images) * 1.5 + 0.5)
    return 0.9 * images + 0.1 * whitened + flakes + flakes.rot90(2, (2, 3))


def fog(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Clouds of a strength of 0.75, after which the image is as bright as it was."""
    n, _, height, width = images.shape
    clouds = plasma(n, 2 ** math.ceil(math.log2(max(height, width))), 2.5, rng)[:, None, :height, :width]
    brightest = images.amax((1, 2, 3), keepdim=True)
    return (images + 0.75 * clouds) * brightest / (brightest + 0.75)


def plasma(n: int, size: int, decay: float, rng: np.random.Generator) -> Tensor:
    """Cloudy maps [n, size, size] from 0 to 1, by the diamond-square algorithm; size is a power of 2.

    Each new point is the mean of its four neighbours, the map's sides joined, plus noise, whose bound is divided by
    `decay` squared from one scale to the next.
    """
    noise = torch.from_numpy(rng.uniform(-1, 1, (n, size, size)))
    heights = torch.zeros((n, size, size), dtype=torch.float64)
    step, bound = size, 100.0

    def put(rows: int, columns: int, sums: Tensor) -> None:
        at = (slice(None), slice(rows, None, step), slice(columns, None, step))
        heights[at] = sums / 4 + bound**2 * noise[at]

    while step >= 2:
        half = step // 2
        corners = heights[:, ::step, ::step].clone()
        below = corners + corners.roll(-1, 1)
        put(half, half, below + below.roll(-1, 2))
        middles = heights[:, half::step, half::step].clone()
        put(0, half, middles + middles.roll(1, 1) + corners + corners.roll(-1, 2))
        put(half, 0, middles + middles.roll(1, 2) + corners + corners.roll(-1, 1))
        step, bound = half, bound / decay
    heights -= heights.amin((1, 2), keepdim=True)
    return (heights / heights.amax((1, 2), keepdim=True)).float()


def brightness(images: Tensor, _rng: np.random.Generator) -> Tensor:
    """The value of hue, saturation and value raised by 0.15."""
    value = images.amax(1, keepdim=True)
    raised = (value + 0.15).clamp_(max=1)
    return torch.where(value > 0, images * (raised / value.clamp(min=1e-6)), raised)  # hue and saturation stay


def _grey(images: Tensor) -> Tensor:
    """Luma [N, 1, H, W]."""
    if images.shape[1] == 1:
        return images
    return (images * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True)
