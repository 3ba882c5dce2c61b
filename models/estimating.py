"""How long runs will take here, measured: a few steps of each kind of training, before all of them begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import numpy.typing as npt
import torch

from crowdloom.models.precision import computing_of
from crowdloom.models.run_folder import RunFolder
from crowdloom.models.run_task import finished
from crowdloom.models.runs import Run, digest_of
from crowdloom.models.settings import Settings
from crowdloom.models.training_loop import batches, new_network, train

STEPS = 4
"""That are timed, after as many that are not."""


def open_runs(images: npt.NDArray[np.uint8], runs: Sequence[Run], folder: Path) -> list[Run]:
    """Those that a sweep of `images` [N, C, H, W] in `folder` would still do, each once."""
    images_digest = digest_of(images)
    by_digest = {run.digest(images_digest): run for run in runs}
    return [run for digest, run in by_digest.items() if finished(RunFolder(folder / digest), run, digest) is None]


def training_seconds(
    images: npt.NDArray[np.uint8], runs: Sequence[Run], *, threads: int = 1, device: str | None = None
) -> float:
    """About how long all runs will train one after the other, by the time that a few steps take, in seconds.

    Trying the networks afterwards comes on top; it is some per cent of a full training. Raises ModelError for a device
    that is not there.
    """
    seconds: dict[Settings, float] = {}
    total = 0.0
    for run in runs:
        # Who mixes pays for it, whatever the labels are.
        kind = replace(run.settings, epochs=1, milestones=(), mixing=replace(run.settings.mixing, slopes=None))
        kind = replace(kind, mixing=replace(kind.mixing, midpoints=None))
        if kind not in seconds:
            seconds[kind] = _step_seconds(images, run, kind, threads, device)
        steps = len(batches(torch.arange(len(run.index)), run.settings.batch))
        total += seconds[kind] * steps * run.settings.epochs
    return total


def _step_seconds(
    images: npt.NDArray[np.uint8], run: Run, settings: Settings, threads: int, device: str | None
) -> float:
    some = np.arange(min(len(run.index), STEPS * settings.batch))
    data, pool = torch.from_numpy(images[run.index[some]]), run.pool.take(some)
    computing = computing_of(device, settings.network, size=images.shape[-1], threads=threads)
    network = new_network(settings, data, run.pool.classes, seed=run.seed)
    times = []
    for _ in range(2):
        began = perf_counter()
        train(network, data, pool, settings, seed=run.seed, computing=computing)
        times.append(perf_counter() - began)
    return times[-1] / len(batches(torch.arange(len(some)), settings.batch))
