"""FGSM and PGD against soft labels: by hand, against torchattacks, and what they leave alone."""

from __future__ import annotations

import pytest
import torch
import torchattacks
from torch import Tensor, nn

from crowdloom.models.attacks import EPSILON, STEP, STEPS, fgsm, pgd, random_start
from crowdloom.models.networks import SmallCNN

ROUNDING = 1e-6


@pytest.fixture
def network() -> nn.Module:
    """A small network whose batch norms have seen images, in training mode but for one module."""
    torch.manual_seed(0)
    made = SmallCNN(3, 10)
    made(torch.rand(64, 3, 32, 32))
    made[1].eval()
    return made


@pytest.fixture
def images() -> Tensor:
    """Some with pixels at both ends of the range."""
    drawn = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    return (drawn * 1.4 - 0.2).clamp(0, 1)


def soft(n: int) -> Tensor:
    """Labels that are distributions."""
    return (torch.randn(n, 10, generator=torch.Generator().manual_seed(2)) * 2).softmax(1)


def in_test_mode(network: nn.Module) -> nn.Module:
    return network.eval()


def test_fgsm_with_hard_labels_is_that_of_torchattacks(network: nn.Module, images: Tensor) -> None:
    """Pixel by pixel."""
    hard = torch.arange(8)
    expected = torchattacks.FGSM(in_test_mode(network), eps=EPSILON)(images, hard)
    torch.testing.assert_close(fgsm(network, images, torch.eye(10)[hard]), expected, rtol=0, atol=ROUNDING)


def test_pgd_with_hard_labels_is_that_of_torchattacks(network: nn.Module, images: Tensor) -> None:
    """Pixel by pixel, from the image itself."""
    hard = torch.arange(8)
    theirs = torchattacks.PGD(in_test_mode(network), eps=EPSILON, alpha=STEP, steps=STEPS, random_start=False)
    torch.testing.assert_close(pgd(network, images, torch.eye(10)[hard]), theirs(images, hard), rtol=0, atol=ROUNDING)


def test_fgsm_with_soft_labels_is_the_formula(network: nn.Module, images: Tensor) -> None:
    """The sign of the gradient of torch's own mean cross-entropy."""
    labels = soft(8)
    seen = images.clone().requires_grad_()
    torch.nn.functional.cross_entropy(in_test_mode(network)(seen), labels).backward()
    assert seen.grad is not None
    expected = (images + 4 / 255 * seen.grad.sign()).clamp(0, 1)
    torch.testing.assert_close(fgsm(network, images, labels), expected, rtol=0, atol=ROUNDING)


def test_attacks_raise_the_loss_and_keep_their_bounds(network: nn.Module, images: Tensor) -> None:
    """PGD more than FGSM, and FGSM more than noise of the same size; no pixel moves too far, none out of range."""
    labels = soft(8)
    start = random_start(images.shape, seed=3)
    changed = {
        "none": images,
        "noise": (images + EPSILON * start.sign()).clamp(0, 1),
        "fgsm": fgsm(network, images, labels),
        "pgd": pgd(network, images, labels, start=start),
    }
    network.eval()
    losses = {}
    for name, attacked in changed.items():
        assert (attacked - images).abs().max() <= EPSILON + ROUNDING
        assert attacked.min() >= 0
        assert attacked.max() <= 1
        losses[name] = float(torch.nn.functional.cross_entropy(network(attacked), labels).detach())
    assert max(losses["none"], losses["noise"]) < losses["fgsm"] < losses["pgd"]


def test_a_network_is_left_as_it_was(network: nn.Module, images: Tensor) -> None:
    """No parameter has a gradient, no statistic of a batch norm moved, every module is in the mode it was in."""
    modes = [module.training for module in network.modules()]
    assert not all(modes)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    fgsm(network, images, soft(8))
    pgd(network, images, soft(8), steps=2)
    assert [module.training for module in network.modules()] == modes
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(parameter.requires_grad for parameter in network.parameters())
    for name, value in network.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_its_mode_comes_back_after_an_error_too(network: nn.Module) -> None:
    """Images that the network cannot take."""
    with pytest.raises(RuntimeError):
        fgsm(network, torch.rand(2, 5, 32, 32), soft(2))
    assert network.training
    assert not network[1].training


def test_an_attack_does_not_depend_on_its_neighbours(network: nn.Module, images: Tensor) -> None:
    """Alone or among others, and where gradients are switched off around it."""
    labels, start = soft(8), random_start(images.shape, seed=3)
    with torch.no_grad():
        together = pgd(network, images, labels, start=start)
    alone = [pgd(network, images[n : n + 1], labels[n : n + 1], start=start[n : n + 1]) for n in range(8)]
    assert (torch.cat(alone) - together).abs().gt(ROUNDING).float().mean() < 0.001  # rounding may flip a sign


def test_the_start_is_uniform_and_seeded() -> None:
    """Within epsilon, the same for the same seed, and nobody else's chance is used."""
    torch.manual_seed(4)
    expected = torch.rand(1)
    torch.manual_seed(4)
    start = random_start((50, 3, 8, 8), seed=1)
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(start, random_start((50, 3, 8, 8), seed=1))
    assert not torch.equal(start, random_start((50, 3, 8, 8), seed=2))
    assert start.abs().max() <= EPSILON
    assert float(start.std()) == pytest.approx(EPSILON / 3**0.5, rel=0.03)
