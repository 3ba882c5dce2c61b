"""Fresh crops and flips of images, on the device on which they lie."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Generator, Tensor
from torch.nn import functional


def crop_and_flip(images: Tensor, generator: Generator, padding: int = 4) -> Tensor:
    """Each image [B, C, H, W] (uint8 or float) moved by up to `padding` pixels, black beyond its edge, half mirrored.

    What CIFAR-10 is commonly trained with (a random crop of the padded image, then a random flip): each image has its
    own offset, uniform over the (2 padding + 1)² there are, and is mirrored with probability 1/2. `generator` is on the
    images' device; the same state gives the same crops. All images are made by one gather, and nothing waits for the
    device.

    >>> images = torch.arange(16, dtype=torch.uint8).reshape(1, 1, 4, 4)
    >>> crop_and_flip(images, torch.Generator().manual_seed(0), padding=1).shape
    torch.Size([1, 1, 4, 4])
    """
    batch, channels, height, width = images.shape
    changes = _positions(height, width, padding, images.device)
    drawn = torch.randint(len(changes), (batch,), generator=generator, device=images.device)
    where = changes.index_select(0, drawn).unsqueeze(1).expand(-1, channels, -1)
    return functional.pad(images, (padding,) * 4).flatten(2).gather(2, where).reshape(images.shape)


@lru_cache(maxsize=8)
def _positions(height: int, width: int, padding: int, device: torch.device) -> Tensor:
    """Where each pixel comes from in the padded image, for every offset and flip: int64 [M, height * width]."""
    offsets = 2 * padding + 1
    change = torch.arange(offsets * offsets * 2, device=device)
    down, right, mirrored = change // (2 * offsets), change // 2 % offsets, change % 2
    rows = down[:, None] + torch.arange(height, device=device)
    columns = torch.arange(width, device=device)
    columns = right[:, None] + torch.where(mirrored[:, None] == 1, width - 1 - columns, columns)
    pixels = (rows * (width + 2 * padding))[:, :, None] + columns[:, None, :]
    return pixels.reshape(len(change), height * width)
