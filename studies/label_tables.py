"""Labels of single responses as a table that says whose they are."""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection

from crowdloom.analysis.elicited import Floats, Ints
from crowdloom.analysis.export import LabelTable
from crowdloom.studies.reading import Answers, read_submissions


def response_table(
    connection: Connection, answers: Answers, labels: Floats, item: Ints, submission: Ints, repeat_index: Ints
) -> LabelTable:
    """The table of labels [N, K] with the item and submission of each, as positions in `answers`; by item."""
    order = np.argsort(item, kind="stable")
    origins = read_submissions(connection, answers)
    whose = [origins[number] for number in submission[order]]
    return LabelTable(
        labels=labels[order],
        item=[answers.items[number] for number in item[order]],
        classes=answers.classes,
        submission=[origin.submission for origin in whose],
        participant=[origin.participant for origin in whose],
        repeat_index=repeat_index[order],
    )
