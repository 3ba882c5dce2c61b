"""Digital faults of the common corruptions: see `corruptions`."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
import torch
from PIL import Image as Pillow
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn import functional


def contrast(images: Tensor, _rng: np.random.Generator) -> Tensor:
    """Every value 0.4 times as far from its channel's mean."""
    means = images.mean((2, 3), keepdim=True)
    return (images - means) * 0.4 + means


def elastic_transform(images: Tensor, rng: np.random.Generator) -> Tensor:
    """A random affine map, then pixels moved by smooth random displacements; all in shares of the image's size.

    The affine map moves three points around the middle by up to 6 % each. Displacements are uniform within 8 %, then
    smoothed with a standard deviation of 6 %. Values are interpolated bilinearly, images are mirrored at their edges.
    """
    n, _, height, width = images.shape
    size = min(height, width)
    drawn = rng.uniform(-1, 1, (n, 6 + 2 * height * width))
    reach = size // 3
    around = torch.tensor([[reach, reach], [reach, -reach], [-reach, -reach]], dtype=torch.float64)
    before = around + torch.tensor([width // 2, height // 2])
    after = before + 0.06 * size * torch.from_numpy(drawn[:, :6].reshape(n, 3, 2))
    # What stands at x, y comes from where the map that takes `before` to `after` is undone.
    undo = torch.linalg.solve(torch.cat([after, torch.ones(n, 3, 1)], 2), before.expand(n, 3, 2))
    x, y = torch.meshgrid(torch.arange(width), torch.arange(height), indexing="xy")
    points = torch.stack([x, y, torch.ones_like(x)], -1).double()
    scale = torch.tensor([width - 1, height - 1])
    grid = torch.einsum("hwi,nij->nhwj", points, undo) * 2 / scale - 1
    images = functional.grid_sample(images, grid.float(), padding_mode="reflection", align_corners=True)

    shifts = drawn[:, 6:].reshape(n, 2, height, width)
    shifts = 0.08 * size * gaussian_filter(shifts, 0.06 * size, mode="reflect", truncate=3, axes=(2, 3))
    found = points[..., :2] + torch.from_numpy(shifts).permute(0, 2, 3, 1)
    grid = (found * 2 + 1) / torch.tensor([width, height]) - 1
    return functional.grid_sample(images, grid.float(), padding_mode="reflection", align_corners=False)


def pixelate(images: Tensor, _rng: np.random.Generator) -> Tensor:
    """Reduced to 85 % of its size and enlarged again, without smoothing."""

    def reduced(picture: Pillow.Image) -> Pillow.Image:
        small = picture.resize((int(picture.width * 0.85), int(picture.height * 0.85)), Pillow.Resampling.BOX)
        return small.resize(picture.size, Pillow.Resampling.BOX)

    return _each(images, reduced)


def jpeg_compression(images: Tensor, _rng: np.random.Generator) -> Tensor:
    """Compressed as a JPEG of quality 58."""

    def compressed(picture: Pillow.Image) -> Pillow.Image:
        file = BytesIO()
        picture.save(file, "JPEG", quality=58)
        return Pillow.open(file)

    return _each(images, compressed)


def _each(images: Tensor, change: Callable[[Pillow.Image], Pillow.Image]) -> Tensor:
    """Pictures changed by Pillow, one by one."""
    pictures = (images * 255).round().byte().permute(0, 2, 3, 1).numpy()
    grey = pictures.shape[3] == 1
    changed = [np.asarray(change(Pillow.fromarray(one[..., 0] if grey else one))) for one in pictures]
    return torch.from_numpy(np.stack(changed)).view(pictures.shape).permute(0, 3, 1, 2) / 255
