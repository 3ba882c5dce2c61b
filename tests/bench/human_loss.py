"""The human loss and its gradient against the formula written term by term.

    python -m tests.bench.human_loss

Batches of 128 points of 10 classes, one thread. The slow form loops over the classes and the ordered pairs of them; it
is what the tests compare the loss with, and it already takes the points of a class at once. Forward and backward, and
they take turns. The exit status is 1 where values or gradients differ by more than 1e-6.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

from crowdloom.models.latent import human_loss
from tests.models.slow_human_loss import slow_human_loss

TARGET = 8
POINTS, CLASSES, CALLS, TURNS = 128, 10, 20, 15

Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def batch() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Points and labels, target centres and spreads."""
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(POINTS, 2, generator=generator)
    labels = torch.randint(CLASSES, (POINTS,), generator=generator)
    return points, labels, torch.randn(CLASSES, 2, generator=generator), torch.rand(CLASSES, generator=generator)


def both(loss: Loss) -> tuple[Tensor, Tensor]:
    """The value and the gradient."""
    points, labels, centres, spreads = batch()
    points.requires_grad_()
    value = loss(points, labels, centres, spreads)
    value.backward()
    assert points.grad is not None
    return value.detach(), points.grad


def seconds(loss: Loss) -> float:
    """Of one call and its backward."""
    points, labels, centres, spreads = batch()
    points.requires_grad_()
    start = time.perf_counter()
    for _ in range(CALLS):
        loss(points, labels, centres, spreads).backward()
    return (time.perf_counter() - start) / CALLS


def main() -> int:
    """Print the ratio; 1 where the two are not the same."""
    torch.set_num_threads(1)
    taken: dict[str, list[float]] = {"slow": [], "ours": []}
    for turn in range(TURNS + 1):
        for name, loss in (("slow", slow_human_loss), ("ours", human_loss)):
            took = seconds(loss)
            if turn:  # the first only warms up
                taken[name].append(took)
    slow, ours = median(taken["slow"]), median(taken["ours"])
    off = max(float((a - b).abs().max()) for a, b in zip(both(slow_human_loss), both(human_loss), strict=True))
    missed = "" if slow / ours >= TARGET else ", missed"
    print(
        f"human_loss: forward and backward of {POINTS} points of {CLASSES} classes, term by term {slow * 1e3:.2f} ms, "
        f"ours {ours * 1e3:.2f} ms, ratio {slow / ours:.1f} (target {TARGET}{missed}); they differ by {off:.1g} at most"
    )
    return 0 if off <= 1e-6 else 1


if __name__ == "__main__":
    sys.exit(main())
