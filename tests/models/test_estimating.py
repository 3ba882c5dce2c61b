"""How long runs will take, and which of them are left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest
import torch

from crowdloom.models import estimating
from crowdloom.models.estimating import open_runs, training_seconds
from crowdloom.models.precision import computing_of
from crowdloom.models.sweeps import sweep
from crowdloom.models.training_loop import new_network, train
from tests.models.small_runs import small_images, small_run


def test_what_is_done_is_not_open(tmp_path: Path) -> None:
    """And a run that two tables ask for is open once."""
    images, one, other = small_images(), small_run(0), small_run(1)
    same = replace(one, experiment="another")
    assert open_runs(images, [one, same, other], tmp_path) == [same, other]
    sweep(images, [one], tmp_path, workers=1, device="cpu")
    assert open_runs(images, [one, same, other], tmp_path) == [other]


def test_time_grows_with_runs_epochs_and_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """48 images in batches of 16 are three steps an epoch; labels and seeds cost nothing, so one run is timed."""
    timed = []

    def half_a_second(*arguments: object) -> float:
        timed.append(arguments[2])
        return 0.5

    monkeypatch.setattr(estimating, "_step_seconds", half_a_second)
    runs = [small_run(0), small_run(1), small_run(2, epochs=10), small_run(3, network="vgg-11")]
    assert training_seconds(small_images(), runs) == 0.5 * 3 * (3 + 3 + 10 + 3)
    assert [settings.network for settings in timed] == ["small-cnn", "vgg-11"]


def test_steps_are_really_timed() -> None:
    """What is said of a run is near what it takes; the medians of three, as others use this machine, too."""
    images, run = small_images(), small_run(epochs=20, milestones=())
    training_seconds(images, [run], device="cpu")  # whatever is loaded at first
    said, took = [], []
    data, computing = torch.from_numpy(images[run.index]), computing_of("cpu", "small-cnn", size=8, threads=1)
    for _ in range(3):
        said.append(training_seconds(images, [run], device="cpu"))
        network = new_network(run.settings, data, 3, seed=0)
        began = perf_counter()
        train(network, data, run.pool, run.settings, seed=0, computing=computing)
        took.append(perf_counter() - began)
    assert median(took) / 5 < median(said) < 5 * median(took)
