"""Smooth masks and their area: against hand-computed cases, against autograd."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from crowdloom.models.masks import COLDNESS, SmoothMasks, area_loss


def straightforward(masks: SmoothMasks, grid: Tensor, step: int, sigma: float) -> Tensor:
    """The same masks pixel by pixel from the formula, for autograd; slow."""
    height, width = masks.size
    radius = masks.radius
    padded = torch.nn.functional.pad(grid[None], (radius,) * 4, mode="replicate")[0]
    rows = []
    for y in range(height):
        for x in range(width):
            terms = []
            for ny in range(y // step - radius, y // step + radius + 1):
                for nx in range(x // step - radius, x // step + radius + 1):
                    middle = (step - 1) / 2
                    distance = ((y - ny * step - middle) ** 2 + (x - nx * step - middle) ** 2) ** 0.5
                    kernel = torch.exp(torch.tensor(-2 * max(0.0, distance / sigma - 0.5) ** 2, dtype=grid.dtype))
                    terms.append(kernel * padded[:, ny + radius, nx + radius])
            term = torch.stack(terms)
            rows.append((term * (COLDNESS * term).softmax(0)).sum(0))
    return torch.stack(rows, 1).view(len(grid), height, width)


@pytest.fixture
def double() -> object:
    """Everything is computed in float64 meanwhile."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield None
    torch.set_default_dtype(before)


@pytest.mark.parametrize(("height", "width", "step", "sigma"), [(9, 7, 3, 4.0), (8, 8, 1, 0.75), (7, 10, 4, 5.0)])
def test_masks_are_the_formula(double: object, height: int, width: int, step: int, sigma: float) -> None:
    """Masks and their derivative are those of the formula, computed pixel by pixel by autograd."""
    torch.manual_seed(0)
    generator = SmoothMasks(height, width, step, sigma)
    grid = torch.rand(2, *generator.grid_size, requires_grad=True)
    expected = straightforward(generator, grid, step, sigma)
    masks = generator(grid.detach())
    torch.testing.assert_close(masks.values, expected.detach(), rtol=1e-6, atol=1e-6)
    gradient = torch.randn(2, height, width)
    (wanted,) = torch.autograd.grad(expected, grid, gradient)
    torch.testing.assert_close(generator.backward(masks, gradient), wanted, rtol=1e-5, atol=1e-6)


def test_backward_passes_gradcheck(double: object) -> None:
    """The hand-written derivative agrees with finite differences."""
    generator = SmoothMasks(10, 8, step=3, sigma=4.0)

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, grid: Tensor) -> Tensor:
            ctx.masks = generator(grid)  # type: ignore[attr-defined]
            return ctx.masks.values.clone()  # type: ignore[attr-defined, no-any-return]

        @staticmethod
        def backward(ctx: object, gradient: Tensor) -> Tensor:  # type: ignore[override]
            return generator.backward(ctx.masks, gradient)  # type: ignore[attr-defined]

    torch.manual_seed(0)
    grid = torch.rand(2, *generator.grid_size, requires_grad=True)
    assert torch.autograd.gradcheck(Function.apply, (grid,))


def test_masks_of_plain_grids() -> None:
    """A grid of ones shows everything, one of zeros nothing; a single node shows its surroundings alone."""
    generator = SmoothMasks(63, 63, step=7, sigma=21)
    ones = generator(torch.ones(1, 9, 9)).values
    assert ones.min() > 0.9
    assert ones.max() <= 1
    torch.testing.assert_close(ones[:, :7, :7], ones[:, 28:35, 28:35])  # no stronger at the edge
    assert not generator(torch.zeros(1, 9, 9)).values.any()
    grid = torch.zeros(1, 9, 9)
    grid[0, 4, 4] = 1
    spot = generator(grid).values[0]
    assert spot[31, 31] == pytest.approx(1, abs=1e-3)
    assert spot[31, 38] == pytest.approx(1, abs=1e-3)  # 7 pixels away, less than half of sigma
    assert spot[0, 0] < 1e-3
    torch.testing.assert_close(spot, spot.T)


def test_area_loss_by_hand() -> None:
    """Half of four pixels are to be shown: the two highest are drawn to 1, the others to 0."""
    loss, gradient = area_loss(torch.tensor([[[0.5, 0.8], [0.1, 0.2]]]), torch.tensor([0.5]))
    assert loss.item() == pytest.approx((0.25 + 0.04 + 0.01 + 0.04) / 4)
    torch.testing.assert_close(gradient, torch.tensor([[[-0.25, -0.1], [0.05, 0.1]]]))


def test_tied_pixels_share_what_is_to_be_shown() -> None:
    """At the start all pixels are alike; the loss is that of any order, and all are drawn the same way."""
    loss, gradient = area_loss(torch.ones(1, 2, 5), torch.tensor([0.2]))
    assert loss.item() == pytest.approx(0.8)
    torch.testing.assert_close(gradient, torch.full((1, 2, 5), 0.16))


@pytest.mark.parametrize("area", [0.05, 0.2, 0.5, 0.99])
def test_area_loss_is_that_of_the_sorted_mask(double: object, area: float) -> None:
    """It is the paper's: the mean squared difference of the sorted mask from zeros and ones."""
    torch.manual_seed(1)
    masks = torch.rand(3, 6, 7, requires_grad=True)
    reference = torch.zeros(42)
    reference[42 - round(42 * area) :] = 1
    expected = ((masks.flatten(1).sort(1).values - reference) ** 2).mean(1)
    loss, gradient = area_loss(masks.detach(), torch.full((3,), area))
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(gradient, torch.autograd.grad(expected.sum(), masks)[0])
