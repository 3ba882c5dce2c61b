"""The training step against the loop that one would write first: ResNet-34A, batches of 128 images of 32 x 32 pixels.

    python -m tests.bench.training_step

On the processor, with one thread, as each run of a sweep has, and with all. The plain loop computes in float32 and in
PyTorch's ordinary layout; ours is `train` as every run calls it, once in float32 and once as `computing_of` chooses for
this processor. All begin with the same weights, see the same images without crops, and clip the gradient. They take
turns, and medians are compared. The exit status is 1 where ours does not learn what the plain loop learns: the mean
losses of an epoch may differ by 5 %.

More than one thread is worth having on an idle machine only: beside other work oneDNN's threads, which wait for each
other in short intervals, lose more in bfloat16 than it gains.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from crowdloom.analysis.label_pools import pool_of
from crowdloom.models.precision import Computing, computing_of
from crowdloom.models.settings import Settings
from crowdloom.models.training_loop import new_network, train

BATCH, STEPS, ROUNDS = 128, 3, 5
CLASSES = 10
TARGET = 1.9
LOSS_OFF = 0.05
SETTINGS = Settings("resnet-34a", epochs=1, batch=BATCH, augment=False)


def data() -> tuple[Tensor, Tensor]:
    """Noise uint8 [N, 3, 32, 32], brighter from class to class, and labels [N, 10]."""
    torch.manual_seed(0)
    target = torch.arange(BATCH * STEPS) % CLASSES
    images = torch.randint(64, (len(target), 3, 32, 32)) + 20 * target.view(-1, 1, 1, 1)
    return images.to(torch.uint8), functional.one_hot(target, CLASSES).float()


def plain(images: Tensor, labels: Tensor) -> float:
    """One epoch as one would write it; its mean loss."""
    network = new_network(SETTINGS, images, CLASSES, seed=0)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    total = 0.0
    for chosen in torch.randperm(len(images), generator=torch.Generator().manual_seed(0)).split(BATCH):
        loss = functional.cross_entropy(network(images[chosen].float() / 255), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        total += loss.item() / STEPS
    return total


def ours(images: Tensor, labels: Tensor, computing: Computing) -> float:
    """The same epoch by the loop of every run."""
    network = new_network(SETTINGS, images, CLASSES, seed=0)
    pool = pool_of(labels.numpy().astype(np.float64))
    return train(network, images, pool, SETTINGS, seed=0, computing=computing).losses[0]


def main() -> int:
    """Print the ratios; 1 where ours does not learn the same."""
    images, labels = data()
    good = True
    for threads in sorted({1, torch.get_num_threads()}):
        good &= measure(images, labels, threads)
    return 0 if good else 1


def measure(images: Tensor, labels: Tensor, threads: int) -> bool:
    """Let them take turns; whether ours learns the same."""
    torch.set_num_threads(threads)
    chosen = computing_of("cpu", SETTINGS.network, threads=threads)
    runs: dict[str, Callable[[], float]] = {
        "plain": lambda: plain(images, labels),
        "float32": lambda: ours(images, labels, replace(chosen, bf16=False)),
    }
    if chosen.bf16:
        runs["bfloat16"] = lambda: ours(images, labels, chosen)
    else:
        print("training_step: this processor computes no faster in bfloat16, so only float32 is measured")
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    losses: dict[str, float] = {}
    for turn in range(ROUNDS + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            losses[name] = run()
            if turn:  # the first only warms up
                seconds[name].append((time.perf_counter() - start) / STEPS)
    good = True
    for name in list(runs)[1:]:
        ratio = median(seconds["plain"]) / median(seconds[name])
        target = f" (target {TARGET}{'' if ratio >= TARGET else ', missed'})" if name == "bfloat16" else ""
        print(
            f"training_step, {name}: ResNet-34A, batch {BATCH}, {threads} thread{'s' if threads > 1 else ''}, "
            f"plain {median(seconds['plain']) * 1e3:.0f} ms, ours {median(seconds[name]) * 1e3:.0f} ms a step, "
            f"ratio {ratio:.2f}{target}; mean loss {losses['plain']:.3f} and {losses[name]:.3f}"
        )
        good &= abs(losses[name] - losses["plain"]) <= LOSS_OFF * losses["plain"]
    return good


if __name__ == "__main__":
    sys.exit(main())
