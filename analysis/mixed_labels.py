"""Soft labels of mixed images: how much mass people put on the two classes that were mixed, and elsewhere.

Source: K. M. Collins (MPhil thesis, Cambridge, 2022), section 5.1. Labels are T2-clamp with gamma 0.1, as in
`analysis.labels`; first answers count.

The thesis correlates the mass on the generating endpoints with the mixing coefficient and does not say how.
Two definitions are given here, over all responses (or items):

    both endpoints   every label is two points, the mass on endpoint1 at lambda_f and the mass on endpoint2 at
                     1 - lambda_f. It stays the same whichever class is called endpoint1; so it comes first.
    endpoint1        every label is one point, the mass on endpoint1 at lambda_f.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from crowdloom.analysis.elicited import Elicited
from crowdloom.analysis.labels import build_labels, parse_variety
from crowdloom.analysis.measures import correlation, spread_by
from crowdloom.analysis.mixing import mixed_items


def endpoint_masses(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """One row for each first answer to a mixed item that gives a label.

    item, participant, submission; what `mixed_items` says of the item; mass1 and mass2 on its endpoints, and
    elsewhere, the mass on all other classes; the three sum to 1. The frame of soft labels has been checked at
    the door. Raises FrameError as `mixed_items` does.
    """
    mixed = mixed_items(items, classes)
    answers = frame[frame["item"].isin(mixed.index) & ~frame["is_repeat"].astype(bool)]
    labels, kept = build_labels(Elicited.from_frame(answers, classes), parse_variety("T2-clamp"), gamma=0.1)
    answers, labels = answers[kept], labels[kept]
    told = mixed.reindex(answers["item"].tolist()).reset_index(drop=True)
    position = {name: number for number, name in enumerate(classes)}
    rows = np.arange(len(labels))
    mass1, mass2 = (
        labels[rows, told[name].map(position).to_numpy(dtype=np.intp)] for name in ("endpoint1", "endpoint2")
    )
    given = answers[["item", "participant", "submission"]].reset_index(drop=True)
    elsewhere = np.clip(1 - mass1 - mass2, 0, 1)
    return pd.concat([given, told, pd.DataFrame({"mass1": mass1, "mass2": mass2, "elsewhere": elsewhere})], axis=1)


def item_masses(masses: pd.DataFrame) -> pd.DataFrame:
    """The same of each item's mean label: one row an item, with item, pair, lambda_f, the masses and n."""
    groups = masses.groupby("item", sort=True)
    first = groups[["pair", "lambda_f"]].first()
    return first.join(groups[["mass1", "mass2", "elsewhere"]].mean()).assign(n=groups.size()).reset_index()


def endpoint_points(masses: pd.DataFrame) -> pd.DataFrame:
    """Two rows for each of the masses: the coefficient of an endpoint, and the mass on it."""
    shares = masses["lambda_f"].to_numpy(dtype=np.float64)
    return pd.DataFrame(
        {
            "coefficient": np.concatenate([shares, (1 - shares).round(6)]),
            "mass": np.concatenate([masses["mass1"], masses["mass2"]]),
        }
    )


def mass_correlations(masses: pd.DataFrame) -> dict[str, float | None]:
    """Pearson's r by each of the definitions above; None where it is not defined."""
    points = endpoint_points(masses)
    return {
        "both endpoints": correlation(points["coefficient"], points["mass"]),
        "endpoint1": correlation(masses["lambda_f"], masses["mass1"]),
    }


def elsewhere_by_coefficient(masses: pd.DataFrame) -> pd.DataFrame:
    """n, mean, sd, se and quartiles of the mass on other classes for each lambda_f."""
    return spread_by(masses, "elsewhere", "lambda_f")
