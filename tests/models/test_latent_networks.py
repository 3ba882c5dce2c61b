"""The networks of the latent loop fulfil its interface and are built as the paper says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from crowdloom.models.latent import check_network
from crowdloom.models.latent_networks import Cifar10Network, DigitsNetwork, SignalNetwork


@pytest.mark.parametrize(
    ("network", "shape", "classes", "features"),
    [
        (lambda: Cifar10Network(width=8), (3, 32, 32), 10, 16 * 16),
        (lambda: Cifar10Network(7, width=4, size=64), (3, 64, 64), 7, 8 * 64),
        (lambda: SignalNetwork(6, 13, width=8), (6, 100), 13, 64),
        (DigitsNetwork, (1, 8, 8), 10, 128),
    ],
)
def test_the_interface(network: Callable[[], nn.Module], shape: tuple[int, ...], classes: int, features: int) -> None:
    """Logits and features, as many as said, and every weight learns from the logits."""
    made = network()
    x = torch.randn(4, *shape)
    assert check_network(made, x, classes) == features
    made(x)[0].square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in made.parameters())


def test_the_layers_of_the_paper() -> None:
    """Five convolutions and four linear layers for images, three convolutions and a head for signals."""

    def count(network: nn.Module, kind: type[nn.Module]) -> list[nn.Module]:
        return [module for module in network.modules() if isinstance(module, kind)]

    cifar = Cifar10Network(width=128)
    assert [layer.out_channels for layer in count(cifar, nn.Conv2d)] == [128, 256, 512, 512, 256]  # type: ignore[union-attr]
    assert len(count(cifar, nn.Linear)) == 4
    signals = SignalNetwork(3, 5)
    assert len(count(signals, nn.Conv1d)) == 3
    assert len(count(signals, nn.Linear)) == 1


def test_signals_may_be_of_any_length() -> None:
    """The pooling takes them all."""
    network = SignalNetwork(3, 5, width=8)
    assert network(torch.randn(2, 3, 64))[1].shape == network(torch.randn(2, 3, 171))[1].shape == (2, 64)
