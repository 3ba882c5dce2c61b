"""How inferred mixing coefficients lie about the generating ones.

Source: K. M. Collins (MPhil thesis, Cambridge, 2022), section 4.2.2 and figures 4.2 and 4.3; the amount of
relabelling is |lambda_h - lambda_f|. `responses` are those of `analysis.mixing`; first answers count.
"""

from __future__ import annotations

import pandas as pd

from crowdloom.analysis.measures import spread_by


def inferred(responses: pd.DataFrame) -> pd.DataFrame:
    """The first answers that infer a coefficient, with the column deviation, |lambda_h - lambda_f|."""
    found = responses[responses["lambda_h"].notna() & ~responses["is_repeat"].astype(bool)]
    return found.assign(deviation=(found["lambda_h"] - found["lambda_f"]).abs())


def by_coefficient(responses: pd.DataFrame) -> pd.DataFrame:
    """n, mean, sd, se and quartiles of lambda_h for each lambda_f (figure 4.2)."""
    return spread_by(inferred(responses), "lambda_h", "lambda_f")


def deviation_by_item(responses: pd.DataFrame) -> pd.DataFrame:
    """How an item would be relabelled (figure 4.3), indexed by item, the most relabelled first.

    pair, lambda_f; n, lambda_h (the mean of its answers); of_mean = |mean lambda_h - lambda_f|, and
    mean_of = the mean of its answers' |lambda_h - lambda_f|, which does not cancel what people disagree on.
    """
    groups = inferred(responses).groupby("item", sort=True)
    found = pd.DataFrame(
        {
            **{name: groups[name].first() for name in ("pair", "lambda_f")},
            "n": groups.size(),
            "lambda_h": groups["lambda_h"].mean(),
        }
    )
    found["of_mean"] = (found["lambda_h"] - found["lambda_f"]).abs()
    found["mean_of"] = groups["deviation"].mean()
    return found.sort_values("of_mean", ascending=False, kind="stable")


def deviation_by_pair(responses: pd.DataFrame) -> pd.DataFrame:
    """n, mean, sd, se and quartiles of |lambda_h - lambda_f| for each pair of classes."""
    return spread_by(inferred(responses), "deviation", "pair")
