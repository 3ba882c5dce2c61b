"""Labels of mixed images: two-hot, and smoothed by confidence."""

from __future__ import annotations

import numpy as np
import pytest

from crowdloom.analysis.mixing_labels import GAMMA, smooth_by_confidence, two_hot

FIRST, SECOND = np.array([0, 3, 1]), np.array([2, 0, 3])


def test_mass_is_on_the_two_endpoints_alone() -> None:
    """lambda stands at endpoint1, 1 - lambda at endpoint2, wherever these stand among the classes."""
    labels = two_hot(np.array([0.25, 1.0, 0.5]), FIRST, SECOND, 4)
    assert labels.tolist() == [[0.25, 0, 0.75, 0], [0, 0, 0, 1], [0, 0.5, 0, 0.5]]


def test_no_mixes_give_no_labels() -> None:
    """An empty study has an array of the right shape."""
    nothing = np.empty(0, dtype=int)
    assert two_hot(np.empty(0), nothing, nothing, 4).shape == (0, 4)
    assert smooth_by_confidence(np.empty((0, 4)), np.empty(0)).shape == (0, 4)


@pytest.mark.parametrize(
    ("coefficient", "first", "second", "message"),
    [
        (1.2, 0, 1, "between 0 and 1"),
        (np.nan, 0, 1, "between 0 and 1"),
        (0.5, 4, 1, "one of the 4 classes"),
        (0.5, 0, -1, "one of the 4 classes"),
        (0.5, 2, 2, "different classes"),
    ],
)
def test_what_is_no_mix_is_refused(coefficient: float, first: int, second: int, message: str) -> None:
    """A coefficient or an endpoint that cannot be is named."""
    with pytest.raises(ValueError, match=message):
        two_hot(np.array([coefficient]), np.array([first]), np.array([second]), 4)


def test_smoothing_goes_from_uniform_to_almost_nothing() -> None:
    """The weight of uniform is gamma to the power of the confidence: 1, its root, and gamma itself."""
    labels = two_hot(np.full(3, 0.7), np.zeros(3, int), np.ones(3, int), 10)
    smoothed = smooth_by_confidence(labels, np.array([0, 0.5, 1]))
    assert smoothed[0].tolist() == pytest.approx([0.1] * 10)
    root = np.sqrt(GAMMA)
    assert smoothed[1, :3].tolist() == pytest.approx(
        [0.7 * (1 - root) + root / 10, 0.3 * (1 - root) + root / 10, root / 10]
    )
    assert smoothed[2, :3].tolist() == pytest.approx([0.7 * 0.995 + 0.0005, 0.3 * 0.995 + 0.0005, 0.0005])
    assert smoothed.sum(axis=1).tolist() == pytest.approx([1, 1, 1])


@pytest.mark.parametrize(("confidence", "gamma"), [(-0.1, GAMMA), (1.1, GAMMA), (np.nan, GAMMA), (0.5, 0), (0.5, 1.5)])
def test_what_cannot_smooth_is_refused(confidence: float, gamma: float) -> None:
    """A confidence outside [0, 1] (such as a percentage) or a gamma outside (0, 1] is no smoothing."""
    with pytest.raises(ValueError, match=r"between 0 and 1|above 0"):
        smooth_by_confidence(np.array([[0.5, 0.5]]), np.array([confidence]), gamma)
