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
from crowdloom.tasks.coach_words import advice

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
    marks: str
    """Where the proposal adds and leaves out; see `tasks.coach_changes.Changes`."""
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
    advised = advice(picture, proposal, asked=asked, read=read, proposed_read=proposal_read)
    return Look(
        packed(picture),
        before,
        read,
        packed(proposal),
        after,
        proposal_read,
        advised.words,
        packed(advised.marks),
        _difference(picture, proposal) / ink,
        sum(proposal) / ink,
    )


def typical(coach: PreparedCoach, weights: Weights) -> Typical | None:
    """What the coach's own figures say of these weights; between weights that were measured, linearly between them.

    Linearly in what the coach is given of a weight, which grows with its logarithm, within the narrowest box around the
    weights whose corners were all measured. None where there is no such box, so that nothing is said beyond what was
    measured. Raises ModelError for weights that the coach cannot take.
    """
    coach.check_weights(weights)
    measured = {one.weights: one for one in coach.tradeoffs}
    boxes = product(*(_sides(coach, at, weight) for at, weight in enumerate(weights)))
    for box in sorted(boxes, key=lambda box: sum(side.width for side in box)):
        corners = [list(zip(*corner, strict=True)) for corner in product(*(side.ends for side in box))]
        found = [(measured.get(Weights(*at)), prod(shares)) for at, shares in corners]
        if all(one for one, _ in found):
            return Typical(
                *(sum(share * getattr(one, name) for one, share in found) for name in ("accuracy", "change", "ink"))
            )
    return None


@dataclass(frozen=True)
class _Side:
    """A side of a box around weights: how wide it is, and the weights at its ends, each with its share."""

    width: float
    ends: Sequence[tuple[float, float]]


def _sides(coach: PreparedCoach, at: int, weight: float) -> list[_Side]:
    """From each weight below one that was measured to each above it; nothing where it is not between two."""
    known, scale = sorted({one.weights[at] for one in coach.tradeoffs}), coach.scales[Weights._fields[at]]
    found = [_Side(0.0, [(weight, 1.0)])] if weight in known else []
    for low, high in product(known, known):
        if low < weight < high:
            width = log((high + scale) / (low + scale))
            share = log((weight + scale) / (low + scale)) / width
            found.append(_Side(width, [(low, 1 - share), (high, share)]))
    return found


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
