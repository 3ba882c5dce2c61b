"""The report of a study: its plan and what came of it, participants, time, pay, answers, figures, how it was made."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from crowdloom.analysis.figure_style import NothingToDrawError
from crowdloom.analysis.flow import flow_table
from crowdloom.analysis.plan import OUTCOMES, PlannedExclusions
from crowdloom.analysis.planned import Tested, plan_frame, plan_table
from crowdloom.analysis.questionnaire_figures import scales_figure, tlx_figure
from crowdloom.analysis.questionnaires import questionnaire_tables
from crowdloom.analysis.report import Drawing, Facts, Prose, Section, Tabular
from crowdloom.studies.analysing.answers import Answers, answer_sections
from crowdloom.studies.analysing.debrief import debrief_tables
from crowdloom.studies.analysing.labels import Pictures
from crowdloom.studies.analysing.material import Material
from crowdloom.studies.analysing.results import Results, find_results
from crowdloom.studies.analysing.whence import frozen, hashed, whence_blocks

if TYPE_CHECKING:
    import pandas as pd

SAMPLES = 1000
"""Of each bootstrap."""

NOTE = "Two-sided. Estimates are the first side less the second; those of a logistic regression are log odds ratios."

LIBRARIES = ("crowdloom", "numpy", "pandas", "scipy", "statsmodels", "matplotlib")


@dataclass(frozen=True)
class Analysed:
    """A study's analysis: what came of the plan, and the report's sections."""

    results: Results
    sections: Sequence[Section]
    lead: str
    """The line under the report's title."""


def analyse(
    material: Material,
    command: Sequence[str],
    counts: npt.NDArray[Any] | None = None,
    samples: int = SAMPLES,
    pictures: Pictures = lambda items: {},
    say: Callable[[str], None] = lambda what: None,
) -> Analysed:
    """Carry out a study's plan and put its report together. `command` is what makes it again.

    `counts` are annotators' of the items, where somebody else asked, too; `samples` those of each bootstrap;
    `pictures` reads items' images; `say` is told what is being done.
    """
    say("Carrying out the plan" if material.design.plan else "Choosing the answers that count")
    results = find_results(material)
    told, counted, tested = results.told, results.counted, results.tested
    answers = Answers(
        material.design.task,
        counted,
        material.items,
        material.classes,
        counts,
        material.design.seed,
        samples,
        pictures,
    )
    sections = [
        _plan(material, tested),
        _design(material),
        _participants(material, told),
        *answer_sections(answers, say),
        *_questionnaires(material, told),
        _making(material, command),
    ]
    people, number = counted["participant"].nunique(), len(counted)
    given = f"{number:,} {'answer' if number == 1 else 'answers'}"
    lead = f"{material.study}: {given} of {people:,} {'person' if people == 1 else 'people'}"
    return Analysed(results, sections, lead)


def _plan(material: Material, tested: Sequence[Tested]) -> Section:
    section = Section("Plan and results", exploratory=not tested)
    plan, planned = material.design.plan, material.planned
    if plan is None or planned is None:
        section.blocks.append(
            Prose("This study was run without a plan, so everything in this report is exploratory: it describes.")
        )
        return section
    rows = [
        ("plan", planned.sha256, hashed(planned)),
        ("frozen", frozen(planned), ""),
        ("stopping", plan.stopping, "when no more answers are collected"),
        ("correction", plan.correction, f"over {len(plan.hypotheses)} p values; alpha is {plan.alpha:g}"),
        ("left out", _rules(plan.exclusions), "beside what is not complete, has no place or was rejected"),
    ]
    if planned.others:
        versions = ", ".join(map(str, planned.others))
        rows.append(("other plans", f"version {versions}", "were published with another plan, or with none"))
    section.blocks += [
        Facts(rows),
        Tabular(plan_table(tested), "plan", NOTE, plan_frame(tested)),
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
    reward, repeats = design.people.reward, len(batches.repeats)
    rows = [
        ("study", f"{material.study}, version {material.version}", ""),
        ("task", design.task, ""),
        ("conditions", conditions, ""),
        ("classes", ", ".join(material.classes), ""),
        ("items", f"{len(material.items):,}", f"from {design.items.source}, seed {design.seed}"),
        (
            "batches",
            f"of {_number(batches.size, 'item')}",
            f"{repeats or 'none'} of them shown again" if batches.size > 1 else "",
        ),
        ("responses", f"{batches.responses_per_item} per item", "first answers wanted, in each condition"),
        ("reward", str(reward) if reward else "none", f"for about {_number(design.people.minutes, 'minute')}"),
        ("eligibility", " ".join(design.eligibility.statements) or "no statements", ""),
    ]
    return Section("Design", [Facts(rows)])


def _number(number: float, what: str) -> str:
    return f"{number:g} {what}{'' if number == 1 else 's'}"


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
    if not len(given) and not material.design.questionnaires:
        return []
    section = Section("Questionnaires", exploratory=True)
    if not len(given):
        section.blocks.append(Prose("Nobody whose answers count filled in a questionnaire."))
        return [section]
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
    return Section("How this report was made", [Facts(rows), *whence_blocks(material.whence)])
