"""The strategy behind an arrangement of a latent space, by a rule on what changed in it.

People in the study of HILL (Geissler et al., section 4.2.3) had five. The rule looks at the arrangement before and
after the person's movements, all as shares of the picture's extent before (see `latent_metrics.Geometry.extent`):

    moved      mean over classes of the centre movement
    tighter    mean over classes of s_c - s'_c: how much more compact classes became
    farther    mean over classes of n'_c - n_c, n the distance of a centre to the nearest other one

    compactness   tighter is the largest of tighter, -tighter, farther and -farther, and at least LEAST
    distance      farther is: each class gets away from the one that it is most easily taken for
    merge         -farther is: classes are put nearer to their neighbours, as when similar ones are gathered
    spread        -tighter is: classes are spread out, which is none of the five
    keep          none of them reaches LEAST, and moved is below MOVED
    none          anything else, such as classes that exchange their places

This is the *approach* of an interaction. Its *strategy* is the same (none for `spread`), or `change` where the approach
inverts that of the session's last interaction that had one (`keep` and none do not count): distance and merge are the
opposites of each other, and so are compactness and spread.

The nearest centre decides between distance and merge because all other distances grow and shrink at once: two groups of
classes, each gathered, lie far from each other. The thresholds are ours; the paper's coders had none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.latent_metrics import Geometry, geometry
from crowdloom.analysis.measures import mean_of
from crowdloom.tasks.latent_records import Interaction, Shape

Approach = Literal["compactness", "distance", "merge", "spread", "keep"]
Strategy = Literal["compactness", "distance", "merge", "keep", "change"]

TITLES: dict[Strategy, str] = {
    "compactness": "Increase compactness",
    "distance": "Maximise distance",
    "merge": "Merge similar classes",
    "keep": "Keep the arrangement",
    "change": "Change strategy",
}

OPPOSITES: dict[Approach, Approach] = {
    "compactness": "spread",
    "spread": "compactness",
    "distance": "merge",
    "merge": "distance",
}

LEAST = 0.02
"""The share of the extent that tighter or farther must reach to be a strategy: one class in ten that is made smaller by
a third does, where classes are as large as half the picture."""
MOVED = 0.05
"""The share of the extent below which centres were left where they are."""


@dataclass(frozen=True)
class Effects:
    """What an arrangement did to the picture, as shares of its extent; 0 where it is not defined."""

    moved: float
    tighter: float
    farther: float


@dataclass(frozen=True)
class Labelled:
    """What the rule says of an interaction."""

    effects: Effects | None
    """None where nobody arranged anything, for the time was over."""
    approach: Approach | None
    strategy: Strategy | None


def effects(before: Shape, intended: Shape) -> Effects:
    """What changed from one shape to another.

    >>> classes = Shape(centres=[(-3, 0), (3, 0)], spreads=[4, 4])
    >>> effects(classes, Shape(centres=[(-3, 0), (3, 0)], spreads=[3, 3]))
    Effects(moved=0.0, tighter=0.2, farther=0.0)
    """
    old, new = geometry(before), geometry(intended)
    size = old.extent
    if not size:
        return Effects(0.0, 0.0, 0.0)
    moved = mean_of(np.linalg.norm(new.centres - old.centres, axis=1))
    tighter = mean_of(old.spreads - new.spreads)
    farther = mean_of(_nearest(new) - _nearest(old))
    return Effects((moved or 0.0) / size, (tighter or 0.0) / size, (farther or 0.0) / size)


def approach(found: Effects) -> Approach | None:
    """The approach that these effects show, by the rule above.

    >>> [approach(Effects(0.3, 0.1, farther)) for farther in (0.05, 0.2, -0.2)]
    ['compactness', 'distance', 'merge']
    >>> approach(Effects(0.01, 0.0, 0.01)), approach(Effects(0.4, 0.0, 0.0)) is None
    ('keep', True)
    """
    reached: dict[Approach, float] = {
        "compactness": found.tighter,
        "distance": found.farther,
        "merge": -found.farther,
        "spread": -found.tighter,
    }
    name = max(reached, key=lambda one: reached[one])
    if reached[name] >= LEAST:
        return name
    return "keep" if found.moved < MOVED else None


def labels(interactions: Sequence[Interaction]) -> list[Labelled]:
    """What the rule says of each interaction of one session, in their order."""
    found: list[Labelled] = []
    last: Approach | None = None
    for one in interactions:
        if one.without_person:
            found.append(Labelled(None, None, None))
            continue
        changed = effects(one.before, one.intended)
        name = approach(changed)
        found.append(Labelled(changed, name, _strategy(name, last)))
        last = last if name in (None, "keep") else name
    return found


def _strategy(name: Approach | None, last: Approach | None) -> Strategy | None:
    if name is not None and last is not None and OPPOSITES.get(name) == last:
        return "change"
    return None if name == "spread" else name


def _nearest(shape: Geometry) -> Floats:
    """[K] The distance of each centre to the nearest other; NaN where there is none."""
    distances = np.where(np.isnan(shape.distances), np.inf, shape.distances)
    nearest = distances.min(axis=1, initial=np.inf)
    return np.where(np.isinf(nearest), np.nan, nearest)
