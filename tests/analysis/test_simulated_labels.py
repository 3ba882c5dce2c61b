"""What simulated and collected labels are compared by."""

from __future__ import annotations

import numpy as np
import pytest

from crowdloom.analysis.label_pools import pool_by_image
from crowdloom.analysis.simulated_labels import pool_numbers


def test_numbers_are_of_single_labels_and_of_the_images_means() -> None:
    """By hand: two opposed hard labels of one image, an even one of another."""
    labels = np.array([[1.0, 0, 0], [0, 1, 0], [1 / 3, 1 / 3, 1 / 3]])
    found = pool_numbers(pool_by_image(labels, np.array([0, 0, 1]), 2))
    assert found.entropy == pytest.approx(np.log(3) / 3, abs=1e-4)
    assert found.mean_entropy == pytest.approx((np.log(2) + np.log(3)) / 2, abs=1e-4)
    assert found.highest == pytest.approx((1 + 1 + 1 / 3) / 3, abs=1e-4)
    assert found.few == pytest.approx(2 / 3, abs=1e-4)
