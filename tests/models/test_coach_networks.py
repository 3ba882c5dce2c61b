"""Stacks of coaches and discriminators: each network computes what it computes alone, written down plainly."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from crowdloom.models.coach_networks import Classifier, Coach, single, stack
from crowdloom.models.coach_training import new_coaches, new_discriminators
from tests.models.plain_coach import plain_proposals, plain_told

CLASSES, NETWORKS, BATCH = 4, 3, 5


def given(weights: int) -> tuple[Tensor, Tensor, Tensor | None]:
    """Pictures with ink up to their edges, classes asked for, weights."""
    chance = torch.Generator().manual_seed(0)
    pictures = torch.rand(BATCH, NETWORKS, 28, 28, generator=chance, dtype=torch.float64)
    asked = torch.randint(CLASSES, (BATCH, NETWORKS), generator=chance)
    numbers = torch.rand(BATCH, NETWORKS, weights, generator=chance, dtype=torch.float64)
    return pictures, asked, numbers if weights else None


def random_coach(weights: int) -> Coach:
    """With weights of which none is 0, as after some training, and outputs above 0."""
    torch.manual_seed(0)
    coach = Coach(CLASSES, NETWORKS, weights).double()
    with torch.no_grad():
        coach.decoder3.weight.abs_()
    return coach


@pytest.mark.parametrize("weights", [0, 3])
def test_a_coach_computes_what_its_figure_says(weights: int) -> None:
    """Outputs and the gradients of all weights, as with maps that are laid beside the channels, and enlarged."""
    coach, (pictures, asked, numbers) = random_coach(weights), given(weights)
    found, expected = coach(pictures, asked, numbers), plain_proposals(coach, pictures, asked, numbers)
    assert found.shape == (BATCH, NETWORKS, 28, 28)
    assert float(expected.detach().max()) > 0.1
    torch.testing.assert_close(found, expected)
    toward = torch.rand_like(found)
    parameters = list(coach.parameters())
    gradients = [torch.autograd.grad((output * toward).sum(), parameters) for output in (found, expected)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)
        assert one.abs().sum() > 0


def test_layers_have_the_papers_widths() -> None:
    """8 and 16 in the recogniser, 16 and 32 in coach and discriminator."""
    shapes = {name: tuple(tensor.shape) for name, tensor in Coach(10, 2, 3).state_dict().items() if "weight" in name}
    assert shapes == {
        "encoder1.weight": (32, 14, 3, 3),
        "encoder2.weight": (64, 16, 3, 3),
        "decoder1.weight": (64, 45, 3, 3),
        "decoder2.weight": (32, 32, 3, 3),
        "decoder3.weight": (2, 16, 3, 3),
    }
    classifier = Classifier(10)
    assert [tuple(layer.weight.shape) for layer in (classifier.conv1, classifier.conv2, classifier.linear)] == [
        (8, 1, 3, 3),
        (16, 8, 3, 3),
        (10, 784),
    ]
    assert classifier(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_a_network_alone_computes_what_it_does_in_the_stack() -> None:
    """And what is taken apart and stacked again is what it was."""
    coach, (pictures, asked, numbers) = random_coach(3), given(3)
    assert numbers is not None
    together = coach(pictures, asked, numbers)
    discriminator = new_discriminators(range(NETWORKS)).double()
    told = discriminator(pictures)
    for n in range(NETWORKS):
        part = slice(n, n + 1)
        torch.testing.assert_close(
            single(coach, n)(pictures[:, part], asked[:, part], numbers[:, part])[:, 0], together[:, n]
        )
        alone = single(discriminator, n)
        torch.testing.assert_close(alone(pictures[:, part])[:, 0], told[:, n])
        torch.testing.assert_close(plain_told(alone, pictures[:, part]), told[:, n].sigmoid())
    again = stack([single(coach, n) for n in range(NETWORKS)])
    assert all(
        torch.equal(one, other)
        for one, other in zip(again.state_dict().values(), coach.state_dict().values(), strict=True)
    )


def test_first_weights_are_a_seeds_own() -> None:
    """Whoever stands beside it in the stack; and the caller's chance is left alone."""
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    several = new_coaches(10, [7, 8, 9])
    assert torch.equal(torch.rand(1), expected)
    alone = new_coaches(10, [8]).state_dict()
    assert all(torch.equal(tensor, alone[name]) for name, tensor in single(several, 1).state_dict().items())
    assert not torch.equal(several.encoder1.weight[:16], several.encoder1.weight[16:32])


def test_no_coach_begins_dead() -> None:
    """Of a hundred seeds: each proposes some ink, through weights that a gradient reaches, and none for a blank one."""
    coach = new_coaches(10, range(100))
    drawn = torch.zeros(1, 100, 28, 28)
    drawn[:, :, 8:20, 13:15] = 1
    asked = torch.zeros(1, 100, dtype=torch.int64)
    proposals = coach(drawn, asked)
    assert bool((proposals.amax((2, 3)) > 0).all())
    proposals.sum().backward()
    for layer in (coach.encoder1, coach.encoder2, coach.decoder1, coach.decoder2, coach.decoder3):
        assert layer.weight.grad is not None
        assert bool((layer.weight.grad.view(100, -1).abs().amax(1) > 0).all())
    assert not coach(torch.zeros_like(drawn), asked).any()
