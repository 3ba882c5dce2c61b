"""Label sets: labels built one way from one study's answers, with a record of how."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, select

from crowdloom.analysis.elicited import Floats
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
    made = _made(recipe, built)
    return record_labels(connection, study, made, built.table.labels, built.responses, built.left_out)


def kept_label_set(connection: Connection, study: str, recipe: Recipe, built: BuiltLabels) -> str:
    """The token of the label set that was recorded with the same recipe and labels; without one it is recorded now."""
    rows = connection.execute(
        select(LabelSet.token, LabelSet.recipe)
        .join(Study, Study.id == LabelSet.study_id)
        .where(Study.name == study, LabelSet.sha256 == _sha256(built.table.labels))
        .order_by(LabelSet.id)
    )
    made = json.loads(json.dumps(_made(recipe, built)))  # as it is read back
    same = [row.token for row in rows if row.recipe == made]
    return same[0] if same else record_label_set(connection, study, recipe, built)


def _made(recipe: Recipe, built: BuiltLabels) -> dict[str, Any]:
    """All that a label set was built by."""
    return {
        **built.settings,
        "aggregate": recipe.aggregate,
        "repeats": recipe.repeats if recipe.aggregate else True,
        "responses": recipe.responses,
        "version": recipe.version,
    }


def record_labels(
    connection: Connection, study: str, recipe: dict[str, Any], labels: Floats, responses: int, left_out: int
) -> str:
    """Write down labels by a recipe of any kind, from so many responses; the token of the row."""
    token = new_token()
    row = {
        "study_id": connection.execute(select(Study.id).where(Study.name == study)).scalar_one(),
        "token": token,
        "recipe": recipe,
        "responses": responses,
        "left_out": left_out,
        "sha256": _sha256(labels),
        "created_at": now(),
    }
    connection.execute(insert(LabelSet), row)
    return token


def _sha256(labels: Floats) -> str:
    return hashlib.sha256(np.ascontiguousarray(labels).tobytes()).hexdigest()
