"""Refreshing the display after a training: only the points shown are forwarded, against all that are trained on.

    python -m tests.bench.latent_display

The CIFAR-10 network, images of 32 x 32 pixels, one thread; 100 of 5,000 are shown, ten of each class. Both by `shown`,
which forwards what it is given, so that at best the ratio is 50. They take turns. The exit status is 1 where points
that are shown alone are not where the network puts them.
"""

from __future__ import annotations

import sys
import time
from statistics import median

import torch

from crowdloom.models.latent import new_model
from crowdloom.models.latent_evaluation import shown
from crowdloom.models.latent_networks import Cifar10Network

TARGET = 40
ALL, SHOWN, CLASSES, TURNS = 5000, 100, 10, 3


def main() -> int:
    """Print the ratio; 1 where a point is somewhere else."""
    torch.set_num_threads(1)
    x = torch.randn(ALL, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(ALL) % CLASSES
    rows = torch.cat([(labels == c).nonzero()[: SHOWN // CLASSES, 0] for c in range(CLASSES)])
    model = new_model(Cifar10Network, x[:2], CLASSES, seed=0).eval()
    taken: dict[str, list[float]] = {"all": [], "shown": []}
    for turn in range(TURNS + 1):
        for name, which in (("all", x), ("shown", x[rows])):
            start = time.perf_counter()
            points, _ = shown(model, which)
            if turn:  # the first only warms up
                taken[name].append(time.perf_counter() - start)
    with torch.inference_mode():
        off = float((model(x[rows])[1] - torch.from_numpy(points)).abs().max())
    everything, few = median(taken["all"]), median(taken["shown"])
    ratio = everything / few
    print(
        f"latent_display: {ALL:,} points {everything * 1e3:,.0f} ms, the {SHOWN} shown {few * 1e3:.0f} ms, "
        f"ratio {ratio:.1f} (target {TARGET}{'' if ratio >= TARGET else ', missed'})"
    )
    return 0 if off <= 1e-5 else 1


if __name__ == "__main__":
    sys.exit(main())
