"""The flow of participants, from arrival to analysis, as reports of studies have it (CONSORT 2010, item 13)."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from crowdloom.analysis.leaving_out import STANDINGS
from crowdloom.analysis.summary import Table

ALL = "all"


def flow_table(states: Mapping[str, int], told: pd.DataFrame, frame: pd.DataFrame) -> Table:
    """A row for each step, in order, with how many submissions of all and of each condition are at it.

    states   submissions by state, those that never had a batch included
    told     what `leave_out` says: submission, participant, condition, reason (None where it counts)
    frame    the long frame of all of them

    Below who began stand the answers of all of them; the last rows are what is analysed: submissions, people, first
    answers and repeats. Rows that begin with a dash
    are taken off, so that what arrived less all of these is what is analysed.
    """
    conditions = sorted(set(told["condition"]))
    columns = [ALL, *(conditions if len(conditions) > 1 else ())]
    rows: dict[str, list[int | None]] = {}
    never = sum(states.values()) - len(told)
    rows["arrived"] = [sum(states.values()), *([None] * (len(columns) - 1))]
    if never:
        rows[f"– {STANDINGS['refused']}, or found no place"] = [never, *([None] * (len(columns) - 1))]
    rows["began"] = _counts(told, columns)
    rows["began: people"] = [told["participant"].nunique(), *_counts(_each(told), columns)[1:]]
    began = frame[frame["submission"].isin(told["submission"])]
    rows |= _answers("began", began, columns)
    for reason in _in_order(told["reason"]):
        rows[f"– {reason}"] = _counts(told[told["reason"] == reason], columns)
    counted = told[told["reason"].isna()]
    rows["analysed: submissions"] = _counts(counted, columns)
    rows["analysed: people"] = [counted["participant"].nunique(), *_counts(_each(counted), columns)[1:]]
    rows |= _answers("analysed", frame[frame["submission"].isin(counted["submission"])], columns)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns, dtype=object)
    return Table("Flow of participants (submissions, unless a row says otherwise)", table)


def _each(told: pd.DataFrame) -> pd.DataFrame:
    """One row for each person in each condition."""
    return told.drop_duplicates(["participant", "condition"])


def _answers(whose: str, frame: pd.DataFrame, columns: list[str]) -> dict[str, list[int | None]]:
    """First answers and repeats, in a row each."""
    again = frame["is_repeat"].to_numpy(dtype=bool)
    return {
        f"{whose}: first answers": _counts(frame[~again], columns),
        f"{whose}: repeats": _counts(frame[again], columns),
    }


def _in_order(reasons: pd.Series) -> list[str]:
    """The reasons that there are: standings first, then the plan's rules as they stand in `leave_out`."""
    order = [*STANDINGS.values(), "comprehension", "attention", "speed", "same answer", "consistency"]
    there = set(reasons.dropna())
    return [reason for reason in order if reason in there] + sorted(there - set(order))


def _counts(rows: pd.DataFrame, columns: list[str]) -> list[int | None]:
    return [len(rows), *(int((rows["condition"] == name).sum()) for name in columns[1:])]
