"""Soft-label answers aggregated to one label per item by the methods of `analysis.aggregation`.

An annotator is a participant, in however many submissions. Unlike the mean, these methods look at all answers together,
so the labels of all of them stand in memory at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import Connection

from crowdloom.analysis.aggregate_intervals import aggregate_intervals, interval_rows
from crowdloom.analysis.aggregation import METHODS, fit
from crowdloom.analysis.annotations import Annotations, SoftAnnotations
from crowdloom.analysis.elicited import Bools, Elicited, Floats
from crowdloom.analysis.export import LabelTable
from crowdloom.studies.label_recipes import BuiltLabels, Recipe, pool_options
from crowdloom.studies.reading import Answers, read_submissions, stream

Build = Callable[[Elicited], tuple[Floats, Bools]]
"""`build_labels` with everything but the answers."""


def takes_classes(aggregate: str | None) -> bool:
    """Whether an aggregate is made of the most probable classes, so that no variety of labels is built for it."""
    return aggregate in METHODS and METHODS[aggregate].takes == "hard"


def aggregate_labels(connection: Connection, answers: Answers, recipe: Recipe, build: Build) -> BuiltLabels:
    """One label per item by `recipe.aggregate`, a name of `METHODS`; items without an answer that counts get none.

    Methods of hard answers take the class that was named as the most probable, the others the labels that `build`
    makes. Raises ValueError where the answers are too many for the method.
    """
    method = str(recipe.aggregate)
    hard, k = takes_classes(method), len(answers.classes)
    items, submissions, said = [np.empty(0, np.intp)], [np.empty(0, np.intp)], []
    responses = 0
    for chunk in stream(connection, answers):
        first = slice(None) if recipe.repeats else chunk.repeat_index == 0
        elicited = Elicited.from_records(chunk.records[first], k)
        values, kept = (elicited.top1, elicited.top1 >= 0) if hard else build(elicited)
        items.append(chunk.item[first][kept])
        submissions.append(chunk.submission[first][kept])
        said.append(values[kept])
        responses += len(kept)
    item = np.concatenate(items)
    people, whose = np.unique(
        [origin.participant for origin in read_submissions(connection, answers)], return_inverse=True
    )
    place: dict[str, Any] = {
        "item": item,
        "annotator": whose.astype(np.intp)[np.concatenate(submissions)],
        "n_items": len(answers.items),
        "n_annotators": len(people),
    }
    given: Annotations | SoftAnnotations
    if hard:
        label = np.concatenate([np.empty(0, np.intp), *said])
        given = Annotations(**place, label=label, n_classes=k)
    else:
        given = SoftAnnotations(**place, labels=np.concatenate([np.empty((0, k)), *said]))
    found = fit(method, given, **pool_options(recipe))
    names = np.array(answers.items, dtype=object)[found.answered]
    table = LabelTable(found.probabilities[found.answered], list(names), answers.classes)
    built = BuiltLabels(table, responses, responses - len(item))
    if recipe.draws is None:
        return built
    low = high = np.empty((0, k))
    if len(item):
        rng = np.random.default_rng(recipe.draws.seed)
        around = aggregate_intervals(
            method,
            given,
            rng,
            recipe.draws.samples,
            statistics={},
            progress=recipe.draws.progress,
            **pool_options(recipe),
        ).probabilities
        low, high = around.low[found.answered], around.high[found.answered]
    return replace(built, intervals=interval_rows("item", table.item, table.classes, table.labels, low, high))
