"""What a researcher's page shows of a coach: what it proposes at given weights, and what that costs.

The sliders have stops instead of a formula, so that the page and the server mean the same weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from math import log, prod
from typing import Any

from annotated_types import Le

from crowdloom.models.coach_folder import PreparedCoach, Tradeoff, Weights
from crowdloom.tasks.coach_options import CoachOptions
from crowdloom.tasks.coach_records import packed
from crowdloom.tasks.coach_words import words

STOPS = 33
"""Of a slider, beside those weights that are known from the coach's own figures or a design."""
DECADES = 2.5
"""How far below the highest weight the lowest is that is not 0: what weighs less changes nothing to be seen."""


@dataclass(frozen=True)
class Look:
    """One drawing and what the coach makes of it. Pictures in base64; change and ink in shares of the drawing's ink."""

    picture: str
    probabilities: Sequence[float]
    read: str
    proposal: str
    proposal_probabilities: Sequence[float]
    proposal_read: str
    words: str
    change: float
    ink: float

    def values(self) -> dict[str, Any]:
        """For the page's script."""
        return asdict(self)


@dataclass(frozen=True)
class Typical:
    """What is to be expected of proposals at some weights: see `models.coach_folder.Tradeoff`."""

    accuracy: float
    change: float
    ink: float


def look(coach: PreparedCoach, picture: bytes, asked: str, weights: Weights) -> Look:
    """What is read and proposed. Raises ModelError for an unknown class, and for weights that the coach cannot take."""
    proposal = coach.propose(picture, asked, weights)
    before, after = coach.probabilities(picture), coach.probabilities(proposal)
    read, proposal_read = (coach.classes[sure.index(max(sure))] for sure in (before, after))
    ink = max(sum(picture), 1)
    return Look(
        packed(picture),
        before,
        read,
        packed(proposal),
        after,
        proposal_read,
        words(picture, proposal, asked=asked, read=read, proposed_read=proposal_read),
        _difference(picture, proposal) / ink,
        sum(proposal) / ink,
    )


def typical(coach: PreparedCoach, weights: Weights) -> Typical | None:
    """What the coach's own figures say of these weights; between weights that were measured, linearly between them.

    Linearly in what the coach is given of a weight, which grows with its logarithm. None beyond what was measured.
    Raises ModelError for weights that the coach cannot take.
    """
    coach.check_weights(weights)
    measured = {one.weights: one for one in coach.tradeoffs}
    sides = [_between(coach, at, weights[at]) for at in range(len(weights))]
    found = [0.0, 0.0, 0.0]
    for corner in product(*sides):
        one = measured.get(Weights(*(weight for weight, _ in corner)))
        if one is None:
            return None
        share = prod(share for _, share in corner)
        found = [sum_ + share * value for sum_, value in zip(found, (one.accuracy, one.change, one.ink), strict=True)]
    return Typical(*found) if all(sides) else None


def _between(coach: PreparedCoach, at: int, weight: float) -> list[tuple[float, float]]:
    """The weights that were measured next to one, each with its share; nothing where it is not between two."""
    known = sorted({one.weights[at] for one in coach.tradeoffs})
    below, above = ([one for one in known if one <= weight], [one for one in known if one >= weight])
    if not below or not above:
        return []
    low, high = below[-1], above[0]
    if low == high:
        return [(low, 1.0)]
    scale = coach.scales[Weights._fields[at]]
    share = log((weight + scale) / (low + scale)) / log((high + scale) / (low + scale))
    return [(low, 1 - share), (high, share)]


def reachable(coach: PreparedCoach) -> list[Tradeoff]:
    """The coach's figures at weights that a design can have."""
    return [
        one
        for one in coach.tradeoffs
        if all(weight <= _highest(coach, name) for name, weight in one.weights._asdict().items())
    ]


def stops(coach: PreparedCoach, own: Mapping[str, float]) -> dict[str, list[float]]:
    """The weights that each slider can be set to, rising: 0, even steps of the logarithm, and all that are known.

    They end where either the coach or a design does. `own` are a design's weights.
    """
    found = {}
    for name in Weights._fields:
        highest = _highest(coach, name)
        even = (_rounded(highest * 10 ** (-DECADES * (1 - step / (STOPS - 1)))) for step in range(STOPS))
        known = (getattr(one.weights, name) for one in coach.tradeoffs)
        lowest = coach.ranges[name][0]
        found[name] = sorted({one for one in (0.0, *even, *known, own[name], highest) if lowest <= one <= highest})
    return found


def _highest(coach: PreparedCoach, name: str) -> float:
    limits = (one.le for one in CoachOptions.model_fields[name].metadata if isinstance(one, Le))
    return min([coach.ranges[name][1], *(float(str(limit)) for limit in limits)])


def _rounded(weight: float) -> float:
    return float(f"{weight:.2g}")


def _difference(picture: bytes, proposal: bytes) -> int:
    return sum(abs(before - after) for before, after in zip(picture, proposal, strict=True))
