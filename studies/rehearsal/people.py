"""The simulated people of a rehearsal, drawn from stated distributions.

    skill         Beta(18, 2): mean 0.90, standard deviation 0.065
    calibration   log-normal around 1 with sigma 0.25
    seconds       log-normal around 20 with sigma 0.4; each answer then takes a log-normal time around it
    careless      a share of the people answers 50 to 100 % of the trials (uniform) without looking
    drop_out      the same chance to leave at each page, such that the asked share leaves before the end

Of those who drop out a quarter says so by the page's button and the others vanish; a third of them
comes back later. On the consent page all of them refuse.

Where the design lets people come again with other items, each has a number of submissions in mind,
log-normal with sigma 1, so that a few do many; all of them together would fill the places 1.3 times.
They leave before they have done them with the same asked share.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from crowdloom.tasks.protocol import Person

LEAVES_BY_BUTTON = 0.25
COMES_BACK = 1 / 3
WRONG_CHECK = 0.1
SECONDS_SIGMA = 0.4
SUBMISSIONS_SIGMA = 1.0
IN_RESERVE = 1.3
"""So many times the people's submissions would fill the places, since some leave and some have seen what is left."""


@dataclass(frozen=True)
class Habits:
    """What a rehearsal asks of its people; each is a share of them, or a chance, between 0 and 1."""

    drop_out: float = 0.1
    careless: float = 0.05
    restless: float = 0.03
    """The chance at each trial to reload, to send twice at once, or to answer in a second tab first."""


def draw_person(number: int, seed: int, habits: Habits, pages: int, behaviour: Any = None) -> Person:
    """The person with this number; `pages` is how many pages there are to leave at.

    `behaviour` is how they answer the task, as the design states it; the task says what each of them has of it.

    >>> draw_person(1, seed=1, habits=Habits(drop_out=0), pages=10).drop_out
    0.0
    """
    rng = random.Random(f"{seed} person {number}")  # noqa: S311 - reproducible on purpose
    return Person(
        skill=rng.betavariate(18, 2),
        calibration=rng.lognormvariate(0, 0.25),
        careless=rng.uniform(0.5, 1) if rng.random() < habits.careless else 0.0,
        seconds=20 * rng.lognormvariate(0, SECONDS_SIGMA),
        drop_out=1 - (1 - habits.drop_out) ** (1 / pages),
        behaviour=None if behaviour is None else behaviour.of_person(number),
    )


def draw_submissions(people: int, places: int, most: int, seed: int) -> list[int]:
    """How many submissions each person has in mind: 1 to `most`, in all 1.3 times the places where that can be.

    >>> draw_submissions(5, places=20, most=8, seed=1)
    [5, 2, 6, 5, 8]
    >>> draw_submissions(3, places=20, most=1, seed=1)
    [1, 1, 1]
    """
    rng = random.Random(f"{seed} submissions")  # noqa: S311 - reproducible on purpose
    weights = [rng.lognormvariate(0, SUBMISSIONS_SIGMA) for _ in range(people)]
    wanted = min(IN_RESERVE * places, people * most)
    scale = wanted / sum(weights)
    while True:
        numbers = [min(max(round(scale * weight), 1), most) for weight in weights]
        if sum(numbers) >= wanted:
            return numbers
        scale *= 1.01  # some reach the most that one can do, and the others do more instead
