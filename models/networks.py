"""A small network for small images, which a processor trains in seconds."""

from __future__ import annotations

from itertools import pairwise

from torch import nn


class SmallCNN(nn.Sequential):
    """Three convolutions, each with batch norm and half the resolution of the one before, then one linear layer.

    Takes [N, channels, size, size] of any size from 8 on, gives [N, classes]: outputs before the softmax.

    >>> import torch
    >>> SmallCNN(channels=1, classes=10)(torch.zeros(2, 1, 8, 8)).shape
    torch.Size([2, 10])
    """

    def __init__(self, channels: int, classes: int, width: int = 16) -> None:
        layers: list[nn.Module] = []
        widths = (channels, width, 2 * width, 4 * width)
        for number, (inside, outside) in enumerate(pairwise(widths)):
            layers += [nn.Conv2d(inside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()]
            if number < 2:
                layers.append(nn.MaxPool2d(2))
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * width, classes))
