"""The plan that all residual networks for small images share: a convolution, stages of blocks, one linear layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torch.nn import functional

MakeBlock = Callable[[int, int, int], nn.Module]
"""A block: how many channels come in, how many its stage has, and its stride."""


class ResidualNetwork(nn.Module):
    """A 3 x 3 convolution with batch norm, stages of blocks, and one linear layer on the mean of the last map.

    Takes [N, channels, size, size] of any size from 8 on, gives [N, classes]: outputs before the softmax. `blocks` are
    the blocks in each stage; the first stage has `width` channels, each further one twice as many at half the
    resolution. What leaves a block has `expansion` times the channels of its stage.
    """

    def __init__(
        self, channels: int, classes: int, width: int, blocks: Sequence[int], block: MakeBlock, expansion: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        made: list[nn.Module] = []
        inside = width
        for stage, count in enumerate(blocks):
            for number in range(count):
                made.append(block(inside, width * 2**stage, 2 if stage and not number else 1))
                inside = width * 2**stage * expansion
        self.blocks = nn.Sequential(*made)
        self.linear = nn.Linear(inside, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Outputs before the softmax."""
        seen = functional.relu(self.norm(self.conv(images)), inplace=True)
        outputs: Tensor = self.linear(self.blocks(seen).mean((2, 3)))
        return outputs
