"""An aggregate in tables: what it is like on the whole, and what it says of each annotator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crowdloom.analysis.aggregate_intervals import STATISTICS, AggregateIntervals
from crowdloom.analysis.aggregation import Aggregated
from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.summary import Table


def aggregate_table(found: Aggregated, intervals: AggregateIntervals | None = None) -> Table:
    """The summary statistics of `STATISTICS`, with their bootstrap intervals where these are given.

    Rows are statistics; low and high are missing where there is no interval, and value where no item has an answer.
    """
    present = found.aggregate.probabilities[found.aggregate.answered]
    names = list(intervals.statistics) if intervals is not None else list(STATISTICS)
    rows: list[tuple[float | None, float | None, float | None]] = []
    for name in names:
        if intervals is not None:
            value, bounds = intervals.estimates[name], intervals.statistics[name]
            rows.append((value, float(bounds.low), float(bounds.high)))
        else:
            rows.append((STATISTICS[name](present) if len(present) else None, None, None))
    frame = pd.DataFrame(rows, index=pd.Index(names, name="statistic"), columns=["value", "low", "high"], dtype=object)
    over = ""
    if intervals is not None:
        level, samples = 100 * intervals.probabilities.level, intervals.probabilities.samples
        over = f", with {level:g} % intervals over {samples} draws of the annotators"
    return Table(f"Labels of {len(present)} items by {found.aggregate.method}{over}", frame.where(frame.notna(), None))


def annotators_table(found: Aggregated) -> Table:
    """A row for each annotator: answers, and what the method estimates of them, as far as it does.

    weight          in a pool
    temperature     above 1: too sure of themselves, before the pool
    reliability     the probability that they name an item's true class, over classes as frequent as they are
    """
    aggregate, size = found.aggregate, len(found.workers)
    columns: dict[str, Any] = {"answers": np.bincount(found.answers.annotator, minlength=size)}
    for name, values in (("weight", aggregate.weights), ("temperature", aggregate.temperatures)):
        if values is not None:
            columns[name] = values
    if aggregate.confusions is not None:
        columns["reliability"] = reliability(found)
    frame = pd.DataFrame(columns, index=pd.Index([str(name) for name in found.workers], name="annotator"))
    return Table(f"Annotators, by {aggregate.method}", frame)


def reliability(found: Aggregated) -> Floats:
    """For each annotator the sum over classes k of p[k] e[a, k, k]: how likely they name the true class, [A].

    Raises ValueError where the method estimates no confusions.
    """
    confusions, prior = found.aggregate.confusions, found.aggregate.prior
    if confusions is None or prior is None:
        raise ValueError(f"{found.aggregate.method} estimates no confusions; take dawid-skene or soft-dawid-skene")
    right = confusions.probabilities[np.arange(len(confusions.label)), confusions.label] * prior[confusions.label]
    sums: Floats = np.bincount(confusions.annotator, weights=right, minlength=len(found.workers)).astype(np.float64)
    return sums
