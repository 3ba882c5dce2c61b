"""Label sets of the task mixing-coefficient, question `infer`; see `analysis.mixing_labels`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from crowdloom.analysis.elicited import Bools, Floats, Ints
from crowdloom.analysis.export import LabelTable
from crowdloom.analysis.mixing_labels import GAMMA, smooth_by_confidence, two_hot
from crowdloom.studies.errors import OptionError
from crowdloom.studies.label_recipes import BuiltLabels, Recipe, pool_options
from crowdloom.studies.label_tables import response_table
from crowdloom.studies.reading import Answers, stream
from crowdloom.studies.reading_items import read_items

VARIETIES = ("two-hot", "two-hot-confidence", "mixup")
"""By the coefficient that people inferred; the same, smoothed by their confidence; by the generating coefficient."""


def build_mixing_labels(connection: Connection, answers: Answers, recipe: Recipe) -> BuiltLabels:
    """Build labels of inferred mixing coefficients, one for each response, or one for each item from means.

    The means are those of the coefficients, and of the confidences, of an item's responses (section 4.3.2 of
    the thesis). Raises OptionError where the recipe does not fit, or the study asks for no coefficients.
    """
    pool_options(recipe)
    if recipe.aggregate not in (None, "mean"):
        raise OptionError(f"mixing coefficients are aggregated by --aggregate mean only, not by {recipe.aggregate}")
    if recipe.draws is not None:
        raise OptionError("--intervals are those of soft labels; mixing coefficients have none")
    variety, gamma = _settings(recipe)
    ends = _endpoints(connection, answers, recipe.version)
    given = _read(connection, answers, with_confidence=gamma is not None)
    if not given.known.any() and len(given.item):
        raise OptionError(
            f"{answers.study!r} asks for midpoints, not for mixing coefficients, which labels are built of"
        )
    if recipe.aggregate == "mean":
        given = given.mean(repeats=recipe.repeats)
    used = given.known
    item = given.item[used]
    coefficient = ends.coefficient[item] if variety == "mixup" else given.coefficient[used]
    for unknown, what in (
        (np.minimum(ends.first, ends.second)[item] < 0, "its two endpoints"),
        (np.isnan(coefficient), "its coefficient"),
    ):
        if unknown.any():
            key = answers.items[int(item[unknown][0])]
            raise OptionError(f"the item {key!r} of {answers.study!r} does not say {what}, so it gets no label")
    labels = two_hot(coefficient, ends.first[item], ends.second[item], len(answers.classes))
    if gamma is not None:
        labels = smooth_by_confidence(labels, given.confidence[used], gamma)
    if recipe.aggregate == "mean":
        table = LabelTable(labels, [answers.items[number] for number in item], answers.classes)
    else:
        table = response_table(connection, answers, labels, item, given.submission[used], given.repeat_index[used])
    settings = {"variety": variety, "gamma": gamma, "similarity": None}
    return BuiltLabels(table, given.responses, given.left_out, settings)


def _settings(recipe: Recipe) -> tuple[str, float | None]:
    variety = recipe.variety or VARIETIES[0]
    if variety not in VARIETIES:
        raise OptionError(f"{variety!r} is no variety of labels of mixing coefficients; choose {', '.join(VARIETIES)}")
    for option in ("similarity", "vectors"):
        if getattr(recipe, option) is not None:
            raise OptionError(f"--{option} means something for soft labels only; leave it out")
    if variety == "two-hot-confidence":
        return variety, GAMMA if recipe.gamma is None else recipe.gamma
    if recipe.gamma is not None:
        raise OptionError(f"--gamma means something under two-hot-confidence only, not under {variety}; leave it out")
    return variety, None


@dataclass(frozen=True)
class _Ends:
    """Of each of the study's items: its two classes, and the coefficient with which it was mixed (NaN: unknown)."""

    first: Ints
    second: Ints
    coefficient: Floats


def _endpoints(connection: Connection, answers: Answers, version: int | None) -> _Ends:
    position = {name: number for number, name in enumerate(answers.classes)}
    items = read_items(connection, answers.study, version).set_index("item").reindex(list(answers.items))
    first, second = (
        items[name].map(position) if name in items else items["item"] for name in ("endpoint1", "endpoint2")
    )
    return _Ends(
        np.asarray(first.fillna(-1), dtype=np.intp),
        np.asarray(second.fillna(-1), dtype=np.intp),
        items["coefficient"].to_numpy(dtype=np.float64) if "coefficient" in items else np.full(len(items), np.nan),
    )


@dataclass(frozen=True)
class _Inferred:
    """N answers, or N items' means: positions in `Answers`, coefficient and confidence in [0, 1] (NaN: not given)."""

    item: Ints
    submission: Ints
    repeat_index: Ints
    coefficient: Floats
    confidence: Floats
    known: Bools
    """Whether it says all that the label is built of."""
    responses: int
    left_out: int

    def mean(self, *, repeats: bool) -> _Inferred:
        """By item, of first answers, or with `repeats` of all."""
        counted = self.known & (repeats | (self.repeat_index == 0))
        item = self.item[counted]
        size = int(self.item.max(initial=-1)) + 1
        counts = np.bincount(item, minlength=size)
        some = np.flatnonzero(counts)
        means = [
            np.bincount(item, weights=v[counted], minlength=size)[some] for v in (self.coefficient, self.confidence)
        ]
        nobody = np.zeros(len(some), dtype=np.intp)
        asked = len(self.item) if repeats else int((self.repeat_index == 0).sum())
        left_out = asked - int(counted.sum())
        coefficient, confidence = (np.clip(mean / counts[some], 0, 1) for mean in means)
        known = np.ones(len(some), dtype=np.bool_)
        return _Inferred(some, nobody, nobody, coefficient, confidence, known, asked, left_out)


def _read(connection: Connection, answers: Answers, *, with_confidence: bool) -> _Inferred:
    parts = [(*(np.empty(0, np.intp) for _ in range(3)), np.empty(0), np.empty(0))]
    for chunk in stream(connection, answers):
        records = chunk.records
        parts.append(
            (chunk.item, chunk.submission, chunk.repeat_index, records["inferred"], records["confidence"] / 100)
        )
    item, submission, repeat_index, coefficient, confidence = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    known = ~np.isnan(coefficient) & ~(np.isnan(confidence) & with_confidence)
    return _Inferred(item, submission, repeat_index, coefficient, confidence, known, len(item), int((~known).sum()))
