"""Blurs of the common corruptions: see `corruptions`."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn import functional


def defocus_blur(images: Tensor, _rng: np.random.Generator) -> Tensor:
    """A disk with a radius of half a pixel, which is one pixel, smoothed over its neighbours (sigma 0.6)."""
    return torch.from_numpy(gaussian_filter(images.numpy(), 0.6, radius=1, mode="mirror", axes=(2, 3)))


def glass_blur(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Blurred (sigma 0.4), each pixel replaced by itself or its neighbour above, to the left or both; blurred again.

    The paper's code means to exchange neighbours, but an exchange of numpy's views copies one way only; CIFAR-10-C was
    made so. It spares the first two rows and columns, too.
    """
    n, _, height, width = images.shape
    blurred = (_blurred(images) * 255).floor_().div_(255)
    offsets = rng.integers(-1, 1, (n, height, width, 2))
    offsets[:, :2] = offsets[:, :, :2] = 0
    rows = np.arange(height)[:, np.newaxis] + offsets[..., 0]
    columns = np.arange(width) + offsets[..., 1]
    return _blurred(_gathered(blurred, torch.from_numpy(rows), torch.from_numpy(columns)))


def motion_blur(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Moved along a line within 45 degrees of horizontal (radius 6, sigma 2)."""
    angles = torch.from_numpy(rng.uniform(-math.pi / 4, math.pi / 4, len(images)))
    return moved(images, angles, radius=6, sigma=2)


def zoom_blur(images: Tensor, _rng: np.random.Generator) -> Tensor:
    """The mean of the image and of itself enlarged by 0 to 16 %."""
    factors = np.arange(1, 1.16, 0.01)
    total = images.clone()
    for factor in factors:
        total += zoomed(images, float(factor))
    return total / (len(factors) + 1)


def moved(images: Tensor, angles: Tensor, radius: int, sigma: float) -> Tensor:
    """Motion blur [N, C, H, W] as ImageMagick computes it, rounded to 8 bits.

    The mean over a line of 2 radius + 1 pixels from each pixel, in the direction angles[n] (radians), with weights that
    fall as a normal distribution's from the pixel on; images go on beyond their edges with their last pixels.
    """
    height, width = images.shape[2:]
    taps = torch.arange(2 * radius + 1)
    falling = torch.exp(-(taps**2) / (2 * sigma**2))
    weights = (falling / falling.sum()).tolist()
    right = torch.ceil(taps * angles.cos()[:, None] - 0.5).long()
    down = torch.ceil(taps * angles.sin()[:, None] - 0.5).long()
    rows = (torch.arange(height) + down[..., None]).clamp_(0, height - 1)
    columns = (torch.arange(width) + right[..., None]).clamp_(0, width - 1)
    total = torch.zeros_like(images)
    for tap, weight in enumerate(weights):
        total.add_(_gathered(images, rows[:, tap, :, None], columns[:, tap, None, :]), alpha=weight)
    return (total * 255).round_() / 255


def zoomed(images: Tensor, factor: float) -> Tensor:
    """The middle of images, enlarged bilinearly to the size that they had; corners stay corners."""
    height, width = images.shape[2:]
    inner = [math.ceil(side / factor) for side in (height, width)]
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    middle = images[:, :, top : top + inner[0], left : left + inner[1]]
    outer = [round(side * factor) for side in inner]
    enlarged = functional.interpolate(middle, outer, mode="bilinear", align_corners=True)
    top, left = (outer[0] - height) // 2, (outer[1] - width) // 2
    return enlarged[:, :, top : top + height, left : left + width]


def _blurred(images: Tensor) -> Tensor:
    return torch.from_numpy(gaussian_filter(images.numpy(), 0.4, mode="nearest", axes=(2, 3)))


def _gathered(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Each pixel from the place in its own image that rows and columns, which together are [N, H, W], say."""
    flat = images.flatten(2)
    index = (rows * images.shape[3] + columns).flatten(1)[:, None]
    return flat.gather(2, index.expand(-1, images.shape[1], -1)).view_as(images)
