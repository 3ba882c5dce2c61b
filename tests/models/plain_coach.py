"""The coach and its training step as one writes them first: what stacks and their shortcuts are compared with."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from crowdloom.models.coach_loss import UNIT
from crowdloom.models.coach_networks import Classifier, Coach, Discriminator


def plain_proposals(coach: Coach, pictures: Tensor, asked: Tensor, weights: Tensor | None = None) -> Tensor:
    """Class and weights as maps beside the channels, enlarged before the convolution, ReLU before the pooling."""
    given = functional.one_hot(asked, coach.classes).to(pictures.dtype)
    if weights is not None:
        given = torch.cat([given, weights], dim=2)

    def beside(x: Tensor) -> Tensor:
        batch, _, height, width = x.shape
        maps = given[..., None, None].expand(-1, -1, -1, height, width)
        return torch.cat([x.reshape(batch, coach.networks, -1, height, width), maps], dim=2).flatten(1, 2)

    x = functional.max_pool2d(coach.encoder1(beside(pictures)).relu(), 2)
    x = functional.max_pool2d(coach.encoder2(x).relu(), 2)
    x = coach.decoder1(functional.interpolate(beside(x), scale_factor=2)).relu()
    x = coach.decoder2(functional.interpolate(x, scale_factor=2)).relu()
    proposals: Tensor = coach.decoder3(x).relu()
    return proposals


def plain_told(discriminator: Discriminator, pictures: Tensor) -> Tensor:
    """D(X), the probability of being a drawing, of one discriminator: [B]."""
    x = functional.max_pool2d(discriminator.conv1(pictures).relu(), 2)
    x = functional.max_pool2d(discriminator.conv2(x).relu(), 2)
    logits: Tensor = discriminator.linear(x.flatten(1))[:, 0]
    return logits.sigmoid()


class PlainTraining:
    """One coach and one discriminator, each with an Adam of its own, that step in turn: equation 1, word by word."""

    def __init__(
        self,
        coach: Coach,
        discriminator: Discriminator,
        classifier: Classifier,
        alphas: tuple[float, float, float],
    ) -> None:
        self.coach, self.discriminator, self.classifier = coach, discriminator, classifier
        self.classification, self.efficiency, self.adversary = alphas
        self.of_coach = torch.optim.Adam(coach.parameters(), lr=1e-4)
        self.of_discriminator = torch.optim.Adam(discriminator.parameters(), lr=1e-4)

    def step(self, pictures: Tensor, asked: Tensor) -> None:
        """On pictures [B, 1, 28, 28] of classes [B]."""
        # ---- The coach, with the discriminator as it is.
        proposals = plain_proposals(self.coach, pictures, asked[:, None])
        change = (pictures - proposals).abs().flatten(1).sum(1) * UNIT
        effort = proposals.abs().flatten(1).sum(1) * UNIT
        misread = functional.cross_entropy(self.classifier(proposals), asked, reduction="none")
        fooled = (1 - plain_told(self.discriminator, proposals)).log()
        loss = 32 * change + self.classification * misread + self.efficiency * effort + self.adversary * fooled
        self.of_coach.zero_grad()
        loss.mean().backward()
        self.of_coach.step()

        # ---- The discriminator, on the proposals of before.
        drawn, proposed = plain_told(self.discriminator, pictures), plain_told(self.discriminator, proposals.detach())
        self.of_discriminator.zero_grad()
        (-drawn.log() - (1 - proposed).log()).mean().backward()
        self.of_discriminator.step()
