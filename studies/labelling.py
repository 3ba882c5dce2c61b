"""Label sets: labels built one way from one study's answers, with a record of how."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, select

from crowdloom.analysis.export import LabelTable
from crowdloom.analysis.labels import Elicited, MeanLabels, Variety, build_labels, parse_variety, read_similarity
from crowdloom.studies.database import new_token, now
from crowdloom.studies.errors import OptionError
from crowdloom.studies.reading import Answers, Scope, find_answers, read_submissions, stream
from crowdloom.studies.tables import LabelSet, Study


@dataclass(frozen=True)
class Recipe:
    """How labels are built; see `analysis.labels` for the varieties."""

    variety: str = "T2-clamp"
    gamma: float = 0.1
    aggregate: str | None = None
    """None for one label per response; `mean` for one per item."""
    repeats: bool = False
    """Whether repeats count in an aggregate (single labels are always built for repeats too)."""
    responses: Scope = "accepted"
    version: int | None = None
    similarity: Path | None = None
    """For semantic varieties: a CSV with the similarity of the classes."""


@dataclass(frozen=True)
class BuiltLabels:
    """Labels ready to be written, and what they were built from."""

    table: LabelTable
    responses: int
    left_out: int
    """Responses that have no label, such as the same class twice with the probability 0."""


def build_label_set(connection: Connection, study: str, recipe: Recipe) -> BuiltLabels:
    """Build a study's labels by a recipe.

    With `aggregate` the answers pass through memory in chunks, and only the items' sums stay.
    Raises StudyError for an unknown study and OptionError where the recipe does not fit it.
    """
    answers = find_answers(connection, study, recipe.responses, recipe.version)
    if {"top1", "top1_probability", "top2", "top2_probability", "impossible"} - {c.name for c in answers.columns}:
        raise OptionError(f"{study!r} asks no soft labels, so none can be built from its answers")
    try:
        variety = parse_variety(recipe.variety)
        similarity = read_similarity(recipe.similarity, answers.classes) if recipe.similarity else None
        if recipe.aggregate == "mean":
            return _mean(connection, answers, variety, recipe, similarity)
        return _each(connection, answers, variety, recipe, similarity)
    except (ValueError, OSError) as error:
        raise OptionError(str(error)) from error


def _mean(connection: Connection, answers: Answers, variety: Variety, recipe: Recipe, similarity: Any) -> BuiltLabels:
    k = len(answers.classes)
    mean = MeanLabels(len(answers.items), k)
    responses = left_out = 0
    for chunk in stream(connection, answers):
        first = slice(None) if recipe.repeats else chunk.repeat_index == 0
        elicited = Elicited.from_records(chunk.records[first], k)
        labels, kept = build_labels(elicited, variety, recipe.gamma, similarity)
        mean.add(labels, kept, chunk.item[first])
        responses += len(kept)
        left_out += int((~kept).sum())
    means, counts = mean.result()
    items = np.array(answers.items, dtype=object)[counts > 0]
    return BuiltLabels(LabelTable(means[counts > 0], list(items), answers.classes), responses, left_out)


def _each(connection: Connection, answers: Answers, variety: Variety, recipe: Recipe, similarity: Any) -> BuiltLabels:
    k = len(answers.classes)
    parts: list[tuple[Any, ...]] = [(np.empty((0, k)), *(np.empty(0, np.intp) for _ in range(3)))]
    left_out = 0
    for chunk in stream(connection, answers):
        labels, kept = build_labels(Elicited.from_records(chunk.records, k), variety, recipe.gamma, similarity)
        parts.append((labels[kept], chunk.item[kept], chunk.submission[kept], chunk.repeat_index[kept]))
        left_out += int((~kept).sum())
    labels, item, submission, repeat_index = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(item, kind="stable")
    submissions = read_submissions(connection, answers)
    whose = [submissions[number] for number in submission[order]]
    table = LabelTable(
        labels=labels[order],
        item=[answers.items[number] for number in item[order]],
        classes=answers.classes,
        submission=[row[0] for row in whose],
        participant=[row[1] for row in whose],
        repeat_index=repeat_index[order],
    )
    return BuiltLabels(table, len(labels) + left_out, left_out)


def record_label_set(connection: Connection, study: str, recipe: Recipe, built: BuiltLabels) -> str:
    """Write down that a label set was built, how and from what; the token of its row."""
    token = new_token()
    row = {
        "study_id": connection.execute(select(Study.id).where(Study.name == study)).scalar_one(),
        "token": token,
        "recipe": {
            "variety": parse_variety(recipe.variety).name,
            "gamma": recipe.gamma,
            "aggregate": recipe.aggregate,
            "repeats": recipe.repeats if recipe.aggregate else True,
            "responses": recipe.responses,
            "version": recipe.version,
            "similarity": recipe.similarity.read_text(encoding="utf-8") if recipe.similarity else None,
        },
        "responses": built.responses,
        "left_out": built.left_out,
        "sha256": hashlib.sha256(np.ascontiguousarray(built.table.labels).tobytes()).hexdigest(),
        "created_at": now(),
    }
    connection.execute(insert(LabelSet), row)
    return token
