"""VGG-11 with batch norm in its form for small images."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

STAGES = ((1,), (2,), (4, 4), (8, 8), (8, 8))
"""The channels of each convolution, in widths; the resolution halves after each stage."""


class VGG11(nn.Module):
    """Eight 3 x 3 convolutions with batch norm in five stages, then one linear layer.

    Takes [N, channels, size, size] of any size from 8 on, gives [N, classes]: outputs before the softmax. The
    convolutions are those of configuration A of K. Simonyan and A. Zisserman, *Very Deep Convolutional Networks*
    (2014), with batch norm; as is usual for CIFAR-10, one linear layer stands in place of three. A map that has come
    down to one pixel (of images smaller than 32) is halved no more; what is left of a larger one is averaged.

    >>> import torch
    >>> [VGG11(3, 10, width=8)(torch.zeros(2, 3, size, size)).shape[1] for size in (8, 32, 48)]
    [10, 10, 10]
    """

    def __init__(self, channels: int, classes: int, width: int = 64) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        inside = channels
        for multiples in STAGES:
            layers: list[nn.Module] = []
            for outside in (width * multiple for multiple in multiples):
                layers += [nn.Conv2d(inside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)]
                inside = outside
            stages.append(nn.Sequential(*layers))
        self.stages = nn.Sequential(*stages)
        self.linear = nn.Linear(inside, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Outputs before the softmax."""
        seen = images
        for stage in self.stages:
            seen = stage(seen)
            if min(seen.shape[2:]) > 1:
                seen = functional.max_pool2d(seen, 2)
        outputs: Tensor = self.linear(seen.mean((2, 3)))
        return outputs
