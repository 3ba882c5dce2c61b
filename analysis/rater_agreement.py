"""How far the people who answered a study agree: Krippendorff's alpha, kappas, and intraclass correlations of sliders.

Where people chose among a few options, Brennan and Prediger's coefficient stands first, for its chance is theirs.

The first answer of a person to an item counts. An item shown in two conditions is two, for what was shown with it may
differ; where there are several conditions there is a row for each of them, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd

from crowdloom.analysis.bootstrap import SAMPLES
from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.others import units_of
from crowdloom.analysis.rater_coefficients import (
    Agreement,
    Asked,
    alpha_of,
    correlations_of,
    kappa_of,
    options_agreement,
)
from crowdloom.analysis.resamples import resample
from crowdloom.analysis.summary import Table
from crowdloom.tasks.wrong_label import OPTIONS

SLIDERS = ("inferred", "confidence", "midpoint")


def soft_label_agreement(frame: pd.DataFrame, rng: np.random.Generator, samples: int = SAMPLES) -> list[Agreement]:
    """Of the most probable class: alpha (nominal) and kappa. The frame was checked at the door."""
    return _of_classes(frame, "top1", rng, samples)


def wrong_label_agreement(frame: pd.DataFrame, rng: np.random.Generator, samples: int = SAMPLES) -> list[Agreement]:
    """Of the choice: Brennan and Prediger's coefficient, whose chance is that of the five options of an image, alpha
    (nominal) and kappa. The frame was checked at the door."""
    return _of_classes(frame, "choice", rng, samples, len(OPTIONS))


def mixing_agreement(frame: pd.DataFrame, rng: np.random.Generator, samples: int = SAMPLES) -> list[Agreement]:
    """Of inferred coefficients, confidences and midpoints, as far as asked: ICCs and alpha (interval)."""
    draw = partial(resample, rng=rng, samples=samples)
    found: list[Agreement] = []
    for name in [name for name in SLIDERS if frame[name].notna().any()] or ["inferred"]:
        for of, first in _by_condition(frame, name):
            asked = _asked(first, of, first[name].to_numpy(dtype=np.float64))
            found += [*correlations_of(asked, draw), alpha_of(asked, "interval", draw)]
    return found


AGREEMENT: dict[str, Callable[[pd.DataFrame, np.random.Generator, int], list[Agreement]]] = {
    "soft-label": soft_label_agreement,
    "mixing-coefficient": mixing_agreement,
    "wrong-label": wrong_label_agreement,
}
"""For each task, the agreement in its frame; takes the frame, a generator and the number of resamples."""


def agreement_table(found: Sequence[Agreement]) -> Table:
    """One row for each coefficient; the title says what its chance is where options were offered."""
    title = "Agreement between people, over first answers; 95 % intervals by bootstrap over items"
    if any(one.of.endswith(_ALL) for one in found):
        title += ". An item counts once in each condition"
    if any(one.measure.startswith("Brennan") for one in found):
        title += (
            ". Brennan-Prediger is 0 for guessing among the options offered; alpha and kappa take chance from "
            "all classes, so such guessing gives more than 0"
        )
    return Table(
        title,
        pd.DataFrame(
            {
                **{name: [getattr(one, name) for one in found] for name in ("of", "items", "answers")},
                **{
                    name: pd.Series([getattr(one, name) for one in found], dtype=float).tolist()
                    for name in ("value", "low", "high")
                },
                "problem": [one.problem for one in found],
            },
            index=pd.Index([one.measure for one in found], name="measure", dtype=object),
        ),
    )


_ALL = ", all conditions"


def _of_classes(
    frame: pd.DataFrame, name: str, rng: np.random.Generator, samples: int, options: int | None = None
) -> list[Agreement]:
    draw = partial(resample, rng=rng, samples=samples)
    found = []
    for of, first in _by_condition(frame, name):
        codes, names = pd.factorize(first[name], sort=True)
        asked = _asked(first, of, np.where(codes < 0, np.nan, codes), names.tolist())
        found += [] if options is None else [options_agreement(asked, options, draw)]
        found += [alpha_of(asked, "nominal", draw), kappa_of(asked, draw)]
    return found


def _by_condition(frame: pd.DataFrame, name: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """All first answers, and where there are several conditions those in each of them, with what they are called."""
    first = frame[~frame["is_repeat"].to_numpy(dtype=bool)].drop_duplicates(["participant", "condition", "item"])
    conditions = sorted(set(first["condition"]))
    several = len(conditions) > 1
    yield (f"{name}{_ALL}" if several else name), first
    for condition in conditions if several else ():
        yield f"{name}, {condition}", first[first["condition"] == condition]


def _asked(first: pd.DataFrame, of: str, value: Floats, names: Sequence[str] = ()) -> Asked:
    block = first.groupby(["condition", "batch"], sort=False).ngroup()
    person = pd.factorize(first["participant"])[0]
    return Asked(of, units_of(first), person.astype(np.intp), np.asarray(block, dtype=np.intp), value, names)
