"""Which row of a table of trained networks is best, and whether it differs from the second."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from crowdloom.analysis.paired import PairedDifference, paired_difference
from crowdloom.analysis.run_averages import Average
from crowdloom.analysis.run_metrics import metric_of


@dataclass(frozen=True)
class Lead:
    """The best row of a metric in one evaluation, beside the second."""

    evaluation: str
    metric: str
    best: str
    second: str
    by: PairedDifference
    """Of both over the seeds that both have, turned so that an estimate above 0 speaks for the best."""
    among: str = ""
    """The group of rows in which it is the best; nothing where all are one."""


def find_lead(
    evaluation: str,
    metric: str,
    found: Mapping[tuple[str, str, str], Average],
    rows: Collection[str],
    among: str = "",
) -> Lead | None:
    """The lead of one of these rows in one column, of averages by evaluation, row and metric.

    None where fewer than two rows have a mean, or nobody knows which values are better.
    """
    better = metric_of(metric).better
    by_row = {row: one for (of, row, name), one in found.items() if row in rows and (of, name) == (evaluation, metric)}
    means = {row: one.mean for row, one in by_row.items() if one.mean is not None}
    if better is None or len(means) < 2:
        return None
    sign = 1 if better == "higher" else -1
    best, second = sorted(means, key=lambda row: -sign * means[row])[:2]
    one, other = by_row[best].by_seed, by_row[second].by_seed
    both = sorted(set(one) & set(other))
    by = paired_difference(metric, [sign * one[seed] for seed in both], [sign * other[seed] for seed in both])
    return Lead(evaluation, metric, best, second, by, among)


def leads_frame(leads: Sequence[Lead]) -> pd.DataFrame:
    """One row for each: the best, the second, by how much the first is better, its interval, p, seeds.

    There is a column of problems only where something could not be tested.
    """
    tests = [lead.by.test for lead in leads]
    numbers = {"better by": [one.estimate for one in tests], "low": [one.low for one in tests]}
    numbers |= {"high": [one.high for one in tests], "p": [one.p for one in tests]}
    frame = pd.DataFrame(
        {
            "best": [lead.best for lead in leads],
            "second": [lead.second for lead in leads],
            **{name: pd.Series(values, dtype=float).tolist() for name, values in numbers.items()},
            "seeds": [one.n[0] for one in tests],
            "problem": [one.problem for one in tests],
        },
        index=pd.Index(
            [", ".join(filter(None, (metric_of(lead.metric).heading, lead.evaluation, lead.among))) for lead in leads],
            name="metric",
            dtype=object,
        ),
    )
    return frame.drop(columns="problem") if frame["problem"].isna().all() else frame
