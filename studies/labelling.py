"""Label sets: labels built one way from one study's answers, with a record of how."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, select

from crowdloom.analysis.elicited import Bools, Elicited, Floats
from crowdloom.analysis.export import LabelTable
from crowdloom.analysis.labels import MeanLabels, Variety, build_labels, parse_variety, read_similarity
from crowdloom.studies.database import new_token, now
from crowdloom.studies.errors import OptionError
from crowdloom.studies.reading import Answers, Scope, find_answers, read_submissions, stream
from crowdloom.studies.tables import LabelSet, Study

GAMMA = 0.1
"""The mass that clamp keeps for classes left possible, unless the recipe says another."""

Build = Callable[[Elicited], tuple[Floats, Bools]]
"""`build_labels` with everything but the answers."""


@dataclass(frozen=True)
class Recipe:
    """How labels are built; see `analysis.labels` for the varieties."""

    variety: str = "T2-clamp"
    gamma: float | None = None
    """Under clamp only; `GAMMA` where it is not said."""
    aggregate: str | None = None
    """None for one label per response; `mean` for one per item."""
    repeats: bool = False
    """Whether repeats count in an aggregate (single labels are always built for repeats too)."""
    responses: Scope = "accepted"
    version: int | None = None
    similarity: Path | None = None
    """Under semantic only: a CSV with the similarity of the classes."""


@dataclass(frozen=True)
class BuiltLabels:
    """Labels ready to be written, and what they were built from."""

    table: LabelTable
    responses: int
    left_out: int
    """Responses that have no label, such as the same class twice with the probability 0."""
    similarity: list[list[float]] | None = None
    """[K, K], what a semantic variety went by."""


def build_label_set(connection: Connection, study: str, recipe: Recipe) -> BuiltLabels:
    """Build a study's labels by a recipe.

    With `aggregate` the answers pass through memory in chunks, and only the items' sums stay.
    Raises StudyError for an unknown study and OptionError where the recipe does not fit it.
    """
    answers = find_answers(connection, study, recipe.responses, recipe.version)
    check_soft_labels(answers)
    try:
        variety = parse_variety(recipe.variety)
        _check_fit(recipe, variety)
        similarity = read_similarity(recipe.similarity, answers.classes) if recipe.similarity else None
        build = partial(build_labels, variety=variety, gamma=_gamma(recipe), similarity=similarity)
        if recipe.aggregate == "mean":
            built = _mean(connection, answers, build, recipe.repeats)
        else:
            built = _each(connection, answers, build)
    except (ValueError, OSError) as error:
        raise OptionError(str(error)) from error
    return replace(built, similarity=None if similarity is None else similarity.tolist())


def check_soft_labels(answers: Answers) -> None:
    """Raise OptionError where the answers are not of the kind that soft labels are built from."""
    if {"top1", "top1_probability", "top2", "top2_probability", "impossible"} - {c.name for c in answers.columns}:
        raise OptionError(f"{answers.study!r} asks no soft labels, so none can be built from its answers")


def _check_fit(recipe: Recipe, variety: Variety) -> None:
    for option, given, spread in (("gamma", recipe.gamma, "clamp"), ("similarity", recipe.similarity, "semantic")):
        if given is not None and variety.spread != spread:
            raise OptionError(f"--{option} means something under {spread} only, not under {variety.name}; leave it out")


def _gamma(recipe: Recipe) -> float:
    return GAMMA if recipe.gamma is None else recipe.gamma


def _mean(connection: Connection, answers: Answers, build: Build, repeats: bool) -> BuiltLabels:
    k = len(answers.classes)
    mean = MeanLabels(len(answers.items), k)
    responses = left_out = 0
    for chunk in stream(connection, answers):
        first = slice(None) if repeats else chunk.repeat_index == 0
        labels, kept = build(Elicited.from_records(chunk.records[first], k))
        mean.add(labels, kept, chunk.item[first])
        responses += len(kept)
        left_out += int((~kept).sum())
    means, counts = mean.result()
    items = np.array(answers.items, dtype=object)[counts > 0]
    return BuiltLabels(LabelTable(means[counts > 0], list(items), answers.classes), responses, left_out)


def _each(connection: Connection, answers: Answers, build: Build) -> BuiltLabels:
    k = len(answers.classes)
    parts: list[tuple[Any, ...]] = [(np.empty((0, k)), *(np.empty(0, np.intp) for _ in range(3)))]
    left_out = 0
    for chunk in stream(connection, answers):
        labels, kept = build(Elicited.from_records(chunk.records, k))
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
        submission=[origin.submission for origin in whose],
        participant=[origin.participant for origin in whose],
        repeat_index=repeat_index[order],
    )
    return BuiltLabels(table, len(labels) + left_out, left_out)


def record_label_set(connection: Connection, study: str, recipe: Recipe, built: BuiltLabels) -> str:
    """Write down that a label set was built, how and from what; the token of its row."""
    token = new_token()
    variety = parse_variety(recipe.variety)
    row = {
        "study_id": connection.execute(select(Study.id).where(Study.name == study)).scalar_one(),
        "token": token,
        "recipe": {
            "variety": variety.name,
            "gamma": _gamma(recipe) if variety.spread == "clamp" else None,
            "similarity": built.similarity,
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
