"""What a run is, and what its digest is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from crowdloom.analysis.label_pools import LabelPool, pool_of
from crowdloom.models.run_record import code_version, record_of
from crowdloom.models.runs import Run, digest_of
from crowdloom.models.settings import Mixing
from tests.models.small_runs import SETTINGS, small_images, small_run


@pytest.mark.parametrize(
    "change",
    [
        lambda run: replace(run, seed=1),
        lambda run: replace(run, settings=replace(SETTINGS, rate=0.2)),
        lambda run: replace(run, settings=replace(SETTINGS, mixing=Mixing("mixup", 0.2))),
        lambda run: replace(run, index=run.index[::-1].copy()),
        lambda run: replace(run, pool=pool_of(run.pool.mean())),
        lambda run: replace(run, pool=LabelPool(run.pool.labels, run.pool.start, np.ones_like(run.pool.count))),
        lambda run: replace(run, evaluations=[replace(run.evaluations[0], bin=4)]),
        lambda run: replace(run, evaluations=[replace(run.evaluations[0], labels=run.evaluations[0].labels[::-1])]),
        lambda run: replace(run, evaluations=[]),
        lambda run: replace(run, metrics=["accuracy"]),
    ],
)
def test_what_changes_the_result_changes_the_digest(change: Callable[[Run], Run]) -> None:
    """Settings, seed, images, labels, evaluations and metrics are each part of it."""
    run = small_run()
    assert change(run).digest("images") != run.digest("images")


def test_other_images_are_another_run() -> None:
    """One pixel is enough."""
    images = small_images()
    before = digest_of(images)
    images[63, 2, 7, 7] ^= 1
    assert small_run().digest(before) != small_run().digest(digest_of(images))


def test_where_a_run_belongs_is_no_part_of_its_digest() -> None:
    """Tables that ask for the same thing share one run; so do machines with other integers."""
    run = small_run()
    assert replace(run, experiment="3.2", row="other", origin={}).digest("") == run.digest("")
    assert replace(run, index=run.index.astype(np.int32)).digest("") == run.digest("")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"index": np.arange(5)}, "small, apart, small-cnn, seed 0 has labels of 48 images, but 5 images"),
        ({"origin": {"classes": ["one", "two"]}}, "names 2 classes, and its labels have 3"),
        ({"evaluations": [small_run().evaluations[0]] * 2}, "two evaluations of one name"),
    ],
)
def test_what_does_not_fit_together_is_no_run(changed: dict[str, Any], message: str) -> None:
    """The error names the run."""
    with pytest.raises(ValueError, match=message):
        replace(small_run(), **changed)


def test_labels_of_an_evaluation_are_of_its_images() -> None:
    """One label is missing."""
    held_out = small_run().evaluations[0]
    with pytest.raises(ValueError, match="evaluation 'held-out' needs labels"):
        replace(held_out, labels=held_out.labels[:-1])


def test_classes_without_names_are_counted() -> None:
    """From 0."""
    assert small_run().classes == ("red", "green", "blue")
    assert replace(small_run(), origin={}).classes == ("0", "1", "2")


def test_a_record_says_with_what_a_run_is_done() -> None:
    """Configuration, code, libraries and machine, as JSON values."""
    record = record_of(small_run(), "digest", "images")
    assert record["run"]["settings"]["network"] == "small-cnn"
    assert record["run"]["seed"] == 0
    assert record["origin"]["labels"] == "two people's"
    assert record["libraries"].keys() == {"python", "torch", "numpy", "safetensors"}
    assert all(record["libraries"].values())
    assert len(code_version()["models"] or "") == 64
