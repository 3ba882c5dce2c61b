"""What simulated people do by each of their strategies; the formulas stand at `latent_people`."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from crowdloom.tasks.latent_hand import Hand

OUTLIERS = 10
KEPT_OUTLIERS = 3
FAR = 1.5
"""So many times the sum of two spreads lies between centres that are far enough apart."""
SHRINK = 0.8
CLOSER = 0.8
TOGETHER = 3
"""So many classes are merged at most."""
_ROUNDS = 40
_FEWEST = 1e-6  # a gap that nobody sees


def compactness(hand: Hand, predictions: Sequence[int], confusion: Sequence[Sequence[int]]) -> None:
    hand.bring_in(_wrong(hand.labels, predictions), OUTLIERS)
    centres = hand.centres()
    for label in hand.rng.sample(sorted(centres), len(centres)):
        hand.spread(label, 1 - SHRINK * hand.share(), centres[label])


def distance(hand: Hand, predictions: Sequence[int], confusion: Sequence[Sequence[int]]) -> None:
    before = hand.centres()
    after = _apart(before, hand.spreads(), hand.rng)
    for label, (to_x, to_y) in after.items():
        share = hand.share()
        hand.drag_centre(label, share * (to_x - before[label][0]), share * (to_y - before[label][1]))


def merge(hand: Hand, predictions: Sequence[int], confusion: Sequence[Sequence[int]]) -> None:
    centres = hand.centres()
    for group in _groups(confusion, sorted(centres)):
        middle = [sum(centres[label][axis] for label in group) / len(group) for axis in (0, 1)]
        for label in group:
            share = CLOSER * hand.share()
            hand.drag_centre(label, *(share * (middle[axis] - centres[label][axis]) for axis in (0, 1)))


def keep(hand: Hand, predictions: Sequence[int], confusion: Sequence[Sequence[int]]) -> None:
    wrong = _wrong(hand.labels, predictions)
    if wrong:
        ((worst, _),) = Counter(hand.labels[point] for point in wrong).most_common(1)
        hand.bring_in([point for point in wrong if hand.labels[point] == worst], KEPT_OUTLIERS)


MOVES: Mapping[str, Callable[[Hand, Sequence[int], Sequence[Sequence[int]]], None]] = {
    "compactness": compactness,
    "distance": distance,
    "merge": merge,
    "keep": keep,
}


def _wrong(labels: Sequence[int], predictions: Sequence[int]) -> list[int]:
    return [point for point, label in enumerate(labels) if predictions[point] != label]


def _groups(confusion: Sequence[Sequence[int]], labels: Sequence[int]) -> list[list[int]]:
    """Groups of at most `TOGETHER` of these classes, by average linkage of how often they are taken for each other."""
    groups = [[label] for label in labels]

    def taken(one: list[int], other: list[int]) -> float:
        return sum(confusion[a][b] + confusion[b][a] for a in one for b in other) / (len(one) * len(other))

    while True:
        pairs = [(one, other) for number, one in enumerate(groups) for other in groups[:number]]
        pairs = [pair for pair in pairs if len(pair[0]) + len(pair[1]) <= TOGETHER and taken(*pair)]
        if not pairs:
            return [sorted(group) for group in groups if len(group) > 1]
        one, other = max(pairs, key=lambda pair: taken(*pair))
        groups = [group for group in groups if group not in (one, other)] + [one + other]


def _apart(
    centres: Mapping[int, tuple[float, float]], spreads: Mapping[int, float], rng: random.Random
) -> dict[int, tuple[float, float]]:
    """The centres pushed from each other, each pair by half of what it lacks, until none lacks anything or we tire."""
    at = {label: list(centre) for label, centre in centres.items()}
    pairs = [(one, other) for one in at for other in at if one < other]
    for _ in range(_ROUNDS):
        pushed = False
        for one, other in pairs:
            dx, dy = (at[other][axis] - at[one][axis] for axis in (0, 1))
            between = math.hypot(dx, dy)
            lacking = FAR * (spreads[one] + spreads[other]) - between
            if lacking <= _FEWEST:
                continue
            if not between:  # no direction leads apart, so any does
                angle = rng.uniform(0, 2 * math.pi)
                dx, dy, between = math.cos(angle), math.sin(angle), 1.0
            pushed = True
            for axis, step in enumerate((dx, dy)):
                at[one][axis] -= lacking / 2 * step / between
                at[other][axis] += lacking / 2 * step / between
        if not pushed:
            break
    return {label: (where[0], where[1]) for label, where in at.items()}
