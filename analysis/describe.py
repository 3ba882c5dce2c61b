"""A study's answers in a few numbers and tables, whatever the task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from crowdloom.analysis import coach_summary, latent_summary, mixing_summary, soft_label_summary, wrong_label_summary
from crowdloom.analysis.summary import NOTHING, Summary, Table

__all__ = ["DESCRIBE", "MEANINGS", "TABLES", "Summary", "Table", "describe", "describe_rows"]

DESCRIBE: dict[str, Callable[[pd.DataFrame, pd.DataFrame, Sequence[str]], Summary]] = {
    "soft-label": soft_label_summary.soft_label_summary,
    "mixing-coefficient": mixing_summary.mixing_summary,
    "wrong-label": wrong_label_summary.wrong_label_summary,
    "latent-session": latent_summary.latent_summary,
    "coach": coach_summary.coach_summary,
}
"""For each task, what describes its frame, with the frame of items and the classes, in numbers."""

TABLES: dict[str, Callable[[pd.DataFrame, pd.DataFrame, Sequence[str]], list[Table]]] = {
    "soft-label": soft_label_summary.soft_label_tables,
    "mixing-coefficient": mixing_summary.mixing_tables,
    "wrong-label": wrong_label_summary.wrong_label_tables,
    "latent-session": latent_summary.latent_tables,
    "coach": coach_summary.coach_tables,
}
"""The same in tables: none where there is nothing to be put into them."""

MEANINGS: dict[str, str] = {
    **soft_label_summary.MEANINGS,
    **soft_label_summary.MIXED_MEANINGS,
    **mixing_summary.MEANINGS,
    **wrong_label_summary.MEANINGS,
    **latent_summary.MEANINGS,
    **coach_summary.MEANINGS,
}
"""Every key of a summary with its meaning in a line."""


def describe(task: str, frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Summary:
    """The summary of a frame that was checked at the door; see `DESCRIBE`.

    `items` has a row for each item with its reference and attributes. What is not defined is None. Raises
    FrameError, which is a ValueError, where an item lacks what its answers need.
    """
    return DESCRIBE[task](frame, items, classes)


def describe_rows(summary: Mapping[str, int | float | None]) -> list[tuple[str, str, str]]:
    """The summary as rows (name, value, meaning) for printing; what is not defined reads "–".

    >>> describe_rows({"participants": 248, "seconds_median": None})[0]
    ('participants', '248', 'people whose answers count here')
    """
    return [(name, _shown(value), MEANINGS[name]) for name, value in summary.items()]


def _shown(value: float | None) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, int):
        return str(value)
    return f"{value:.1e}" if 0 < abs(value) < 0.00005 else f"{value:.4f}"
