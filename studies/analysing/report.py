"""The report of a study: its plan and what came of it, participants, time, pay, answers, figures, how it was made."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from crowdloom.analysis.figure_style import NothingToDrawError
from crowdloom.analysis.flow import flow_table
from crowdloom.analysis.leaving_out import leave_out
from crowdloom.analysis.plan import OUTCOMES, PlannedExclusions
from crowdloom.analysis.planned import Tested, carry_out, plan_frame, plan_table
from crowdloom.analysis.questionnaire_figures import scales_figure, tlx_figure
from crowdloom.analysis.questionnaires import questionnaire_tables
from crowdloom.analysis.report import Drawing, Facts, Prose, Section, Tabular
from crowdloom.studies.analysing.answers import Answers, answer_sections
from crowdloom.studies.analysing.debrief import debrief_tables
from crowdloom.studies.analysing.material import Material

if TYPE_CHECKING:
    import pandas as pd

SAMPLES = 1000
"""Of each bootstrap."""

LIBRARIES = ("crowdloom", "numpy", "pandas", "scipy", "statsmodels", "matplotlib")


@dataclass(frozen=True)
class Analysed:
    """A study's analysis: what counts, what came of the plan, and the report's sections."""

    told: pd.DataFrame
    """What `leave_out` says of each submission."""
    counted: pd.DataFrame
    """The long frame of the answers that count."""
    tested: Sequence[Tested]
    sections: Sequence[Section]
    lead: str
    """The line under the report's title."""


def analyse(
    material: Material, command: Sequence[str], counts: npt.NDArray[Any] | None = None, samples: int = SAMPLES
) -> Analysed:
    """Carry out a study's plan and put its report together. `command` is what makes it again.

    `counts` are annotators' of the items, where somebody else asked, too; `samples` those of each bootstrap.

    Raises FrameError where items lack what the plan's outcomes need.
    """
    plan = material.design.plan
    rules = plan.exclusions if plan else PlannedExclusions()
    told = leave_out(material.frame, material.submissions, material.design.task, rules)
    kept = told["submission"][told["reason"].isna()]
    counted = material.frame[material.frame["submission"].isin(kept)].reset_index(drop=True)
    tested: list[Tested] = []
    if plan is not None:
        tested = carry_out(plan, material.design.task, counted, material.items, material.classes)
    answers = Answers(
        material.design.task, counted, material.items, material.classes, counts, material.design.seed, samples
    )
    sections = [
        _plan(material, tested),
        _design(material),
        _participants(material, told),
        *answer_sections(answers),
        *_questionnaires(material, told),
        _making(material, command),
    ]
    people, number = counted["participant"].nunique(), len(counted)
    lead = f"{material.study}: {number:,} answers of {people:,} {'person' if people == 1 else 'people'}"
    return Analysed(told, counted, tested, sections, lead)


def _plan(material: Material, tested: Sequence[Tested]) -> Section:
    section = Section("Plan and results", exploratory=not tested)
    plan, planned = material.design.plan, material.planned
    if plan is None or planned is None:
        section.blocks.append(
            Prose("This study was run without a plan, so everything in this report is exploratory: it describes.")
        )
        return section
    if planned.published is None:
        frozen = "never: this version was not published, so the plan could still have been changed"
    else:
        frozen = f"{planned.published:%Y-%m-%d %H:%M} UTC, when this plan was first published"
    rows = [
        ("plan", planned.sha256, "SHA-256 of the plan as the design says it"),
        ("frozen", frozen, ""),
        ("stopping", plan.stopping, "when no more answers are collected"),
        ("correction", plan.correction, f"over {len(plan.hypotheses)} p values; alpha is {plan.alpha:g}"),
        ("left out", _rules(plan.exclusions), "beside what is not complete, has no place or was rejected"),
    ]
    if planned.others:
        versions = ", ".join(map(str, planned.others))
        rows.append(("other plans", f"version {versions}", "were published with another plan, or with none"))
    section.blocks += [
        Facts(rows),
        Tabular(
            plan_table(tested), "plan", "Two-sided. Estimates are the first side less the second.", plan_frame(tested)
        ),
        *(
            Prose(f"{one.hypothesis.name}. {one.hypothesis.claim} {_what(one, material.design.task)} {one.sentence()}")
            for one in tested
        ),
    ]
    return section


def _rules(rules: PlannedExclusions) -> str:
    said = []
    if rules.comprehension is not None:
        said.append(f"more than {rules.comprehension} failed comprehension checks")
    if rules.attention:
        said.append("failed attention checks")
    if rules.seconds_per_answer is not None:
        said.append(f"a median below {rules.seconds_per_answer:g} s per answer")
    if rules.same_answer is not None:
        said.append(f"more than {rules.same_answer:.0%} equal answers")
    if rules.consistency is not None:
        said.append(f"repeats that agree by less than {rules.consistency:g}")
    return "; ".join(said) or "nothing"


def _what(one: Tested, task: str) -> str:
    """What was compared, in words."""
    said, words = one.hypothesis, OUTCOMES[task][one.hypothesis.outcome]
    over = {"item": "means of items", "participant": "means of people", "response": "single answers"}[said.unit]
    where = f", where {' and '.join(f'{name} is {level}' for name, level in said.where.items())}" if said.where else ""
    return f"Outcome: {words.meaning} ({words.unit}); {over}{where}."


def _design(material: Material) -> Section:
    design, batches = material.design, material.design.batches
    conditions = ", ".join(arm.name for arm in design.arms())
    reward = design.people.reward
    rows = [
        ("study", f"{material.study}, version {material.version}", ""),
        ("task", design.task, ""),
        ("conditions", conditions, ""),
        ("classes", ", ".join(material.classes), ""),
        ("items", f"{len(material.items):,}", f"from {design.items.source}, seed {design.seed}"),
        ("batches", f"of {batches.size}", f"{len(batches.repeats)} of them are shown again at the end"),
        ("responses", f"{batches.responses_per_item} per item", "first answers wanted, in each condition"),
        ("reward", str(reward) if reward else "none", f"for about {design.people.minutes} minutes"),
        ("eligibility", " ".join(design.eligibility.statements) or "no statements", ""),
    ]
    return Section("Design", [Facts(rows)])


def _participants(material: Material, told: pd.DataFrame) -> Section:
    section = Section("Participants", [Tabular(flow_table(material.states, told, material.frame), "flow")])
    by_hand = told[(told["standing"] == "excluded") & told["detail"].notna()]
    for reason, number in by_hand["detail"].value_counts().sort_index().items():
        section.blocks.append(Prose(f"Excluded by hand, {number}: {reason}"))
    kept = told["submission"][told["reason"].isna()]
    section.blocks += [
        Tabular(table, f"debrief-{number}")
        for number, table in enumerate(debrief_tables(material.design, material.debrief, kept), 1)
    ]
    if material.pay:
        section.blocks.append(Facts([(f"pay, {where}", said, "") for where, said in material.pay]))
    return section


def _questionnaires(material: Material, told: pd.DataFrame) -> list[Section]:
    kept = told["submission"][told["reason"].isna()]
    given = material.questionnaires[material.questionnaires["submission"].isin(kept)]
    if not len(given):
        return []
    section = Section("Questionnaires", exploratory=True)
    section.blocks += [
        Tabular(table, f"questionnaire-{number}") for number, table in enumerate(questionnaire_tables(given), 1)
    ]
    for stem, draw, caption in (
        ("workload", tlx_figure, "Raw NASA-TLX, 0 to 20 on each subscale: ratings, quartiles and means by condition."),
        ("scales", scales_figure, "The study's own statements, 0 to 100: ratings, quartiles and means by condition."),
    ):
        try:
            section.blocks.append(Drawing(draw(given), stem, caption))
        except NothingToDrawError:
            continue  # not asked
    return [section]


def _making(material: Material, command: Sequence[str]) -> Section:
    rows = [
        ("command", shlex.join(command), "makes this report again from the same store"),
        ("design", material.design_sha256, "SHA-256 of the design and its items"),
        ("seed", str(material.design.seed), "of the design: its sample of items and its batches"),
        ("Python", platform.python_version(), ""),
        *((name, version_of(name), "") for name in LIBRARIES),
    ]
    return Section("How this report was made", [Facts(rows)])
