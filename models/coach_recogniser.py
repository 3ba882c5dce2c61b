"""The recogniser of a prepared coach, which is better than the paper's and whose mistakes people understand.

The paper takes a plain network as given. In one that was trained plainly a grey haze that nobody would call a stroke
changes what is read, and a coach that learns from it proposes haze. So this one learns from distorted pictures, and
beside each of them from one with the small change that misleads it most (adversarial training by one step: E. Wong, L.
Rice, J. Z. Kolter, *Fast is better than free*, ICLR 2020). The coach then has to change strokes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from crowdloom.models.coach_data import CoachData
from crowdloom.models.coach_distortions import distorted, hazed
from crowdloom.models.coach_learning import learn_in_batches
from crowdloom.models.coach_networks import Classifier
from crowdloom.models.coach_training import computing

BATCH, RATE = 64, 3e-3
DISTORTION = 1.0
HAZE = 1.0
_STEP = 1.25  # of a pixel's change, as the source has it


def train_recogniser(
    data: CoachData,
    *,
    epochs: int,
    misleading: float,
    seed: int,
    file: Path,
    versions: dict[str, str],
    on_step: Callable[[int, int], None],
) -> Classifier:
    """A recogniser, in test mode and fixed. `on_step(done, of)` is called after each step; what it raises ends it.

    `misleading` is by how much each pixel is changed at most, of full ink; it grows over the first half of the time.
    Its state after each epoch is kept in `file`, from which the next call goes on.
    """
    images, labels = torch.from_numpy(data.images), torch.from_numpy(data.labels)
    with computing().in_use():
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            classifier = Classifier(len(data.classes))
        classifier.to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(classifier.parameters(), lr=RATE, fused=True)

        def loss_of(rows: Tensor, done: float, chance: torch.Generator) -> Tensor:
            asked = labels[rows]
            pictures = distorted(images[rows][:, None].float() / 255, DISTORTION, chance)
            pictures = hazed(pictures, HAZE, chance)
            size = misleading * min(1.0, 2 * done)
            pictures = torch.cat([pictures, _misleading(classifier, pictures, asked, size, chance)])
            return functional.cross_entropy(classifier(pictures), torch.cat([asked, asked]))

        learn_in_batches(
            classifier,
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
        )
    return classifier.eval().requires_grad_(False)


def _misleading(
    classifier: Classifier, pictures: Tensor, asked: Tensor, size: float, chance: torch.Generator
) -> Tensor:
    """The pictures with each pixel changed by `size` at most, towards a higher loss from somewhere near by."""
    near = (pictures + size * (torch.rand(pictures.shape, generator=chance) * 2 - 1)).clamp(0, 1).requires_grad_()
    (uphill,) = torch.autograd.grad(functional.cross_entropy(classifier(near), asked), near)
    further = near.detach() + _STEP * size * uphill.sign()
    return torch.minimum(torch.maximum(further, pictures - size), pictures + size).clamp(0, 1)
