"""Right or wrong in two conditions, where the answers of one person, and those about one item, are alike.

A logistic regression on the condition, log(P / (1 - P)) = a + b treated (+ further columns), whose covariance is
clustered on both participant and item: V = V_participant + V_item - V_both, where V_both is clustered on the pairs
of the two (Cameron, Gelbach and Miller 2011, Robust inference with multiway clustering, Journal of Business and
Economic Statistics 29, equation 2.8). Nothing is assumed about how two answers of a person, or two about an item,
depend on each other; only answers that share neither are taken for independent.

Small samples: each V is the jackknife over its G clusters, linearised, CR3 = (G - 1) / G * the sum over clusters of
the squared change of b when the cluster is left out, (A - A_c)^-1 s_c with the information A and the score s (Bell and
McCaffrey 2002, Survey Methodology 28; both ways at once: MacKinnon, Nielsen and Webb 2024, Jackknife inference with
two-way clustering). Where some people answer far more than others, its intervals cover more nearly as often as they
should than those of CR1 (`python -m tests.bench.coverage`). CR1, the factor G / (G - 1) * (N - 1) / (N - K) on
each V, is what Stata and statsmodels do. Intervals and p are Student's t with min(participants, items) - 1 degrees of
freedom. V is a difference and may come out as 0 or less, where there are few clusters; the larger of V_participant
and V_item takes its place then, and the result's name says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats
from scipy.special import logit

from crowdloom.analysis.clustered_columns import fit_with_columns
from crowdloom.analysis.clustered_design import ClusteredDesign, Correction, shares_and_parts, two_way
from crowdloom.analysis.elicited import Bools, Floats, Ints
from crowdloom.analysis.test_result import TestResult

LOGIT = "clustered logistic regression"
DIFFERENCE = "clustered difference of shares"
SUBSTITUTED = " (the larger one-way variance, as the two-way one is not positive)"


@dataclass(frozen=True)
class ClusteredFits:
    """What S simulated outcomes of one design come to, as arrays [S]; NaN where an outcome says nothing.

    That is so where all outcomes of a condition are the same.
    """

    log_odds_ratio: Floats
    log_odds_ratio_se: Floats
    log_odds_ratio_p: Floats
    difference: Floats
    """The share under treatment less the share without."""
    difference_se: Floats
    difference_p: Floats
    substituted: Bools
    """Where the variance of the log odds ratio or of the difference was not positive."""
    df: int


def clustered_logit(
    outcome: Bools,
    treated: Bools,
    participant: Ints,
    item: Ints,
    level: float = 0.95,
    *,
    columns: Floats | None = None,
    correction: Correction = "CR3",
    names: Sequence[str] = ("untreated", "treated"),
) -> TestResult:
    """The log odds ratio of a true outcome between treated and untreated answers, clustered on both ways.

    outcome, treated     bool [N]
    participant, item    int [N], any codes
    columns              float [N, K] or None, what else the regression holds constant
    names                of the two conditions, for the sentence in `problem`

    The estimate is b, the effect exp(b); n are the treated and the untreated answers. A problem, and no p, where there
    is one condition only, one participant or one item in a condition, or where the outcomes can be told from the
    columns for sure. Raises ValueError where the arrays are not of one length or a column is not finite.

    >>> rng = np.random.default_rng(1)
    >>> treated, person = np.arange(400) % 2 == 0, np.arange(400) // 10
    >>> found = clustered_logit(rng.random(400) < 0.5 + 0.2 * treated, treated, person, np.arange(400) % 20)
    >>> round(found.effect, 2), found.df, found.p < 0.05
    (3.04, 19.0, True)
    """
    design = ClusteredDesign(treated, participant, item, names)
    right = design.checked(outcome)
    if columns is not None:
        fit = fit_with_columns(design, right, np.asarray(columns, dtype=np.float64), correction)
        if isinstance(fit, str):
            return TestResult(LOGIT, level=level, n=design.n, problem=fit)
        return _result(LOGIT, design, *fit, level)
    problem = design.problem or design.separation(right)
    if problem:
        return TestResult(LOGIT, level=level, n=design.n, problem=problem)
    shares, parts = shares_and_parts(design, right[None], correction)
    estimate = float(logit(shares[0, 0]) - logit(shares[1, 0]))
    variance, substituted = two_way(parts, 1 / (shares * (1 - shares)))
    return _result(LOGIT, design, estimate, float(variance[0]), bool(substituted[0]), level)


def clustered_difference(
    outcome: Bools,
    treated: Bools,
    participant: Ints,
    item: Ints,
    level: float = 0.95,
    *,
    correction: Correction = "CR3",
    names: Sequence[str] = ("untreated", "treated"),
) -> TestResult:
    """The share of true outcomes among treated answers less that among untreated ones, clustered on both ways.

    Arguments, problems and errors as for `clustered_logit`; this is the linear regression of the outcome on the
    condition. Where all outcomes of a condition are the same there is an estimate without interval or p.

    >>> found = clustered_difference(*(np.array(x) for x in ([1, 1, 0, 0], [1, 1, 0, 0], [1, 2, 3, 4], [1, 2, 1, 2])))
    >>> found.estimate, found.problem
    (1.0, 'all outcomes in untreated are the same, and so are those in treated')
    """
    design = ClusteredDesign(treated, participant, item, names)
    right = design.checked(outcome)
    problem = design.problem or design.separation(right)
    if problem:
        known = all(design.n)
        estimate = float(right[design.treated].mean() - right[~design.treated].mean()) if known else None
        return TestResult(DIFFERENCE, estimate=estimate, level=level, n=design.n, problem=problem)
    shares, parts = shares_and_parts(design, right[None], correction)
    variance, substituted = two_way(parts, np.ones_like(shares))
    estimate = float(shares[0, 0] - shares[1, 0])
    return _result(DIFFERENCE, design, estimate, float(variance[0]), bool(substituted[0]), level)


def clustered_logits(
    outcomes: Bools, treated: Bools, participant: Ints, item: Ints, *, correction: Correction = "CR3"
) -> ClusteredFits:
    """`clustered_logit` and `clustered_difference` of many outcomes [S, N] of one design at once, for simulations.

    Raises ValueError for a design of which they say a problem, and where the arrays are not of one length.
    """
    design = ClusteredDesign(treated, participant, item, ("untreated", "treated"))
    if design.problem:
        raise ValueError(f"nothing can be compared: {design.problem}")
    shares, parts = shares_and_parts(design, design.checked(outcomes), correction)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = shares * (1 - shares)
        constant = (spread <= 0).any(axis=0)
        odds = np.where(constant, np.nan, logit(shares[0]) - logit(shares[1]))
        odds_variance, odds_substituted = two_way(parts, 1 / spread)
        variance, substituted = two_way(parts, np.ones_like(shares))
        odds_se = np.where(constant, np.nan, np.sqrt(odds_variance))
        difference = shares[0] - shares[1]
        se = np.where(constant, np.nan, np.sqrt(variance))
        return ClusteredFits(
            log_odds_ratio=odds,
            log_odds_ratio_se=odds_se,
            log_odds_ratio_p=2 * stats.t.sf(np.abs(odds / odds_se), design.df),
            difference=difference,
            difference_se=se,
            difference_p=2 * stats.t.sf(np.abs(difference / se), design.df),
            substituted=(odds_substituted | substituted) & ~constant,
            df=design.df,
        )


def _result(
    name: str, design: ClusteredDesign, estimate: float, variance: float, substituted: bool, level: float
) -> TestResult:
    """The result for an estimate with this variance; `name` is LOGIT or DIFFERENCE."""
    name += SUBSTITUTED if substituted else ""
    if not variance > 0:
        return TestResult(
            name, estimate=estimate, level=level, n=design.n, problem="nothing differs between people or items"
        )
    se = float(np.sqrt(variance))
    reach = float(stats.t.ppf((1 + level) / 2, design.df)) * se
    low, high = estimate - reach, estimate + reach
    found = TestResult(
        name,
        statistic=estimate / se,
        statistic_name="t",
        df=float(design.df),
        p=float(2 * stats.t.sf(abs(estimate) / se, design.df)),
        estimate=estimate,
        low=low,
        high=high,
        level=level,
        n=design.n,
    )
    if name.startswith(DIFFERENCE):
        return found
    return replace(
        found,
        effect=float(np.exp(estimate)),
        effect_name="odds ratio",
        effect_low=float(np.exp(low)),
        effect_high=float(np.exp(high)),
    )
