"""Trials of the task `coach` as a frame: somebody wrote, was read, was coached or not, and wrote again.

A row for each first answer, by participants in the order in which they wrote:

    study, condition, participant, submission, item
    asked             the class that was to be written
    coached           whether the coach proposed something
    never_coached     whether the class is coached for nobody, so that its trials show what carries over
    arm               of the person: "coached" or "control" where all their trials of other classes were so, "both"
    order             which of the person's trials it is, from 0
    earlier           how many of the person's trials before it were of classes that can be coached
    earlier_coached   how many of these were coached
    class_times       how often the person had written this class before
    class_coached     how often they were coached at that
    read_before, read_after, and for each of `MEASURES` NAME_before, NAME_after and NAME_change (after less before)
    similarity        of the second drawing to the first, 0 to 1
    adopted           the share of the proposal that the second drawing took up; NaN where nothing was proposed
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

ARMS = ("coached", "control")
BOTH = "both"


@dataclass(frozen=True)
class Measure:
    """Something measured on both attempts of a trial."""

    name: str
    title: str
    """As tables and axes have it."""
    unit: str
    factor: float = 1.0
    """What a value is multiplied by to be in this unit."""


MEASURES = (
    Measure("recognised", "recognised", "%", 100),
    Measure("confidence", "probability of the asked class", "%", 100),
    Measure("ink", "ink", "pixels"),
    Measure("length", "stroke length", "canvas widths"),
    Measure("seconds", "writing time", "s"),
)

_WHOSE = ("study", "condition", "participant", "submission", "item")


def trials(frame: pd.DataFrame, never_coached: Collection[str] = ()) -> pd.DataFrame:
    """The trials of a long frame of the task that was checked at the door.

    `never_coached` are the classes that the design coaches for nobody; one that somebody was coached at is none.
    """
    first = frame[~frame["is_repeat"].to_numpy(dtype=bool)]
    number = pd.Series(pd.factorize(first["submission"])[0], index=first.index)
    person = pd.Series(pd.factorize(first["participant"])[0], index=first.index)
    order = np.lexsort((first["position"], number, person))
    first = first.iloc[order].reset_index(drop=True)
    found = first[list(_WHOSE)].copy()
    found["asked"] = first["reference"]
    found["coached"] = first["coached"] == 1
    found["never_coached"] = found["asked"].isin(set(never_coached) - set(found.loc[found["coached"], "asked"]))
    found["arm"] = _arms(found)
    found["order"] = found.groupby("participant", sort=False).cumcount()
    found["earlier"] = _before(found, ~found["never_coached"], "participant")
    found["earlier_coached"] = _before(found, found["coached"], "participant")
    found["class_times"] = found.groupby(["participant", "asked"], sort=False).cumcount()
    found["class_coached"] = _before(found, found["coached"], "participant", "asked")
    for name in ("read_before", "read_after"):
        found[name] = first[name]
    for measure in MEASURES:
        before, after = (first[f"{measure.name}_{when}"].astype(float) for when in ("before", "after"))
        found[f"{measure.name}_before"], found[f"{measure.name}_after"] = before, after
        found[f"{measure.name}_change"] = after - before
    found["similarity"] = first["similarity"].astype(float)
    found["adopted"] = first["adopted"].astype(float)
    return found


def never_coached_by(items: pd.DataFrame) -> list[str]:
    """The classes that a study's items say are coached for nobody, by their attribute `never_coached`."""
    if "never_coached" not in items:
        return []
    return sorted(set(items.loc[items["never_coached"] == "yes", "reference"].dropna()))


def coachable(found: pd.DataFrame) -> pd.DataFrame:
    """The trials of classes that can be coached."""
    return found[~found["never_coached"]]


def _before(found: pd.DataFrame, which: pd.Series, *by: str) -> pd.Series:
    """How many rows above each one, of the same group, are `which`."""
    counted = which.astype(np.int64)
    return counted.groupby([found[name] for name in by], sort=False).cumsum() - counted


def _arms(found: pd.DataFrame) -> pd.Series:
    """The arm of each row's person.

    Whoever is in a condition that coaches some trials and others not is in both, however few they answered.
    """
    can = coachable(found)
    of_condition = can.groupby("condition")["coached"].mean().reindex(found["condition"].unique())
    share = found["condition"].map(of_condition).fillna(0.0)
    lowest, highest = (getattr(share.groupby(found["participant"]), name)() for name in ("min", "max"))
    arm = pd.Series(BOTH, index=lowest.index, dtype=object)
    arm[lowest == 1], arm[highest == 0] = ARMS
    return found["participant"].map(arm).astype(object)
