"""HAPT's archive: invented ones, and the real one where it is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crowdloom.models.errors import ModelError
from crowdloom.models.latent_scenarios.hapt import SCENARIO, load
from crowdloom.models.latent_scenarios.scenario import check_data


def arrays() -> dict[str, Any]:
    """Three people with two sessions of 512 samples each; the first half of each has no label."""
    n = 3 * 2 * 512
    x = np.random.default_rng(0).normal(size=(n, 6)).astype(np.float32)
    x[:, 0] = np.arange(n)
    label = np.where(np.arange(n) % 512 < 256, -1, 1 + np.arange(n) // 512 % 2).astype(np.int8)
    return {"X": x, "label": label, "subject": np.repeat([4, 5, 6], 1024), "session": np.arange(n) // 512 % 2}


def save(path: Path, **changes: Any) -> Path:
    """The archive with some arrays otherwise, or without those that are None."""
    np.savez(path, **{name: array for name, array in (arrays() | changes).items() if array is not None})
    return path


def test_windows_lie_within_a_session_of_a_person(tmp_path: Path) -> None:
    """Of 512 samples whose later 256 have labels come 4 windows; every fifth person is kept for validation."""
    data = load(save(tmp_path / "hapt.npz"))
    check_data(SCENARIO, data)
    assert data.items.shape == (16, 6, 128)
    assert data.items[:, 0, 0].tolist() == [
        512 * part + start for part in (0, 1, 4, 5) for start in (192, 256, 320, 384)
    ]
    assert data.labels.tolist() == [0, 0, 0, 0, 1, 1, 1, 1] * 2
    assert data.validation_labels.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"session": None}, "has no array 'session'"),
        ({"X": np.zeros((3072, 5), np.float32)}, "a column of numbers for each of acc-x"),
        ({"label": np.ones(5, np.int8)}, "one whole number in label, subject and session for each row"),
        ({"label": np.full(3072, 13)}, "has the label 13; HAPT's activities are 1 to 12"),
        ({"X": np.where(np.arange(3072) == 7, np.nan, 0)[:, np.newaxis] + np.zeros(6)}, "not finite in row 7 of X"),
        ({"subject": np.full(3072, 4)}, "needs people whose numbers are multiples of 5"),
    ],
)
def test_another_archive_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    """One sentence says what it lacks."""
    with pytest.raises(ModelError, match=said):
        load(save(tmp_path / "hapt.npz", **changes))


def test_the_real_archive(test_data: Path) -> None:
    """24 people to train on, six to validate on, all twelve activities on both sides."""
    data = load(test_data / "hapt.npz")
    check_data(SCENARIO, data)
    assert (len(data.x), len(data.validation_x)) == (10_200, 2_566)
    assert data.labels.unique().tolist() == data.validation_labels.unique().tolist() == list(range(12))
