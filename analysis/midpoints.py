"""Which mixes people take for half and half, when they choose among all mixes of a pair or step through them.

`responses` are those of `analysis.mixing`; first answers count, and all shares are those of the pair's first class.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crowdloom.analysis.measures import mean_of, spread_by
from crowdloom.analysis.mixing import oriented

HALF = 0.5


def midpoints(responses: pd.DataFrame) -> pd.DataFrame:
    """The first answers that name a midpoint, with midpoint and start as shares of the pair's first class.

    at_half is 1 where the midpoint is 0.5, else 0.
    """
    found = responses[responses["midpoint"].notna() & ~responses["is_repeat"].astype(bool)]
    turned = {name: oriented(found, name) for name in ("midpoint", "start")}
    return found.assign(**turned, at_half=np.isclose(turned["midpoint"], HALF).astype(float))


def by_pair(responses: pd.DataFrame) -> pd.DataFrame:
    """n, mean, sd, se and quartiles of the midpoint for each pair of classes, and the share at_half."""
    return _with_share(midpoints(responses), "pair")


def by_start(responses: pd.DataFrame) -> pd.DataFrame:
    """The same for each mix that a construction began with: do people stay near it?

    Empty where no start is known, as for midpoints that were chosen.
    """
    return _with_share(midpoints(responses), "start")


def anchoring(responses: pd.DataFrame) -> float | None:
    """The mean midpoint of constructions that began above 0.5 less that of those below; None without both.

    0 where the start does not matter, 1 where people stay at the ends.
    """
    answers = midpoints(responses)
    above, below = (mean_of(answers["midpoint"][some]) for some in (answers["start"] > HALF, answers["start"] < HALF))
    return None if above is None or below is None else above - below


def _with_share(answers: pd.DataFrame, by: str) -> pd.DataFrame:
    return spread_by(answers, "midpoint", by).join(answers.groupby(by)["at_half"].mean())
