"""Smooth masks and the constraint on their area, with derivatives written by hand (Fong et al. 2019).

A mask is a smooth maximum over a coarse grid of numbers, one every `step` pixels. Autograd would keep
some eighty copies of each mask; here the weights of one grid neighbour at a time pass through the
processor's cache, forwards and once more backwards, and nothing else is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

COLDNESS = 20.0
"""1/T of the smooth maximum."""


@dataclass(frozen=True)
class Masks:
    """Masks and what their derivative needs."""

    values: Tensor
    """[K, H, W], 0 (hidden) to 1 (shown)."""
    _grid: Tensor
    _total: Tensor
    _inside: Tensor


class SmoothMasks:
    """Masks [K, H, W] from grids [K, h, w] of numbers in 0..1 (Fong, Patrick and Vedaldi 2019, section 3.2).

    m(u) = smax_v k(|u - v|) g(v), where v runs over the grid's nodes near the pixel u, smax is the maximum
    weighted by a softmax, smax t = sum t exp(t/T) / sum exp(t/T), and k(d) = exp(-2 max(0, d/sigma - 1/2)^2).
    Nodes stand in the middle of their `step` x `step` pixels; `step` and `sigma` are in pixels. Beyond the image's
    edge the grid goes on as at the edge: a mask of equal numbers is then as strong there as in the middle, and the
    area constraint, which keeps the strongest pixels, does not begin by preferring the edges.

    >>> masks = SmoothMasks(28, 28)
    >>> masks(torch.ones(1, *masks.grid_size)).values.shape
    torch.Size([1, 28, 28])
    """

    def __init__(self, height: int, width: int, step: int = 7, sigma: float = 21.0, device: str = "cpu") -> None:
        self.size = (height, width)
        self.step = step
        self.grid_size = (math.ceil(height / step), math.ceil(width / step))
        self.radius = 1 + math.ceil(sigma / step)
        # Each pixel of a cell has its own distance to each neighbouring node, the same in all cells.
        pixel = torch.arange(step) - (step - 1) / 2
        away = step * torch.arange(-self.radius, self.radius + 1)
        square = (pixel[None] - away[:, None]) ** 2  # [neighbours, step]
        distance = (square[:, None, :, None] + square[None, :, None, :]).sqrt()
        kernel = torch.exp(-2 * (distance / sigma - 0.5).clamp(min=0) ** 2)
        self.kernel = kernel.flatten(0, 1).flatten(1).to(device)  # [neighbours^2, step^2]

    def __call__(self, grid: Tensor) -> Masks:
        """The masks of `grid` [K, h, w]."""
        total = grid.new_zeros(self.step**2, grid.numel())
        weighted = torch.zeros_like(total)
        scaled, share = torch.empty_like(total), torch.empty_like(total)
        for neighbour, column in zip(self._neighbours(grid), self._columns(grid), strict=True):
            torch.mul(column, neighbour, out=scaled)
            torch.exp(scaled, out=share)
            total += share
            weighted.addcmul_(share, scaled)
        inside = weighted.div_(total)  # smooth maximum, times the coldness
        return Masks(self._to_pixels(inside / COLDNESS, len(grid)), grid, total, inside)

    def backward(self, masks: Masks, gradient: Tensor) -> Tensor:
        """The derivative with respect to the grid, from that with respect to the masks [K, H, W].

        With t = k g: d smax / d t = exp(t/T) / sum exp(t/T) * (1 + (t - smax) / T).
        """
        grid = masks._grid
        steep = self._from_pixels(gradient, len(grid)) / masks._total
        level = steep * (1 - masks._inside)
        result = self._padded(torch.zeros_like(grid))
        height, width = self.grid_size
        scaled, slope = torch.empty_like(steep), torch.empty_like(steep)
        neighbours, columns = self._neighbours(grid), self._columns(grid)
        for number, (neighbour, column) in enumerate(zip(neighbours, columns, strict=True)):
            torch.mul(column, neighbour, out=scaled)
            torch.addcmul(level, steep, scaled, out=slope)
            slope.mul_(scaled.exp_())
            down, right = divmod(number, 2 * self.radius + 1)
            result[:, down : down + height, right : right + width] += (self.kernel[number] @ slope).view_as(grid)
        return self._unpadded(result)

    def _padded(self, grid: Tensor) -> Tensor:
        return functional.pad(grid.unsqueeze(0), (self.radius,) * 4, mode="replicate")[0]

    def _unpadded(self, padded: Tensor) -> Tensor:
        """The derivative of `_padded`: what lies beyond an edge counts for the edge."""
        radius = self.radius
        for _ in range(2):
            padded[:, radius] += padded[:, :radius].sum(1)
            padded[:, -radius - 1] += padded[:, -radius:].sum(1)
            padded = padded[:, radius:-radius].transpose(1, 2)
        return padded

    def _neighbours(self, grid: Tensor) -> list[Tensor]:
        """For each neighbour the number it has beside each node, [1, K h w]."""
        windows = self._padded(grid).unfold(1, self.grid_size[0], 1).unfold(2, self.grid_size[1], 1)
        rows = windows.permute(1, 2, 0, 3, 4).reshape(-1, 1, grid.numel())
        return list(rows.unbind())

    def _columns(self, grid: Tensor) -> list[Tensor]:
        return list((self.kernel.to(grid.dtype) * COLDNESS).unsqueeze(2).unbind())

    def _to_pixels(self, cells: Tensor, count: int) -> Tensor:
        """[step^2, K h w], which computes fast, as [K, H, W]."""
        height, width = self.grid_size
        pixels = cells.view(self.step, self.step, count, height, width).permute(2, 3, 0, 4, 1)
        return pixels.reshape(count, height * self.step, width * self.step)[:, : self.size[0], : self.size[1]]

    def _from_pixels(self, pixels: Tensor, count: int) -> Tensor:
        height, width = self.grid_size
        beyond = (0, width * self.step - self.size[1], 0, height * self.step - self.size[0])
        cells = functional.pad(pixels, beyond).view(count, height, self.step, width, self.step)
        return cells.permute(2, 4, 0, 1, 3).reshape(self.step**2, -1)


def area_loss(masks: Tensor, areas: Tensor) -> tuple[Tensor, Tensor]:
    """How far masks [K, H, W] are from showing just the shares `areas` [K], and the derivative [K, H, W].

    Fong et al. (2019), equation 5: the mean squared difference between the mask's pixels in ascending order and
    a vector with ones for the share to show and zeros before them. Only one pixel's value is needed of the order,
    the least of those to show; pixels that tie with it share what is left of the ones.
    """
    pixels = masks.reshape(len(masks), -1)
    count = pixels.shape[1]
    wanted = torch.empty_like(pixels)
    for row, area, goal in zip(pixels, areas.tolist(), wanted, strict=True):
        shown = min(max(round(count * area), 1), count)
        least = row.kthvalue(count - shown + 1).values
        above, ties = row > least, row == least
        goal.copy_(above).add_(ties, alpha=float((shown - above.sum()) / ties.sum()))
    tied = (wanted - wanted**2).mean(1)  # a pixel that gets a share s of a one: s (m-1)^2 + (1-s) m^2
    difference = pixels - wanted
    loss = (difference**2).mean(1) + tied
    return loss, (2 / count * difference).view_as(masks)
