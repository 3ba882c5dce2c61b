"""The networks of the H2AI coach: what reads a drawing, what proposes a better one, and what tells the two apart.

Source: J. Schneider, *Human-to-AI Coach: Improving Human Inputs to AI Systems* (IDA 2020), sections 3.1 and 4.
Pictures are 28 x 28, float32 from 0 (no ink) to 1.

Coaches and discriminators are stacks of N networks that have nothing to do with each other: their convolutions have N
groups, so that one pass computes them all. Channels are counted by network first: those of network n lie together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from crowdloom.models.coach_layers import (
    beside_maps,
    channels_last,
    convolved,
    enlarged,
    grouped,
    taps_inside,
    transposed_taps,
)

SIDE = 28
"""Pixels that a picture is wide and high."""
WIDTHS = (16, 32)
"""Channels of encoder and decoder, and of the discriminator."""


class Classifier(nn.Module):
    """C_H, which reads drawings: pictures [B, 1, 28, 28] in, logits [B, K] out."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.linear = nn.Linear(16 * (SIDE // 4) ** 2, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits."""
        x = functional.relu(functional.max_pool2d(self.conv1(channels_last(pictures)), 2))
        x = functional.relu(functional.max_pool2d(self.conv2(x), 2))
        logits: Tensor = self.linear(x.flatten(1))
        return logits


class Coach(nn.Module):
    """The conditional convolutional autoencoder: pictures and the classes asked for in, proposals out.

    `weights` W > 0 makes one that is given the weights of the losses, too, as W maps beside those of the class. A
    picture's channels come first, then the K classes' maps, of which that of the class asked for is 1 and the others 0,
    then the weights' maps.
    """

    inside_whole: Tensor
    inside_half: Tensor
    taps: Tensor

    def __init__(self, classes: int, networks: int = 1, weights: int = 0) -> None:
        super().__init__()
        self.classes, self.networks, self.weights = classes, networks, weights
        maps, (narrow, wide) = classes + weights, WIDTHS
        self.encoder1 = grouped(1 + maps, narrow, networks)
        self.encoder2 = grouped(narrow, wide, networks)
        self.decoder1 = grouped(wide + maps, wide, networks)
        self.decoder2 = grouped(wide, narrow, networks)
        self.decoder3 = grouped(narrow, 1, networks)
        self.register_buffer("inside_whole", taps_inside(SIDE), persistent=False)
        self.register_buffer("inside_half", taps_inside(SIDE // 2), persistent=False)
        self.register_buffer("taps", transposed_taps(), persistent=False)

    def forward(self, pictures: Tensor, asked: Tensor, weights: Tensor | None = None) -> Tensor:
        """Proposals [B, N, 28, 28], 0 or more; `pictures` like them, `asked` int64 [B, N], `weights` [B, N, W]."""
        return functional.relu(self.before_relu(pictures, asked, weights))

    def before_relu(self, pictures: Tensor, asked: Tensor, weights: Tensor | None = None) -> Tensor:
        """What the last layer gives: proposals are 0 where this is negative."""
        given = functional.one_hot(asked, self.classes).to(pictures.dtype)
        if weights is not None:
            given = torch.cat([given, weights], dim=2)
        x = channels_last(pictures)
        x = beside_maps(self.encoder1, x, given, self.inside_whole, convolved)
        x = functional.relu(functional.max_pool2d(x, 2))  # as the other way round, on a quarter of the numbers
        x = functional.relu(functional.max_pool2d(convolved(self.encoder2, x, self.encoder2.weight), 2))
        x = functional.relu(beside_maps(self.decoder1, x, given, self.inside_half, self._enlarged))
        x = functional.relu(self._enlarged(self.decoder2, x, self.decoder2.weight))
        return convolved(self.decoder3, x, self.decoder3.weight)

    def _enlarged(self, layer: nn.Conv2d, x: Tensor, weight: Tensor) -> Tensor:
        return enlarged(layer, x, weight, self.taps)


class Discriminator(nn.Module):
    """Tells drawings from proposals: pictures [B, N, 28, 28] in, logits [B, N] of being a drawing out."""

    def __init__(self, networks: int = 1) -> None:
        super().__init__()
        self.networks = networks
        narrow, wide = WIDTHS
        self.conv1 = grouped(1, narrow, networks)
        self.conv2 = grouped(narrow, wide, networks)
        self.linear = nn.Linear(wide * (SIDE // 4) ** 2, networks)
        """A row for each network."""

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits."""
        x = functional.relu(functional.max_pool2d(self.conv1(channels_last(pictures)), 2))
        x = functional.relu(functional.max_pool2d(self.conv2(x), 2))
        x = x.reshape(len(x), self.networks, -1)
        return (x * self.linear.weight).sum(2) + self.linear.bias


Stack = TypeVar("Stack", Coach, Discriminator)


def stack(networks: Sequence[Stack]) -> Stack:
    """One stack of all the networks in these stacks, with tensors of its own."""
    made = _like(networks[0], sum(one.networks for one in networks))
    states = [one.state_dict() for one in networks]
    made.load_state_dict({name: torch.cat([state[name] for state in states]) for name in states[0]})
    return made


def single(networks: Stack, n: int) -> Stack:
    """Network n of a stack, as a stack of one with tensors of its own."""
    made = _like(networks, 1)
    made.load_state_dict({name: tensor.chunk(networks.networks)[n] for name, tensor in networks.state_dict().items()})
    return made


def _like(network: Stack, networks: int) -> Stack:
    with torch.random.fork_rng(devices=[]):  # whoever calls keeps their chance
        made = (
            Coach(network.classes, networks, network.weights) if isinstance(network, Coach) else Discriminator(networks)
        )
    return made.to(next(network.parameters()))  # on its device, in its type
