"""How often 95 % intervals cover the effect, in simulated Experiments 2: clustered on both ways, on none, and mixed.

    python -m tests.bench.coverage [SIMULATIONS [MIXED]]

200 images, each guessed by five of 42 people with and by five of 63 people without interpretations, as in the paper;
people and images have normal random effects on the log odds, and 0.63 and 0.73 of the guesses are right. Once all
people answer about as much, once their workloads differ as on MTurk (log-normal, sigma 1). The clustered regression
(CR3 and CR1, see `analysis.clustered`) and the one that takes answers as independent are held against the odds ratio
of the shares; statsmodels' mixed model, fitted by variational Bayes to a few of the simulations, against the effect
that was put in. The exit status is 1 where the clustered coverage of 200 simulations or more is not from 92 to 98 %.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from statsmodels.discrete.discrete_model import Logit
from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM
from statsmodels.tools import add_constant

from crowdloom.analysis.clustered import clustered_logit
from crowdloom.analysis.elicited import Bools, Floats, Ints
from crowdloom.analysis.test_result import TestResult

SIMULATIONS, MIXED = 200, 20
IMAGES, EACH, PEOPLE = 200, 5, (42, 63)
ACCURACY = (0.63, 0.73)
PERSON_SD, IMAGE_SD = 0.5, 1.0
LOW, HIGH = 0.92, 0.98
TARGET_MS = 6.0


@dataclass(frozen=True)
class Experiment:
    """The answers of one simulated experiment, [N] each."""

    right: Bools
    treated: Bools
    participant: Ints
    item: Ints


def log_odds() -> tuple[float, float]:
    """The fixed effects at which the accuracies, over all people and images, are those of the paper."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    spread, weights = nodes * np.hypot(PERSON_SD, IMAGE_SD), weights / weights.sum()
    one, other = (brentq(lambda x, a=a: float(weights @ expit(x + spread)) - a, -10, 10) for a in ACCURACY)
    return one, other


def simulate(rng: np.random.Generator, sigma: float) -> Experiment:
    """One experiment; `sigma` is how unequal workloads are."""
    people = []
    for number, first in zip(PEOPLE, (0, PEOPLE[0]), strict=True):
        weights = rng.lognormal(0, sigma, number)
        people += [first + rng.choice(number, EACH, replace=False, p=weights / weights.sum()) for _ in range(IMAGES)]
    participant = np.concatenate(people)
    item = np.tile(np.repeat(np.arange(IMAGES), EACH), 2)
    treated = np.arange(len(item)) < IMAGES * EACH
    with_, without = log_odds()
    person, image = rng.normal(0, PERSON_SD, sum(PEOPLE)), rng.normal(0, IMAGE_SD, IMAGES)
    right = rng.random(len(item)) < expit(np.where(treated, with_, without) + person[participant] + image[item])
    return Experiment(right, treated, participant, item)


def clustered(data: Experiment) -> tuple[float, float]:
    """The interval of `clustered_logit`."""
    return _interval(clustered_logit(data.right, data.treated, data.participant, data.item))


def clustered_cr1(data: Experiment) -> tuple[float, float]:
    """The same with the correction that statsmodels and Stata make."""
    return _interval(clustered_logit(data.right, data.treated, data.participant, data.item, correction="CR1"))


def independent(data: Experiment) -> tuple[float, float]:
    """statsmodels' logistic regression without clusters."""
    fit = Logit(data.right.astype(float), add_constant(data.treated.astype(float))).fit(disp=0)
    low, high = fit.conf_int()[1]
    return float(low), float(high)


def mixed(data: Experiment) -> tuple[float, float]:
    """statsmodels' mixed model with crossed random effects of people and images."""
    effects: Floats = np.zeros((len(data.item), sum(PEOPLE) + IMAGES))
    effects[np.arange(len(data.item)), data.participant] = 1
    effects[np.arange(len(data.item)), sum(PEOPLE) + data.item] = 1
    kinds = np.repeat([0, 1], [sum(PEOPLE), IMAGES])
    model = BinomialBayesMixedGLM(
        data.right.astype(float), add_constant(data.treated.astype(float)), effects, kinds, vcp_p=1
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that its optimiser stopped early, and gives the fit
        fit = model.fit_vb()
    middle, reach = float(fit.fe_mean[1]), 1.96 * float(fit.fe_sd[1])
    return middle - reach, middle + reach


def _interval(found: TestResult) -> tuple[float, float]:
    if found.low is None or found.high is None:
        raise ValueError(f"a simulated experiment has no interval: {found.problem}")
    return found.low, found.high


def main() -> int:
    """Print coverage and times; 1 where the clustered coverage is out of bounds."""
    simulations, fits = (int(value) for value in [*sys.argv[1:], *(SIMULATIONS, MIXED)[len(sys.argv) - 1 :]])
    shares = float(logit(ACCURACY[0]) - logit(ACCURACY[1]))
    put_in = float(np.subtract(*log_odds()))
    models: dict[str, tuple[Callable[[Experiment], tuple[float, float]], float, int]] = {
        "clustered (CR3)": (clustered, shares, simulations),
        "clustered (CR1)": (clustered_cr1, shares, simulations),
        "independent answers": (independent, shares, simulations),
        "variational mixed model": (mixed, put_in, fits),
    }
    wrong = False
    for sigma, workloads in ((0.0, "equal workloads"), (1.0, "workloads as on MTurk")):
        rng = np.random.default_rng(1)
        covered: dict[str, list[bool]] = {name: [] for name in models}
        seconds: dict[str, list[float]] = {name: [] for name in models}
        for number in range(simulations):
            data = simulate(rng, sigma)
            for name, (fit, truth, most) in models.items():
                if number < most:
                    start = time.perf_counter()
                    low, high = fit(data)
                    seconds[name].append(time.perf_counter() - start)
                    covered[name].append(low <= truth <= high)
        for name in models:
            print(
                f"coverage, {workloads}: {name}: {np.mean(covered[name]):.1%} of {len(covered[name])}, "
                f"{1000 * median(seconds[name]):.2f} ms each"
            )
        ratio = median(seconds["variational mixed model"]) / median(seconds["clustered (CR3)"])
        ours = 1000 * median(seconds["clustered (CR3)"])
        missed = "" if ours <= TARGET_MS else ", missed"
        print(f"coverage, {workloads}: mixed / clustered time {ratio:,.0f}")
        print(f"coverage, {workloads}: clustered in {ours:.2f} ms (target {TARGET_MS:.0f}{missed})")
        share = float(np.mean(covered["clustered (CR3)"]))
        if simulations >= SIMULATIONS and not LOW <= share <= HIGH:
            print(f"coverage, {workloads}: the clustered intervals do not cover in {LOW:.0%} to {HIGH:.0%}")
            wrong = True
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
