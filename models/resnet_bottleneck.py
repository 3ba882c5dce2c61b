"""ResNet-50 in its form for small images."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from crowdloom.models.residual import ResidualNetwork

BLOCKS = (3, 4, 6, 3)
EXPANSION = 4
"""How many times wider a block's map is than the convolutions within it."""


class ResNet50(ResidualNetwork):
    """A 3 x 3 convolution without pooling, four stages of bottleneck blocks, one linear layer.

    Takes [N, channels, size, size] of any size from 8 on, gives [N, classes]: outputs before the softmax. The blocks
    are those of K. He et al., *Deep Residual Learning for Image Recognition* (2016); small images are not shrunk before
    them, as is usual for CIFAR-10. The narrow convolutions of the stages have 1, 2, 4 and 8 times `width` channels.

    >>> import torch
    >>> ResNet50(channels=3, classes=10, width=8)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, channels: int, classes: int, width: int = 64) -> None:
        super().__init__(channels, classes, width, BLOCKS, Bottleneck, EXPANSION)


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 (with the stride) and 1 x 1 convolutions, each with batch norm, around which a shortcut leads.

    Where the shape changes, the shortcut is a 1 x 1 convolution with batch norm (the paper's option B).
    """

    def __init__(self, inside: int, narrow: int, stride: int) -> None:
        super().__init__()
        outside = narrow * EXPANSION
        self.conv1 = nn.Conv2d(inside, narrow, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(narrow)
        self.conv2 = nn.Conv2d(narrow, narrow, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(narrow)
        self.conv3 = nn.Conv2d(narrow, outside, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(outside)
        self.shortcut = nn.Sequential()
        if stride != 1 or inside != outside:
            self.shortcut.append(nn.Conv2d(inside, outside, 1, stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(outside))

    def forward(self, given: Tensor) -> Tensor:
        """The block's map."""
        made = functional.relu(self.norm1(self.conv1(given)), inplace=True)
        made = functional.relu(self.norm2(self.conv2(made)), inplace=True)
        made = self.norm3(self.conv3(made))
        made += self.shortcut(given)
        return functional.relu(made, inplace=True)
