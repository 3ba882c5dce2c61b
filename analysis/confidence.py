"""How sure people are of the coefficients they infer, and how far they relabel, by what was mixed.

Source: K. M. Collins (MPhil thesis, Cambridge, 2022), section 4.2.2 and figure 4.5. By the entropy H of the
annotations of the two mixed images, in nats, an item is `both high` (H >= 0.5), `both low` (H <= 0.1) or
`mixed`, which is all others. `responses` are those of `analysis.mixing`; first answers count.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crowdloom.analysis.coefficients import inferred
from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.measures import SPREAD, Comparison, compare, spread_by
from crowdloom.analysis.mixing import ENTROPIES

HIGH, LOW = 0.5, 0.1
BOTH_HIGH, MIXED, BOTH_LOW = "both high", "mixed", "both low"
GROUPS = (BOTH_HIGH, MIXED, BOTH_LOW)


def confidence_by_coefficient(responses: pd.DataFrame) -> pd.DataFrame:
    """n, mean, sd, se and quartiles of the confidence (0 to 100) for each lambda_f."""
    return spread_by(inferred(responses), "confidence", "lambda_f")


def grouped(responses: pd.DataFrame) -> pd.DataFrame:
    """The first answers that infer a coefficient, with deviation and group; None where an entropy is unknown."""
    answers = inferred(responses)
    high, low = (answers[list(ENTROPIES)] >= HIGH).all(axis=1), (answers[list(ENTROPIES)] <= LOW).all(axis=1)
    known = answers[list(ENTROPIES)].notna().all(axis=1)
    group = pd.Series(MIXED, index=answers.index, dtype=object).mask(high, BOTH_HIGH).mask(low, BOTH_LOW)
    return answers.assign(group=group.where(known, None))


def by_entropy(responses: pd.DataFrame, value: str) -> pd.DataFrame:
    """n, mean, sd, se and quartiles of `confidence` or `deviation` for each of `GROUPS`; n is 0 where nobody answered.

    Empty where no item has both entropies.
    """
    answers = grouped(responses)
    found = spread_by(answers, value, "group")
    if not len(found):
        return found
    found = found.reindex(pd.Index(GROUPS, name="group", dtype=object), columns=list(SPREAD))
    return found.assign(n=found["n"].fillna(0).astype(int))


def compare_groups(responses: pd.DataFrame, value: str, unit: str = "responses") -> Comparison:
    """`both high` against `both low`, by a two-sided Mann-Whitney U test of `confidence` or `deviation`.

    The unit is a single answer, or with "items" the mean of each item: answers to the same item, or of the same
    person, are not independent, and the entropies are the item's. No correction for several comparisons.
    """
    answers = grouped(responses)

    def values(group: str) -> Floats:
        some = answers[answers["group"] == group]
        chosen = some.groupby("item")[value].mean() if unit == "items" else some[value]
        found: Floats = chosen.to_numpy(dtype=np.float64)
        return found

    return compare(values(BOTH_HIGH), values(BOTH_LOW))


def comparison_table(responses: pd.DataFrame) -> pd.DataFrame:
    """Each of confidence and deviation, over responses and over items: both groups' n and mean, U, p, problem."""
    rows = {
        (value, unit): compare_groups(responses, value, unit)
        for value in ("confidence", "deviation")
        for unit in ("responses", "items")
    }
    return pd.DataFrame(
        {
            "n high": [found.n_high for found in rows.values()],
            "n low": [found.n_low for found in rows.values()],
            **{
                name: pd.Series([getattr(found, field) for found in rows.values()], dtype=float).tolist()
                for name, field in (("mean high", "mean_high"), ("mean low", "mean_low"), ("U", "u"), ("p", "p"))
            },
            "problem": [found.problem for found in rows.values()],
        },
        index=pd.Index([f"{value}, {unit}" for value, unit in rows], name="of", dtype=object),
    )
