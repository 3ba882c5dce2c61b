"""What the layers of stacked coaches compute, in fewer steps than it is written down in, and to the same numbers.

A map that is constant adds the same at every place but at the edges, where some of a kernel's nine taps lie outside.
Enlarging a map twice by nearest neighbours before it is convolved is a transposed convolution by a kernel of four by
four, which takes 4 multiplications for each number where the long way takes 9.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

Layer = Callable[[nn.Conv2d, Tensor, Tensor], Tensor]
"""A layer on channels [B, N * I, H, W] with these of its weights, [N * O, I, 3, 3]."""


def grouped(inside: int, outside: int, networks: int) -> nn.Conv2d:
    """So many convolutions beside each other, each of its own channels: weights [N * outside, inside, 3, 3]."""
    return nn.Conv2d(networks * inside, networks * outside, 3, padding=1, groups=networks)


def taps_inside(side: int) -> Tensor:
    """[side * side, 9]: 1 where, at a place of a square map, a tap of a 3 x 3 kernel lies inside, else 0.

    >>> taps_inside(28)[0].tolist()
    [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]
    """
    ones = torch.ones(1, 1, side, side)
    return functional.unfold(ones, 3, padding=1)[0].T.contiguous()


def transposed_taps() -> Tensor:
    """[9, 16]: how the 4 x 4 taps of the kernel in `enlarged` are sums of the 3 x 3 taps of a layer's kernel."""
    one = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0]])
    return torch.kron(one, one)


def channels_last(pictures: Tensor) -> Tensor:
    """The same [B, N, H, W] with its channels last in memory, and with strides that say so also of one channel.

    PyTorch's own conversion leaves one channel as it is, and all maps after it would lie the slower way.
    """
    batch, channels, height, width = pictures.shape
    return pictures.permute(0, 2, 3, 1).flatten(1).view(batch, height, width, channels).permute(0, 3, 1, 2)


def convolved(layer: nn.Conv2d, x: Tensor, weight: Tensor) -> Tensor:
    """The layer as it is: [B, N * O, H, W]."""
    return functional.conv2d(x, weight, layer.bias, padding=1, groups=layer.groups)


def enlarged(layer: nn.Conv2d, x: Tensor, weight: Tensor, taps: Tensor) -> Tensor:
    """The layer on `x` enlarged twice by nearest neighbours, [B, N * O, 2 H, 2 W]; `taps` are `transposed_taps`."""
    by_input = weight.unflatten(0, (layer.groups, -1)).transpose(1, 2).flatten(3)  # [N, I, O, 9]
    kernel = (by_input @ taps).unflatten(3, (4, 4)).flatten(0, 1)
    return functional.conv_transpose2d(x, kernel, layer.bias, stride=2, padding=1, groups=layer.groups)


def beside_maps(layer: nn.Conv2d, x: Tensor, given: Tensor, inside: Tensor, how: Layer) -> Tensor:
    """A layer whose input is, of each network, its channels in `x` and then constant maps of the numbers `given`.

    `given` [B, N, M], `inside` as `taps_inside` has it for the layer's output, `how` the layer without the maps.
    """
    networks, (batch, _, numbers) = layer.groups, given.shape
    weight = layer.weight.unflatten(0, (networks, -1))  # [N, O, I + M, 3, 3]
    channels = weight.shape[2] - numbers
    y = how(layer, x, weight[:, :, :channels].flatten(0, 1)).permute(0, 2, 3, 1)
    of_maps = weight[:, :, channels:].flatten(3).permute(0, 2, 3, 1).flatten(2)  # [N, M, 9 * O]
    by_tap = (given.transpose(0, 1) @ of_maps).unflatten(2, (9, -1)).permute(1, 2, 0, 3).flatten(2)  # [B, 9, N * O]
    with_maps = torch.baddbmm(y.flatten(1, 2), inside.expand(batch, -1, -1), by_tap)
    return with_maps.view_as(y).permute(0, 3, 1, 2)
