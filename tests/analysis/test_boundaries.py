"""Category boundaries: known ones are found again, and what has none says why."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import curve_fit

from crowdloom.analysis.boundaries import ALL_PAIRS, boundaries, boundary_table, fit_boundary
from crowdloom.analysis.mixing import mixed_responses
from tests.analysis.mixed_frames import CLASSES, answered, item_frame, mix, task_frame

MIXES = np.array([0.1, 0.25, 0.5, 0.75, 0.9])


def tau(coefficient: np.ndarray, slope: float, midpoint: float) -> np.ndarray:
    """The function of appendix C."""
    return 1 / (1 + np.exp(-slope * (coefficient - midpoint)))


@pytest.mark.parametrize(("slope", "midpoint"), [(1.5, 0.3), (5, 0.5), (20, 0.62), (-6, 0.4)])
def test_known_parameters_are_found(slope: float, midpoint: float) -> None:
    """Without noise exactly; with noise within four standard errors, which shrink as answers grow."""
    exact = fit_boundary(MIXES, tau(MIXES, slope, midpoint))
    assert (exact.slope, exact.midpoint) == pytest.approx((slope, midpoint), rel=1e-4)
    rng = np.random.default_rng(1)
    errors = []
    for n in (100, 10_000):
        mixes = rng.choice(MIXES, n)
        found = fit_boundary(mixes, tau(mixes, slope, midpoint) + rng.normal(0, 0.1, n))
        assert found.slope_error is not None
        assert found.midpoint_error is not None
        assert abs(found.slope - slope) < 4 * found.slope_error
        assert abs(found.midpoint - midpoint) < 4 * found.midpoint_error
        errors.append(found.midpoint_error)
    assert errors[1] == pytest.approx(errors[0] / 10, rel=0.5)


def test_it_is_scipys_fit() -> None:
    """The same function put into curve_fit without our start and gradient gives the same numbers."""
    rng = np.random.default_rng(2)
    mixes = rng.choice(MIXES, 60)
    answers = np.clip(tau(mixes, 8, 0.45) + rng.normal(0, 0.2, 60), 0, 1)
    found = fit_boundary(mixes, answers)
    parameters, covariance = curve_fit(tau, mixes, answers, p0=(5, 0.5))
    assert [found.slope, found.midpoint] == pytest.approx(parameters.tolist(), rel=1e-4)
    errors = np.sqrt(np.diag(covariance)).tolist()
    assert [found.slope_error, found.midpoint_error] == pytest.approx(errors, rel=1e-3)


@pytest.mark.parametrize(
    ("mixes", "answers", "problem"),
    [
        ([], [], "0 mixing coefficients only; a boundary needs 3"),
        ([0.5, 0.5], [0.1, 0.2], "1 mixing coefficient only"),
        ([0.25, 0.5, 0.5], [0.1, 0.2, 0.3], "2 mixing coefficients only"),
        ([0.1, 0.5, 0.9], [0.4, 0.4, 0.4], "all 3 answers are 0.4"),
        ([0.1, 0.5, 0.9], [0, 1, 1], "a step, whose slope is not determined"),
        ([0.25, 0.5, 0.75, 0.9], [0, 0, 1, 1], "a step"),
        ([0.1, 0.5, 0.9], [0.5, 0.7, 0.5], "hardly change with the mix"),
        ([0.1, 0.5, 0.9], [1, 1, 0.99], "no logistic function fits"),
    ],
)
def test_what_has_no_boundary_says_why(mixes: list[float], answers: list[float], problem: str) -> None:
    """No numbers, a sentence, and no warning."""
    with np.errstate(all="raise", under="ignore"):
        found = fit_boundary(np.array(mixes), np.array(answers, dtype=float))
    assert problem in str(found.problem)
    assert (found.slope, found.midpoint, found.slope_error, found.midpoint_error) == (None,) * 4


def test_pairs_are_turned_to_the_order_of_the_classes() -> None:
    """An item that names its classes the other way round helps to fit the same curve; repeats do not count."""
    items, rows = [], []
    for number, mixed in enumerate(MIXES.tolist()):
        items += [mix(f"a{number}", "ant", "bee", mixed), mix(f"b{number}", "bee", "ant", mixed)]
        share = float(tau(np.array([mixed]), 8, 0.3)[0])
        turned = 1 - float(tau(np.array([1 - mixed]), 8, 0.3)[0])
        rows += [answered("s", f"a{number}", inferred=share), answered("s", f"b{number}", inferred=turned)]
    items.append(mix("c", "cow", "dog", 0.5))
    rows += [answered("s", "c", inferred=0.5), answered("s", "c", inferred=0.1, repeat=1)]
    responses = mixed_responses(task_frame("mixing-coefficient", rows), item_frame(*items), CLASSES)
    whole, pair, other = boundaries(responses)
    assert (whole.pair, whole.n, pair.pair, pair.n, pair.coefficients) == (ALL_PAIRS, 11, "ant–bee", 10, 5)
    assert (pair.slope, pair.midpoint) == pytest.approx((8, 0.3), rel=1e-3)
    assert (other.n, other.problem) == (1, "1 mixing coefficient only; a boundary needs 3")
    table = boundary_table([whole, pair, other])
    assert table.loc["ant–bee", "k"] == pair.slope
    assert table.loc["cow–dog", "problem"] == other.problem
