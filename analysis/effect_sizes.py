"""How large a difference is, in standard deviations, with intervals from the noncentral t distribution.

Two separate groups (n1, n2 values, standard deviations s1, s2, difference of means m):
    Cohen's d = m / sqrt(((n1 - 1) s1^2 + (n2 - 1) s2^2) / (n1 + n2 - 2))
    Hedges' g = J d, without d's bias; J = gamma(df / 2) / (sqrt(df / 2) gamma((df - 1) / 2)), df = n1 + n2 - 2
Pairs (differences with mean m and standard deviation s):
    d_z = m / s
    d_av = m / sqrt((s1^2 + s2^2) / 2), on the scale of the values, so that it compares with d of separate groups

Hedges (1981), J. Educational Statistics 6; Cumming and Finch (2001), Educational and Psychological Measurement 61, for
the intervals of d and d_z, which are exact for normal values; Algina and Keselman (2003), the same journal 63, for
the approximate one of d_av.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from crowdloom.analysis.elicited import Floats

_INVERTED = 1000.0
"""Up to which t SciPy's inversion of the noncentral t is good to a few in ten thousand."""


@dataclass(frozen=True)
class EffectSize:
    """An effect with its interval, or why there is none."""

    name: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    problem: str | None = None
    """Why `value` is None."""


def cohens_d(first: Floats, second: Floats, level: float = 0.95) -> EffectSize:
    """d of two groups [N], [M], positive where the first is higher.

    >>> found = cohens_d(np.array([2.0, 4.0, 6.0]), np.array([1.0, 3.0, 5.0]))
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.5, -1.164, 2.106)
    """
    return _of_groups("Cohen's d", first, second, level, corrected=False)


def hedges_g(first: Floats, second: Floats, level: float = 0.95) -> EffectSize:
    """g of two groups [N], [M], positive where the first is higher."""
    return _of_groups("Hedges' g", first, second, level, corrected=True)


def d_z(first: Floats, second: Floats, level: float = 0.95) -> EffectSize:
    """The mean difference of pairs [N] in standard deviations of the differences.

    >>> round(d_z(np.array([2.0, 4.0, 6.0]), np.array([1.0, 3.0, 4.0])).value, 3)
    2.309
    """
    return _of_pairs("d_z", first, second, level)


def d_av(first: Floats, second: Floats, level: float = 0.95) -> EffectSize:
    """The mean difference of pairs [N] in standard deviations of the values, averaged over both sides."""
    return _of_pairs("d_av", first, second, level)


def _of_groups(name: str, first: Floats, second: Floats, level: float, *, corrected: bool) -> EffectSize:
    n, m = len(first), len(second)
    if min(n, m) < 1 or n + m < 3:
        return EffectSize(name, problem="there are fewer than three values, or a side without any")
    df = n + m - 2
    within = float(np.sum((first - first.mean()) ** 2) + np.sum((second - second.mean()) ** 2))
    if corrected and df < 2:
        return EffectSize(name, problem="there are fewer than four values")
    if _is_nothing(within, first, second):
        return EffectSize(name, problem="no value differs from the others of its side")
    per_t = float(np.sqrt(1 / n + 1 / m))
    value = float((first.mean() - second.mean()) / np.sqrt(within / df))
    factor = unbiasing(df) if corrected else 1.0
    low, high = (bound * per_t for bound in noncentrality(value / per_t, df, level))
    return EffectSize(name, factor * value, factor * low, factor * high)


def _of_pairs(name: str, first: Floats, second: Floats, level: float) -> EffectSize:
    n = len(first)
    if n < 2:
        return EffectSize(name, problem="there are fewer than two pairs")
    differences = first - second
    spread = float(np.std(differences, ddof=1))
    unit = spread if name == "d_z" else float(np.sqrt((np.var(first, ddof=1) + np.var(second, ddof=1)) / 2))
    if _is_nothing(spread**2, first, second):
        return EffectSize(name, problem="all pairs have the same difference")
    per_t = float(spread / np.sqrt(n) / unit)
    value = float(differences.mean()) / unit
    low, high = (bound * per_t for bound in noncentrality(value / per_t, n - 1, level))
    return EffectSize(name, value, low, high)


def _is_nothing(square: float, first: Floats, second: Floats) -> bool:
    """Whether a sum of squares is no more than what rounding leaves."""
    size = float(max(np.abs(first).max(), np.abs(second).max()))
    return square <= 1e-24 * max(size**2, np.finfo(float).tiny)


def unbiasing(df: float) -> float:
    """Hedges' J of at least two degrees of freedom, by which d is multiplied; 1 - 3 / (4 df - 1) is near to it."""
    return float(np.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / np.sqrt(df / 2))


def noncentrality(t: float, df: float, level: float) -> tuple[float, float]:
    """The noncentralities under which a t as high, and as low, as this one has the probability (1 - level) / 2.

    They are quantiles of t S - Z, with S^2 = chi^2 / df and Z standard normal, S and Z independent. Beyond |t| = 1000
    SciPy's inversion is off by up to a tenth and may never end. There t S decides and Z hardly counts: the distance of
    each limit from t is that of t S's quantile and that of Z's, squared and added, exact where either vanishes.
    """
    if t < -_INVERTED:
        low, high = noncentrality(-t, df, level)
        return -high, -low
    tails = [(1 - level) / 2, (1 + level) / 2]
    if t <= _INVERTED:
        low, high = special.nctdtrinc(df, tails[::-1], t)
    else:
        below, above = t * (1 - np.sqrt(2 * special.gammaincinv(df / 2, tails) / df))
        low, high = t - np.hypot(below, special.ndtri(tails[1])), t + np.hypot(above, special.ndtri(tails[1]))
    return float(low), float(high)
