"""Label sets of the task soft-label; the varieties are those of `analysis.labels`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from sqlalchemy import Connection

from crowdloom.analysis.elicited import Elicited
from crowdloom.analysis.export import LabelTable
from crowdloom.analysis.labels import MeanLabels, Variety, build_labels, parse_variety
from crowdloom.studies.aggregated_label_sets import Build, aggregate_labels, takes_classes
from crowdloom.studies.class_similarity import similarity_of
from crowdloom.studies.errors import OptionError
from crowdloom.studies.label_recipes import BuiltLabels, Recipe, pool_options
from crowdloom.studies.label_tables import response_table
from crowdloom.studies.reading import Answers, stream

VARIETY = "T2-clamp"
GAMMA = 0.1
"""The mass that clamp keeps for classes left possible, unless the recipe says another."""


def build_soft_labels(connection: Connection, answers: Answers, recipe: Recipe) -> BuiltLabels:
    """Build labels of soft-label answers.

    With the aggregate `mean` the answers pass through memory in chunks, and only the items' sums stay.
    Raises OptionError or ValueError where the recipe does not fit.
    """
    pooled = pool_options(recipe)
    if takes_classes(recipe.aggregate):
        _check_none(recipe)
    variety = parse_variety(recipe.variety or VARIETY)
    _check_fit(recipe, variety)
    gamma = GAMMA if recipe.gamma is None else recipe.gamma
    alike = None
    if variety.spread == "semantic":
        alike = similarity_of(connection, answers, recipe.similarity, recipe.vectors)
    build = partial(build_labels, variety=variety, gamma=gamma, similarity=alike.matrix if alike else None)
    if recipe.aggregate == "mean":
        built = _mean(connection, answers, build, recipe.repeats)
        if recipe.draws:
            pool = aggregate_labels(connection, answers, replace(recipe, aggregate="linear-pool"), build)
            built = replace(built, intervals=pool.intervals)
    elif recipe.aggregate is None:
        built = _each(connection, answers, build)
    else:
        built = aggregate_labels(connection, answers, recipe, build)
    if takes_classes(recipe.aggregate):
        return replace(built, settings={"variety": None, "gamma": None, "similarity": None})
    settings = {
        "variety": variety.name,
        "gamma": gamma if variety.spread == "clamp" else None,
        "similarity": alike.matrix.tolist() if alike else None,
        "similarity_from": alike.source if alike else None,
        **pooled,
    }
    return replace(built, settings=settings)


def _check_none(recipe: Recipe) -> None:
    for option in ("variety", "gamma", "similarity", "vectors"):
        given = getattr(recipe, option)
        if given is not None:
            raise OptionError(
                f"--{option} means nothing under --aggregate {recipe.aggregate}, "
                "which takes the most probable classes; leave it out"
            )


def _check_fit(recipe: Recipe, variety: Variety) -> None:
    for option, spread in (("gamma", "clamp"), ("similarity", "semantic"), ("vectors", "semantic")):
        if getattr(recipe, option) is not None and variety.spread != spread:
            raise OptionError(f"--{option} means something under {spread} only, not under {variety.name}; leave it out")


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
    parts = [(np.empty((0, k)), *(np.empty(0, np.intp) for _ in range(3)))]
    left_out = 0
    for chunk in stream(connection, answers):
        labels, kept = build(Elicited.from_records(chunk.records, k))
        parts.append((labels[kept], chunk.item[kept], chunk.submission[kept], chunk.repeat_index[kept]))
        left_out += int((~kept).sum())
    table = response_table(connection, answers, *(np.concatenate(part) for part in zip(*parts, strict=True)))
    return BuiltLabels(table, len(table.labels) + left_out, left_out)
