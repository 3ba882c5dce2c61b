"""Recordings cut into windows."""

from __future__ import annotations

import numpy as np
import pytest

from crowdloom.models.latent_scenarios.windows import Recording, Windows, standardised, windows


def recording(labels: list[int]) -> Recording:
    """The one channel counts the samples."""
    return Recording(np.arange(len(labels), dtype=np.float32)[:, np.newaxis], np.array(labels))


def test_windows_by_hand() -> None:
    """Most samples decide, those without a class do not count, and a window never goes on in the next recording."""
    cut = windows([recording([0, 0, 0, 1, 1, 1, 2]), recording([2, 2, 2]), recording([-1, -1, -1, 1, -1, 1])], 3, 4, 2)
    assert cut.signals[:, 0].tolist() == [[0, 1, 2, 3], [2, 3, 4, 5], [2, 3, 4, 5]]
    assert cut.labels.tolist() == [0, 1, 1]
    assert cut.signals.dtype == np.float32


def test_random_recordings_as_a_slow_count_has_them() -> None:
    """Against one window after the other."""
    chance = np.random.default_rng(0)
    made = [
        Recording(chance.normal(size=(n, 2)).astype(np.float32), chance.integers(-1, 4, n)) for n in (5, 40, 33, 200)
    ]
    signals, labels = [], []
    for one in made:
        for start in range(0, len(one.labels) - 16 + 1, 5):
            here = [label for label in one.labels[start : start + 16].tolist() if label >= 0]
            if len(here) >= 8:
                labels.append(min(sorted(set(here)), key=lambda label: (-here.count(label), label)))
                signals.append(one.signals[start : start + 16].T)
    cut = windows(made, 4, 16, 5)
    assert cut.labels.tolist() == labels
    assert np.array_equal(cut.signals, np.stack(signals))


def test_channels_are_standardised_by_the_training_windows() -> None:
    """Mean 0 and standard deviation 1 there; one that never changes is 0; the items stay as they are."""
    chance = np.random.default_rng(1)
    signals = chance.normal(7, 3, (20, 2, 10)).astype(np.float32)
    signals[:, 1] = 4
    train, other = Windows(signals, np.zeros(20, np.int64)), Windows(signals[:2] + 3, np.zeros(2, np.int64))
    made = standardised(train, other)
    assert float(made.x[:, 0].mean()) == pytest.approx(0, abs=1e-5)
    assert float(made.x[:, 0].std(correction=0)) == pytest.approx(1, abs=1e-5)
    assert made.x[:, 1].abs().max() == 0
    assert float((made.validation_x - made.x[:2])[:, 0].mean()) == pytest.approx(3 / signals[:, 0].std(), rel=1e-4)
    assert made.items is signals
