"""Labels of finite sets of mixed images and boundaries of pairs: hand-computed, and against curves that are known."""

from __future__ import annotations

import numpy as np
import pytest

from crowdloom.analysis.boundaries import fit_boundary
from crowdloom.analysis.mixing_labels import smooth_by_confidence, two_hot
from crowdloom.analysis.mixing_targets import (
    MixedAnswers,
    aggregated_targets,
    mixup_targets,
    pair_boundaries,
    separate_targets,
)

TWO = MixedAnswers(
    endpoint1=np.array([0, 3]),
    endpoint2=np.array([1, 2]),
    coefficient=np.array([0.75, 0.5]),
    image=np.array([1, 0, 1]),
    inferred=np.array([0.2, 0.9, 0.6]),
    confidence=np.array([0.5, 1.0, 0.0]),
)
"""Two mixes, with answers 0.9 to the first and 0.2 and 0.6 to the second."""


def made(curves: dict[tuple[int, int], tuple[float, float]], turned: bool = False) -> MixedAnswers:
    """Answers that lie on a curve of slope and midpoint for each pair, at five coefficients."""
    first, second, coefficient, inferred = [], [], [], []
    for (i, j), (slope, midpoint) in curves.items():
        for share in (0.1, 0.25, 0.5, 0.75, 0.9):
            answer = 1 / (1 + np.exp(-slope * (share - midpoint)))
            first.append(j if turned else i)
            second.append(i if turned else j)
            coefficient.append(1 - share if turned else share)
            inferred.append(1 - answer if turned else answer)
    numbers = np.arange(len(first))
    return MixedAnswers(
        np.array(first), np.array(second), np.array(coefficient), numbers, np.array(inferred), np.ones(len(numbers))
    )


def test_mixup_labels_take_the_generating_coefficient() -> None:
    """lambda_f on endpoint1 and the rest on endpoint2, one row an image."""
    pool = mixup_targets(TWO, 4)
    assert pool.count.tolist() == [1, 1]
    assert pool.labels.tolist() == [[0.75, 0.25, 0, 0], [0, 0, 0.5, 0.5]]


def test_aggregated_labels_take_the_mean_answer() -> None:
    """The mean of 0.2 and 0.6 is 0.4; with confidence, smoothing goes by the mean of 0.5 and 0."""
    np.testing.assert_allclose(aggregated_targets(TWO, 4).labels, [[0.9, 0.1, 0, 0], [0, 0, 0.6, 0.4]])
    weight = 0.005**0.25
    second = [weight / 4, weight / 4, (1 - weight) * 0.6 + weight / 4, (1 - weight) * 0.4 + weight / 4]
    np.testing.assert_allclose(aggregated_targets(TWO, 4, confidence=True).labels[1], second)


def test_separate_labels_keep_each_answer_with_its_own_confidence() -> None:
    """One row an answer, by image; no confidence gives a uniform label, as does a gamma of 1."""
    pool = separate_targets(TWO, 4)
    assert (pool.start.tolist(), pool.count.tolist()) == ([0, 1], [1, 2])
    np.testing.assert_allclose(pool.labels, [[0.9, 0.1, 0, 0], [0, 0, 0.8, 0.2], [0, 0, 0.4, 0.6]])
    smoothed = separate_targets(TWO, 4, confidence=True)
    expected = smooth_by_confidence(
        two_hot(np.array([0.9, 0.2, 0.6]), np.array([0, 3, 3]), np.array([1, 2, 2]), 4), np.array([1.0, 0.5, 0.0])
    )
    np.testing.assert_allclose(smoothed.labels, expected)
    np.testing.assert_allclose(smoothed.labels[2], 0.25)
    np.testing.assert_allclose(separate_targets(TWO, 4, confidence=True, gamma=1.0).labels, 0.25)


def test_the_mean_of_separate_labels_is_the_aggregated_one() -> None:
    """Without confidence, aggregation loses nothing but the differences."""
    np.testing.assert_allclose(separate_targets(TWO, 4).mean(), aggregated_targets(TWO, 4).labels)


def test_images_without_answers_and_answers_without_confidence_are_named() -> None:
    """Both are one clear sentence."""
    lonely = MixedAnswers(TWO.endpoint1, TWO.endpoint2, TWO.coefficient, *(np.zeros(1, int), np.ones(1), np.ones(1)))
    for build in (aggregated_targets, separate_targets):
        with pytest.raises(ValueError, match="1 of 2 mixed images have no inferred coefficient"):
            build(lonely, 4)
    unsure = MixedAnswers(*(getattr(TWO, name) for name in list(vars(TWO))[:-1]), np.array([1.0, np.nan, np.nan]))
    for build in (aggregated_targets, separate_targets):
        with pytest.raises(ValueError, match="2 of 3 answers come without a confidence"):
            build(unsure, 4, confidence=True)


@pytest.mark.parametrize("turned", [False, True])
def test_every_pair_gets_its_own_boundary_in_both_orders(turned: bool) -> None:
    """Slopes and midpoints come back, whichever endpoint an item names first."""
    curves = {(0, 1): (6.0, 0.4), (0, 2): (9.0, 0.6), (1, 2): (4.0, 0.5)}
    found = pair_boundaries(made(curves, turned), 3)
    for (i, j), (slope, midpoint) in curves.items():
        assert found.slopes[i][j] == pytest.approx(slope, abs=1e-5) == found.slopes[j][i]
        assert found.midpoints[i][j] == pytest.approx(midpoint, abs=1e-5)
        assert found.midpoints[j][i] == pytest.approx(1 - midpoint, abs=1e-5)
    assert found.borrowed == ()


def test_a_pair_that_cannot_be_fitted_has_the_boundary_of_all_pairs() -> None:
    """A pair nobody saw, and one whose answers fall as the share rises, borrow; they are named."""
    mixed = made({(0, 1): (6.0, 0.4), (0, 2): (9.0, 0.6), (1, 2): (-3.0, 0.5)})
    found = pair_boundaries(mixed, 4)
    everything = fit_boundary(mixed.coefficient, mixed.inferred)
    assert found.borrowed == ((0, 3), (1, 2), (1, 3), (2, 3))
    assert found.slopes[1][2] == found.slopes[3][0] == everything.slope
    assert found.midpoints[0][3] == everything.midpoint
    assert everything.midpoint is not None
    assert found.midpoints[3][0] == 1 - everything.midpoint


def test_answers_without_any_boundary_are_refused() -> None:
    """Nobody can mix by answers that are all the same."""
    with pytest.raises(
        ValueError, match=r"no category boundary can be fitted to 3 answers: 2 mixing coefficients only"
    ):
        pair_boundaries(TWO, 4)
