"""Ties of computed values."""

from __future__ import annotations

import numpy as np
import pytest

from crowdloom.analysis.rounding import tied, tied_differences


def test_each_column_by_itself() -> None:
    """[N, S] as S times [N]: equal where the values are tenths, apart where they are not."""
    rng = np.random.default_rng(0)
    tenths = rng.integers(0, 10, (40, 5))
    values = 1 + tenths / 10 - 1
    values[:, 2] *= 1e6
    values[:, 3] += rng.random(40)
    found = tied(values)
    assert found == pytest.approx(values, rel=1e-9)
    for column in range(5):
        np.testing.assert_array_equal(found[:, column], tied(values[:, column]))
        whole = values[:, 3] if column == 3 else tenths[:, column]
        assert len(set(found[:, column].tolist())) == len(set(whole.tolist()))
    pairs = tied_differences(values[:20], values[20:])
    for column in range(5):
        np.testing.assert_array_equal(pairs[:, column], tied_differences(values[:20, column], values[20:, column]))


def test_what_is_no_number_to_round() -> None:
    """Nothing, and infinities, which are the same as themselves alone."""
    assert tied(np.empty(0)).tolist() == []
    assert tied_differences(np.empty(0), np.empty(0)).tolist() == []
    assert tied(np.array([np.inf, 2.0, -np.inf, np.inf, 1.0])).tolist() == [np.inf, 2.0, -np.inf, np.inf, 1.0]


def test_differences_carry_the_rounding_of_both_numbers() -> None:
    """Of large numbers what is small may be rounding alone; of small ones it is not."""
    assert tied_differences(np.array([1e6 + 0.1 + 0.2]), np.array([1e6 + 0.3])).tolist() == [0]
    assert tied_differences(np.array([3e-9, 2e-9]), np.array([1e-9, 2e-9])) == pytest.approx(np.array([2e-9, 0]))
