"""PreAct ResNet-18 and -34: residual networks that normalise before they convolve."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn
from torch.nn import functional

from crowdloom.models.residual import ResidualNetwork


class PreActResNet(ResidualNetwork):
    """A 3 x 3 convolution with batch norm, four stages of pre-activation blocks, one linear layer.

    Takes [N, channels, size, size] of any size from 8 on, gives [N, classes]: outputs before the softmax. `blocks` are
    the blocks in each stage, whose maps have 1, 2, 4 and 8 times `width` channels. It is the network of the published
    code of H. Zhang et al., *mixup* (2017), which differs in two points from K. He et al., *Identity Mappings in Deep
    Residual Networks* (2016): every shortcut carries the block's normalised and rectified input, also where the shape
    does not change, and nothing normalises the last map before it is averaged.

    >>> import torch
    >>> PreActResNet(channels=3, classes=10, width=8)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, channels: int, classes: int, width: int = 64, blocks: Sequence[int] = (2, 2, 2, 2)) -> None:
        super().__init__(channels, classes, width, blocks, PreActBlock)


PreActResNet18 = PreActResNet
PreActResNet34 = partial(PreActResNet, blocks=(3, 4, 6, 3))


class PreActBlock(nn.Module):
    """Twice batch norm, ReLU and convolution, around which a shortcut leads.

    Where the shape changes, the shortcut is a 1 x 1 convolution.
    """

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inside)
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1, bias=False)
        self.shortcut = nn.Sequential()
        if stride != 1 or inside != outside:
            self.shortcut.append(nn.Conv2d(inside, outside, 1, stride, bias=False))

    def forward(self, given: Tensor) -> Tensor:
        """The block's map."""
        given = functional.relu(self.norm1(given), inplace=True)
        made = self.conv1(given)
        made = self.conv2(functional.relu(self.norm2(made), inplace=True))
        # Not in place: what a convolution made, and not its sum, must be told apart by those who look for pairs of
        # convolutions and batch norms (`packing.py`).
        result: Tensor = made + self.shortcut(given)
        return result
