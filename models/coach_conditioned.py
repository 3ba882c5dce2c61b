"""One coach for all weights of the loss: it is given them beside the picture, and is trained once.

For each picture of each batch the weights of equation 1 are drawn anew: each is 0 for some, and for the others it lies
between the lowest and the highest, evenly by its logarithm. What comes of other weights can so be seen at once, without
another training. Beside that the training differs from the paper's in two things. What is misread is rare among
pictures that the recogniser has learned from, and a coach has to learn from it: so most of the pictures are distorted,
each in the one of four ways in which it is read worst, and for a few another class is asked for than was drawn. And
batches and learning rate are larger, so that it takes less time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from crowdloom.models.coach_data import CoachData
from crowdloom.models.coach_distortions import distorted
from crowdloom.models.coach_folder import Weights
from crowdloom.models.coach_learning import learn_in_batches
from crowdloom.models.coach_loss import UNIT, Alphas, both_losses, misreading
from crowdloom.models.coach_networks import Classifier, Coach, Discriminator
from crowdloom.models.coach_training import computing, new_coaches, new_discriminators

CHANGE = 32.0
"""alpha_RE."""
LOWEST = Weights(classification=0.01, efficiency=0.25, discriminator=0.01)
"""Of those that are not 0; up to about here the coach is given a weight evenly, above it by the logarithm."""
HIGHEST = Weights(classification=1.0, efficiency=16.0, discriminator=1.0)
NONE_SHARE = 0.15  # of the pictures have a weight of 0

RATE, DISCRIMINATOR_RATE, BATCH = 1.5e-3, 3e-4, 16
DISTORTED_SHARE, WAYS, OTHER_SHARE = 0.6, 4, 0.05
COMING_IN = 0.2
_EVEN = Weights(classification=0.25, efficiency=32.0, discriminator=0.1)
"""Of each weight, what halves the say that a picture has in a batch."""
_LEAK = 0.1
_LARGEST_GRADIENT = 20 * CHANGE * UNIT


def train_conditioned(
    data: CoachData,
    classifier: Classifier,
    *,
    epochs: int,
    seed: int,
    file: Path,
    versions: dict[str, str],
    on_step: Callable[[int, int], None],
    always: Weights | None = None,
) -> Coach:
    """A coach that is given weights, in test mode. `on_step(done, of)` is called after each step.

    `classifier` stays as it is. The state after each epoch is kept in `file`, from which the next call goes on.
    `always` has it learn at these weights alone, to compare with.
    """
    images, labels = torch.from_numpy(data.images), torch.from_numpy(data.labels)
    with computing().in_use():
        coach: Coach = new_coaches(len(data.classes), [seed], len(Weights._fields))
        discriminator: Discriminator = new_discriminators([seed])
        networks = nn.ModuleDict({"coach": coach, "discriminator": discriminator})
        networks.to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(
            [
                {"params": list(coach.parameters()), "lr": RATE},
                {"params": list(discriminator.parameters()), "lr": DISCRIMINATOR_RATE},
            ],
            fused=True,
        )

        def loss_of(rows: Tensor, done: float, chance: torch.Generator) -> Tensor:
            pictures, asked = images[rows][:, None].float() / 255, labels[rows][:, None]
            pictures = _partly_distorted(pictures, asked, classifier, chance)
            asked = _partly_others(asked, len(data.classes), chance)
            weights = drawn_weights(len(rows), chance)
            if always is not None:
                weights = torch.tensor(always).expand_as(weights)
            proposals = _Reviving.apply(coach.before_relu(pictures, asked, inputs_of(weights)[:, None]))
            return both_losses(classifier, discriminator, pictures, proposals, asked, _alphas(weights, done))

        learn_in_batches(
            networks,
            optimizer,
            loss_of,
            examples=len(images),
            batch=BATCH,
            rate=RATE,
            epochs=epochs,
            seed=seed,
            file=file,
            versions=versions,
            on_step=on_step,
            largest_gradient=_LARGEST_GRADIENT,
        )
    return coach.eval().requires_grad_(False)


def drawn_weights(n: int, chance: torch.Generator) -> Tensor:
    """Weights for n pictures, [n, 3]: classification, efficiency, discriminator."""
    lowest, highest = torch.tensor(LOWEST), torch.tensor(HIGHEST)
    weights = lowest * (highest / lowest) ** torch.rand(n, 3, generator=chance)
    return weights * (torch.rand(n, 3, generator=chance) >= NONE_SHARE)


def inputs_of(weights: Tensor) -> Tensor:
    """Weights [n, 3] as the coach is given them: `coach_forward.as_inputs`."""
    lowest, highest = torch.tensor(LOWEST), torch.tensor(HIGHEST)
    return torch.log1p(weights / lowest) / torch.log1p(highest / lowest)


class _Reviving(torch.autograd.Function):
    """The last layer's ReLU, with a tenth of the gradient through its zeros where that asks for ink.

    At this learning rate a coach may come to propose blank paper for all, and there its own gradient is 0 forever.
    """

    @staticmethod
    def forward(ctx: Any, before_relu: Tensor) -> Tensor:
        ctx.save_for_backward(before_relu)
        return before_relu.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, above: Tensor) -> Tensor:
        (before_relu,) = ctx.saved_tensors
        return torch.where(before_relu > 0, above, _LEAK * above.clamp(max=0))


def _alphas(weights: Tensor, done: float) -> Alphas:
    """Equation 1 for each picture, divided by a number, so that none with large weights outvotes the others.

    What is best for a picture stays what it was. All terms but the change come in over the first part of the training,
    of which the share `done` is over: a coach that does not draw yet what it is shown may else come to leave the paper
    blank for a class, which it never gets out of.
    """
    weights = weights * min(1.0, done / COMING_IN)
    large = 1 + (weights / torch.tensor(_EVEN)).sum(dim=1, keepdim=True)
    classification, efficiency, discriminator = (weights / large).split(1, dim=1)
    return Alphas(CHANGE / large, classification, efficiency, discriminator)


def _partly_distorted(pictures: Tensor, asked: Tensor, classifier: Classifier, chance: torch.Generator) -> Tensor:
    """Some of the pictures [B, 1, 28, 28] in the distortion, of several, that is most misread as `asked` [B, 1]."""
    some = round(DISTORTED_SHARE * len(pictures))
    ways = distorted(pictures[:some].repeat(WAYS, 1, 1, 1), 1.0, chance)
    with torch.no_grad():
        worst = misreading(classifier, ways, asked[:some].repeat(WAYS, 1)).view(WAYS, some).argmax(dim=0)
    chosen = ways.view(WAYS, some, *pictures.shape[1:])[worst, torch.arange(some)]
    return torch.cat([chosen, pictures[some:]])


def _partly_others(labels: Tensor, classes: int, chance: torch.Generator) -> Tensor:
    chosen = torch.rand(labels.shape, generator=chance) < OTHER_SHARE
    return torch.where(chosen, torch.randint(classes, labels.shape, generator=chance), labels)
