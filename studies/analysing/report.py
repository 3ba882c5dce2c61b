"""The report of a study: its plan and what came of it, participants, time, pay, answers, figures, how it was made."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.bootstrap import SAMPLES
from crowdloom.analysis.coach_report import writing_sections
from crowdloom.analysis.figure_style import NothingToDrawError
from crowdloom.analysis.latent_report import session_sections
from crowdloom.analysis.questionnaire_figures import scales_figure, tlx_figure
from crowdloom.analysis.questionnaires import questionnaire_tables
from crowdloom.analysis.report import Drawing, Facts, Prose, Section, Tabular
from crowdloom.studies.analysing.answers import Answers, answer_sections
from crowdloom.studies.analysing.labels import Pictures
from crowdloom.studies.analysing.material import Material
from crowdloom.studies.analysing.models_section import models_section
from crowdloom.studies.analysing.participants_section import participants_section
from crowdloom.studies.analysing.plan_section import plan_section
from crowdloom.studies.analysing.results import Results, find_results
from crowdloom.studies.analysing.sessions import counting_sessions
from crowdloom.studies.analysing.whence import whence_blocks
from crowdloom.studies.analysing.writings import counting_writings
from crowdloom.studies.words import count

if TYPE_CHECKING:
    import pandas as pd

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
    told, counted = results.told, results.counted
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
        plan_section(material, results),
        _design(material),
        participants_section(material, told),
        *answer_sections(answers, say),
        *([] if material.sessions is None else session_sections(counting_sessions(material.sessions, counted))),
        *([] if material.writings is None else writing_sections(counting_writings(material.writings, counted))),
        *_questionnaires(material, told),
        *models_section(material.runs),
        _making(material, command, samples, counts),
    ]
    people = counted["participant"].nunique()
    lead = f"{material.study}: {count(len(counted), 'answer')} of {people:,} {'person' if people == 1 else 'people'}"
    if material.simulated:
        lead += ", simulated" if material.simulated == sum(material.states.values()) else ", some of them simulated"
    return Analysed(results, sections, lead)


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
            f"of {count(batches.size, 'item')}",
            f"{repeats or 'none'} of them shown again" if batches.size > 1 else "",
        ),
        ("responses", f"{batches.responses_per_item} per item", "first answers wanted, in each condition"),
        ("reward", str(reward) if reward else "none", f"for about {count(design.people.minutes, 'minute')}"),
        ("eligibility", " ".join(design.eligibility.statements) or "no statements", ""),
    ]
    return Section("Design", [Facts(rows)])


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
        ("workload", tlx_figure, "Raw NASA-TLX, 0 to 20 on each subscale: ratings, quartiles and means by {by}."),
        ("scales", scales_figure, "The study's own statements, 0 to 100: ratings, quartiles and means by {by}."),
    ):
        try:
            section.blocks.append(Drawing(draw(given), stem, caption.format(by=_drawn_by(given, stem))))
        except NothingToDrawError:
            continue  # not asked
    return [section]


def _drawn_by(given: pd.DataFrame, stem: str) -> str:
    """What the first questionnaire of a figure is drawn by."""
    rows = given[given["instrument"] == {"workload": "nasa-tlx", "scales": "scales"}[stem]]
    first = rows[rows["questionnaire"] == rows["questionnaire"].min()]
    return "condition" if first["after_item"].isna().all() else "item"


def _making(material: Material, command: Sequence[str], samples: int, counts: npt.NDArray[Any] | None) -> Section:
    rows = [
        ("command", shlex.join(command), "makes this report again from the same store"),
        ("design", material.design_sha256, "SHA-256 of the design and its items"),
        ("seed", str(material.design.seed), "of the design: its sample of items, its batches, and the draws below"),
        ("draws", f"{samples:,}", "of people or items, for each interval by bootstrap"),
        ("Python", platform.python_version(), ""),
        *((name, version_of(name), "") for name in LIBRARIES),
    ]
    if counts is not None:
        rows.append(
            ("counts", sha256(np.ascontiguousarray(counts).tobytes()).hexdigest(), "SHA-256 of --counts' array")
        )
    return Section("How this report was made", [Facts(rows), *whence_blocks(material.whence, material.sessions)])
