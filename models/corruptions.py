"""Common corruptions of images at strength 3 of 5, with the parameters by which CIFAR-10-C was made.

Source: D. Hendrycks and T. Dietterich, *Benchmarking Neural Network Robustness to Common Corruptions and Perturbations*
(ICLR 2019), and `make_cifar_c.py` of its code for images of 32 x 32 pixels; the code here is our own. Fourteen of their
fifteen: frost is left out, as it is made of photographs of frost, which are not ours to ship. CIFAR-10-C itself, frost
included, is read by `corruption_files.read_corrupted`. For images of other sizes, blurs, noise and snow keep their
parameters in pixels; elastic transforms and pixelation go with the size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from crowdloom.models.corruption_blur import defocus_blur, glass_blur, motion_blur, zoom_blur
from crowdloom.models.corruption_digital import contrast, elastic_transform, jpeg_compression, pixelate
from crowdloom.models.corruption_noise import gaussian_noise, impulse_noise, shot_noise
from crowdloom.models.corruption_weather import brightness, fog, snow
from crowdloom.models.errors import ModelError

CORRUPTIONS: dict[str, Callable[[Tensor, np.random.Generator], Tensor]] = {
    function.__name__: function
    for function in (
        gaussian_noise,
        shot_noise,
        impulse_noise,
        defocus_blur,
        glass_blur,
        motion_blur,
        zoom_blur,
        snow,
        fog,
        brightness,
        contrast,
        elastic_transform,
        pixelate,
        jpeg_compression,
    )
}
"""By CIFAR-10-C's names, in its order. Each takes images [N, C, H, W] in 0..1; what it gives may lie outside."""

_AT_ONCE = 256  # images: the noise of more would fill the memory without being quicker


def corrupt(images: Tensor, name: str, rng: np.random.Generator) -> Tensor:
    """Images under one corruption: uint8 [N, C, H, W] in, the same out; C is 1 or 3.

    Values between two levels are cut off, as in CIFAR-10-C. An image at a time with one `rng` gives the same as all at
    once. Raises ModelError for a name that is none of CORRUPTIONS, or for images of another kind.

    >>> grey = torch.tensor([0, 100], dtype=torch.uint8).view(1, 1, 1, 2).expand(1, 3, 1, 2)
    >>> corrupt(grey, "contrast", np.random.default_rng(0))[0, 0].tolist()
    [[30, 70]]
    """
    if name not in CORRUPTIONS:
        raise ModelError(f"{name!r} is no corruption; choose one of {', '.join(CORRUPTIONS)}")
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ModelError(f"corruptions need uint8 images [N, 1 or 3, H, W], these are {list(images.shape)}")
    given = images.cpu()
    made = [torch.empty_like(given[:0])]
    for part in given.split(_AT_ONCE):
        changed = CORRUPTIONS[name](part.float() / 255, rng).clamp_(0, 1) * 255
        made.append((changed + 1e-3).byte())  # 1e-3: 35 / 255 * 255 may be 34.999996
    return torch.cat(made).to(images.device)


def corrupted(images: Tensor, seed: int) -> Iterator[tuple[str, Tensor]]:
    """The images under each corruption in turn, with its name; the same seed gives the same."""
    for number, name in enumerate(CORRUPTIONS):
        yield name, corrupt(images, name, np.random.default_rng([seed, number]))
