"""What describes a study's answers, whatever its plan asks: each part of the report that depends on the task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crowdloom.analysis.describe import TABLES, describe, describe_rows
from crowdloom.analysis.figure_style import NothingToDrawError
from crowdloom.analysis.figures_by_task import CAPTIONS, FIGURES, TIMES_CAPTIONS
from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.noise_ceiling import (
    Ceiling,
    ceiling_table,
    ceiling_words,
    mixing_ceiling,
    soft_label_ceiling,
)
from crowdloom.analysis.noise_ceiling import wrong_label_ceiling as choice_ceiling
from crowdloom.analysis.rater_agreement import AGREEMENT, agreement_table
from crowdloom.analysis.reference_comparison import reference_table
from crowdloom.analysis.report import Block, Drawing, Facts, Prose, Section, Tabular
from crowdloom.analysis.times import time_spent, times_table
from crowdloom.analysis.times_figures import times_figure
from crowdloom.analysis.wrong_label import guesses
from crowdloom.analysis.wrong_label_test_summary import wrong_label_test_sentences, wrong_label_test_tables
from crowdloom.analysis.wrong_label_tests import compare_all_conditions
from crowdloom.studies.analysing.labels import Pictures, label_blocks


@dataclass(frozen=True)
class Answers:
    """The answers that count, with what is needed to describe them."""

    task: str
    frame: pd.DataFrame
    items: pd.DataFrame
    classes: Sequence[str]
    counts: npt.NDArray[Any] | None
    """How many annotators chose each class, [rows, K], for items whose key is a row number; None where unknown."""
    seed: int
    samples: int
    """Of each bootstrap."""
    pictures: Pictures
    """The items' images."""

    def rng(self) -> np.random.Generator:
        """A generator for one table, so that it is the same whatever else is in the report."""
        return np.random.default_rng(self.seed)


def answer_sections(answers: Answers, say: Callable[[str], None] = lambda what: None) -> list[Section]:
    """Numbers, tables and figures of the answers; all of them exploratory. `say` is told the title of each part."""
    if not len(answers.frame):
        return [Section("Answers", [Prose("No answer counts, so there is nothing to describe.")], exploratory=True)]
    parts: list[tuple[str, Callable[[Answers], list[Block]]]] = [
        ("Answers", _described),
        ("Conditions compared", _compared),
        ("Beside the reference", _reference),
        ("Labels", _labels),
        ("Agreement between people", _agreement),
        ("Noise ceiling", _ceiling),
        ("Time", _time),
        ("Figures", _figures),
    ]
    sections = []
    for title, part in parts:
        say(title)
        try:
            blocks = part(answers)
        except FrameError as error:
            blocks = [Prose(f"This cannot be said of these answers: {error}.")]
        if blocks:
            sections.append(Section(title, blocks, exploratory=True))
    return sections


def _described(answers: Answers) -> list[Block]:
    given = (answers.frame, answers.items, answers.classes)
    tables = TABLES[answers.task](*given)
    return [
        *_pooled(answers, _POOLING[answers.task]),
        Facts(describe_rows(describe(answers.task, *given))),
        *(Tabular(table, f"answers-{number}") for number, table in enumerate(tables, 1)),
    ]


_POOLING = {
    "soft-label": "These numbers, and the labels, times and figures below, pool {}; crowdloom export holds them apart.",
    "mixing-coefficient": "These numbers, and the times and figures below, pool {}; crowdloom export holds them apart.",
    "wrong-label": "These numbers pool {}; the tables below hold them apart, as crowdloom export does.",
    "latent-session": "These numbers, and the times and figures below, pool {}; the tables below hold them apart.",
    "coach": "These numbers pool {}; the sections on coaching below compare coached people or trials with others.",
}
"""For each task, what of its description does not tell conditions apart."""


def _pooled(answers: Answers, sentence: str) -> list[Block]:
    """The sentence about how many conditions are pooled, where there are several."""
    conditions = sorted(set(answers.frame["condition"]))
    return [Prose(sentence.format(f"{len(conditions)} conditions"))] if len(conditions) > 1 else []


def _compared(answers: Answers) -> list[Block]:
    """Tables 1 and 2 of the wrong-label paper, with the tests beside them."""
    if answers.task != "wrong-label":
        return []
    compared = compare_all_conditions(guesses(answers.frame, answers.items, answers.classes))
    tables = wrong_label_test_tables(compared)
    return [
        *(Tabular(table, f"conditions-{number}") for number, table in enumerate(tables, 1)),
        *(Prose(sentence) for sentence in wrong_label_test_sentences(compared)),
    ]


def _reference(answers: Answers) -> list[Block]:
    if answers.task != "soft-label" or not answers.frame["reference"].notna().any():
        return []
    return [Tabular(reference_table(answers.frame, answers.classes, answers.counts), "reference")]


def _labels(answers: Answers) -> list[Block]:
    if answers.task != "soft-label":
        return []
    pooled = _pooled(answers, "Labels pool {}; crowdloom export holds them apart.")
    return pooled + label_blocks(answers.frame, answers.classes, answers.counts, answers.pictures)


def _agreement(answers: Answers) -> list[Block]:
    """Nothing of a task whose answers are no judgement of the item, such as sessions."""
    if answers.task not in AGREEMENT:
        return []
    found = AGREEMENT[answers.task](answers.frame, answers.rng(), answers.samples)
    return [Tabular(agreement_table(found), "agreement")]


def _ceiling(answers: Answers) -> list[Block]:
    """From repeats; nothing where no item was shown again, and of answers that are no judgement of it."""
    if answers.task not in _CEILINGS or not answers.frame["is_repeat"].any():
        return []
    found = _CEILINGS[answers.task](answers)
    return [Tabular(ceiling_table(found), "noise-ceiling", ceiling_words(found))]


_CEILINGS: dict[str, Callable[[Answers], list[Ceiling]]] = {
    "soft-label": lambda of: soft_label_ceiling(of.frame, of.classes, of.rng(), samples=of.samples),
    "mixing-coefficient": lambda of: mixing_ceiling(of.frame, of.rng(), samples=of.samples),
    "wrong-label": lambda of: choice_ceiling(of.frame, of.rng(), samples=of.samples),
}


def _time(answers: Answers) -> list[Block]:
    if not answers.frame["rt_ms"].notna().any():
        return [Prose("No answer has a time.")]
    found = time_spent(answers.task, answers.frame, answers.rng(), answers.samples)
    blocks: list[Block] = [Tabular(times_table(found), "times")]
    try:
        blocks.append(Drawing(times_figure(found), "times", TIMES_CAPTIONS[answers.task]))
    except NothingToDrawError as error:
        blocks.append(Prose(f"Not drawn: times, since {error}."))
    return blocks


def _figures(answers: Answers) -> list[Block]:
    drawn = FIGURES[answers.task](answers.frame, answers.items, answers.classes)
    return [
        *(Drawing(figure, stem, CAPTIONS[stem]) for stem, figure in drawn.figures.items()),
        *(Prose(f"Not drawn: {stem}, since {why}.") for stem, why in drawn.undrawn.items()),
    ]
