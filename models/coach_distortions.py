"""Pictures as other hands would have written them: turned, slanted, larger or smaller, thicker or thinner."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_PATCHES = 9  # beside each other
_EVEN_SHARE = 0.5  # of the pictures keep their width of strokes


def distorted(pictures: Tensor, strength: float, chance: torch.Generator) -> Tensor:
    """The pictures [B, 1, 28, 28], each distorted by chance.

    At the strength 1 up to 0.3 radians turned and 0.35 slanted, up to 15 % smaller or larger in each direction, up to 2
    pixels moved; half of them have strokes that are up to a pixel thicker or thinner at each side.

    >>> distorted(torch.zeros(2, 1, 28, 28), 1.0, torch.Generator().manual_seed(1)).shape
    torch.Size([2, 1, 28, 28])
    """
    n = len(pictures)

    def up_to(most: float) -> Tensor:
        return (torch.rand(n, generator=chance) * 2 - 1) * most * strength

    angle, slant = up_to(0.3), up_to(0.35)
    wide, high = 1 + up_to(0.15), 1 + up_to(0.15)
    right, down = up_to(2 / 14), up_to(2 / 14)
    rows = [
        torch.stack([wide * angle.cos(), slant - angle.sin(), right], dim=1),
        torch.stack([angle.sin(), high * angle.cos(), down], dim=1),
    ]
    grid = functional.affine_grid(torch.stack(rows, dim=1), list(pictures.shape), align_corners=False)
    moved = functional.grid_sample(pictures, grid, align_corners=False)
    return _of_other_width(moved, strength, chance)


def hazed(pictures: Tensor, darkest: float, chance: torch.Generator) -> Tensor:
    """The pictures [B, 1, 28, 28] with grey patches by chance, up to `darkest` of full ink; half stay as they are."""
    n = len(pictures)
    patches = torch.rand(n, 1, _PATCHES, _PATCHES, generator=chance) - 0.5
    haze = functional.interpolate(patches, size=pictures.shape[-2:], mode="bilinear").clamp(min=0)
    strength = (torch.rand(n, 1, 1, 1, generator=chance) * 4 * darkest - 2 * darkest).clamp(min=0)
    return torch.maximum(pictures, haze * strength).clamp(max=1)


def _of_other_width(pictures: Tensor, strength: float, chance: torch.Generator) -> Tensor:
    by = (torch.rand(len(pictures), 1, 1, 1, generator=chance) * 2 - 1) * strength
    by = by * (torch.rand(by.shape, generator=chance) > _EVEN_SHARE)
    thick = functional.max_pool2d(pictures, 3, stride=1, padding=1)
    thin = -functional.max_pool2d(-pictures, 3, stride=1, padding=1)
    # Strokes of two to three pixels would be gone if a pixel was taken from each side.
    other = torch.where(by > 0, thick, 0.5 * (thin + pictures))
    return pictures + by.abs() * (other - pictures)
