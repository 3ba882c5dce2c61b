"""What number is needed for a power: interpolated on the curve, rounded up, and checked by simulation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from scipy.stats import norm

from crowdloom.analysis.power import Rate

_ROUNDS = 10  # of interpolating; each leaves less between the two numbers

Find = Callable[[int], Rate]


def needed(target: float, find: Find, known: Mapping[int, Rate], most: int) -> int | None:
    """The smallest number, as far as simulations can tell, whose power reaches the target; None if `most` does not.

    `find` simulates the power at a number, `known` is what it said already (at least one). Between the largest number
    that falls short and the smallest that does not, the power's probit is taken as a straight line over the number's
    square root, as it is for a mean; what that gives is rounded up and simulated, until it gives a number that was.

    >>> needed(0.8, lambda n: Rate(round(1000 * (1 - 0.8**n)), 1000, 0, 1), {2: Rate(360, 1000, 0, 1)}, most=50)
    8
    """
    rates = dict(known)
    while not any(rate.share >= target for rate in rates.values()):
        if max(rates) >= most:
            return None
        further = min(2 * max(rates), most)
        rates[further] = find(further)
    for _ in range(_ROUNDS):
        enough = min(number for number, rate in rates.items() if rate.share >= target)
        short = max((number for number in rates if number < enough), default=0)
        if enough - short == 1:
            return enough
        guess = _between(short, enough, rates, target) if short else enough // 2
        if guess in rates:
            return enough
        rates[guess] = find(guess)
    return min(number for number, rate in rates.items() if rate.share >= target)


def _between(short: int, enough: int, rates: Mapping[int, Rate], target: float) -> int:
    low, high = (_probit(rates[number]) for number in (short, enough))
    part = (float(norm.ppf(target)) - low) / (high - low) if high > low else 1.0
    root = math.sqrt(short) + part * (math.sqrt(enough) - math.sqrt(short))
    return min(max(math.ceil(root**2 - 1e-9), short + 1), enough)


def _probit(rate: Rate) -> float:
    """Of a share that is never quite 0 or 1."""
    return float(norm.ppf(min(max(rate.share, 0.5 / rate.of), 1 - 0.5 / rate.of)))
