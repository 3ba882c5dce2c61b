"""Answers to the task `latent-session` in numbers and tables: what the long frame's own columns say of sessions.

What the records behind them say, movements, shapes and curves, stands in `latent_report`. Items are scenarios.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from crowdloom.analysis import summary
from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.measures import mean_of
from crowdloom.analysis.summary import Summary, Table
from crowdloom.analysis.tests import one_sample_t

MEANINGS = {
    **summary.MEANINGS,
    "accuracy_before_mean": "mean validation accuracy after the pretraining",
    "accuracy_mean": "mean validation accuracy after the last epoch",
    "macro_f1_mean": "mean validation macro-F1 after the last epoch",
    "improvement_mean": "mean accuracy after the last epoch less before",
    "interactions_mean": "mean interactions of a session",
    "movements_mean": "mean movements of a session",
    "alpha_mean": "mean share of the person in the loss",
    "session_minutes_mean": "mean minutes that arranging took in a session",
    **summary.TIMES,
}


def latent_summary(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Summary:
    """The numbers of `MEANINGS` for a frame of sessions, all scenarios together."""
    return {
        **summary.people_and_answers(frame),
        "accuracy_before_mean": mean_of(frame["accuracy_before"]),
        "accuracy_mean": mean_of(frame["accuracy"]),
        "macro_f1_mean": mean_of(frame["macro_f1"]),
        "improvement_mean": mean_of(improvements(frame)),
        "interactions_mean": mean_of(frame["interactions"]),
        "movements_mean": mean_of(frame["movements"]),
        "alpha_mean": mean_of(frame["alpha"]),
        "session_minutes_mean": mean_of(frame["seconds"] / 60),
        **summary.seconds_taken(frame),
    }


def latent_tables(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> list[Table]:
    """One table of sessions by scenario, and by condition where there are several; none without sessions."""
    first = frame[~frame["is_repeat"].astype(bool)]
    if not len(first):
        return []
    keys = ["item", "condition"] if first["condition"].nunique() > 1 else ["item"]
    rows, names = [], []
    order = item_order(first, items)
    first = first.sort_values(keys, key=lambda of: of.map(order) if of.name == "item" else of, kind="stable")
    for key, some in first.groupby(keys, sort=False):
        names.append(", ".join(map(str, key)))
        test = one_sample_t(improvements(some))
        rows.append(
            {
                "n": len(some),
                "before": mean_of(some["accuracy_before"]),
                "accuracy": mean_of(some["accuracy"]),
                "improvement": mean_of(improvements(some)),
                "low": test.low,
                "high": test.high,
                "macro-F1": mean_of(some["macro_f1"]),
                "interactions": mean_of(some["interactions"]),
                "movements": mean_of(some["movements"]),
                "minutes": mean_of(some["seconds"] / 60),
                "alpha": mean_of(some["alpha"]),
                "problem": test.problem,
            }
        )
    frame = pd.DataFrame(rows, index=pd.Index(names, name="scenario", dtype=object))
    numbers = [name for name in frame if name not in ("n", "problem")]
    return [
        Table(
            "Sessions by scenario, means: validation accuracy after the pretraining (before) and in the end, the "
            "improvement with its 95 % t interval over sessions. A network improves without a person, too; "
            "crowdloom hill analyse compares them",
            frame.astype(dict.fromkeys(numbers, float)),
        )
    ]


def item_order(frame: pd.DataFrame, items: pd.DataFrame) -> dict[str, int]:
    """The place of each item that `frame` has answers to: those of `items` as they stand there, then as they come."""
    answered = set(frame["item"])
    known = dict.fromkeys([*items["item"], *frame["item"]])
    return {item: place for place, item in enumerate(item for item in known if item in answered)}


def improvements(frame: pd.DataFrame) -> Floats:
    """[N] Final accuracy less that after the pretraining; NaN where one is not known."""
    return np.asarray(frame["accuracy"] - frame["accuracy_before"], dtype=np.float64)
