"""Results of training runs averaged over networks and seeds, with intervals over seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from crowdloom.analysis.elicited import Floats

LEVEL = 0.95


@dataclass(frozen=True)
class Average:
    """One metric of one row in one evaluation.

    Within a seed the networks are averaged, so that seeds are the units (section 3.3 of K. M. Collins' MPhil thesis,
    Cambridge, 2022, reports the same numbers). A seed that lacks one of the row's networks is left out: networks
    differ, so a mean over some of them would differ for a reason that is not the row's.
    """

    by_seed: Mapping[int, float]
    """The networks' mean, for each seed that has them all."""
    left_out: tuple[int, ...]
    """Seeds that lack a network's value, though the row has some metric of theirs in the evaluation."""

    @property
    def mean(self) -> float | None:
        """Over the seeds; None without one."""
        return float(np.mean(list(self.by_seed.values()))) if self.by_seed else None

    @property
    def half(self) -> float | None:
        """Half the 95 % interval of the mean, by Student's t over the seeds; None for fewer than two."""
        return half_interval(np.array(list(self.by_seed.values())))


def half_interval(values: Floats) -> float | None:
    """t(0.975, n - 1) * s / sqrt(n) of values [n], s with n - 1; None for fewer than two.

    >>> half_interval(np.array([1.0, 2.0, 3.0])).__round__(3), half_interval(np.array([1.0]))
    (2.484, None)
    """
    n = len(values)
    if n < 2:
        return None
    return float(stats.t.ppf(0.5 + LEVEL / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n))


def averages(frame: pd.DataFrame, networks: Mapping[str, list[str]]) -> dict[tuple[str, str, str], Average]:
    """By evaluation, row and metric, from the long frame of one experiment; `networks` are those of each row.

    Raises ValueError where a value stands there twice.
    """
    names = ["row", "network", "seed", "evaluation", "metric"]
    twice = frame.duplicated(names)
    if twice.any():
        which = ", ".join(f"{name} {value}" for name, value in frame.loc[twice, names].iloc[0].items())
        raise ValueError(f"two results for {which}; give each run once")
    seeds = frame.groupby(["evaluation", "row"])["seed"].unique()
    found = {}
    for key, values in frame.groupby(["evaluation", "row", "metric"], sort=False):
        evaluation, row, metric = map(str, key)
        wide = values.assign(value=values["value"].astype(float)).pivot(index="seed", columns="network", values="value")
        wide = wide.reindex(index=sorted(seeds[evaluation, row]), columns=networks[row])
        complete = wide.dropna().mean(axis=1)
        left_out = wide.index.difference(complete.index).tolist()
        by_seed = dict(zip(complete.index.tolist(), complete.tolist(), strict=True))
        found[evaluation, row, metric] = Average(by_seed, tuple(left_out))
    return found
