"""What a rehearsal's answers come to: the correlation of two of its numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from crowdloom.studies.rehearsal.measures import _correlation


@pytest.mark.parametrize("values", [2, 5, 1000])
def test_it_is_spearmans(values: int) -> None:
    """As SciPy has it, with many ties and with few."""
    rng = np.random.default_rng(values)
    one = rng.integers(0, values, 40) / 7
    other = one + rng.integers(0, values, 40)
    assert _correlation(one, other) == pytest.approx(spearmanr(one, other).statistic, abs=1e-12)


def test_nothing_is_said_where_nothing_varies_or_little_is_known() -> None:
    """Not a number that is none."""
    assert _correlation([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]) is None
    assert _correlation([1.0, 2.0, 3.0], [0.5, 0.5, 0.5]) is None
    assert _correlation([1.0, 2.0], [2.0, 1.0]) is None
    assert _correlation((), ()) is None
