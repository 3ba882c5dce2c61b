"""What participants said of themselves: the debrief questions that have options, counted."""

from __future__ import annotations

import pandas as pd

from crowdloom.analysis.summary import Table
from crowdloom.studies.design import Design


def debrief_tables(design: Design, answers: pd.DataFrame, submissions: pd.Series) -> list[Table]:
    """A table for each question with options: how many of these submissions gave each answer, and their share.

    `answers` has the columns submission and one for each question. Answers in words are not shown: they may say who
    somebody is. A question that nobody was asked has no table.
    """
    given = answers[answers["submission"].isin(submissions)]
    tables = []
    for question in design.debrief:
        if not question.options or question.question not in given:
            continue
        said = given[question.question].where(given[question.question].isin(list(question.options)))
        counts = said.value_counts().reindex(list(question.options), fill_value=0)
        counts["no answer"] = len(submissions) - int(counts.sum())
        share = counts / max(len(submissions), 1)
        tables.append(Table(question.question, pd.DataFrame({"people": counts, "share": share})))
    return tables
