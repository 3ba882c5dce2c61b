"""Distances between labels against scipy's, where scipy has them, and worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from crowdloom.analysis.wasserstein import check_ground, ground_distances, total_variation, values_distance, wasserstein

RNG = np.random.default_rng(6)
P, Q = RNG.dirichlet(np.full(6, 0.4), 70), RNG.dirichlet(np.full(6, 0.4), 70)


def test_on_a_line_it_is_scipys() -> None:
    """With |x - y| as ground metric classes are places on a line, and the distance is scipy's; in two stretches."""
    places = np.array([0.0, 1.0, 1.5, 4.0, 7.0, 7.5])
    found = wasserstein(P, Q, np.abs(np.subtract.outer(places, places)))
    assert found == pytest.approx(
        [stats.wasserstein_distance(places, places, p, q) for p, q in zip(P, Q, strict=True)], abs=1e-6
    )


def test_without_a_ground_metric_it_is_the_total_variation() -> None:
    """The linear programme with 0/1 gives the same."""
    assert wasserstein(P, Q) == pytest.approx(np.abs(P - Q).sum(axis=1) / 2)
    assert wasserstein(P, Q, 1 - np.eye(6)) == pytest.approx(total_variation(P, Q), abs=1e-6)


def test_mass_goes_to_the_nearest_class() -> None:
    """A cat that becomes half a dog costs less than one that becomes half a ship."""
    distances = ground_distances(np.array([[1, 0.8, 0.1], [0.8, 1, 0.1], [0.1, 0.1, 1]]))
    cat = np.tile([1.0, 0, 0], (3, 1))
    found = wasserstein(cat, np.array([[0.5, 0.5, 0], [0.5, 0, 0.5], [1, 0, 0]]), distances)
    assert found.tolist() == pytest.approx([0.1, 0.45, 0])


def test_the_authors_variant_is_scipys_of_the_values() -> None:
    """It does not say which class the mass is on."""
    assert values_distance(P, Q) == pytest.approx(
        [stats.wasserstein_distance(p, q) for p, q in zip(P, Q, strict=True)], abs=1e-12
    )
    assert values_distance(P, P[:, ::-1]) == pytest.approx(np.zeros(70), abs=1e-12)


def test_progress_is_told() -> None:
    """Items that are the same need no work."""
    told: list[tuple[int, int]] = []
    first = np.concatenate([P, Q[:5]])
    wasserstein(first, np.concatenate([Q, Q[:5]]), 1 - np.eye(6), lambda *said: told.append(said))
    assert told == [(50, 70), (70, 70)]


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        (np.zeros((2, 3)), "3 x 3"),
        (np.full((3, 3), np.nan), "finite"),
        (np.array([[0, 1, 1], [2, 0, 1], [1, 1, 0]]), "not symmetric"),
        (np.ones((3, 3)), "from a class to itself"),
        (np.array([[0, -1, 1], [-1, 0, 1], [1, 1, 0]]), "nowhere below 0"),
    ],
)
def test_what_is_no_ground_metric_is_refused(matrix: np.ndarray, why: str) -> None:
    """With what is wrong."""
    with pytest.raises(ValueError, match=why):
        check_ground(matrix.astype(float), 3)


def test_a_similarity_that_is_no_square_is_refused() -> None:
    """And one above 1 would make a distance below 0."""
    with pytest.raises(ValueError, match="one row and one column"):
        ground_distances(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="nowhere below 0"):
        ground_distances(np.array([[1.0, 1.5], [1.5, 1.0]]))
