"""Power by simulation: how often the planned test finds an effect in a study like this one, and how often a false one.

Each simulated study has its own people, items and luck (`power_outcome`), and every answer that the design asks for
(`power_people`); the test is the planned one (`power_tests`). The same people, items and luck, without the effect,
give the false positives: where these lie well above alpha, the test does not allow for people or items that are
alike, and its power promises too much.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from crowdloom.analysis.plan import TESTS, Unit
from crowdloom.analysis.power_outcome import Effect
from crowdloom.analysis.power_people import Asked, draw_answers
from crowdloom.analysis.power_tests import POWER_TESTS, p_values

SIMULATIONS = 1000

_DEALT_ANEW = 25
"""How often, at least, people are dealt to batches anew, where they come again: who does how much matters."""
_AT_ONCE = 2_000_000
"""Answers in memory at a time; 16 MB in each array."""


@dataclass(frozen=True)
class Rate:
    """How many of so many simulated studies, and the share's Wilson interval."""

    count: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return self.count / self.of


@dataclass(frozen=True)
class Power:
    """What simulations of one design came to."""

    found: Rate
    """Studies whose p is below alpha, with the effect."""
    false: Rate
    """The same without any effect."""
    people: int
    """Who took part, on average."""


@dataclass(frozen=True)
class Trial:
    """What is asked of each simulated study: an effect, a test of it, and on how many simulations the answer rests.

    Raises ValueError for a test that is not known or does not fit the outcome, alpha outside (0, 1), and no
    simulations.
    """

    effect: Effect
    test: str
    unit: Unit = "item"
    """Whose means the test compares; the logistic regression is always of single answers."""
    alpha: float = 0.05
    simulations: int = SIMULATIONS
    seed: int = 0

    def __post_init__(self) -> None:
        if self.test not in POWER_TESTS:
            raise ValueError(f"no test of two conditions is called {self.test!r}; there are: {', '.join(POWER_TESTS)}")
        if TESTS[self.test].needs == "right or wrong" and not self.effect.right_or_wrong:
            raise ValueError(
                f"the test {self.test} needs an outcome that is right or wrong, and the effect is of a number"
            )
        if TESTS[self.test].needs == "pairs" and self.unit == "response":
            raise ValueError(
                f"the test {self.test} needs pairs, and single answers have none; choose item or participant"
            )
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha lies between 0 and 1, got {self.alpha:g}")
        if self.simulations < 1:
            raise ValueError(f"at least one simulation is needed, got {self.simulations}")


def power_of(asked: Asked, trial: Trial, progress: Callable[[int, int], None] | None = None) -> Power:
    """The power of a design whose first two conditions are compared.

    Follows from the trial's seed and the design's numbers alone. Raises ValueError for a test of pairs where no unit
    can be in both conditions, and for a design of one condition.
    """
    if len(asked.wanted) < 2:
        raise ValueError("there is one condition; power is that of a difference between two")
    _check_pairs(asked, trial)
    rng = np.random.default_rng([trial.seed, asked.items, asked.places, asked.people])
    chunk = max(min(trial.simulations, _AT_ONCE // asked.responses), 1)
    if not asked.alone:
        chunk = min(chunk, math.ceil(trial.simulations / _DEALT_ANEW))
    found = false = done = chunks = people = 0
    while done < trial.simulations:
        number = min(chunk, trial.simulations - done)
        answers = draw_answers(asked, rng)
        people += int(answers.participant.max()) + 1
        two = answers.of_two()
        with_effect, without = trial.effect.draw(two, number, rng)
        found += int((p_values(trial.test, trial.unit, two, with_effect, rng) < trial.alpha).sum())
        false += int((p_values(trial.test, trial.unit, two, without, rng) < trial.alpha).sum())
        done, chunks = done + number, chunks + 1
        if progress is not None:
            progress(done, trial.simulations)
    return Power(rate(found, done), rate(false, done), round(people / chunks))


def rate(count: int, of: int, level: float = 0.95) -> Rate:
    """A share with its Wilson interval (E. B. Wilson 1927, JASA 22(158)).

    >>> found = rate(80, 100)
    >>> round(found.low, 4), round(found.high, 4)
    (0.7112, 0.8666)
    """
    z = float(norm.ppf((1 + level) / 2))
    share, weight = count / of, 1 + z * z / of
    middle = (share + z * z / (2 * of)) / weight
    reach = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / weight
    low = middle - reach if count > 0 else 0.0  # which it is there but for rounding
    high = middle + reach if count < of else 1.0
    return Rate(count, of, low, high)


def _check_pairs(asked: Asked, trial: Trial) -> None:
    if TESTS[trial.test].needs != "pairs":
        return
    if trial.unit == "item" and not asked.shared:
        raise ValueError(
            f"the test {trial.test} needs each item in both conditions, and here each condition has items of its own; "
            "choose student, welch or permutation"
        )
    if trial.unit == "participant" and (asked.most == 1 or asked.one_condition):
        raise ValueError(
            f"the test {trial.test} needs people in both conditions, and here everybody is in one; choose student, "
            "welch or permutation"
        )
