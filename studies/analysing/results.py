"""Which of a study's answers count, and what its plan finds in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crowdloom.analysis.leaving_out import leave_out
from crowdloom.analysis.plan import Plan, PlannedExclusions
from crowdloom.analysis.planned import Tested, carry_out
from crowdloom.studies.analysing.material import Material

if TYPE_CHECKING:
    import pandas as pd


BY_HAND = ("rejected", "excluded")
"""Standings that somebody decided after the answers were there."""


@dataclass(frozen=True)
class Results:
    """A study's plan carried out."""

    told: pd.DataFrame
    """What `leave_out` says of each submission."""
    counted: pd.DataFrame
    """The long frame of the answers that count."""
    tested: Sequence[Tested]
    """Empty for a study without a plan."""
    by_hand: int = 0
    """Submissions that were rejected in review or excluded by hand, which the plan's rules leave in."""
    with_them: Sequence[Tested] = ()
    """The plan carried out with these left in, where there are any."""


def find_results(material: Material) -> Results:
    """Leave out what the plan leaves out, and carry it out on the rest."""
    plan = material.design.plan
    told, counted = _counted(material, material.submissions)
    if plan is None:
        return Results(told, counted, [])
    tested = _carried_out(material, plan, counted)
    decided = material.submissions["standing"].isin(BY_HAND)
    if not decided.any():
        return Results(told, counted, tested)
    left_in = material.submissions.assign(standing=material.submissions["standing"].mask(decided, "accepted"))
    again, whole = _counted(material, left_in)
    by_hand = int((decided & again["reason"].isna()).sum())
    return Results(told, counted, tested, by_hand, _carried_out(material, plan, whole) if by_hand else ())


def _counted(material: Material, submissions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    plan = material.design.plan
    rules = plan.exclusions if plan else PlannedExclusions()
    told = leave_out(material.frame, submissions, material.design.task, rules)
    kept = told["submission"][told["reason"].isna()]
    return told, material.frame[material.frame["submission"].isin(kept)].reset_index(drop=True)


def _carried_out(material: Material, plan: Plan, counted: pd.DataFrame) -> list[Tested]:
    return carry_out(plan, material.design.task, counted, material.items, material.classes)
