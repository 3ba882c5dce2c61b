"""Each annotator's calibration: whether the distributions that they give are too sure of themselves, or not enough.

An annotator's labels p are taken to the power t = 1/T and normalised: a temperature T above 1 makes them more even, one
below 1 more certain, 1 leaves them. T is the one whose labels score best against the people beside them: with q the
mean label that all other annotators gave the item, the mean of the logarithmic score sum_k q[k] log p[k], which is
proper (at most where p = q). The annotator's own answers are not in q.

Since log p must exist, every label is first mixed with the even label: (1 - floor) p + floor/K. The score is concave in
t, so Newton's steps (kept inside a bracket that halves) find its maximum. A normal prior on t with mean 1 and standard
deviation 1 keeps those with few answers near 1: it counts about as much as one answer does. T stays within 1/20 and 20.

Source of temperatures: C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, *On Calibration of Modern Neural Networks* (ICML
2017); fitted here to people, each against the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdloom.analysis.annotations import SoftAnnotations, others_mean
from crowdloom.analysis.elicited import Floats, Ints

FLOOR = 0.01
"""The share of the even label that is mixed in before logarithms are taken, unless told otherwise."""

_HOTTEST = 20.0
_STEPS = 60
_CLOSE = 1e-10


@dataclass(frozen=True)
class Calibration:
    """A temperature for each annotator, [A], and what it is worth.

    answers [A] counts those that it was fitted on: to items that somebody else answered, too. score_before and
    score_after [A] are the mean logarithmic scores of these, in nats (higher is better); NaN without such an answer,
    where the temperature is 1.
    """

    temperature: Floats
    answers: Ints
    score_before: Floats
    score_after: Floats
    floor: float


def even_out(labels: Floats, floor: float = FLOOR) -> Floats:
    """Labels [N, K] mixed with the even label, (1 - floor) p + floor/K, so that none has a zero.

    Raises ValueError for a floor outside (0, 1).
    """
    if not 0 < floor < 1:
        raise ValueError(f"the floor is {floor}; it must lie above 0 and below 1, since a zero has no logarithm")
    mixed: Floats = (1 - floor) * labels + floor / max(labels.shape[1], 1)
    return mixed


def temper(labels: Floats, temperature: Floats) -> Floats:
    """Labels [N, K] without zeros to the power 1/temperature [N], normalised.

    >>> temper(np.array([[0.8, 0.2]]), np.array([2.0])).round(3).tolist()
    [[0.667, 0.333]]
    """
    return _powers(np.log(labels), 1 / temperature)[0]


def calibrate(answers: SoftAnnotations, floor: float = FLOOR, drawn: Floats | None = None) -> Calibration:
    """The temperature of each annotator, by the rule at the top of this module.

    >>> rng = np.random.default_rng(0)
    >>> truth = rng.dirichlet([0.5, 0.5, 0.5], size=200)  # ten people see it so; an eleventh is too sure
    >>> sure = truth**3 / (truth**3).sum(axis=1, keepdims=True)
    >>> labels = np.concatenate([truth] * 10 + [sure])
    >>> answers = SoftAnnotations(np.tile(np.arange(200), 11), np.repeat(np.arange(11), 200), labels, 200, 11)
    >>> found = calibrate(answers).temperature
    >>> bool(abs(found[:10] - 1).max() < 0.2), bool(2 < found[10] < 4)
    (True, True)
    """
    logs = np.log(even_out(answers.labels, floor))
    others, known = others_mean(answers, drawn)
    gather = answers.by_annotator[:, known]
    logs, others, annotator = logs[known], others[known], answers.annotator[known]
    count = np.bincount(annotator, minlength=answers.n_annotators)
    aim = gather @ np.einsum("nk,nk->n", others, logs)
    power, low, high = (np.full(answers.n_annotators, value) for value in (1.0, 1 / _HOTTEST, _HOTTEST))
    for _ in range(_STEPS):
        tempered, _ = _powers(logs, power[annotator])
        mean = np.einsum("nk,nk->n", tempered, logs)
        slope = gather @ mean - aim + (power - 1)  # of minus the score, with the prior
        bend = gather @ (np.einsum("nk,nk,nk->n", tempered, logs, logs) - mean**2) + 1
        high, low = np.where(slope > 0, power, high), np.where(slope > 0, low, power)
        step = power - slope / bend
        step = np.where((step > low) & (step < high), step, (low + high) / 2)
        moved = np.abs(step - power).max(initial=0.0)
        power = step
        if moved < _CLOSE:
            break
    power[count == 0] = 1

    def score(powers: Floats) -> Floats:
        logged = powers[annotator][:, np.newaxis] * logs
        logged -= _powers(logs, powers[annotator])[1][:, np.newaxis]
        total = gather @ np.einsum("nk,nk->n", others, logged)
        mean_score: Floats = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        return mean_score

    return Calibration(1 / power, count, score(np.ones_like(power)), score(power), floor)


def recalibrated(answers: SoftAnnotations, calibration: Calibration) -> SoftAnnotations:
    """The same answers with every annotator's labels tempered."""
    labels = temper(even_out(answers.labels, calibration.floor), calibration.temperature[answers.annotator])
    return SoftAnnotations(answers.item, answers.annotator, labels, answers.n_items, answers.n_annotators)


def _powers(logs: Floats, power: Floats) -> tuple[Floats, Floats]:
    """The normalised powers [N, K] of what `logs` are logarithms of, and the log of what they were divided by, [N]."""
    raised = logs * power[:, np.newaxis]
    top = raised.max(axis=1, initial=-np.inf)
    raised -= top[:, np.newaxis]
    np.exp(raised, out=raised)
    total = raised.sum(axis=1)
    raised /= total[:, np.newaxis]
    return raised, top + np.log(total)
