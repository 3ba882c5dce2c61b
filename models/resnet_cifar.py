"""ResNet-34A: the narrow residual network for 32-pixel images with shortcuts that have no parameters."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from crowdloom.models.residual import ResidualNetwork

BLOCKS = 7
"""Basic blocks in each of the three stages."""


class ResNet34A(ResidualNetwork):
    """A 3 x 3 convolution, three stages of seven basic blocks with 1, 2, 4 times `width` channels, one linear layer.

    Takes [N, channels, size, size] of any size from 8 on, gives [N, classes]: outputs before the softmax. The second
    and the third stage begin at half the resolution; the map that is left is averaged. With width 16 it is the network
    of 44 layers and 0.66 million parameters of K. He et al., *Deep Residual Learning for Image Recognition* (2016),
    section 4.2, which A. Uma et al. (HCOMP 2020) train and call ResNet-34A. Their convolutions have biases, which the
    batch norms behind them subtract again; these have none.

    >>> import torch
    >>> ResNet34A(channels=3, classes=10)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, channels: int, classes: int, width: int = 16) -> None:
        super().__init__(channels, classes, width, (BLOCKS,) * 3, BasicBlock)


class BasicBlock(nn.Module):
    """Two convolutions, each with batch norm, around which a shortcut leads.

    Where the shape changes, the shortcut is the paper's option A: every second pixel, and zeros for the new channels.
    """

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outside)
        self.stride, self.more = stride, outside - inside

    def forward(self, given: Tensor) -> Tensor:
        """The block's map."""
        made = functional.relu(self.norm1(self.conv1(given)), inplace=True)
        made = self.norm2(self.conv2(made))
        if self.more:
            given = functional.pad(given[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        # In place: batch norm's backward pass needs what it was given, not what it made.
        made += given
        return functional.relu(made, inplace=True)
