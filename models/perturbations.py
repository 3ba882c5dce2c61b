"""Extremal perturbations: the part of an image, of a given size, that most speaks for a class.

Fong, Patrick and Vedaldi, "Understanding Deep Networks via Extremal Perturbations and Smooth Masks", ICCV 2019:
a mask shows a share of the image and blurs the rest; it is moved so that the network's output for the class
grows (the preservation game), while the area constraint, whose weight grows, holds it to its share.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from crowdloom.models.masks import SmoothMasks, area_loss
from crowdloom.models.packing import Precision, fast_copy

AREAS = (0.2, 0.4, 0.5)
ITERATIONS = 800
LEVELS = 8
"""How many stages of blur a mask's values are translated to; between them it is interpolated."""
MAX_BLUR = 20.0
"""Standard deviation in pixels of the blur where the mask is 0."""
RATE, MOMENTUM = 0.01, 0.9
WEIGHT, GROWTH = 300.0, 1.0035
"""Of the area constraint: at first, and by what it grows in each iteration."""

Reward = Literal["simple", "contrastive"]


@dataclass(frozen=True)
class Perturbed:
    """Masks for N images and A areas, with what they reached."""

    masks: Tensor
    """[N, A, 1, H, W], 0 (hidden) to 1 (shown)."""
    rewards: Tensor
    """[N, A], in the last iteration, in the network's own units."""
    areas: Tensor
    """[N, A]: the mean of each mask."""


def _silent(done: int, total: int) -> None:
    pass


def extremal_perturbations(
    model: nn.Module,
    images: Tensor,
    targets: Tensor,
    areas: Sequence[float] = AREAS,
    *,
    iterations: int = ITERATIONS,
    reward: Reward = "simple",
    precision: Precision = "float32",
    fast: nn.Module | None = None,
    progress: Callable[[int, int], None] = _silent,
) -> Perturbed:
    """Masks that keep what most speaks for class `targets[n]` in image n, one for each of `areas`.

    `images` [N, C, H, W] as the network wants them, `targets` [N], `areas` shares of the image between 0 and 1.
    All images and areas go through the network as one batch. `reward`: the output for the class, or
    ("contrastive") how far it lies above the highest other one. `fast` is `fast_copy` of the network, where one
    is at hand. `progress(done, iterations)` is called after each iteration; what it raises ends the search.

    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    >>> found = extremal_perturbations(network, torch.rand(2, 1, 32, 32), torch.tensor([0, 3]), iterations=2)
    >>> found.masks.shape
    torch.Size([2, 3, 1, 32, 32])
    """
    count, (height, width) = len(images), images.shape[2:]
    step, sigma = mask_scale(height, width)
    generator = SmoothMasks(height, width, step, sigma, device=str(images.device))
    if fast is None:
        fast = fast_copy(model, images.repeat_interleave(len(areas), 0), precision)
    pyramid = _Pyramid(images, len(areas), MAX_BLUR * sigma / 21)
    wanted = torch.tensor(areas, device=images.device).repeat(count)
    classes = targets.to(images.device).repeat_interleave(len(areas))
    grid = torch.ones(len(wanted), *generator.grid_size, device=images.device)
    velocity = torch.zeros_like(grid)
    weight = WEIGHT
    for iteration in range(iterations):
        masks = generator(grid)
        shown, slope = pyramid.show(masks.values)
        flipped = iteration % 2 == 0  # every other time the network sees it mirrored, so that masks fit no accident
        rewards, gradient = _ascend(fast, shown.flip(3) if flipped else shown, classes, reward)
        if flipped:
            gradient = gradient.flip(3)
        _, constraint = area_loss(masks.values, wanted)
        downhill = constraint.mul_(weight).sub_((gradient * slope).sum(1))
        step_down = generator.backward(masks, downhill)
        # Dampened momentum, as the method's authors use it: the first step is taken whole.
        velocity = step_down if iteration == 0 else velocity.lerp_(step_down, 1 - MOMENTUM)
        last = masks.values
        grid = (grid - RATE * velocity).clamp_(0, 1)
        weight *= GROWTH
        progress(iteration + 1, iterations)
    return Perturbed(
        masks=last.reshape(count, len(areas), 1, height, width),
        rewards=rewards.reshape(count, len(areas)),
        areas=last.mean((1, 2)).reshape(count, len(areas)),
    )


def mask_scale(height: int, width: int) -> tuple[int, float]:
    """Step and sigma in pixels: 7 and 21 for the 224 pixels of the paper, less for smaller images.

    >>> mask_scale(224, 224), mask_scale(32, 32)
    ((7, 21.0), (1, 3.0))
    """
    step = max(1, min(7, round(min(height, width) / 32)))
    return step, 3.0 * step


def _ascend(network: nn.Module, images: Tensor, classes: Tensor, reward: Reward) -> tuple[Tensor, Tensor]:
    """The rewards [K], and their derivative with respect to the images."""
    images.requires_grad_()
    with torch.enable_grad():
        outputs = network(images).float()
        rewards = outputs.gather(1, classes[:, None])[:, 0]
        if reward == "contrastive":
            rewards = rewards - outputs.scatter(1, classes[:, None], -math.inf).amax(1)
        (gradient,) = torch.autograd.grad(rewards.sum(), images)
    return rewards.detach(), gradient


class _Pyramid:
    """Images in stages of blur, and what a mask makes of them."""

    def __init__(self, images: Tensor, copies: int, max_blur: float) -> None:
        count, self.channels, self.height, self.width = images.shape
        sigmas = [max_blur * (1 - level / (LEVELS - 1)) for level in range(LEVELS)]
        stages = torch.stack([blurred(images, sigma) for sigma in sigmas])  # [L, N, C, H, W]
        steps = torch.cat([stages[1:] - stages[:-1], torch.zeros_like(stages[:1])])
        # A row for each stage, image and pixel: its channels, and by how much the next stage differs.
        rows = torch.cat([stages, steps], dim=2).permute(0, 1, 3, 4, 2)
        self.rows = rows.reshape(-1, 2 * self.channels).contiguous()
        pixels = torch.arange(count * self.height * self.width, device=images.device).view(count, -1)
        self.first = pixels.repeat_interleave(copies, 0).reshape(-1)
        self.stride = count * self.height * self.width

    def show(self, masks: Tensor) -> tuple[Tensor, Tensor]:
        """The images as masks [K, H, W] show them, and their derivative: both [K, C, H, W], channels last."""
        level = masks.reshape(-1) * (LEVELS - 1)
        stage = level.floor()
        both = self.rows.index_select(0, stage.long().mul_(self.stride).add_(self.first))
        step = both[:, self.channels :]
        shown = torch.addcmul(both[:, : self.channels], step, level.sub_(stage).unsqueeze(1))
        return self._images(shown), self._images(step * (LEVELS - 1))

    def _images(self, rows: Tensor) -> Tensor:
        return rows.view(-1, self.height, self.width, self.channels).permute(0, 3, 1, 2)


def blurred(images: Tensor, sigma: float) -> Tensor:
    """Images [N, C, H, W] under a Gaussian of standard deviation `sigma` pixels, cut at 4 sigma; edges fade to 0."""
    if sigma == 0:
        return images
    reach = math.ceil(4 * sigma)
    bell = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=images.device) / sigma) ** 2)
    bell = (bell / bell.sum()).to(images.dtype)
    planes = images.flatten(0, 1).unsqueeze(1)
    planes = functional.conv2d(planes, bell.view(1, 1, -1, 1), padding=(reach, 0))
    planes = functional.conv2d(planes, bell.view(1, 1, 1, -1), padding=(0, reach))
    return planes.view_as(images)
