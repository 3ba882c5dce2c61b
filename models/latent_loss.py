"""The human loss: how far a batch lies from what a person wants of the latent space, and what a person wants.

Source: D. Geissler et al., *Human in the Latent Loop (HILL)*, section 3.2.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from crowdloom.models.errors import ModelError


class Targets(NamedTuple):
    """What a person wants of each of K classes: its centre [K, 2] and its spread [K]; NaN for a class without any."""

    centres: Tensor
    spreads: Tensor


def targets_of(points: Tensor, labels: Tensor, classes: int) -> Targets:
    """The centre (mean) of each class of an arrangement and its spread (mean distance to the centre).

    `points` [N, 2], `labels` [N] of 0 … classes - 1. A class without points has NaN. Raises ModelError where points and
    labels do not fit together.

    >>> targets_of(torch.tensor([[0.0, 1.0], [2.0, 1.0]]), torch.tensor([1, 1]), 2)
    Targets(centres=tensor([[nan, nan],
            [1., 1.]]), spreads=tensor([nan, 1.]))
    """
    shapes = _shapes(*_wide(points, labels), classes)
    return Targets(shapes.centres.to(points.dtype), shapes.spreads.to(points.dtype))


def human_loss(points: Tensor, labels: Tensor, target_centres: Tensor, target_spreads: Tensor) -> Tensor:
    """How far the classes of a batch are from what a person wants: one number, differentiable (once) in the points.

    With m_c the mean of the points of class c and s_c their mean distance to it, the terms are (section 3.2), for each
    class c of the batch,

    - centre: the mean over both coordinates of (m_c - target centre_c)^2,
    - spread: |s_c - target spread_c|,
    - separation, for each other class d of the batch: max(0, target spread_c + target spread_d - ||m_c - m_d||),

    and the loss is their sum, divided by their number. A class that is not in the batch, or has no target (NaN), has no
    terms; without any the loss is 0. Where a distance is 0 its gradient is 0.

    `points` [N, 2], `labels` [N] of 0 … K - 1, `target_centres` [K, 2], `target_spreads` [K]. It is computed in float64
    (float32 on MPS) and given in the points' type. Raises ModelError where the shapes or labels do not fit together.

    >>> points = torch.tensor([[0.0, 0.0], [2.0, 0.0]], requires_grad=True)
    >>> human_loss(points, torch.tensor([0, 0]), torch.tensor([[1.0, 2.0]]), torch.tensor([1.0])).item()
    1.0
    """
    classes = len(target_spreads)
    if target_spreads.ndim != 1 or target_centres.shape != (classes, 2):
        raise ModelError(
            f"targets are centres [K, 2] and spreads [K], not {list(target_centres.shape)} and "
            f"{list(target_spreads.shape)}"
        )
    loss: Tensor = _HumanLoss.apply(points, labels, target_centres, target_spreads)
    return loss


class _HumanLoss(torch.autograd.Function):
    """The loss and, in the same go, its gradient: faster than a graph of so many small steps."""

    @staticmethod
    def forward(
        ctx: Any, given: Tensor, given_labels: Tensor, target_centres: Tensor, target_spreads: Tensor
    ) -> Tensor:
        points, labels = _wide(given, given_labels)
        counts, centres, spreads, offsets, distances = _shapes(points, labels, len(target_spreads))
        here = ((counts > 0) & ~(target_centres.sum(1) + target_spreads).isnan()).nonzero().squeeze(1)
        m, wanted = centres[here], target_spreads[here].to(points.dtype)
        number = max(len(here) * (len(here) + 1), 1)  # 2 of each class, 1 of each ordered pair

        # ---- The terms.
        centre = m - target_centres[here].to(points.dtype)
        spread = spreads[here] - wanted
        between = m[:, None] - m
        apart = torch.linalg.vector_norm(between, dim=2)
        overlap = (wanted[:, None] + wanted - apart).clamp_(min=0).fill_diagonal_(0)
        loss = (centre.square().sum() / 2 + spread.abs().sum() + overlap.sum()) / number

        # ---- The gradient in the centres, and in the distances to them: each pair stands there twice, and a class that
        # has no terms pulls nowhere.
        pull, sign = torch.zeros_like(centres), torch.zeros_like(spreads)
        pull[here] = centre - 2 * (between * (overlap.sign() / _over(apart))[:, :, None]).sum(1)
        sign[here] = spread.sign()

        # ---- The gradient in the points, each of which moves its centre, too, by its share.
        away = offsets * (sign[labels] / _over(distances))[:, None]
        share = counts.clamp(min=1).reciprocal()
        pull -= torch.zeros_like(pull).index_add_(0, labels, away) * share[:, None]
        ctx.save_for_backward(((away + pull[labels]) * (share / number)[labels, None]).to(given.dtype))
        result: Tensor = loss.to(given.dtype)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        product: Tensor = above * gradient
        return product, None, None, None


class _Shapes(NamedTuple):
    """Of each class how many points it has [K], its centre [K, 2] and spread [K], NaN where it has none.

    Of each point where it lies from its class's centre: [N, 2], and how far [N].
    """

    counts: Tensor
    centres: Tensor
    spreads: Tensor
    offsets: Tensor
    distances: Tensor


def _shapes(points: Tensor, labels: Tensor, classes: int) -> _Shapes:
    """Raises ModelError for labels that are no classes."""
    try:
        counts = points.new_zeros(classes).index_add_(0, labels, points.new_ones(len(labels)))
    except (IndexError, RuntimeError) as error:
        raise ModelError(f"labels are classes from 0 to {classes - 1}; there are others") from error
    centres = points.new_zeros(classes, 2).index_add_(0, labels, points) / counts[:, None]
    offsets = points - centres[labels]
    distances = torch.linalg.vector_norm(offsets, dim=1)
    spreads = points.new_zeros(classes).index_add_(0, labels, distances) / counts
    return _Shapes(counts, centres, spreads, offsets, distances)


def _wide(points: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Points and labels as they are computed with. Raises ModelError where their shapes do not fit."""
    if points.ndim != 2 or points.shape[1] != 2 or labels.shape != points.shape[:1]:
        raise ModelError(f"points are [N, 2] and labels [N], not {list(points.shape)} and {list(labels.shape)}")
    if labels.is_floating_point() and len(labels):
        raise ModelError(f"labels are whole numbers, not {labels.dtype}")
    return points.to(torch.float32 if points.device.type == "mps" else torch.float64), labels.long()


def _over(distances: Tensor) -> Tensor:
    """To divide by: an offset of 0, divided by it, is 0."""
    return distances.clamp(min=torch.finfo(distances.dtype).tiny)
