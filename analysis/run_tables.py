"""Tables of trained networks: rows of labels, columns of metrics, the best marked.

Laid out as the tables of K. M. Collins (MPhil thesis, Cambridge, 2022), chapters 3 to 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crowdloom.analysis.run_averages import Average, averages
from crowdloom.analysis.run_leads import Lead, find_lead
from crowdloom.analysis.run_metrics import in_order
from crowdloom.analysis.run_results import FailedRun
from crowdloom.analysis.summary import NOTHING


@dataclass(frozen=True)
class RunTable:
    """One experiment's table; make one with `run_table`."""

    experiment: str
    evaluations: Sequence[str]
    rows: Sequence[str]
    metrics: Sequence[str]
    averages: Mapping[tuple[str, str, str], Average]
    """By evaluation, row and metric."""
    best: frozenset[tuple[str, str, str]]
    """The keys of the best of each group; several of a column where they are alike as printed."""
    leads: Sequence[Lead]
    networks: Mapping[str, Sequence[str]]
    """Of each row, failed runs included."""
    seeds: Sequence[int]
    """All that the experiment has, failed runs included."""
    missing: Sequence[tuple[str, str, int]]
    """Row, network, seed of runs that neither are done nor failed, though the row has the network and others have the
    seed."""
    failed: Sequence[FailedRun]
    grouped: bool = False
    """Whether rows are compared within groups."""

    def seeds_of(self, evaluation: str, row: str) -> str:
        """How many seeds are averaged; from the fewest to the most where metrics differ."""
        found = [len(self.averages[key].by_seed) for key in self._keys(evaluation, row)]
        few, many = min(found, default=0), max(found, default=0)
        return str(few) if few == many else f"{few} to {many}"

    def frame(self) -> pd.DataFrame:
        """One line for each evaluation, row and metric: mean, low, high, seeds, networks, best.

        Empty are the mean without a whole seed, and the interval with fewer than two.
        """
        lines = []
        for (evaluation, row, metric), one in self._in_order():
            half = np.nan if one.half is None else one.half
            mean = np.nan if one.mean is None else one.mean
            lines.append(
                {
                    "experiment": self.experiment,
                    "evaluation": evaluation,
                    "row": row,
                    "metric": metric,
                    "mean": mean,
                    "low": mean - half,
                    "high": mean + half,
                    "seeds": len(one.by_seed),
                    "networks": len(self.networks[row]),
                    "best": (evaluation, row, metric) in self.best,
                }
            )
        names = ["experiment", "evaluation", "row", "metric", "mean", "low", "high", "seeds", "networks", "best"]
        return pd.DataFrame(lines, columns=names)

    def _keys(self, evaluation: str, row: str) -> list[tuple[str, str, str]]:
        keys = [(evaluation, row, metric) for metric in self.metrics]
        return [key for key in keys if key in self.averages]

    def _in_order(self) -> Iterator[tuple[tuple[str, str, str], Average]]:
        for evaluation in self.evaluations:
            for row in self.rows:
                for key in self._keys(evaluation, row):
                    yield key, self.averages[key]


def run_table(
    experiment: str,
    frame: pd.DataFrame,
    failed: Sequence[FailedRun] = (),
    groups: Mapping[str, str] | None = None,
) -> RunTable:
    """The table of one experiment, from the long frame of all results and all failed runs (see `run_results`).

    `groups` says of each row to which group it belongs: the best is then that of each group. Without it, all are one.
    Rows and evaluations stand in the order in which they come. Raises ValueError where a value stands there twice.

    >>> from crowdloom.analysis.run_results import COLUMNS
    >>> lines = [("3.1", row, "a", 0, "10H", "cross_entropy", ce) for row, ce in (("hard", 2.0), ("soft", 1.5))]
    >>> table = run_table("3.1", pd.DataFrame(lines, columns=list(COLUMNS)))
    >>> sorted(table.best), cell_text(table.averages["10H", "soft", "cross_entropy"])
    ([('10H', 'soft', 'cross_entropy')], '1.500')
    """
    frame = frame[frame["experiment"] == experiment]
    lost = [one for one in failed if one.experiment == experiment]
    runs = [(str(row), str(network), int(seed)) for row, network, seed in _runs(frame)]
    runs += [(one.row, one.network, one.seed) for one in lost]
    rows = list(dict.fromkeys(row for row, _, _ in runs))
    networks = {row: list(dict.fromkeys(net for of, net, _ in runs if of == row)) for row in rows}
    seeds = sorted({seed for _, _, seed in runs})
    there = set(runs)
    found = averages(frame, networks)
    evaluations = [str(name) for name in frame["evaluation"].unique()]
    metrics = in_order(frame["metric"])
    members: dict[str, list[str]] = {}
    for row in rows:
        members.setdefault(groups[row] if groups else "", []).append(row)
    leads = [
        lead
        for evaluation in evaluations
        for metric in metrics
        for group, those in members.items()
        if (lead := find_lead(evaluation, metric, found, those, group)) is not None
    ]
    return RunTable(
        experiment,
        evaluations,
        rows,
        metrics,
        found,
        frozenset(key for lead in leads for key in _alike(lead, members[lead.among], found)),
        leads,
        networks,
        seeds,
        [(row, net, seed) for row in rows for net in networks[row] for seed in seeds if (row, net, seed) not in there],
        lost,
        len(members) > 1,
    )


def cell_text(one: Average | None) -> str:
    """A mean with half its interval, as tables print it.

    >>> cell_text(Average({0: 1.25, 1: 1.4}, ())), cell_text(Average({0: 1.25}, ())), cell_text(None)
    ('1.325 ± 0.95', '1.250', '–')
    """
    if one is None or one.mean is None:
        return NOTHING
    return mean_text(one.mean) + ("" if one.half is None else f" ± {_half_text(one.half)}")


def mean_text(mean: float) -> str:
    """Three decimals; rows whose means look alike in them are marked alike."""
    return f"{mean:z.3f}"  # z: no sign on a zero


def _half_text(half: float) -> str:
    """Two decimals, or as many as half an interval needs to be above 0."""
    return f"{half:.2f}" if half >= 0.005 or half == 0 else f"{half:.3f}" if half >= 0.0005 else f"{half:.0e}"


def _runs(frame: pd.DataFrame) -> Iterator[tuple[str, str, int]]:
    names = ["row", "network", "seed"]
    yield from frame[names].drop_duplicates().itertuples(index=False, name=None)


def _alike(
    lead: Lead, rows: Sequence[str], found: Mapping[tuple[str, str, str], Average]
) -> Iterator[tuple[str, str, str]]:
    """The best, and whatever looks like it as printed."""
    said = found[lead.evaluation, lead.best, lead.metric].mean
    for row in rows:
        one = found.get((lead.evaluation, row, lead.metric))
        if one is not None and one.mean is not None and said is not None and mean_text(one.mean) == mean_text(said):
            yield lead.evaluation, row, lead.metric
