"""What descriptions of all kinds of answers share: numbers with names, tables, and how both are printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crowdloom.analysis.measures import mean_of, median_of

Summary = dict[str, int | float | None]

NOTHING = "–"
"""What is printed where something is not defined."""

MEANINGS = {
    "participants": "people whose answers count here",
    "submissions": "passes through a batch whose answers count here",
    "items": "items answered at least once",
    "responses_first": "first answers of a submission to an item",
    "responses_repeat": "answers to an item shown again in the same submission",
}
TIMES = {
    "seconds_median": "median seconds per answer, repeats included",
    "seconds_mean": "mean seconds per answer, repeats included",
}


@dataclass(frozen=True)
class Table:
    """A table beside a summary: its rows have names in the index."""

    title: str
    """One line: of what, and how it was counted."""
    frame: pd.DataFrame

    def lines(self) -> str:
        """The table as text, one line a row; columns of whole numbers, and rows named by #, have no decimals.

        Other numbers have three, and what is not defined is a dash.
        """
        cells = list(zip(*(column for column, _ in self.columns()), strict=True))
        texts = [is_text for _, is_text in self.columns()]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if is_text else cell.rjust(width)
                for cell, width, is_text in zip(row, widths, texts, strict=True)
            ).rstrip()
            for row in cells
        )

    def columns(self) -> list[tuple[list[str], bool]]:
        """Each column's heading and cells as `lines` writes them, the rows' names first, and whether it holds words."""
        names = self.frame.index.tolist()
        counts = [isinstance(name, str) and name.startswith("#") for name in names]
        columns = [(str(self.frame.index.name or ""), names), *((str(n), self.frame[n].tolist()) for n in self.frame)]
        return [
            ([title, *_written(values, counts)], not number or _is_words(values))
            for number, (title, values) in enumerate(columns)
        ]

    def records(self) -> list[dict[str, Any]]:
        """One object for each row, for JSON; None for what is not defined."""
        whole = self.frame.reset_index(names=[self.frame.index.name or "name"])
        return [
            {str(name): None if pd.isna(value) else value for name, value in row.items()}
            for row in whole.astype(object).to_dict("records")
        ]


def people_and_answers(frame: pd.DataFrame) -> Summary:
    """The numbers of `MEANINGS` for any frame."""
    is_first = ~frame["is_repeat"].to_numpy(dtype=bool)
    return {
        "participants": int(frame["participant"].nunique()),
        "submissions": int(frame["submission"].nunique()),
        "items": int(frame["item"].nunique()),
        "responses_first": int(is_first.sum()),
        "responses_repeat": int((~is_first).sum()),
    }


def seconds_taken(frame: pd.DataFrame) -> Summary:
    """The numbers of `TIMES`; None where no time is known."""
    seconds = frame["rt_ms"].to_numpy(dtype=np.float64) / 1000
    return {"seconds_median": median_of(seconds), "seconds_mean": mean_of(seconds)}


def _written(values: list[Any], counts: list[bool]) -> list[str]:
    """A column of a table; `counts` says in which rows a number is a count."""
    measured = [value for value, count in zip(values, counts, strict=True) if not count and _is_number(value)]
    whole = all(float(value).is_integer() for value in measured)
    return [_shown(value, whole=whole or count) for value, count in zip(values, counts, strict=True)]


def _is_words(values: list[Any]) -> bool:
    """Whether a column holds texts, beside what is not defined."""
    return any(isinstance(value, str) for value in values) and not any(map(_is_number, values))


def _is_number(value: Any) -> bool:
    return not isinstance(value, str) and not pd.isna(value)


def _shown(value: Any, *, whole: bool) -> str:
    if not _is_number(value):
        return value if isinstance(value, str) else NOTHING
    if whole:
        return f"{value:.0f}"
    return f"{value:.1e}" if 0 < abs(value) < 0.0005 else f"{value:.3f}"
