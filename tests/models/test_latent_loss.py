"""The human loss against its formula, and what a person wants of an arrangement."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from crowdloom.models.errors import ModelError
from crowdloom.models.latent import human_loss, targets_of
from tests.models.slow_human_loss import slow_human_loss

BATCHES = 1000


def drawn(rng: np.random.Generator, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A batch of 0 to 128 points of 2 to 40 classes, of which some are empty and some have one point."""
    classes = int(2 + 39 * rng.beta(1, 3))
    count = int(rng.integers(0, 129)) if rng.random() < 0.95 else 0
    present = rng.choice(classes, max(1, int(rng.integers(1, classes + 1))), replace=False)
    labels = rng.choice(present, count)
    if count > 4 and classes > 2:
        labels[labels == labels[0]] = labels[-1]
        labels[0] = (labels[-1] + 1) % classes  # alone, or nearly so
    size = 10 ** rng.uniform(-1, 1)
    points = torch.tensor(rng.normal(0, size, (count, 2)), dtype=dtype)
    if count > 8 and rng.random() < 0.2:
        points[labels == labels[3]] = points[3].clone()  # a class in one place
    spreads = torch.tensor(rng.uniform(0, size, classes) * rng.integers(0, 2, classes), dtype=dtype)
    return points, torch.tensor(labels), torch.tensor(rng.normal(0, size, (classes, 2)), dtype=dtype), spreads


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_value_and_gradient_are_the_formulas(dtype: torch.dtype) -> None:
    """On random batches, empty classes and single points included, as the slow form has them in float64."""
    rng = np.random.default_rng(5)
    close = 1e-6 if dtype == torch.float64 else 3e-6
    empty = single = most = 0
    for _ in range(BATCHES // 2):
        points, labels, centres, spreads = drawn(rng, dtype)
        exact = points.double().requires_grad_()
        expected = slow_human_loss(exact, labels, centres.double(), spreads.double())
        expected.backward()
        points.requires_grad_()
        given = human_loss(points, labels, centres, spreads)
        given.backward()
        assert given.dtype == dtype
        assert given.shape == ()
        assert given.item() == pytest.approx(expected.item(), abs=close, rel=close)
        assert points.grad is not None
        assert exact.grad is not None
        assert (points.grad - exact.grad).abs().max().item() <= close if len(points) else not points.grad.numel()
        counts = torch.bincount(labels, minlength=len(spreads))
        empty, single = empty + int((counts == 0).any()), single + int((counts == 1).any())
        most = max(most, len(spreads))
    assert min(empty, single) > BATCHES / 10
    assert most >= 35


def test_gradient_is_that_of_the_value() -> None:
    """By differences, also multiplied by what comes after."""
    points, labels, centres, spreads = drawn(np.random.default_rng(1), torch.float64)
    points.requires_grad_()
    assert len(points) > 20
    assert torch.autograd.gradcheck(lambda moved: human_loss(moved, labels, centres, spreads) * 3, (points,))


def test_worked_by_hand() -> None:
    """Two classes: centre terms 0.5 and 2, spread terms 1 and 0.5, and the overlap of 1 twice, in six terms."""
    points = torch.tensor([[0.0, 0.0], [2.0, 0.0], [1.0, 2.0]])
    centres, spreads = torch.tensor([[1.0, 1.0], [3.0, 2.0]]), torch.tensor([2.0, 0.5])
    loss = human_loss(points, torch.tensor([0, 0, 1]), centres, spreads)
    assert loss.item() == pytest.approx((0.5 + 2 + 1 + 0.5 + 2 * 0.5) / 6)


def test_an_arrangement_that_is_reached_costs_nothing_but_overlap() -> None:
    """Its own centres and spreads as targets leave the separation alone, and far classes have none."""
    points = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(60) % 3
    far = points + 100 * labels[:, None]
    assert human_loss(far, labels, *targets_of(far, labels, 3)).item() == pytest.approx(0, abs=1e-6)
    assert human_loss(points, labels, *targets_of(points, labels, 3)).item() > 0.1


def test_distances_of_nothing_have_no_gradient() -> None:
    """Points on one another, and centres on one another: all numbers are finite and nothing is pulled."""
    points = torch.ones(6, 2, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    loss = human_loss(points, labels, torch.ones(3, 2), torch.tensor([0.5, 1.0, 2.0]))
    loss.backward()
    assert loss.item() == pytest.approx((0.5 + 1 + 2 + 2 * (1.5 + 2.5 + 3.0)) / 12)
    assert points.grad is not None
    assert not points.grad.any()


def test_a_class_without_a_target_has_no_terms() -> None:
    """It is as if its points were not there, and they are pulled nowhere."""
    points, labels, centres, spreads = drawn(np.random.default_rng(1), torch.float64)
    gone = int(labels[0])
    centres[gone], spreads[gone] = math.nan, math.nan
    points.requires_grad_()
    loss = human_loss(points, labels, centres, spreads)
    loss.backward()
    rest = labels != gone
    assert loss.item() == pytest.approx(slow_human_loss(points[rest], labels[rest], centres, spreads).item())
    assert points.grad is not None
    assert not points.grad[~rest].any()
    assert points.grad[rest].any()


def test_an_empty_batch_costs_nothing() -> None:
    """It is 0 and can be differentiated."""
    points = torch.empty(0, 2, requires_grad=True)
    loss = human_loss(points, torch.empty(0, dtype=torch.int64), torch.zeros(2, 2), torch.zeros(2))
    loss.backward()
    assert loss.item() == 0


def test_points_that_are_no_numbers_are_not_passed_over() -> None:
    """They make the loss no number, which training notices."""
    points = torch.tensor([[math.nan, 0.0], [1.0, 1.0]])
    assert human_loss(points, torch.tensor([0, 1]), torch.zeros(2, 2), torch.ones(2)).isnan()


@pytest.mark.parametrize(
    ("points", "labels", "centres", "spreads", "said"),
    [
        (torch.zeros(3, 3), torch.zeros(3).long(), torch.zeros(2, 2), torch.zeros(2), "points are"),
        (torch.zeros(3, 2), torch.zeros(2).long(), torch.zeros(2, 2), torch.zeros(2), "points are"),
        (torch.zeros(3, 2), torch.zeros(3), torch.zeros(2, 2), torch.zeros(2), "whole numbers"),
        (torch.zeros(3, 2), torch.tensor([0, 1, 2]), torch.zeros(2, 2), torch.zeros(2), "from 0 to 1"),
        (torch.zeros(3, 2), torch.tensor([0, 1, -1]), torch.zeros(2, 2), torch.zeros(2), "from 0 to 1"),
        (torch.zeros(3, 2), torch.tensor([0, 1, 1 << 40]), torch.zeros(2, 2), torch.zeros(2), "from 0 to 1"),
        (torch.zeros(3, 2), torch.tensor([0, 1, 1]), torch.zeros(3, 2), torch.zeros(2), "targets are"),
    ],
)
def test_what_does_not_fit_is_refused(
    points: Tensor, labels: Tensor, centres: Tensor, spreads: Tensor, said: str
) -> None:
    """With a sentence, not with numbers."""
    with pytest.raises(ModelError, match=said):
        human_loss(points, labels, centres, spreads)


def test_targets_are_means_and_mean_distances() -> None:
    """Of each class; one without points has none."""
    centres, spreads = targets_of(torch.tensor([[0.0, 0], [4, 0], [2, 3], [7, 7]]), torch.tensor([2, 2, 2, 0]), 3)
    assert centres[[0, 2]].tolist() == [[7, 7], [2, 1]]
    assert centres[1].isnan().all()
    assert spreads[0] == 0
    assert spreads[1].isnan()
    assert spreads[2].item() == pytest.approx((2 * math.sqrt(5) + 2) / 3)
