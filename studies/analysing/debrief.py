"""What participants said of themselves: the questions that have options, counted, and numbers in short."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from crowdloom.analysis.summary import Table
from crowdloom.studies.design import Design
from crowdloom.studies.design_background import AskedQuestion


def debrief_tables(design: Design, answers: pd.DataFrame, submissions: pd.Series) -> list[Table]:
    """A table for each question with options: how many of these submissions gave each answer, and their share.

    `answers` has the columns submission and one for each question. Answers in words are not shown: they may say who
    somebody is. A question that nobody was asked has no table.
    """
    return _choices(design.debrief, answers, submissions)


def background_tables(design: Design, answers: pd.DataFrame, submissions: pd.Series) -> list[Table]:
    """As `debrief_tables`, of the background questions; before these a table of those that are answered by numbers.

    It has n, how many of these submissions gave a number, its mean and its standard deviation (by n - 1).
    """
    given = answers[answers["submission"].isin(submissions)]
    rows = {}
    for question in design.background:
        if question.kind in ("scale", "number") and question.question in given:
            values = pd.to_numeric(given[question.question], errors="coerce").dropna()
            rows[question.question] = {"n": len(values), "mean": values.mean(), "sd": values.std()}
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["n", "mean", "sd"]).rename_axis("question")
    numbers = [Table("What participants said of themselves, in numbers: mean and standard deviation", frame)]
    return [*(numbers if rows else []), *_choices(design.background, answers, submissions)]


def _choices(questions: Sequence[AskedQuestion], answers: pd.DataFrame, submissions: pd.Series) -> list[Table]:
    given = answers[answers["submission"].isin(submissions)]
    tables = []
    for question in questions:
        if not question.options or question.question not in given:
            continue
        said = given[question.question].where(given[question.question].isin(list(question.options)))
        counts = said.value_counts().reindex(list(question.options), fill_value=0)
        counts["no answer"] = len(submissions) - int(counts.sum())
        share = counts / max(len(submissions), 1)
        tables.append(Table(question.question, pd.DataFrame({"people": counts, "share": share})))
    return tables
