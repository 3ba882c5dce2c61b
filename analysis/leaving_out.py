"""Which submissions the planned analysis leaves out, and why: by the rules of the plan, in one stated order.

A submission that breaks several rules is counted under the first: not complete, without a place, rejected,
excluded by hand, comprehension, attention, speed, same answer, consistency. The data of all of them stay.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crowdloom.analysis.plan import PlannedExclusions

FEWEST = 5
"""Answers, below which that they are all alike says nothing."""

STANDINGS = {
    "started": "not complete",
    "left": "left before the end",
    "failed_check": "failed the comprehension check",
    "refused": "did not consent",
    "surplus": "without a place (surplus)",
    "rejected": "rejected in review",
    "copy": "the same session a second time",
    "excluded": "excluded by hand",
}
"""Why a submission that is not `accepted` does not count (see `studies.reading.Origin`)."""

_NAMED = {"soft-label": "top1", "wrong-label": "choice"}
_MEASURED = ("inferred", "midpoint")


def leave_out(frame: pd.DataFrame, submissions: pd.DataFrame, task: str, rules: PlannedExclusions) -> pd.DataFrame:
    """The submissions with why each is left out: columns `reason` (None for those that count) and `detail`.

    frame         the long frame of all of them
    submissions   one row each: submission, participant, condition, standing (`accepted`, or why it does not count),
                  and where there is such a rule checks_failed (int), attention (a sentence about failed attention
                  checks, or None); `note` (a reason given by hand, or None) may be there

    >>> frame = pd.DataFrame({"submission": ["a", "b"], "rt_ms": [900.0, 9000.0], "repeat_index": [0, 0]})
    >>> about = pd.DataFrame({"submission": ["a", "b"], "standing": ["accepted", "accepted"]})
    >>> leave_out(frame, about, "wrong-label", PlannedExclusions(seconds_per_answer=2.0))["reason"].tolist()
    ['speed', None]
    """
    told = submissions.reset_index(drop=True)
    reason: list[str | None] = [None] * len(told)
    detail: list[str | None] = [None] * len(told)

    def mark(which: pd.Series, name: pd.Series | str, why: pd.Series | str | None) -> None:
        new = which.to_numpy(dtype=bool) & np.array([given is None for given in reason], dtype=bool)
        for target, value in ((reason, name), (detail, why)):
            values = list(value) if isinstance(value, pd.Series) else [value] * len(told)
            for row in np.flatnonzero(new):
                target[row] = None if pd.isna(values[row]) else values[row]

    note = told["note"] if "note" in told else pd.Series([None] * len(told), dtype=object)
    mark(told["standing"] != "accepted", told["standing"].map(lambda state: STANDINGS.get(state, state)), note)
    if rules.comprehension is not None:
        failed = told["checks_failed"]
        mark(failed > rules.comprehension, "comprehension", failed.map("failed the check {} times".format))
    if rules.attention:
        mark(told["attention"].notna(), "attention", told["attention"])
    first = frame[frame["repeat_index"] == 0]
    if rules.seconds_per_answer is not None:
        seconds = told["submission"].map(first.groupby("submission")["rt_ms"].median() / 1000)
        mark(seconds < rules.seconds_per_answer, "speed", seconds.map("{:.2f} s per answer".format))
    if rules.same_answer is not None:
        most = told["submission"].map(_most_alike(first, task))
        mark(most > rules.same_answer, "same answer", most.map("{:.0%} of the answers are the same".format))
    if rules.consistency is not None:
        agree = told["submission"].map(repeat_consistency(frame, task))
        mark(agree < rules.consistency, "consistency", agree.map("repeats agree by {:.2f}".format))
    return told.assign(reason=pd.Series(reason, dtype=object), detail=pd.Series(detail, dtype=object))


def failed_attention(
    frame: pd.DataFrame, items: pd.DataFrame, task: str, easy_at_most: float, easy_right: int
) -> pd.Series:
    """What the easy items say against a submission, by submission; those that pass are absent.

    Easy are items of a difficulty of at most `easy_at_most` that have a reference; `easy_right` of them, or all where
    a submission had fewer, are to be answered with it.
    """
    if task not in _NAMED:
        return pd.Series(dtype=object)
    easy = items[(items["difficulty"] <= easy_at_most) & items["reference"].notna()]["item"]
    asked = frame[frame["item"].isin(easy) & (frame["repeat_index"] == 0)]
    right = (asked[_NAMED[task]] == asked["reference"]).groupby(asked["submission"])
    counts = pd.DataFrame({"right": right.sum(), "of": right.size()})
    counts["wanted"] = counts["of"].clip(upper=easy_right)
    failed = counts[counts["right"] < counts["wanted"]]
    return failed.apply(
        lambda row: f"{row['right']} of {row['of']} easy items right, {row['wanted']} wanted", axis="columns"
    ).astype(object)


def _most_alike(first: pd.DataFrame, task: str) -> pd.Series:
    """The share of the answer that a submission gave most often, where it gave at least five."""
    if task in _NAMED:
        answers = first[_NAMED[task]]
    else:
        answers = first[_MEASURED[0]].fillna(first[_MEASURED[1]]).round(3)
    alike = answers.groupby([first["submission"], answers]).size().groupby(level=0).max()
    given = answers.groupby(first["submission"]).count()
    return (alike / given)[given >= FEWEST]


def repeat_consistency(frame: pd.DataFrame, task: str) -> pd.Series:
    """How far each submission repeats itself, from 0 to 1, by submission; those without repeats are absent.

    For classes the share of repeats that name the same class as the first answer; for coefficients the mean of
    1 - |difference|.
    """
    key = ["submission", "item"]
    first = frame[frame["repeat_index"] == 0].set_index(key)
    again = frame[frame["repeat_index"] > 0].set_index(key)
    again = again[again.index.isin(first.index)]
    before = first.reindex(again.index)
    if task in _NAMED:
        agree = (again[_NAMED[task]] == before[_NAMED[task]]).astype(float)
    else:
        now, then = (part[_MEASURED[0]].fillna(part[_MEASURED[1]]) for part in (again, before))
        agree = 1 - (now - then).abs()
    return agree.groupby(level="submission").mean()
