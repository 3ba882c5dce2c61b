"""Pictures of any size, made into squares of one size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

Image = npt.NDArray[np.uint8]
"""A picture, [H, W], [H, W, 1] or [H, W, 3]."""


def commonest_size(images: Sequence[Image]) -> int:
    """The shorter side, in pixels, that most of the pictures have; the smaller of two that are as common."""
    sides = Counter(int(min(image.shape[:2])) for image in images)
    return min(sides, key=lambda side: (-sides[side], side))


def square(image: Image, size: int, channels: int) -> Image:
    """A picture as a square, uint8 [size, size] where `channels` is 1, else [size, size, 3].

    The shorter side is resized to `size` (bilinearly, with antialiasing), and the middle is cut out.
    """
    flat = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    picture = Pillow.fromarray(flat).convert("L" if channels == 1 else "RGB")
    if picture.size != (size, size):
        scale = size / min(picture.size)
        resized = (max(size, round(picture.width * scale)), max(size, round(picture.height * scale)))
        picture = picture.resize(resized, Pillow.Resampling.BILINEAR)
        left, top = (resized[0] - size) // 2, (resized[1] - size) // 2
        picture = picture.crop((left, top, left + size, top + size))
    return np.asarray(picture)
