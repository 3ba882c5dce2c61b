"""How simulated people rearrange the points of a session: the strategies of the paper's participants.

Source: D. Geissler et al., *Human in the Latent Loop (HILL)*, section 4.2.3, which tells the strategies in words; the
numbers here are ours. With m_c and s_c the centre and the spread of class c (mean distance to the centre), g the
person's strength in [0, 1], and u drawn anew for each movement, uniform from 0.8 to 1.2:

    compactness  the ten misclassified points that lie farthest out are dragged by g u of the way to their centre, then
                 the distances from the centre are multiplied by 1 - 0.8 g u in every class
    distance     classes are pushed apart until all centres are at least 1.5 (s_c + s_d) from each other, and each
                 centre is dragged by g u of that way
    merge        classes are grouped, at most three together, those first that are taken for each other most often (on
                 average over the pairs between two groups), and each centre is dragged by 0.8 g u of the way to the
                 middle of its group's
    keep         of the class with the most misclassified points, the three that lie farthest out are dragged by g u of
                 the way to their centre, and everything else stays
    change       another of these in each interaction: distance, its inversion merge, compactness, keep, and again
"""

from __future__ import annotations

import math
import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate

from pydantic import Field, field_validator

from crowdloom.tasks.latent_hand import Hand
from crowdloom.tasks.latent_moves import MOVES
from crowdloom.tasks.latent_records import Movement
from crowdloom.tasks.protocol import Settings

STRATEGIES = ("compactness", "distance", "merge", "keep", "change")

CHANGES = ("distance", "merge", "compactness", "keep")
"""What somebody does who changes their strategy, interaction by interaction."""

_GOLDEN = (math.sqrt(5) - 1) / 2


class LatentBehaviour(Settings):
    """Which strategies simulated people have, and how far they go; the paper counts neither."""

    strategies: dict[str, float] = dict.fromkeys(STRATEGIES, 1.0)
    """The share of the people with each strategy, in any unit."""
    strength: float = Field(default=0.6, ge=0, le=1)
    """How far they move things: 0 moves nothing."""

    @field_validator("strategies")
    @classmethod
    def _known(cls, value: dict[str, float]) -> dict[str, float]:
        if strange := [name for name in value if name not in STRATEGIES]:
            raise ValueError(f"no strategy is called {strange[0]!r}; there are: {', '.join(STRATEGIES)}")
        if wrong := [f"{name} = {share}" for name, share in value.items() if not 0 <= share < math.inf]:
            raise ValueError(f"expected shares of at least 0, got {wrong[0]}")
        if not sum(value.values()):
            raise ValueError("nobody has any strategy; give one of them a share above 0")
        return value

    def of_person(self, number: int) -> LatentBehaviour:
        """How the person with this number behaves, from 0: with one strategy.

        Among any people that follow each other the shares are kept as well as can be (the golden section's multiples
        fall evenly).

        >>> from collections import Counter
        >>> first = Counter(name for number in range(14) for name in LatentBehaviour().of_person(number).strategies)
        >>> sorted(first.items())
        [('change', 2), ('compactness', 3), ('distance', 4), ('keep', 3), ('merge', 2)]
        """
        names = [name for name, share in self.strategies.items() if share]
        ends = list(accumulate(self.strategies[name] for name in names))
        place = bisect(ends, (number + 0.5) * _GOLDEN % 1 * ends[-1], hi=len(ends) - 1)
        return self.model_copy(update={"strategies": {names[place]: 1.0}})

    def draw(self, rng: random.Random) -> str:
        """A strategy, by the shares."""
        return rng.choices(list(self.strategies), list(self.strategies.values()))[0]


def strategy_at(strategy: str, number: int) -> str:
    """What somebody with this strategy does in interaction `number`, from 1.

    >>> [strategy_at("change", number) for number in (1, 2)], strategy_at("keep", 2)
    (['distance', 'merge'], 'keep')
    """
    return CHANGES[(number - 1) % len(CHANGES)] if strategy == "change" else strategy


def arrange(
    strategy: str,
    x: Sequence[float],
    y: Sequence[float],
    labels: Sequence[int],
    predictions: Sequence[int],
    confusion: Sequence[Sequence[int]],
    classes: int,
    rng: random.Random,
    strength: float,
    number: int = 1,
) -> tuple[list[float], list[float], list[Movement]]:
    """Rearrange points as somebody with this strategy does in interaction `number`; see the module for how.

    `x`, `y` [N] are where the points lie, `labels` and `predictions` [N] their true and their predicted classes,
    `confusion` [classes][classes] is counted [true][predicted]. Returns the new coordinates and every movement.
    Raises KeyError for an unknown strategy.

    >>> x, y, movements = arrange(
    ...     "distance", [0, 1, 1, 2], [0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1], [[2, 0], [0, 2]], 2, random.Random(1), 1
    ... )
    >>> [(move.kind, move.label, move.points) for move in movements], x[2] - x[1] > 0
    ([('centre', 0, 2), ('centre', 1, 2)], True)
    """
    hand = Hand(x, y, labels, classes, rng, strength)
    MOVES[strategy_at(strategy, number)](hand, predictions, confusion)
    return hand.x, hand.y, hand.movements
