"""Networks by name: what they are made of, and what they take."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision.models import resnet, vgg11_bn

from crowdloom.models.errors import ModelError
from crowdloom.models.networks import NETWORKS, make_network
from crowdloom.models.preact_resnet import PreActBlock
from crowdloom.models.resnet_bottleneck import Bottleneck
from crowdloom.models.resnet_cifar import BasicBlock
from crowdloom.models.vgg import VGG11

PARAMETERS = {
    "small-cnn": 24_346,
    "resnet-34a": 658_586,  # He et al.'s ResNet of 44 layers, 0.66 million
    "resnet-50": 23_520_842,  # the usual CIFAR-10 form, 23.52 million
    "vgg-11": 9_231_114,  # the same, 9.23 million
    "preact-resnet-18": 11_171_274,  # of mixup's authors, 11.17 million
    "preact-resnet-34": 21_279_434,
}
CONVOLUTIONS = {
    "small-cnn": 3,
    "resnet-34a": 43,
    "resnet-50": 49 + 4,
    "vgg-11": 8,
    "preact-resnet-18": 17 + 3,
    "preact-resnet-34": 33 + 3,
}


def numbers(network: nn.Module) -> int:
    """How many parameters it has."""
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("name", NETWORKS)
def test_each_has_the_layers_and_parameters_of_its_source(name: str) -> None:
    """For ten classes of colour images, in its own width."""
    network = make_network(name, 3, 10)
    assert numbers(network) == PARAMETERS[name]
    assert sum(isinstance(module, nn.Conv2d) for module in network.modules()) == CONVOLUTIONS[name]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("size", "channels", "width"), [(8, 1, 4), (9, 2, 4), (32, 3, 8), (40, 3, 4)])
def test_each_takes_any_size_channels_and_width(name: str, size: int, channels: int, width: int) -> None:
    """It gives one number for each class, every parameter learns, and wider ones have more."""
    torch.manual_seed(0)
    network = make_network(name, channels, 5, width)
    outputs = network(torch.rand(3, channels, size, size))
    assert outputs.shape == (3, 5)
    outputs.square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert numbers(network) < numbers(make_network(name, channels, 5, 2 * width))


def test_a_name_that_is_none_is_refused() -> None:
    """With the names that there are."""
    with pytest.raises(ModelError, match=r"no network 'resnet-35'; choose from small-cnn, .*preact-resnet-34"):
        make_network("resnet-35", 3, 10)


@pytest.mark.parametrize(("inside", "stride"), [(16, 1), (4, 1), (16, 2), (8, 2)])
def test_bottleneck_blocks_are_torchvisions(inside: int, stride: int) -> None:
    """The same weights give the same map, in training mode, where the shape changes and where it does not."""
    torch.manual_seed(0)
    ours = Bottleneck(inside, 4, stride)
    changes = stride != 1 or inside != 16
    shortcut = nn.Sequential(nn.Conv2d(inside, 16, 1, stride, bias=False), nn.BatchNorm2d(16)) if changes else None
    theirs = resnet.Bottleneck(inside, 4, stride, shortcut)
    states = ours.state_dict()
    renamed = {key.replace("norm", "bn").replace("shortcut", "downsample"): states[key] for key in states}
    theirs.load_state_dict(renamed)
    given = torch.randn(3, inside, 6, 6)
    assert torch.equal(ours(given.clone()), theirs(given.clone()))


def test_basic_blocks_are_torchvisions() -> None:
    """Where the shape does not change: the same weights give the same map."""
    torch.manual_seed(0)
    ours, theirs = BasicBlock(4, 4, 1), resnet.BasicBlock(4, 4)
    theirs.load_state_dict({key.replace("norm", "bn"): tensor for key, tensor in ours.state_dict().items()})
    given = torch.randn(3, 4, 6, 6)
    assert torch.equal(ours(given.clone()), theirs(given.clone()))


def test_option_a_takes_every_second_pixel_and_adds_channels_of_zeros() -> None:
    """Where the convolutions give nothing, what is left of a block is its shortcut."""
    block = BasicBlock(2, 4, 2)
    nn.init.zeros_(block.norm2.weight)
    given = torch.rand(3, 2, 5, 5)
    made = block(given)
    assert torch.equal(made[:, :2], given[:, :, ::2, ::2])
    assert not made[:, 2:].any()
    assert sum(parameter.numel() for parameter in block.parameters()) == 2 * 4 * 9 + 4 * 4 * 9 + 16


def test_pre_activation_blocks_normalise_first_and_leave_their_sum() -> None:
    """By hand: conv2(relu(norm2(conv1(a)))) + shortcut(a) with a = relu(norm1(x)); the sum is not rectified."""
    torch.manual_seed(0)
    block = PreActBlock(4, 4, 1)
    given = torch.randn(3, 4, 6, 6)
    active = block.norm1(given).relu()
    expected = block.conv2(block.norm2(block.conv1(active)).relu()) + active
    assert torch.allclose(block(given), expected, atol=1e-6)
    assert block(given).min() < 0


def test_vgg_has_torchvisions_convolutions() -> None:
    """The same weights give the same features at 32 pixels, where both pool five times."""
    torch.manual_seed(0)
    ours, theirs = VGG11(3, 10), vgg11_bn()
    kinds = (nn.Conv2d, nn.BatchNorm2d)
    pairs = zip(
        [module for module in ours.modules() if isinstance(module, kinds)],
        [module for module in theirs.features.modules() if isinstance(module, kinds)],
        strict=True,
    )
    for mine, their in pairs:
        their.load_state_dict(mine.state_dict())
    given = torch.rand(2, 3, 32, 32)
    expected = ours.linear(theirs.features(given).flatten(1))
    assert torch.allclose(ours(given), expected, atol=1e-5)
