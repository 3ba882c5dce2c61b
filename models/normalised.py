"""A network with its input's normalisation: pixels in, whatever it was trained on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LEAST = 1e-3
"""The smallest standard deviation by which pixels are divided: a channel may have one value only."""


class Normalised(nn.Module):
    """A network behind (pixels - mean) / std, so that attacks and corruptions work on pixels.

    Takes [N, C, H, W] as floats in [0, 1] or as uint8, of which 255 is 1; `mean` and `std` [C] are in units of [0, 1],
    and are saved with the weights.

    >>> shows = Normalised(nn.Identity(), torch.tensor([0.5]), torch.tensor([0.25]))
    >>> shows(torch.tensor([[[[0, 255]]]], dtype=torch.uint8)).tolist()
    [[[[-2.0, 2.0]]]]
    """

    def __init__(self, network: nn.Module, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.network = network
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", mean.float())
        self.register_buffer("std", std.float())

    def forward(self, pixels: Tensor) -> Tensor:
        """The network's outputs."""
        if pixels.dtype == torch.uint8:
            pixels = pixels.float() / 255
        outputs: Tensor = self.network((pixels - self.mean.view(-1, 1, 1)) / self.std.view(-1, 1, 1))
        return outputs


def mean_and_std(images: Tensor) -> tuple[Tensor, Tensor]:
    """Of each channel of images uint8 [N, C, H, W], in units of [0, 1]; a std is at least 0.001.

    >>> images = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)
    >>> [found.tolist() for found in mean_and_std(images)]
    [[0.5], [0.5]]
    """
    # Counted, not summed: exact, whatever the order, and without a copy of all images as floats.
    counted = [channel.flatten().bincount(minlength=256) for channel in images.transpose(0, 1)]
    counts = torch.stack(counted).cpu().double()
    shares, values = counts / counts.sum(1, keepdim=True), torch.arange(256, dtype=torch.float64) / 255
    mean = shares @ values
    std = ((values - mean[:, None]).square() * shares).sum(1).sqrt()
    return mean.float(), std.clamp(min=LEAST).float()
