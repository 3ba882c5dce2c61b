"""The loss of the H2AI coach, equation 1, and how the discriminator learns in turn.

Source: J. Schneider, *Human-to-AI Coach: Improving Human Inputs to AI Systems* (IDA 2020), section 3.2. With X a
picture, Y its class and X^ the proposal,

    L_Tot = alpha_RE L_RE + alpha_CL L_CL + alpha_EF L_EF + alpha_D L_D
    L_RE = sum_i |X_i - X^_i|    L_CL = CE(C_H(X^), Y)    L_EF = sum_i |X^_i|    L_D = log(1 - D(X^))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from crowdloom.models.coach_networks import SIDE, Discriminator

UNIT = 1 / (SIDE * SIDE * 128)
"""By what both sums over pixels are multiplied, in the loss and in tables: a mean over the pixels, over 128.

The paper does not say it, but prints L_RE 0.00098 for blank proposals, where MNIST's mean pixel is 0.131, 134 times as
much. Measured with the paper's weights on 4,000 pictures, accuracy and L_RE in this unit, where the baseline has 0.913
and 0.00016 (in the paper, with ten times as many pictures, 0.961 and 0.00018):

                           alpha_CL 0.03     alpha_CL 0.24     alpha_D 0.64
    in this unit           0.964, 0.00033    0.991, 0.00072    0.900, 0.00033
    as means over pixels   0.912, 0.00016    0.919, 0.00017    0.911, 0.00019
    as sums                0.912, 0.00016    0.911, 0.00016    0.911, 0.00016
    the paper              0.999, 0.00027    1.000, 0.00062    0.932, 0.00032

In the other two the sums weigh 128 and 100,352 times as much, and the other terms do next to nothing. alpha_EF, whose
term is a sum as that of alpha_RE, does the same in all three. (Networks: five in this unit, two in the others.)
"""


@dataclass(frozen=True)
class Alphas:
    """The weights of the four terms: numbers, or tensors [B, N] of a weight for each picture.

    A term whose weight is the number 0 is not computed.
    """

    change: float | Tensor = 32.0
    """alpha_RE, which the paper leaves at 32."""
    classification: float | Tensor = 0.0
    """alpha_CL."""
    efficiency: float | Tensor = 0.0
    """alpha_EF."""
    discriminator: float | Tensor = 0.0
    """alpha_D."""


def change(pictures: Tensor, proposals: Tensor) -> Tensor:
    """L_RE of each picture [B, N], in units of `UNIT`; both [B, N, 28, 28]."""
    return (pictures - proposals).abs().sum((2, 3)) * UNIT


def effort(proposals: Tensor) -> Tensor:
    """L_EF of each proposal [B, N], in units of `UNIT`."""
    return proposals.abs().sum((2, 3)) * UNIT


def misreading(classifier: nn.Module, proposals: Tensor, asked: Tensor) -> Tensor:
    """L_CL of each proposal [B, N]: the cross-entropy of what C_H reads and the class asked for."""
    logits = classifier(proposals.reshape(-1, 1, SIDE, SIDE))
    return functional.cross_entropy(logits, asked.flatten(), reduction="none").view(asked.shape)


def both_losses(
    classifier: nn.Module,
    discriminator: Discriminator | None,
    pictures: Tensor,
    proposals: Tensor,
    asked: Tensor,
    alphas: Alphas,
) -> Tensor:
    """One number whose gradient is, in the coaches' weights, that of L_Tot, and in the discriminators' that of theirs.

    Means over the batch, summed over the N networks, which have no weight in common; so a step by it is the coach's
    step and then the discriminator's, each with the other as it was before. The discriminator's loss is its binary
    cross-entropy, -log D(X) - log(1 - D(X^)). As L_D is the last term with another sign, one pass through D does for
    both: on its way back to the coach the gradient is multiplied by -alpha_D.

    `pictures` and `proposals` [B, N, 28, 28], `asked` [B, N]. C_H's weights should need no gradient.
    """
    terms = alphas.change * change(pictures, proposals)
    if _counts(alphas.efficiency):
        terms = terms + alphas.efficiency * effort(proposals)
    if _counts(alphas.classification):
        terms = terms + alphas.classification * misreading(classifier, proposals, asked)
    if discriminator is not None and _counts(alphas.discriminator):
        # One after the other: maps of both at once would not fit into a processor's cache.
        told = functional.softplus(-discriminator(pictures))
        terms = terms + told + functional.softplus(discriminator(_Reversed.apply(proposals, alphas.discriminator)))
    return terms.sum() / len(pictures)


class _Reversed(torch.autograd.Function):
    """Passes on what it is given; the gradient comes back times -alpha."""

    @staticmethod
    def forward(ctx: Any, proposals: Tensor, alpha: float | Tensor) -> Tensor:
        ctx.alpha = alpha
        return proposals.view_as(proposals)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor, None]:
        alpha = ctx.alpha[..., None, None] if isinstance(ctx.alpha, Tensor) else ctx.alpha
        return above * -alpha, None


def _counts(alpha: float | Tensor) -> bool:
    return isinstance(alpha, Tensor) or alpha != 0
