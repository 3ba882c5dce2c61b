"""How much people and items differ, estimated from answers of an earlier study, for simulations of power.

The answers are y = m + u + v + e with independent u for participants, v for items and e for what is left. Their
variances are estimated by moments, which needs no distribution and takes any number of answers a person or an item:

    Ua = sum of squares within participants, E Ua = (N - R) (s_v + s_e)
    Ub = sum of squares within items,        E Ub = (N - C) (s_u + s_e)
    Ue = N times the total sum of squares,
    E Ue = (N^2 - sum N_r^2) s_u + (N^2 - sum N_c^2) s_v + (N^2 - N) s_e

with N answers of R participants (N_r each) to C items (N_c each): K. Gao and A. B. Owen 2017, Efficient moment
calculations for variance components in large unbalanced crossed random effects models, Electronic Journal of
Statistics 11(1), section 4. All three are made of differences between answers; here they are taken within each
condition, so that the conditions' means play no part, and added up. What comes out below 0 is set to 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit

from crowdloom.analysis.elicited import Floats, Ints
from crowdloom.analysis.power_outcome import center

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_LARGEST = 10.0  # a standard deviation on the logit scale beyond which everybody is always right or always wrong


@dataclass(frozen=True)
class Variances:
    """Standard deviations in the outcome's unit, or on the logit scale where it is right or wrong."""

    participant_sd: float
    item_sd: float
    spread: float
    """Of a single answer within a condition, in the outcome's unit: people, items and the rest together."""
    mean: float
    answers: int
    participants: int
    items: int


def estimate_variances(
    values: npt.ArrayLike,
    participant: npt.ArrayLike,
    item: npt.ArrayLike,
    condition: npt.ArrayLike | None = None,
    *,
    right_or_wrong: bool = False,
) -> Variances:
    """Estimate the variances from N answers; values that are NaN are left out.

    Where values are right (1) or wrong (0), the moments are those of the shares; then standard deviations on the logit
    scale are found that give just these moments.
    Raises ValueError where nobody answered twice, no item was answered twice, or all values are the same.
    """
    value = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(value)
    value = value[known]
    people, items = (_codes(np.asarray(of)[known]) for of in (participant, item))
    if not len(value):
        raise ValueError("there are no answers to estimate variances from")
    n_people, n_items = int(people.max()) + 1, int(items.max()) + 1
    if min(n_people, n_items) < 2 or len(value) in (n_people, n_items):
        raise ValueError(
            "variances need people with several answers and items with several answers: "
            f"there are {len(value)} answers of {n_people} participants to {n_items} items"
        )
    mean = float(value.mean())
    arms = np.zeros(len(value), dtype=np.intp) if condition is None else _codes(np.asarray(condition)[known])
    equations, moments = np.zeros((3, 3)), np.zeros(3)
    for arm in range(int(arms.max()) + 1):
        here = arms == arm
        of_arm = _moments(value[here] - value[here].mean(), _codes(people[here]), _codes(items[here]))
        equations, moments = equations + of_arm[0], moments + of_arm[1]
    found, *_ = np.linalg.lstsq(equations, moments, rcond=None)
    between_people, between_items, rest = (max(float(part), 0.0) for part in found)
    spread = math.sqrt(between_people + between_items + rest)
    if not spread > 0:
        raise ValueError("all answers are the same, so nothing says how much people and items differ")
    deviations = math.sqrt(between_people), math.sqrt(between_items)
    if right_or_wrong:
        deviations = _on_logit_scale(mean, between_people, between_items)
    return Variances(*deviations, spread, mean, len(value), n_people, n_items)


def _codes(of: npt.NDArray[np.generic]) -> Ints:
    codes: Ints = np.unique(of, return_inverse=True)[1].astype(np.intp)
    return codes


def _moments(value: Floats, people: Ints, items: Ints) -> tuple[Floats, Floats]:
    """The three equations [3, 3] for the variances of u, v and e, and their right sides [3]."""
    n = len(value)
    by_person, by_item = np.bincount(people), np.bincount(items)
    squares = float(value @ value)
    within_people = squares - float((np.bincount(people, value) ** 2 / by_person).sum())
    within_items = squares - float((np.bincount(items, value) ** 2 / by_item).sum())
    equations = np.array(
        [
            [0.0, n - len(by_person), n - len(by_person)],
            [n - len(by_item), 0.0, n - len(by_item)],
            [n * n - float(by_person @ by_person), n * n - float(by_item @ by_item), n * n - n],
        ]
    )
    return equations, np.array([within_people, within_items, n * squares])


def _on_logit_scale(mean: float, between_people: float, between_items: float) -> tuple[float, float]:
    """Standard deviations of u and v on the logit scale with which shares vary so much between people and items.

    How much shares vary by u depends on v as well, so both are solved for in turn until they stay.
    """
    people = items = 0.0
    for _ in range(50):
        before = people, items
        people = _deviation(mean, between_people, items)
        items = _deviation(mean, between_items, people)
        if math.dist(before, (people, items)) < 1e-6:
            break
    return people, items


def _deviation(mean: float, wanted: float, other: float) -> float:
    """The deviation of one effect with which the mean share, given that effect, has the variance that is wanted."""
    if wanted <= 0 or not 0 < mean < 1:
        return 0.0

    def lacking(deviation: float) -> float:
        m = center(mean, math.hypot(deviation, other))
        share = expit(m + deviation * _NODES[:, np.newaxis] + other * _NODES) @ _WEIGHTS
        return float(_WEIGHTS @ share**2 - (_WEIGHTS @ share) ** 2) - wanted

    if lacking(0.0) >= 0:  # what is wanted is no more than the sums' rounding
        return 0.0
    return _LARGEST if lacking(_LARGEST) < 0 else float(brentq(lacking, 0.0, _LARGEST, xtol=1e-8))
