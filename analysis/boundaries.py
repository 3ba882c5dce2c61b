"""Category boundaries: what people infer as a logistic function of how an image was mixed.

    tau(lambda) = 1 / (1 + exp(-k (lambda - m)))

with the slope k (a straight line has about 4 to 5) and the midpoint m, at which people see half and half; fitted
by least squares to the first answers. Source: K. M. Collins (MPhil thesis, Cambridge, 2022), appendix C and
figure 4.4. Standard errors are those of `scipy.optimize.curve_fit`: they take answers for independent, although
several are one person's.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import OptimizeWarning, curve_fit
from scipy.special import expit

from crowdloom.analysis.coefficients import inferred
from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.mixing import oriented

ALL_PAIRS = "all pairs"

_STEEP = 50.0  # from here on the curve may be a step between two of the coefficients; then any slope fits alike
_FAR = (-1.0, 2.0)  # a midpoint beyond is that of a level line


@dataclass(frozen=True)
class Boundary:
    """The boundary between the two classes of a pair, or why there is none."""

    pair: str
    n: int
    """Answers that it is fitted to."""
    coefficients: int
    """Different lambda_f among them."""
    slope: float | None = None
    midpoint: float | None = None
    """Both are about shares of the pair's first class."""
    slope_error: float | None = None
    midpoint_error: float | None = None
    problem: str | None = None
    """Why it cannot be fitted."""

    def at(self, coefficient: Floats) -> Floats:
        """tau at each lambda [N], for a boundary that is fitted."""
        assert self.slope is not None
        assert self.midpoint is not None
        return _tau(coefficient, self.slope, self.midpoint)


def fit_boundary(coefficient: Floats, answer: Floats, pair: str = ALL_PAIRS) -> Boundary:
    """The logistic function through answers lambda_h [N] to mixes lambda_f [N], shares of the same class.

    >>> mixes = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    >>> fitted = fit_boundary(mixes, 1 / (1 + np.exp(-8 * (mixes - 0.4))))
    >>> round(fitted.slope, 3), round(fitted.midpoint, 3)
    (8.0, 0.4)
    """
    n, different = len(coefficient), len(np.unique(coefficient))
    if different < 3:
        mixes = "mixing coefficient" if different == 1 else "mixing coefficients"
        return Boundary(pair, n, different, problem=f"{different} {mixes} only; a boundary needs 3")
    if np.ptp(answer) == 0:
        return Boundary(pair, n, different, problem=f"all {n} answers are {answer[0]:g}")
    slope, level = np.polyfit(coefficient, answer, 1)
    start = (4 * slope, np.clip((0.5 - level) / slope, -1, 2) if abs(slope) > 1e-9 else 0.5)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)  # then the errors are infinite, which is told below
            (k, m), covariance = curve_fit(_tau, coefficient, answer, p0=start, jac=_gradient, maxfev=2000)
    except RuntimeError:
        return Boundary(pair, n, different, problem="no logistic function fits; the search did not end")
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(np.diag(covariance))
    if not np.isfinite([k, m]).all() or (abs(k) > _STEEP and not errors[0] < abs(k)):
        return Boundary(pair, n, different, problem="the answers make a step, whose slope is not determined")
    if not _FAR[0] <= m <= _FAR[1]:
        return Boundary(pair, n, different, problem="the answers hardly change with the mix; they cross no boundary")
    slope_error, midpoint_error = (float(error) if np.isfinite(error) else None for error in errors)
    return Boundary(pair, n, different, float(k), float(m), slope_error, midpoint_error)


def boundaries(responses: pd.DataFrame) -> list[Boundary]:
    """The boundary of all pairs together, then that of each pair of classes, by name.

    `responses` are those of `analysis.mixing`; all shares are turned to those of the pair's first class.
    """
    answers = inferred(responses)
    answers = answers.assign(f=oriented(answers, "lambda_f"), h=oriented(answers, "lambda_h"))
    groups = [(ALL_PAIRS, answers), *answers.groupby("pair", sort=True)]
    return [fit_boundary(some["f"].to_numpy(), some["h"].to_numpy(), pair) for pair, some in groups]


def boundary_table(found: list[Boundary]) -> pd.DataFrame:
    """Boundaries as a frame, indexed by pair: n, slope k and midpoint m with their standard errors, problem."""
    rows = [(b.n, b.slope, b.slope_error, b.midpoint, b.midpoint_error, b.problem) for b in found]
    names = ["n", "k", "se k", "m", "se m", "problem"]
    table = pd.DataFrame(rows, columns=names, index=pd.Index([b.pair for b in found], name="pair", dtype=object))
    return table.astype(dict.fromkeys(names[1:-1], float) | {"problem": object})


def _tau(coefficient: Floats, slope: float, midpoint: float) -> Floats:
    curve: Floats = expit(slope * (coefficient - midpoint))
    return curve


def _gradient(coefficient: Floats, slope: float, midpoint: float) -> Floats:
    """Of `_tau` by slope and midpoint, [N, 2]."""
    curve = _tau(coefficient, slope, midpoint)
    steep = curve * (1 - curve)
    return np.column_stack([steep * (coefficient - midpoint), -slope * steep])
