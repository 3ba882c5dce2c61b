"""What simulated people answer: right or wrong, or a number, alike within a person and within an item."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.power_people import Answers

PARTICIPANT_SD, ITEM_SD = 0.5, 1.0
"""Standard deviations on the logit scale that are assumed where nobody knows better.

In CIFAR-10S, whether the class named first is the reference varies by 0.4 between people and 1.6 between images; of
Shen and Huang's Experiment 2 (table 2) the categories of images alone make 0.4 to 0.7.
"""

PARTICIPANT_SHARE, ITEM_SHARE = 0.15, 0.15
"""Of the variance of a number, what is assumed to be between participants, and between items.

In CIFAR-10S these are 0.13 and 0.25 of the probability of the class named first, 0.24 and 0.22 of a label's entropy,
and 0.10 and 0.01 of the seconds that an answer takes.
"""

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


class Effect(Protocol):
    """The difference that is looked for, with the variances around it."""

    right_or_wrong: bool

    def draw(self, answers: Answers, simulations: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """[N, S] what is answered where there is the effect, and the same people's answers where there is none."""


@dataclass(frozen=True)
class Proportions:
    """Shares of right answers in two conditions.

    An answer is right with the probability 1 / (1 + exp(-(m + u + v))), u normal for each participant and v for each
    item, with these standard deviations; m is such that the share in each condition, over all people and items, is
    the stated one. Without effect both conditions have the mean of both shares. Raises ValueError for shares outside
    (0, 1), equal shares, and standard deviations below 0.
    """

    first: float
    second: float
    participant_sd: float = PARTICIPANT_SD
    item_sd: float = ITEM_SD
    right_or_wrong = True

    def __post_init__(self) -> None:
        for share in (self.first, self.second):
            if not 0 < share < 1:
                raise ValueError(f"a share of right answers lies between 0 and 1, got {share:g}")
        if self.first == self.second:
            raise ValueError(f"both shares are {self.first:g}; there is no difference to find")
        _check_deviations(self.participant_sd, self.item_sd)

    def draw(self, answers: Answers, simulations: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """See `Effect`; 1 is right, 0 wrong. Both draws have the same people, items and luck."""
        spread = math.hypot(self.participant_sd, self.item_sd)
        means = np.array([center(share, spread) for share in (self.first, self.second)])
        between = center((self.first + self.second) / 2, spread)
        felt = _between(answers, simulations, self.participant_sd, self.item_sd, rng)
        luck = rng.random(felt.shape)
        felt -= np.log(luck / (1 - luck), out=luck)
        with_effect = felt > -means[answers.condition][:, np.newaxis]
        return with_effect.astype(np.float64), (felt > -between).astype(np.float64)


@dataclass(frozen=True)
class Means:
    """Means of a number in two conditions, in its own unit.

    Answers are normal around a mean with `spread` as their standard deviation within a condition, of which
    `participant_sd` is between participants and `item_sd` between items; None takes PARTICIPANT_SHARE and ITEM_SHARE
    of the variance. For outcomes with limits this is an approximation. Raises ValueError for no difference, no
    spread, and standard deviations below 0 or beyond the spread.
    """

    difference: float
    spread: float
    participant_sd: float | None = None
    item_sd: float | None = None
    right_or_wrong = False

    def __post_init__(self) -> None:
        if not math.isfinite(self.difference) or self.difference == 0:
            raise ValueError("the difference of the means is to be a number other than 0")
        if not (math.isfinite(self.spread) and self.spread > 0):
            raise ValueError(
                f"the spread is the standard deviation of an answer, a number above 0; got {self.spread:g}"
            )
        participant, item = self.deviations
        _check_deviations(participant, item)
        if math.hypot(participant, item) > self.spread:
            raise ValueError(
                f"participants ({participant:g}) and items ({item:g}) vary more than single answers do, whose spread "
                f"is {self.spread:g}; the spread includes both"
            )

    @property
    def deviations(self) -> tuple[float, float]:
        """The standard deviations between participants and between items."""
        participant, item = self.participant_sd, self.item_sd
        return (
            math.sqrt(PARTICIPANT_SHARE) * self.spread if participant is None else participant,
            math.sqrt(ITEM_SHARE) * self.spread if item is None else item,
        )

    def draw(self, answers: Answers, simulations: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """See `Effect`."""
        participant, item = self.deviations
        without = _between(answers, simulations, participant, item, rng)
        rest = math.sqrt(max(self.spread**2 - participant**2 - item**2, 0.0))
        without += rest * rng.standard_normal(without.shape)
        return without + self.difference * answers.condition[:, np.newaxis], without


def center(share: float, spread: float) -> float:
    """The m at which 1 / (1 + exp(-(m + z))) is `share` on average, z normal with the standard deviation `spread`.

    >>> round(center(0.73, 0.0), 4), round(center(0.73, 1.0), 4)
    (0.9946, 1.1926)
    """
    z = spread * _NODES
    reach = 20 + 5 * spread
    return float(brentq(lambda m: float(_WEIGHTS @ expit(m + z)) - share, -reach, reach))


def _between(
    answers: Answers, simulations: int, participant_sd: float, item_sd: float, rng: np.random.Generator
) -> Floats:
    """[N, S] What a person and an item add to each answer."""
    people = participant_sd * rng.standard_normal((answers.participant.max() + 1, simulations))
    items = item_sd * rng.standard_normal((answers.item.max() + 1, simulations))
    added: Floats = people[answers.participant]
    added += items[answers.item]
    return added


def _check_deviations(participant: float, item: float) -> None:
    for name, value in (("participants", participant), ("items", item)):
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"the standard deviation between {name} is a number of at least 0, got {value:g}")
