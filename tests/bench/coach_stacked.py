"""Five coaches as one stack against five loops, one after the other: all losses on, batches of 8, one thread.

    python -m tests.bench.coach_stacked

Both are `train_coaches`, with the same seeds, pictures and settings: once with five seeds, and five times with one.
They take turns, and medians are compared. The exit status is 1 where a coach of the stack proposes something else than
the one that learned alone: pixels may differ by a thousandth of full ink after these few steps.
"""

from __future__ import annotations

import sys
import time
from statistics import median

import numpy as np
import torch

from crowdloom.models.coach_data import CoachData
from crowdloom.models.coach_loss import Alphas
from crowdloom.models.coach_networks import Classifier, Coach
from crowdloom.models.coach_training import BATCH, drawn, train_coaches

SEEDS, STEPS, ROUNDS = range(5), 25, 9
ALL = Alphas(classification=0.1, efficiency=4.0, discriminator=0.1)
TARGET = 0.75
PIXELS_OFF = 1e-3


def data() -> CoachData:
    """A bar at a place of its own for each of ten classes, about as much ink as a digit has."""
    rng = np.random.default_rng(0)
    labels = np.arange(BATCH * STEPS) % 10
    images = np.zeros((len(labels), 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        top = 3 + label + rng.integers(3)
        image[top : top + 5, 4:24] = rng.integers(128, 256)
    return CoachData(images, labels, images[:10], labels[:10], tuple("0123456789"), "bars")


def main() -> int:
    """Print the ratio; 1 where stack and loops do not learn the same."""
    pictures, reader = data(), drawn(lambda: Classifier(10), 0)

    def train(seeds: range) -> Coach:
        return train_coaches(pictures, reader, ALL, seeds=seeds, epochs=1)[0]

    seconds: dict[str, list[float]] = {"loops": [], "stacked": []}
    for turn in range(ROUNDS + 1):
        start = time.perf_counter()
        alone = [train(range(seed, seed + 1)) for seed in SEEDS]
        middle = time.perf_counter()
        together = train(SEEDS)
        if turn:  # the first only warms up
            seconds["loops"].append((middle - start) / STEPS)
            seconds["stacked"].append((time.perf_counter() - middle) / STEPS)
    loops, stacked = median(seconds["loops"]), median(seconds["stacked"])
    off = difference(together, alone, pictures)
    missed = "" if stacked / loops <= TARGET else ", missed"
    print(
        f"coach_stacked: 5 coaches, all losses, batch {BATCH}, one thread, five loops {loops * 1e3:.1f} ms, "
        f"stacked {stacked * 1e3:.1f} ms a step, ratio {stacked / loops:.2f} (target {TARGET} or less{missed}); "
        f"pixels differ by {off:.1g} at most"
    )
    return 0 if off <= PIXELS_OFF else 1


@torch.no_grad()
def difference(together: Coach, alone: list[Coach], pictures: CoachData) -> float:
    """Of what the stack proposes and what the single ones propose, at most."""
    x = torch.from_numpy(pictures.test_images)[:, None].float() / 255
    asked = torch.from_numpy(pictures.test_labels)[:, None]
    found = together(x.expand(-1, len(alone), -1, -1), asked.expand(-1, len(alone)))
    expected = torch.cat([coach(x, asked) for coach in alone], dim=1)
    assert float(expected.max()) > 0.05, "they propose something"
    return float((found - expected).abs().max())


if __name__ == "__main__":
    sys.exit(main())
