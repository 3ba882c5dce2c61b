"""The report's part on the plan: what it says, when it was frozen, what came of it, and what was decided beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from crowdloom.analysis.plan import Plan
from crowdloom.analysis.plan_words import claim_words, compared_words, correction_words, exclusion_words
from crowdloom.analysis.planned import Tested, plan_frame, plan_table
from crowdloom.analysis.report import Block, Facts, Prose, Section, Tabular
from crowdloom.studies.analysing.material import Material, Planned
from crowdloom.studies.analysing.results import Results
from crowdloom.studies.analysing.whence import frozen, hashed

NOTE = "Two-sided. Estimates are the first side less the second, or less what it is held against."


def plan_section(material: Material, results: Results) -> Section:
    """The plan and its results, the one part that is not exploratory."""
    late = _late(material, results)
    section = Section("Plan and results", list(_simulated(material)), exploratory=late is not None)
    plan, planned = material.design.plan, material.planned
    if plan is None or planned is None:
        section.blocks.append(Prose(_without(material)))
        return section
    if late:
        section.blocks.append(Prose(late))
    section.blocks += [
        Facts(_rows(material, plan, planned)),
        Tabular(plan_table(results.tested), "plan", NOTE, plan_frame(results.tested)),
        *(block for one in results.tested for block in _said(one, material.design.task)),
        *_beside(results),
    ]
    return section


def _without(material: Material) -> str:
    if not material.with_plan:
        return "This study was run without a plan, so everything in this report is exploratory: it describes."
    versions = ", ".join(map(str, material.with_plan))
    return (
        f"Version {material.version}, by which this study runs, has no plan, so everything in this report is "
        f"exploratory. Published with a plan were: {versions}; analyse one of them with --version."
    )


def _late(material: Material, results: Results) -> str | None:
    """Why the planned tests are exploratory all the same, in a sentence; None where they are not."""
    planned = material.planned
    if planned is None:
        return ""
    if planned.published is None:
        return "The plan was never frozen, so its tests are exploratory."
    about = results.told[results.told["reason"].isna()]
    before = about["version"].isin(planned.others)
    if isinstance(planned.published, datetime):  # a release says the day alone, and not when people came
        before |= about["started_at"] < planned.published
    if not before.any():
        return None
    which = "All" if before.all() else f"{int(before.sum()):,} of"
    return (
        f"{which} {len(about):,} submissions that count here began before this plan was frozen, or by a version with "
        "another plan or none, so its tests are exploratory."
    )


def _simulated(material: Material) -> Iterator[Block]:
    if material.simulated:
        began = sum(material.states.values())
        which = "All" if material.simulated == began else f"{material.simulated:,} of {began:,}"
        yield Prose(
            f"{which} submissions are of simulated people, sent by a rehearsal: this says what the design would give, "
            "and nothing of what people do."
        )


def _rows(material: Material, plan: Plan, planned: Planned) -> list[tuple[str, str, str]]:
    rows = [
        ("plan", planned.sha256, hashed(planned)),
        ("frozen", frozen(planned), ""),
        ("stopping", plan.stopping, "when no more answers are collected"),
        ("correction", correction_words(plan), ""),
        ("left out", exclusion_words(plan.exclusions), "beside what is not complete, has no place or was rejected"),
    ]
    if planned.others:
        versions, one = ", ".join(map(str, planned.others)), len(planned.others) == 1
        which, were = ("version", "was") if one else ("versions", "were")
        rows.append(("other plans", f"{which} {versions}", f"{were} published with another plan, or with none"))
    return rows


def _said(one: Tested, task: str) -> Iterator[Block]:
    """The claim; then what was compared, and what came of it."""
    yield Prose(claim_words(one.hypothesis))
    yield Prose(f"{compared_words(one.hypothesis, task)} {one.sentence()}")


def _beside(results: Results) -> Iterator[Block]:
    """What researchers left out that the plan does not, with the plan carried out as if they had not."""
    if not results.by_hand:
        return
    were = "1 submission was" if results.by_hand == 1 else f"{results.by_hand:,} submissions were"
    yield Prose(
        f"{were} rejected in review or excluded by hand, which no rule of the plan asks for. Below is the plan with "
        "their answers in; where it says something else than above, what was found rests on that decision."
    )
    yield Tabular(plan_table(results.with_them), "plan-with-all", NOTE, plan_frame(results.with_them))
