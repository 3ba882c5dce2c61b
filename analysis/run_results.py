"""Results of training runs as one long frame, and the runs that failed; wherever the results come from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

import pandas as pd

COLUMNS = ("experiment", "row", "network", "seed", "evaluation", "metric", "value")
"""Of the long frame, one value a line; `value` is None where a metric is not defined, never NaN."""


class Result(Protocol):
    """What is read of a run's result: `models.runs.RunResult` has it, and so have the runs of a store."""

    @property
    def experiment(self) -> str:
        """The table that it belongs to."""

    @property
    def row(self) -> str:
        """Of the table: how its labels are called."""

    @property
    def network(self) -> str:
        """Its network's name."""

    @property
    def seed(self) -> int:
        """Of all that is random in it."""

    @property
    def state(self) -> str:
        """`done` or `failed`."""

    @property
    def metrics(self) -> Mapping[str, Mapping[str, float | None]]:
        """Values by evaluation and metric; of a failed run they are not read."""

    @property
    def error(self) -> str | None:
        """Why it failed, in one sentence."""


class FailedRun(NamedTuple):
    """A run without a result."""

    experiment: str
    row: str
    network: str
    seed: int
    error: str


def results_frame(results: Iterable[Result]) -> pd.DataFrame:
    """The long frame of all that is done, in the order of the results; see `COLUMNS`."""
    lines = [
        (one.experiment, one.row, one.network, one.seed, evaluation, metric, known(value))
        for one in results
        if one.state == "done"
        for evaluation, metrics in one.metrics.items()
        for metric, value in metrics.items()
    ]
    frame = pd.DataFrame(lines, columns=list(COLUMNS), dtype=object)
    return frame.astype({"seed": "int64"})


def failed_runs(results: Iterable[Result]) -> list[FailedRun]:
    """Those without a result, in the order of the results."""
    return [
        FailedRun(one.experiment, one.row, one.network, one.seed, one.error or "no reason is recorded")
        for one in results
        if one.state != "done"
    ]


def known(value: float | None) -> float | None:
    """The value, or None where it is not a finite number.

    >>> known(0.5), known(float("nan")), known(float("inf")), known(None)
    (0.5, None, None, None)
    """
    return float(value) if value is not None and math.isfinite(value) else None
