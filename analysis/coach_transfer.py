"""Whether what people learn from the coach carries over to classes at which nobody is ever coached.

Coached and control people write these classes under the same conditions, so that they differ in nothing but the
coaching at other classes before. First attempts count, of trials that come after at least one trial of a class that
can be coached. The trends are slopes over the number of such trials before (see `coach_learning`).

The frames are those of `coach_trials`.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from crowdloom.analysis.coach_learning import PER, Trend, slopes, trends_compared
from crowdloom.analysis.coach_tests import Compared, Regression, between_arms, corrected, regression
from crowdloom.analysis.coach_trials import ARMS, BOTH, MEASURES
from crowdloom.analysis.tests import holm, one_sample_t


@dataclass(frozen=True)
class Transfer:
    """First attempts at classes never coached, of coached people (first side) and of control people."""

    classes: tuple[str, ...]
    """The classes, of which there are trials."""
    trials: int
    people: tuple[int, int]
    """Coached ones, control ones."""
    compared: list[Compared]
    trends: list[Compared]
    """Slopes per `PER` trials of other classes before."""
    regression: Regression | None
    """Of single trials: recognised or not; None without trials in both arms."""
    both: list[Trend]
    """Slopes of people who were coached in some trials only, whom nobody stands beside; empty without such people."""


def transfer(found: pd.DataFrame) -> Transfer:
    """What is to be said of the classes that are never coached."""
    rows = found[found["never_coached"] & (found["earlier"] > 0)]
    own = rows[rows["arm"].isin(ARMS) & rows["recognised_before"].notna()]
    people = [rows.loc[rows["arm"] == arm, "participant"].nunique() for arm in ARMS]
    mixed = rows[rows["arm"] == BOTH]
    tests = [one_sample_t(PER * slopes(mixed, f"{one.name}_before", "earlier")) for one in MEASURES]
    ps = holm([test.p for test in tests])
    return Transfer(
        classes=tuple(sorted(set(rows["asked"]))),
        trials=len(rows),
        people=(people[0], people[1]),
        compared=corrected(between_arms(rows, "before")),
        trends=trends_compared(rows, "earlier"),
        regression=regression("first attempts", own, "recognised_before", own["arm"] == ARMS[0])
        if all(people)
        else None,
        both=[Trend(one, BOTH, test, p) for one, test, p in zip(MEASURES, tests, ps, strict=True)]
        if len(mixed)
        else [],
    )
