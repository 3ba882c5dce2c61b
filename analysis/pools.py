"""Pools of elicited distributions: one distribution per item, every annotator weighted.

With y the labels that annotators a gave an item, and w their weights:

    linear          p[k] = sum over a of w[a] y[a, k], divided by the sum of w
    logarithmic     p[k] proportional to the product over a of f[a, k] to the power w[a] / (sum of w)

f is y mixed with the even label, (1 - floor) y + floor/K, because one zero would veto a class, whatever all others
said: with the usual floor of 0.01 a lone zero among M equal annotators multiplies a class, beside one who gave it 1,
by (0.01/K)^(1/M). A pool of labels that are all alike is then that label, but for the floor.

The linear pool with equal weights is the mean label (section 3.3.2 of K. M. Collins' MPhil thesis, Cambridge 2022); it
keeps what people disagree about. The logarithmic pool is surer of what they agree on. Labels that were calibrated first
give softer pools of both kinds: each person is fitted to the others' pool, which is softer than any of them.

Source of both: C. Genest and J. V. Zidek, *Combining Probability Distributions: A Critique and an Annotated
Bibliography*, Statistical Science 1 (1986), 114-135.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.annotations import Aggregate, SoftAnnotations
from crowdloom.analysis.annotator_weights import WEIGHTS, annotator_weights
from crowdloom.analysis.calibration import FLOOR, Calibration, calibrate, even_out, recalibrated
from crowdloom.analysis.elicited import Bools, Floats

Weights = str | npt.NDArray[np.float64]
"""`equal`, `agreement` (see `analysis.annotator_weights`), or a number for each annotator."""


def linear_pool(
    answers: SoftAnnotations,
    weights: Weights = "equal",
    calibrated: bool = False,
    floor: float = FLOOR,
    drawn: Floats | None = None,
) -> Aggregate:
    """The linear pool of every item.

    weights        equal, agreement, or numbers [A], at least 0 and not all 0 for an item
    calibrated     whether each annotator's labels are tempered first (see `analysis.calibration`); `floor` is its own

    Raises ValueError for weights or a floor that do not fit.

    >>> labels = np.array([[1.0, 0.0], [0.5, 0.5]])
    >>> answers = SoftAnnotations(np.array([0, 0]), np.array([0, 1]), labels, 1, 2)
    >>> linear_pool(answers, np.array([3.0, 1.0])).probabilities.tolist()
    [[0.875, 0.125]]
    """
    answers, calibration = _prepared(answers, calibrated, floor, drawn)
    given = _given(answers, weights, drawn)
    pooled, answered = weighted_mean(answers, answers.labels, given, drawn)
    return _aggregate("linear-pool", pooled, answered, weights, given, calibration)


def log_pool(
    answers: SoftAnnotations,
    weights: Weights = "equal",
    calibrated: bool = False,
    floor: float = FLOOR,
    drawn: Floats | None = None,
) -> Aggregate:
    """The logarithmic pool of every item; arguments and errors as for `linear_pool`, floor in (0, 1).

    >>> labels = np.array([[0.9, 0.1], [0.5, 0.5]])
    >>> answers = SoftAnnotations(np.array([0, 0]), np.array([0, 1]), labels, 1, 2)
    >>> log_pool(answers, floor=1e-9).probabilities.round(3).tolist()
    [[0.75, 0.25]]
    """
    answers, calibration = _prepared(answers, calibrated, floor, drawn)
    given = _given(answers, weights, drawn)
    # Tempered labels have no zeros: they were mixed with the even label before.
    logs = np.log(answers.labels if calibrated else even_out(answers.labels, floor))
    mean, answered = weighted_mean(answers, logs, given, drawn)
    return _aggregate("log-pool", exponentials(mean, answered), answered, weights, given, calibration)


def weighted_mean(
    answers: SoftAnnotations, values: Floats, weights: Floats, drawn: Floats | None
) -> tuple[Floats, Bools]:
    """The mean of values [N, K] by item, [I, K], each by its annotator's weight; and which items have one, [I]."""
    counts = weights if drawn is None else weights * drawn
    weight = counts[answers.annotator]
    total = answers.by_item @ weight
    answered: Bools = total > 0
    mean = answers.by_item @ (values * weight[:, np.newaxis]) / np.where(answered, total, 1)[:, np.newaxis]
    return mean, answered


def exponentials(logs: Floats, answered: Bools) -> Floats:
    """Rows of exp(logs), normalised; zeros for items that nobody answered."""
    powers: Floats = np.exp(logs - logs.max(axis=1, keepdims=True, initial=-np.inf))
    powers /= powers.sum(axis=1, keepdims=True)
    powers[~answered] = 0
    return powers


def _prepared(
    answers: SoftAnnotations, calibrated: bool, floor: float, drawn: Floats | None
) -> tuple[SoftAnnotations, Calibration | None]:
    if not calibrated:
        return answers, None
    calibration = calibrate(answers, floor, drawn)
    return recalibrated(answers, calibration), calibration


def _given(answers: SoftAnnotations, weights: Weights, drawn: Floats | None) -> Floats:
    if isinstance(weights, str):
        if weights not in WEIGHTS:
            raise ValueError(f"{weights!r} is no way to weigh annotators; choose one of {', '.join(WEIGHTS)}")
        if weights == "agreement":
            return annotator_weights(answers, drawn).weight
        return np.ones(answers.n_annotators)
    if weights.shape != (answers.n_annotators,) or not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError(f"the weights must be {answers.n_annotators} finite numbers of at least 0, one per annotator")
    return weights


def _aggregate(
    method: str, pooled: Floats, answered: Bools, weights: Weights, given: Floats, calibration: Calibration | None
) -> Aggregate:
    equal = isinstance(weights, str) and weights == "equal"
    return Aggregate(
        method,
        pooled,
        answered,
        weights=None if equal else given,
        temperatures=None if calibration is None else calibration.temperature,
    )
