"""Which of a study's answers count, and what its plan finds in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crowdloom.analysis.leaving_out import leave_out
from crowdloom.analysis.plan import PlannedExclusions
from crowdloom.analysis.planned import Tested, carry_out
from crowdloom.studies.analysing.material import Material

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Results:
    """A study's plan carried out."""

    told: pd.DataFrame
    """What `leave_out` says of each submission."""
    counted: pd.DataFrame
    """The long frame of the answers that count."""
    tested: Sequence[Tested]
    """Empty for a study without a plan."""


def find_results(material: Material) -> Results:
    """Leave out what the plan leaves out, and carry it out on the rest."""
    design = material.design
    rules = design.plan.exclusions if design.plan else PlannedExclusions()
    told = leave_out(material.frame, material.submissions, design.task, rules)
    kept = told["submission"][told["reason"].isna()]
    counted = material.frame[material.frame["submission"].isin(kept)].reset_index(drop=True)
    tested: list[Tested] = []
    if design.plan is not None:
        tested = carry_out(design.plan, design.task, counted, material.items, material.classes)
    return Results(told, counted, tested)
