"""Answers to the task `coach` in numbers and tables, from the long frame alone. `coach_report` has the tests."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from crowdloom.analysis import summary
from crowdloom.analysis.coach_result_tables import named
from crowdloom.analysis.coach_trials import MEASURES, never_coached_by, trials
from crowdloom.analysis.measures import deviation_of, mean_of
from crowdloom.analysis.summary import Summary, Table

MEANINGS = {
    **summary.MEANINGS,
    "coached_share": "share of the first answers in which the coach proposed something",
    "recognised_before_share": "share of first attempts that were read as the class asked for",
    "recognised_after_share": "share of second attempts that were read as the class asked for",
    "confidence_before_mean": "mean probability of the class asked for, first attempts",
    "confidence_after_mean": "mean probability of the class asked for, second attempts",
    "similarity_mean": "mean similarity of the second picture to the first",
    "adopted_mean": "mean share of the proposal that the second attempt took up",
    **summary.TIMES,
}


def coach_summary(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Summary:
    """The numbers of `MEANINGS` for a frame of the task, coached and uncoached trials together."""
    first = frame[~frame["is_repeat"].to_numpy(dtype=bool)]
    return {
        **summary.people_and_answers(frame),
        "coached_share": mean_of(first["coached"]),
        "recognised_before_share": mean_of(first["recognised_before"]),
        "recognised_after_share": mean_of(first["recognised_after"]),
        "confidence_before_mean": mean_of(first["confidence_before"]),
        "confidence_after_mean": mean_of(first["confidence_after"]),
        "similarity_mean": mean_of(first["similarity"]),
        "adopted_mean": mean_of(first["adopted"]),
        **summary.seconds_taken(frame),
    }


def coach_tables(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> list[Table]:
    """Means over trials: of each measure for coached trials and others, and by class; none without answers."""
    found = trials(frame, never_coached_by(items))
    if not len(found):
        return []
    sides = {
        "coached": found[found["coached"]],
        "not coached": found[~found["coached"] & ~found["never_coached"]],
        "class never coached": found[found["never_coached"]],
    }
    return [
        *(_measures(name, rows) for name, rows in sides.items() if len(rows)),
        _classes(found, [name for name in classes if (found["asked"] == name).any()]),
    ]


def _measures(name: str, rows: pd.DataFrame) -> Table:
    lines = []
    for measure in MEASURES:
        before, after, change = (
            rows[f"{measure.name}_{when}"] * measure.factor for when in ("before", "after", "change")
        )
        lines.append(
            {
                "trials": int(change.notna().sum()),
                "first": mean_of(before),
                "first sd": deviation_of(before),
                "second": mean_of(after),
                "second sd": deviation_of(after),
                "change": mean_of(change),
                "change sd": deviation_of(change),
            }
        )
    frame = pd.DataFrame(lines, index=pd.Index([named(one) for one in MEASURES], name="measure", dtype=object))
    numbers = [column for column in frame if column != "trials"]
    return Table(
        f"First and second attempts, trials {name if name != 'class never coached' else 'of classes never coached'}: "
        "means and standard deviations over trials",
        frame.astype(dict.fromkeys(numbers, float)),
    )


def _classes(found: pd.DataFrame, classes: Sequence[str]) -> Table:
    """Over all trials of a class; `misread as` is the class that first attempts were most often misread as."""
    lines = []
    for name in classes:
        rows = found[found["asked"] == name]
        wrong = rows.loc[rows["read_before"] != name, "read_before"].dropna()
        lines.append(
            {
                "trials": len(rows),
                "coached": int(rows["coached"].sum()),
                "recognised first": mean_of(100 * rows["recognised_before"]),
                "recognised second": mean_of(100 * rows["recognised_after"]),
                "confidence first": mean_of(100 * rows["confidence_before"]),
                "confidence second": mean_of(100 * rows["confidence_after"]),
                "misread as": None if wrong.empty else str(wrong.value_counts(sort=True).index[0]),
            }
        )
    frame = pd.DataFrame(lines, index=pd.Index(list(classes), name="class", dtype=object))
    return Table("Classes asked for, coached and not: recognised and probability of the class in %, over trials", frame)
