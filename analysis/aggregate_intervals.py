"""How sure an aggregate is: bootstrap intervals over annotators, for each item and class and for summaries.

Each draw takes as many annotators as there are, with replacement, and aggregates their answers anew, weights and
calibration included; a person drawn twice is two people who answered alike. An item of which a draw holds no answer
does not count in that draw. The intervals say how much other people of the same kind would change the labels; they do
not cover what all such people would get wrong alike. An item with one annotator has no interval, and where one person
answered everything nothing has: nothing in those answers says how much a second person would differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from crowdloom.analysis.aggregation import Answers, fit, suited
from crowdloom.analysis.annotations import Annotations
from crowdloom.analysis.bootstrap import SAMPLES, Intervals, Progress, draw_counts, percentile_intervals
from crowdloom.analysis.calibration import FLOOR, even_out
from crowdloom.analysis.elicited import Floats, Ints
from crowdloom.analysis.labels import entropy

CHUNK = 20_000_000
"""Numbers held at a time where all draws of some items are made at once (160 MB)."""

DRAWS = 200_000_000
"""Numbers held at most where each draw is a fit of its own (1.6 GB)."""

Statistic = Callable[[Floats], float]
"""A number of the distributions [n, K] of the items that have one."""


def mean_entropy(probabilities: Floats) -> float:
    """The mean entropy in nats."""
    return float(entropy(probabilities).mean())


def mean_certainty(probabilities: Floats) -> float:
    """The mean probability of the most probable class."""
    return float(probabilities.max(axis=1).mean())


STATISTICS: dict[str, Statistic] = {"mean entropy": mean_entropy, "mean certainty": mean_certainty}


@dataclass(frozen=True)
class AggregateIntervals:
    """Intervals of an aggregate: of probabilities [I, K], and of each summary statistic.

    NaN in `probabilities` stands for items that fewer than two annotators answered, and in `statistics` for answers of
    one annotator; `estimates` are the statistics themselves, and the intervals of `statistics` lie about them: a draw
    holds some people twice and others not at all, so its labels are surer than those of as many different people, and
    what that shifts all draws by is taken out.
    """

    probabilities: Intervals
    estimates: dict[str, float]
    statistics: dict[str, Intervals]


def aggregate_intervals(
    name: str,
    answers: Answers,
    rng: np.random.Generator,
    samples: int = SAMPLES,
    level: float = 0.95,
    statistics: Mapping[str, Statistic] = STATISTICS,
    progress: Progress | None = None,
    **options: Any,
) -> AggregateIntervals:
    """Percentile intervals of the aggregate that `fit(name, answers, **options)` gives, over `samples` draws.

    Majority votes and pools that neither weigh by agreement nor calibrate are sums, so all draws of an item are made at
    once; other methods are fitted once for each draw. `progress` is called with how far it is. Raises ValueError where
    nobody answered, where options do not fit, or where the draws would not fit in memory.

    >>> votes = Annotations(np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([1, 1, 0]), 1, 3, 2)
    >>> found = aggregate_intervals("majority-vote", votes, np.random.default_rng(0))
    >>> found.probabilities.low.round(2).tolist(), found.probabilities.high.round(2).tolist()
    ([[0.0, 0.0]], [[1.0, 1.0]])
    """
    answers = suited(name, answers)
    whole = fit(name, answers, **options)
    drawn = np.array(list(draw_counts(answers.n_annotators, samples, rng)))
    sums = _sums(name, answers, options)
    if sums is None:
        probabilities, summaries = _refitted(name, answers, drawn, level, statistics, progress, options)
    else:
        probabilities, summaries = _summed(sums, drawn, level, statistics, progress)
    people = _annotators_of_items(answers)
    probabilities.low[people < 2] = probabilities.high[people < 2] = np.nan
    present = whole.probabilities[whole.answered]
    estimates = {key: statistic(present) for key, statistic in statistics.items()}
    about = {key: values - np.nanmean(values) + estimates[key] for key, values in summaries.items()}
    if len(np.unique(answers.annotator)) < 2:
        about = {key: np.full_like(values, np.nan) for key, values in about.items()}
    return AggregateIntervals(
        probabilities, estimates, {key: percentile_intervals(values, level) for key, values in about.items()}
    )


def _annotators_of_items(answers: Answers) -> Ints:
    """How many people answered each item, however often, [I]."""
    pairs = np.unique(answers.item.astype(np.int64) * answers.n_annotators + answers.annotator)
    people: Ints = np.bincount(pairs // answers.n_annotators, minlength=answers.n_items)
    return people


def interval_rows(
    kind: str, names: Sequence[Any], classes: Sequence[Any], probabilities: Floats, low: Floats, high: Floats
) -> pd.DataFrame:
    """Probabilities and their intervals, all [n, K], as a row for each of the n names and each class.

    Columns: `kind` (what is named), label, probability, low and high.
    """
    return pd.DataFrame(
        {
            kind: np.repeat(np.array(names, dtype=object), len(classes)),
            "label": np.tile(np.array(classes, dtype=object), len(names)),
            "probability": probabilities.reshape(-1),
            "low": low.reshape(-1),
            "high": high.reshape(-1),
        }
    )


@dataclass(frozen=True)
class _Sums:
    """An aggregate as sums over annotators, divided: what every annotator adds, and what divides it."""

    added: Any
    """Sparse [I K, A]"""
    divisor: Any
    """Sparse [I, A]"""
    n_classes: int
    logarithmic: bool
    """Whether the quotients are logarithms of what is to be normalised."""

    def of(self, items: slice, drawn: Floats) -> Floats:
        """The distributions [n, K, S] of some items in each draw [S, A]; NaN in draws without an answer to the item."""
        rows = slice(items.start * self.n_classes, items.stop * self.n_classes)
        added: Floats = (self.added[rows] @ drawn.T).reshape(-1, self.n_classes, len(drawn))
        divisor = self.divisor[items] @ drawn.T
        divisor[divisor <= 0] = np.nan
        added /= divisor[:, np.newaxis, :]
        if self.logarithmic:
            np.exp(added - added.max(axis=1, keepdims=True), out=added)
            added /= added.sum(axis=1, keepdims=True)
        return added


def _sums(name: str, answers: Answers, options: Mapping[str, Any]) -> _Sums | None:
    """The aggregate as sums, where it is one: where nothing is estimated of an annotator."""
    k, size = answers.n_classes, (answers.n_items, answers.n_annotators)
    if isinstance(answers, Annotations):
        if name != "majority-vote":
            return None
        weight = np.ones(len(answers))
        row, column, value = answers.item * k + answers.label, answers.annotator, weight
    else:
        weights = options.get("weights", "equal")
        estimated = options.get("calibrated") or (isinstance(weights, str) and weights != "equal")
        if name not in ("linear-pool", "log-pool") or estimated:
            return None
        weight = np.ones(len(answers)) if isinstance(weights, str) else weights[answers.annotator]
        logarithms = name == "log-pool"
        values = np.log(even_out(answers.labels, options.get("floor", FLOOR))) if logarithms else answers.labels
        row = (answers.item[:, np.newaxis] * k + np.arange(k)).reshape(-1)
        column, value = np.repeat(answers.annotator, k), (values * weight[:, np.newaxis]).reshape(-1)
    added = sparse.csr_array((value, (row, column)), shape=(size[0] * k, size[1]))
    divisor = sparse.csr_array((weight, (answers.item, answers.annotator)), shape=size)
    return _Sums(added, divisor, k, name == "log-pool")


def _summed(
    sums: _Sums, drawn: Floats, level: float, statistics: Mapping[str, Statistic], progress: Progress | None
) -> tuple[Intervals, dict[str, Floats]]:
    """Intervals some items at a time, then the statistics some draws at a time."""
    n_items, k, samples = sums.divisor.shape[0], sums.n_classes, len(drawn)
    low, high = np.empty((n_items, k)), np.empty((n_items, k))
    step = max(CHUNK // max(k * samples, 1), 1)
    for start in range(0, n_items, step):
        items = slice(start, min(start + step, n_items))
        found = percentile_intervals(sums.of(items, drawn).transpose(2, 0, 1), level)
        low[items], high[items] = found.low, found.high
        if progress is not None:
            progress(items.stop, n_items)
    values = {key: np.full(samples, np.nan) for key in statistics}
    step = max(CHUNK // max(n_items * k, 1), 1)
    for start in range(0, samples if statistics else 0, step):
        draws = sums.of(slice(0, n_items), drawn[start : start + step])
        for number in range(draws.shape[2]):
            _summarise(draws[:, :, number], start + number, statistics, values)
    return Intervals(low, high, level, samples), values


def _refitted(
    name: str,
    answers: Answers,
    drawn: Floats,
    level: float,
    statistics: Mapping[str, Statistic],
    progress: Progress | None,
    options: Mapping[str, Any],
) -> tuple[Intervals, dict[str, Floats]]:
    samples, size = len(drawn), answers.n_items * answers.n_classes
    if samples * size > DRAWS:
        raise ValueError(
            f"{samples} draws of {answers.n_items} items in {answers.n_classes} classes do not fit in memory; "
            f"ask for at most {DRAWS // size} draws, or take a majority vote or a pool without weights"
        )
    draws = np.empty((samples, answers.n_items, answers.n_classes))
    values = {key: np.full(samples, np.nan) for key in statistics}
    for number, counts in enumerate(drawn):
        found = fit(name, answers, **options, drawn=counts)
        draws[number] = np.where(found.answered[:, np.newaxis], found.probabilities, np.nan)
        _summarise(draws[number], number, statistics, values)
        if progress is not None:
            progress(number + 1, samples)
    return percentile_intervals(draws, level), values


def _summarise(
    probabilities: Floats, number: int, statistics: Mapping[str, Statistic], values: dict[str, Floats]
) -> None:
    present = probabilities[~np.isnan(probabilities[:, 0])] if probabilities.size else probabilities
    for key, statistic in statistics.items():
        if len(present):
            values[key][number] = statistic(present)
