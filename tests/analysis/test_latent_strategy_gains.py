"""Gains by strategy: whose sessions count where, and what an interval needs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from crowdloom.analysis.latent_strategy_gains import strategy_gains


def frame(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    """Gains as `latent_gains.gains` has them."""
    return pd.DataFrame(rows, columns=["submission", "scenario", "accuracy", "baseline_accuracy"])


def test_gains_are_averaged_by_strategy() -> None:
    """In the order of the strategies, with all sessions at the end; one that said nothing is in the last row alone."""
    found = strategy_gains(
        frame(("a", "x", 0.8, 0.7), ("b", "x", 0.9, 0.7), ("b", "y", 0.5, 0.6), ("c", "x", 0.7, 0.7)),
        {("a", "x"): "keep", ("b", "x"): "keep", ("b", "y"): "distance"},
    )
    assert found.index.tolist() == ["distance", "keep", "all"]
    assert found["n"].tolist() == [1, 2, 4]
    assert found["gain"].tolist() == pytest.approx([-0.1, 0.15, 0.05])
    half = t.ppf(0.975, 1) * np.std([0.1, 0.2], ddof=1) / np.sqrt(2)
    assert (found.loc["keep", "low"], found.loc["keep", "high"]) == pytest.approx((0.15 - half, 0.15 + half))
    assert found.loc["distance", ["low", "high"]].isna().all()


def test_sessions_without_a_baseline_say_nothing() -> None:
    """They are in no mean, and a strategy that has none but them has no gain."""
    found = strategy_gains(frame(("a", "x", 0.8, np.nan)), {("a", "x"): "merge"})
    assert found["n"].tolist() == [0, 0]
    assert found["gain"].isna().all()
    assert not len(strategy_gains(frame(), {}))
