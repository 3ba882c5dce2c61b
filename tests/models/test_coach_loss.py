"""Equation 1 and the discriminator's loss, by hand and against the two steps written one after the other."""

from __future__ import annotations

import math

import pytest
import torch

from crowdloom.models.coach_loss import UNIT, Alphas, both_losses, change, effort, misreading
from crowdloom.models.coach_networks import Classifier
from crowdloom.models.coach_training import new_coaches, new_discriminators
from tests.models.plain_coach import PlainTraining, plain_told


def test_change_and_effort_are_sums_over_pixels() -> None:
    """In units of 1 / (784 * 128)."""
    assert UNIT == 1 / (28 * 28 * 128)
    pictures, proposals = torch.zeros(2, 1, 28, 28), torch.zeros(2, 1, 28, 28)
    pictures[0, 0, 3, 4], proposals[0, 0, 3, 4], proposals[1, 0, 0, 0] = 1.0, 0.25, 0.5
    torch.testing.assert_close(change(pictures, proposals), UNIT * torch.tensor([[0.75], [0.5]]))
    torch.testing.assert_close(effort(proposals), UNIT * torch.tensor([[0.25], [0.5]]))


def test_misreading_is_the_cross_entropy_of_the_class_asked_for() -> None:
    """Of each network's proposal by itself."""
    classifier = Classifier(3)
    proposals = torch.rand(2, 2, 28, 28)
    asked = torch.tensor([[0, 1], [2, 2]])
    found = misreading(classifier, proposals, asked)
    for b in range(2):
        for n in range(2):
            logits = classifier(proposals[b, n][None, None])[0]
            torch.testing.assert_close(found[b, n], -logits.log_softmax(0)[asked[b, n]])


@pytest.mark.parametrize("by_picture", [False, True])
def test_one_gradient_is_that_of_two_losses(by_picture: bool) -> None:
    """Of L_Tot in the coach and of the discriminator's own in the discriminator, also with weights by picture."""
    torch.manual_seed(0)
    coach, discriminator = new_coaches(3, [0, 1]).double(), new_discriminators([0, 1]).double()
    classifier = Classifier(3).double().requires_grad_(False)
    pictures, asked = torch.rand(4, 2, 28, 28).double(), torch.randint(3, (4, 2))
    weights = torch.rand(3, 4, 2).double() if by_picture else torch.tensor([0.1, 4.0, 0.3]).double()
    given = list(weights) if by_picture else weights.tolist()
    alphas = Alphas(32.0, *given)
    both_losses(classifier, discriminator, pictures, coach(pictures, asked), asked, alphas).backward()

    proposals = coach(pictures, asked)
    told = discriminator(proposals)
    terms = 32 * change(pictures, proposals) + weights[0] * misreading(classifier, proposals, asked)
    terms = terms + weights[1] * effort(proposals) + weights[2] * (1 - told.sigmoid()).log()
    expected = torch.autograd.grad(terms.mean(0).sum(), list(coach.parameters()))
    for parameter, gradient in zip(coach.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
    telling = -discriminator(pictures).sigmoid().log() - (1 - discriminator(proposals.detach()).sigmoid()).log()
    expected = torch.autograd.grad(telling.mean(0).sum(), list(discriminator.parameters()))
    for parameter, gradient in zip(discriminator.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_terms_without_a_weight_are_not_there() -> None:
    """The baseline asks neither recogniser nor discriminator."""
    pictures = torch.rand(2, 1, 28, 28)
    proposals = torch.rand(2, 1, 28, 28)
    asked = torch.zeros(2, 1, dtype=torch.int64)
    classifier = Classifier(3)
    classifier.forward = None  # type: ignore[assignment, method-assign]
    found = both_losses(classifier, None, pictures, proposals, asked, Alphas())
    torch.testing.assert_close(found, 32 * change(pictures, proposals).mean())


def test_a_discriminator_that_is_sure_gives_finite_numbers() -> None:
    """Its logits are large, and 1 - D would be 0 in float32."""
    discriminator = new_discriminators([0])
    with torch.no_grad():
        discriminator.linear.bias.fill_(200.0)
    pictures = torch.rand(2, 1, 28, 28)
    assert not (1 - plain_told(discriminator, pictures)).any()
    asked = torch.zeros(2, 1, dtype=torch.int64)
    proposals = pictures.clone().requires_grad_()
    loss = both_losses(Classifier(3), discriminator, pictures, proposals, asked, Alphas(discriminator=0.5))
    loss.backward()
    assert math.isfinite(loss.item())
    assert proposals.grad is not None
    assert bool(proposals.grad.isfinite().all())


def test_plain_training_is_what_it_is_named() -> None:
    """What others are compared with changes both networks at each step."""
    coach, discriminator = new_coaches(3, [0]), new_discriminators([0])
    before = [parameter.clone() for parameter in (*coach.parameters(), *discriminator.parameters())]
    plain = PlainTraining(coach, discriminator, Classifier(3), (0.1, 4.0, 0.3))
    plain.step(torch.rand(4, 1, 28, 28), torch.tensor([0, 1, 2, 0]))
    after = (*coach.parameters(), *discriminator.parameters())
    assert all(not torch.equal(one, other) for one, other in zip(before, after, strict=True))
