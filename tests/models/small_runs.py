"""Runs that take a moment: a tiny network, few noisy images of three colours, and labels kept apart."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file

from crowdloom.analysis.label_pools import pool_by_image
from crowdloom.models.run_folder import RunFolder
from crowdloom.models.run_task import Outcome, do_run
from crowdloom.models.runs import Evaluation, Run, RunResult, digest_of
from crowdloom.models.settings import Settings

SETTINGS = Settings(network="small-cnn", width=4, epochs=3, milestones=(2,), batch=16)
METRICS = ("cross_entropy", "accuracy")
TRAINED, ALL = 48, 64


def small_images() -> npt.NDArray[np.uint8]:
    """Uint8 [64, 3, 8, 8], each brightest in the channel that is its class."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 160, (ALL, 3, 8, 8), dtype=np.uint8)
    images[np.arange(ALL), np.arange(ALL) % 3] += 60
    return images


def small_run(seed: int = 0, **changed: Any) -> Run:
    """Trains on the first 48 images, each with two people's labels; is tried on the others."""
    truth = np.eye(3)[np.arange(ALL) % 3]
    labels = np.concatenate([truth[:TRAINED], 0.7 * truth[:TRAINED] + 0.1])
    pool = pool_by_image(labels, np.tile(np.arange(TRAINED), 2), TRAINED)
    held_out = Evaluation("held-out", np.arange(TRAINED, ALL), truth[TRAINED:], bin=8)
    settings = replace(SETTINGS, **changed)
    origin = {"classes": ["red", "green", "blue"], "labels": "two people's"}
    return Run("small", "apart", settings, seed, np.arange(TRAINED), pool, [held_out], METRICS, origin)


def long_run(seed: int = 0, epochs: int = 20) -> Run:
    """Its epochs take long enough to be killed in the middle of one, and all together to see that it is under way."""
    return small_run(seed, epochs=epochs, milestones=(epochs // 2, 3 * epochs // 4), batch=1)


def done(folder: Path, run: Run, **given: Any) -> Outcome:
    """A run, done in this process."""
    images = small_images()
    images_digest = digest_of(images)
    digest = run.digest(images_digest)
    options: dict[str, Any] = {
        "where": {"engine": "local"},
        "threads": 1,
        "device": "cpu",
        "tell": lambda epoch: None,
    } | given
    gc.freeze()  # a run ends with a look for what can be freed, which need not go through all that tests have imported
    try:
        return do_run(images, run, RunFolder(folder / digest), digest, images_digest, **options)
    finally:
        gc.unfreeze()


def weights(folder: Path, result: RunResult) -> dict[str, npt.NDArray[Any]]:
    """What the finished network of a run has learned."""
    return load_file(folder / result.digest / "model.safetensors")


def same_weights(one: dict[str, npt.NDArray[Any]], other: dict[str, npt.NDArray[Any]]) -> bool:
    """Whether two networks are the same to the last bit."""
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)
