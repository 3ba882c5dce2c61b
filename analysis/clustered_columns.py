"""The clustered logistic regression with further columns: Newton's method, and each cluster left out in turn."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.special import expit

from crowdloom.analysis.clustered_design import ClusteredDesign, Correction, positive
from crowdloom.analysis.elicited import Bools, Floats

_STEPS = 30
"""Newton's method doubles its correct digits with each step; more are of no use."""
_SINGULAR = 1e12
"""Of the columns' standardised information, whose condition number is 1 where they are unrelated."""


def fit_with_columns(
    design: ClusteredDesign, right: Bools, columns: Floats, correction: Correction
) -> tuple[float, float, bool] | str:
    """The log odds ratio, its variance, and whether the larger one-way variance takes the place of the two-way one.

    Or a text that says why there is none. Raises ValueError where the columns are not finite numbers [N, K].
    """
    if columns.shape[:1] != design.treated.shape or columns.ndim != 2 or not np.isfinite(columns).all():
        raise ValueError("columns must be finite numbers [N, K], a row for each answer")
    if design.problem:
        return design.problem
    spread = columns.std(axis=0)
    scaled = (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1)
    x = np.column_stack([design.treated, np.ones(len(right)), scaled])
    if np.linalg.matrix_rank(x) < x.shape[1]:
        return "the further columns, the condition and a constant cannot be told apart"
    beta = _newton(x, right)
    if beta is None:
        return "the outcomes follow from the condition and the further columns without fail"
    share = expit(x @ beta)
    scores, weighted = x * (right - share)[:, None], x * (share * (1 - share))[:, None]
    information = weighted.T @ x
    products = (weighted[:, :, None] * x[:, None, :]).reshape(len(x), -1)
    parts = []
    for codes, clusters in design.ways:
        sums = sparse.csr_array((np.ones(len(x)), (codes, np.arange(len(x)))), shape=(clusters, len(x)))
        if correction == "CR1":
            without = np.broadcast_to(information, (clusters, *information.shape))
            factor = clusters / (clusters - 1) * (len(x) - 1) / (len(x) - x.shape[1])
        else:
            without = information - (sums @ products).reshape(clusters, *information.shape)
            factor = (clusters - 1) / clusters
            if np.linalg.cond(without).max() > _SINGULAR:
                return "a further column varies for one participant or one item only"
        moved = np.linalg.solve(without, (sums @ scores)[:, :, None])[:, 0, 0]
        parts.append(np.array([factor * (moved**2).sum()]))
    variance, substituted = positive(*parts)
    return float(beta[0]), float(variance[0]), bool(substituted[0])


def _newton(x: Floats, right: Bools) -> Floats | None:
    """The coefficients that make the outcomes likeliest; None where they have no limit."""

    def surprise(beta: Floats) -> float:
        return float(np.logaddexp(0, np.where(right, -1, 1) * (x @ beta)).sum())

    beta = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        share = expit(x @ beta)
        try:
            step = np.linalg.solve((x * (share * (1 - share))[:, None]).T @ x, x.T @ (right - share))
        except np.linalg.LinAlgError:
            return None
        change = float(np.abs(x @ step).max())  # of the log odds, so that a column's unit does not matter
        while surprise(beta + step) > surprise(beta) + 1e-9 and change > 1e-9:
            step, change = step / 2, change / 2
        beta = beta + step
        if change < 1e-9:
            return beta
    return None
