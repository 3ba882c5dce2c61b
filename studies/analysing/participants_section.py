"""The report's part on who took part: their flow, when and whence they came, what they said, what they were paid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from crowdloom.analysis.flow import flow_table
from crowdloom.analysis.report import Facts, Prose, Section, Tabular
from crowdloom.studies.analysing.debrief import background_tables, debrief_tables
from crowdloom.studies.analysing.material import Material

if TYPE_CHECKING:
    import pandas as pd

NOTE = (
    "A person may have several submissions. Lines that begin with a dash are taken off. Those who found no place when "
    "they arrived leave no record."
)


def participants_section(material: Material, told: pd.DataFrame) -> Section:
    """Everybody, from arrival to analysis. `told` is what `leave_out` says."""
    flow = Tabular(flow_table(material.states, told, material.frame), "flow", NOTE)
    section = Section("Participants", [flow])
    by_hand = told[(told["standing"] == "excluded") & told["detail"].notna()]
    for reason, number in by_hand["detail"].value_counts().sort_index().items():
        section.blocks.append(Prose(f"Excluded by hand, {number}: {reason}"))
    kept = told["submission"][told["reason"].isna()]
    section.blocks += [
        Tabular(table, f"background-{number}")
        for number, table in enumerate(background_tables(material.design, material.background, kept), 1)
    ]
    section.blocks += [
        Tabular(table, f"debrief-{number}")
        for number, table in enumerate(debrief_tables(material.design, material.debrief, kept), 1)
    ]
    if rows := list(_rows(material)):
        section.blocks.append(Facts(rows))
    return section


def _rows(material: Material) -> Iterator[tuple[str, str, str]]:
    if material.whence is not None:
        return  # a release says neither
    about = material.submissions
    came = about["platform"].value_counts().sort_index()
    if len(came):
        yield "came by", ", ".join(f"{name} {number:,}" for name, number in came.items()), "submissions that began"
    begun = about["started_at"].dropna()
    if len(begun):
        first, last = begun.min(), begun.max()
        yield "began", f"{first:%Y-%m-%d} to {last:%Y-%m-%d}", "UTC, the first submission to the last"
    if not material.simulated:
        yield from ((f"pay, {where}", said, "") for where, said in material.pay)
