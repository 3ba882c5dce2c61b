"""Paired differences against scipy's paired t-test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from crowdloom.analysis.paired import paired_difference, paired_frame


def test_means_and_interval_are_those_of_the_paired_t_test() -> None:
    """Over seeds of which one side lacks one."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(1, 0.1, 10), rng.normal(0.9, 0.1, 10)
    second[3] = np.nan
    found = paired_difference("cross entropy", first, second)
    one, other = np.delete(first, 3), np.delete(second, 3)
    theirs = stats.ttest_rel(one, other)
    low, high = theirs.confidence_interval(0.95)
    assert (found.first, found.second) == pytest.approx((one.mean(), other.mean()))
    assert (found.test.estimate, found.test.low, found.test.high) == pytest.approx(((one - other).mean(), low, high))
    assert (found.test.p, found.test.n) == (pytest.approx(theirs.pvalue), (9, 9))


def test_the_frame_has_a_row_for_each_and_says_what_is_missing() -> None:
    """One seed has no interval, none has no means."""
    found = [
        paired_difference("a", [1.0], [2.0]),
        paired_difference("b", [], []),
        paired_difference("c", [1, 2], [3, 5]),
    ]
    frame = paired_frame(found, "ours", "theirs")
    assert frame["n"].tolist() == [1, 0, 2]
    assert frame["ours"].tolist()[::2] == [1.0, 1.5]
    assert frame["difference"].isna().tolist() == [True, True, False]
    assert frame["problem"].notna().tolist() == [True, True, False]
    with pytest.raises(ValueError, match="paired"):
        paired_difference("d", [1.0, 2.0], [1.0])
