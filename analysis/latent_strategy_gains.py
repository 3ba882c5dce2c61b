"""What sessions gained over the same training without a person, by the strategy that their participant said they had.

Where people are simulated, what they say is what they did.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from crowdloom.analysis.latent_strategies import TITLES
from crowdloom.analysis.paired import paired_difference

ALL = "all"


def strategy_gains(gains: pd.DataFrame, strategies: Mapping[tuple[str, str], str]) -> pd.DataFrame:
    """Per strategy, and for all sessions together, the mean gain in validation accuracy with its 95 % t interval.

    `gains` is what `latent_gains.gains` gives; `strategies` has a name of `TITLES` by submission and scenario; sessions
    that are not in it count in the last row alone. Index: strategy; columns: n (sessions with a baseline), gain, low,
    high, all three as shares; NaN where fewer than two sessions say nothing of the interval.
    """
    names = [strategies.get(key) for key in zip(gains["submission"], gains["scenario"], strict=True)]
    named = pd.Series(names, index=gains.index, dtype=object)
    rows = {}
    for strategy in (*TITLES, ALL):
        of = gains if strategy == ALL else gains[named == strategy]
        if len(of):
            test = paired_difference(strategy, of["accuracy"], of["baseline_accuracy"]).test
            known = (of["accuracy"] - of["baseline_accuracy"]).dropna()
            rows[strategy] = {"n": len(known), "gain": known.mean(), "low": test.low, "high": test.high}
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["n", "gain", "low", "high"])
    return frame.astype({"n": int, "gain": float, "low": float, "high": float}).rename_axis("strategy")
