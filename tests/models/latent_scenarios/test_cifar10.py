"""CIFAR-10 from its own files and from an archive with some of its images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crowdloom.models.errors import ModelError
from crowdloom.models.latent_scenarios.cifar10 import SCENARIO, load
from crowdloom.models.latent_scenarios.scenario import check_data
from tests.models.cifar10_files import write_cifar10

IMAGES = np.random.default_rng(0).integers(0, 256, (120, 32, 32, 3), dtype=np.uint8)
LABELS = np.arange(120, dtype=np.uint8) % 10


def test_the_data_set_has_its_own_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training images to learn from, test images to validate on; pixels from -1 to 1, channels first."""
    write_cifar10(tmp_path, IMAGES, LABELS, monkeypatch)
    data = load(tmp_path)
    check_data(SCENARIO, data)
    assert np.array_equal(data.items, IMAGES[:100])
    assert data.validation_labels.tolist() == LABELS.tolist()
    assert data.x[7, :, 3, 5].numpy() == pytest.approx(IMAGES[7, 3, 5] / 127.5 - 1)
    assert not data.settings


def test_an_archive_is_split_by_class(tmp_path: Path) -> None:
    """A fifth of each class is kept for validation, always the same; few images are learned in smaller batches."""
    np.savez(tmp_path / "some.npz", images=IMAGES, label=LABELS, index=np.arange(120))
    data = load(tmp_path / "some.npz")
    check_data(SCENARIO, data)
    assert (len(data.x), len(data.validation_x)) == (96, 24)
    assert np.bincount(data.validation_labels.numpy()).min() >= 2
    assert np.array_equal(load(tmp_path / "some.npz").items, data.items)
    assert data.settings == {"rate": 1e-3, "batch": 64}


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"images": IMAGES}, "needs an array `label`"),
        ({"images": IMAGES[:, :16, :16], "label": LABELS}, r"has images of \[16, 16, 3\]; CIFAR-10's are"),
        ({"label": LABELS}, "needs an array `images`"),
    ],
)
def test_another_archive_is_refused(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    """One sentence says what it lacks."""
    np.savez(tmp_path / "some.npz", **arrays)
    with pytest.raises(ModelError, match=said):
        load(tmp_path / "some.npz")


def test_a_folder_without_it_is_refused(tmp_path: Path) -> None:
    """Nothing is downloaded."""
    with pytest.raises(ModelError, match="has no whole cifar-10-batches-py"):
        load(tmp_path)


def test_the_real_images(test_data: Path) -> None:
    """1,533 of them."""
    data = load(test_data / "cifar10-test-subset.npz")
    check_data(SCENARIO, data)
    assert (len(data.x), len(data.validation_x)) == (1226, 307)
