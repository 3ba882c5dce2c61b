"""The networks by name, and a small one for small images, which a processor trains in seconds.

The weights of all begin as PyTorch draws them, uniformly within a range that depends on the number of inputs: so do
those in the published code of A. Uma et al. (HCOMP 2020) and of H. Zhang et al. (*mixup*, 2017), which the thesis
follows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType

from torch import nn

from crowdloom.models.errors import ModelError
from crowdloom.models.preact_resnet import PreActResNet18, PreActResNet34
from crowdloom.models.resnet_bottleneck import ResNet50
from crowdloom.models.resnet_cifar import ResNet34A
from crowdloom.models.vgg import VGG11


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


NETWORKS: Mapping[str, Callable[..., nn.Module]] = MappingProxyType(
    {
        "small-cnn": SmallCNN,
        "resnet-34a": ResNet34A,
        "resnet-50": ResNet50,
        "vgg-11": VGG11,
        "preact-resnet-18": PreActResNet18,
        "preact-resnet-34": PreActResNet34,
    }
)
"""What each is made by: (channels, classes, width=its own) -> a network that gives outputs before the softmax."""


def make_network(name: str, channels: int, classes: int, width: int | None = None) -> nn.Module:
    """A network with new weights for images [N, channels, size, size], of any size from 8 on, and so many classes.

    `width` is that of its narrowest stage in channels; None for the network's own. Chance is PyTorch's global one.
    Raises ModelError for an unknown name.

    >>> sum(parameter.numel() for parameter in make_network("resnet-34a", channels=3, classes=10).parameters())
    658586
    """
    if name not in NETWORKS:
        raise ModelError(f"there is no network {name!r}; choose from {', '.join(NETWORKS)}")
    return NETWORKS[name](channels, classes) if width is None else NETWORKS[name](channels, classes, width)
