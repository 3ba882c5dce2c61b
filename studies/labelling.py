"""Label sets: labels built one way from one study's answers, with a record of how."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
from sqlalchemy import Connection, insert, select

from crowdloom.studies.database import new_token, now
from crowdloom.studies.errors import OptionError
from crowdloom.studies.label_recipes import BuiltLabels, Recipe
from crowdloom.studies.mixing_label_sets import build_mixing_labels
from crowdloom.studies.reading import Answers, find_answers
from crowdloom.studies.soft_label_sets import build_soft_labels
from crowdloom.studies.tables import LabelSet, Study

BUILDERS: dict[str, Callable[[Connection, Answers, Recipe], BuiltLabels]] = {
    "soft-label": build_soft_labels,
    "mixing-coefficient": build_mixing_labels,
}
"""How labels are built from the answers of each task that gives labels."""


def build_label_set(connection: Connection, study: str, recipe: Recipe) -> BuiltLabels:
    """Build a study's labels by a recipe.

    Raises StudyError for an unknown study and OptionError where the recipe does not fit it.
    """
    answers = find_answers(connection, study, recipe.responses, recipe.version)
    if answers.task not in BUILDERS:
        raise OptionError(f"{study!r} has the task {answers.task}, from whose answers no labels are built")
    try:
        return BUILDERS[answers.task](connection, answers, recipe)
    except (ValueError, OSError) as error:
        raise OptionError(str(error)) from error


def check_soft_labels(answers: Answers) -> None:
    """Raise OptionError where the answers are not of the kind that soft labels are built from."""
    if answers.task != "soft-label":
        raise OptionError(f"{answers.study!r} asks no soft labels, so none can be built from its answers")


def record_label_set(connection: Connection, study: str, recipe: Recipe, built: BuiltLabels) -> str:
    """Write down that a label set was built, how and from what; the token of its row."""
    token = new_token()
    row = {
        "study_id": connection.execute(select(Study.id).where(Study.name == study)).scalar_one(),
        "token": token,
        "recipe": {
            **built.settings,
            "aggregate": recipe.aggregate,
            "repeats": recipe.repeats if recipe.aggregate else True,
            "responses": recipe.responses,
            "version": recipe.version,
        },
        "responses": built.responses,
        "left_out": built.left_out,
        "sha256": hashlib.sha256(np.ascontiguousarray(built.table.labels).tobytes()).hexdigest(),
        "created_at": now(),
    }
    connection.execute(insert(LabelSet), row)
    return token
