"""Dawid and Skene's model of hard answers: true classes, and how each annotator confuses them.

Source: A. P. Dawid and A. M. Skene, *Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm*,
Applied Statistics 28 (1979), 20-28. Item i has a true class z, of class k with probability p[k]; annotator a says l of
an item of class k with probability e[a, k, l]; answers are independent given z. EM, from the majority vote's shares T:

    M    p[k] = mean over items of T[i, k];    e[a, k, l] = sum of T[i, k] over a's answers l, divided by its sum over l
    E    T[i, k] is proportional to p[k] times the product, over the item's answers, of e[a, k, l]

Both sums run over answers, so each is a product with one sparse matrix of the pairs (annotator, label) that occur by
items: for a million answers some milliseconds. Logarithms keep long products from underflowing.

Start, order and the smallest probability are those of crowd-kit's `DawidSkene` (version 1.4), and so is the end: its
bound (which counts the prior once for each answer) gains less than `tolerance` an answer. So the same options give its
probabilities to within rounding. A class that nobody ever named cannot be true here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from scipy import sparse

from crowdloom.analysis.annotations import Aggregate, Annotations, Confusions
from crowdloom.analysis.elicited import Bools, Floats, Ints
from crowdloom.analysis.majority_vote import vote_shares

ITERATIONS = 100
TOLERANCE = 1e-5
SMALLEST = 1e-10
"""Below this no probability, and no sum of an M step, goes."""


def dawid_skene(
    answers: Annotations,
    iterations: int = ITERATIONS,
    tolerance: float = TOLERANCE,
    drawn: Floats | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Aggregate:
    """Each item's probabilities of its true class, the classes' frequencies and the annotators' confusions.

    iterations      at most so many; with 0 the probabilities are the majority vote's
    tolerance       ends where the bound per answer gains less; -inf makes all iterations

    Raises ValueError for options out of range.

    >>> item, annotator = np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4)
    >>> label = np.array([0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0])  # the third always says the opposite
    >>> found = dawid_skene(Annotations(item, annotator, label, 4, 3, 2))
    >>> found.probabilities.argmax(axis=1).tolist(), found.confusions.dense(3)[2].round(3).tolist()
    ([0, 1, 0, 1], [[0.0, 1.0], [1.0, 0.0]])
    """
    check_iterations(iterations, tolerance)
    shares, answered = vote_shares(answers, drawn)
    possible: Bools = np.einsum("ik->k", shares) > 0
    truth = np.ascontiguousarray(shares[:, possible])
    pairs = _pairs(answers, drawn)
    n_items = int(answered.sum())
    prior, counts, errors = _maximise(pairs, truth, n_items)
    log_errors = np.log(errors) * pairs.weight
    history: list[float] = []
    bound, converged = -np.inf, False
    for number in range(iterations if n_items else 0):
        logs = pairs.by_item @ log_errors
        logs += np.log(prior)
        truth, likelihood, entropy = normalise(logs, answered)
        history.append(likelihood)
        prior, counts, errors = _maximise(pairs, truth, n_items)
        log_errors = np.log(errors) * pairs.weight
        expected = np.einsum("pk,pk->", counts, log_errors + pairs.weight * np.log(prior))
        gained = (float(expected) + entropy) / pairs.n_answers
        if progress is not None:
            progress(number + 1, iterations)
        converged = gained - bound < tolerance
        if converged:
            break
        bound = gained
    return Aggregate(
        "dawid-skene",
        _spread(truth, possible),
        answered,
        prior=_spread(truth.sum(axis=0, keepdims=True) / max(n_items, 1), possible)[0],
        confusions=_confusions(pairs, errors, possible),
        history=tuple(history),
        converged=converged,
    )


def check_iterations(iterations: int, tolerance: float) -> None:
    """Raise ValueError where an EM cannot run so."""
    if iterations < 0:
        raise ValueError(f"{iterations} iterations were asked for; ask for 0 or more")
    if np.isnan(tolerance):
        raise ValueError("the tolerance is no number; give one such as 0.00001")


def normalise(logs: Floats, answered: Bools) -> tuple[Floats, float, float]:
    """The end of an E step: rows of logs [I, K] as probabilities, the log likelihood and the entropy, in nats.

    Items that nobody answered get zeros, and add to neither. `logs` is overwritten.
    """
    if not len(logs):
        return np.zeros_like(logs), 0.0, 0.0
    # Over few columns, these are several times as fast as max and sum along the rows.
    top = reduce(np.maximum, logs.T)
    logs -= top[:, np.newaxis]
    truth: Floats = np.exp(logs)
    total = np.einsum("ik->i", truth)
    truth /= total[:, np.newaxis]
    total = np.log(total)
    inside = np.einsum("ik,ik->i", truth, logs)  # exp(-800) times -800 is 0, so nothing here is undefined
    if not answered.all():
        truth[~answered] = 0
        top, total, inside = top[answered], total[answered], inside[answered]
    return truth, float(top.sum() + total.sum()), float(total.sum() - inside.sum())


@dataclass(frozen=True)
class _Pairs:
    """The P pairs (annotator, label) that occur, by annotator, and the answers as a sparse matrix of counts."""

    annotator: Ints
    label: Ints
    starts: Ints
    """Where each annotator's pairs begin."""
    lengths: Ints
    by_item: Any
    """[I, P]"""
    weight: Floats
    """[P, 1] How often the pair's annotator counts."""
    n_answers: float


def _pairs(answers: Annotations, drawn: Floats | None) -> _Pairs:
    k = answers.n_classes
    code = answers.annotator * k + answers.label
    if answers.n_annotators * k <= 4 * len(code) + 1_000_000:  # counting is faster than sorting where it is not sparse
        occurs = np.bincount(code, minlength=answers.n_annotators * k) > 0
        pairs, which = np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[code]
    else:
        pairs, which = np.unique(code, return_inverse=True)
    annotator, label = pairs // k, pairs % k
    _, starts, lengths = np.unique(annotator, return_index=True, return_counts=True)
    by_item = sparse.csr_array((np.ones(len(code)), (answers.item, which)), shape=(answers.n_items, len(pairs)))
    weight = np.ones(len(pairs)) if drawn is None else drawn[annotator]
    n_answers = float(len(code) if drawn is None else drawn[answers.annotator].sum())
    return _Pairs(annotator, label, starts, lengths, by_item, weight[:, np.newaxis], max(n_answers, 1.0))


def _maximise(pairs: _Pairs, truth: Floats, n_items: int) -> tuple[Floats, Floats, Floats]:
    """The M step: the classes' frequencies [K], the sums [P, K] and the confusions [P, K] that they give."""
    prior = np.maximum(np.einsum("ik->k", truth) / max(n_items, 1), SMALLEST)
    counts: Floats = pairs.by_item.T @ truth
    errors = np.maximum(counts, SMALLEST)
    if len(errors):
        errors /= np.repeat(np.add.reduceat(errors, pairs.starts), pairs.lengths, axis=0)
    return prior, counts, errors


def _spread(values: Floats, possible: Bools) -> Floats:
    """Columns of the possible classes among those of all."""
    full = np.zeros((len(values), len(possible)))
    full[:, possible] = values
    return full


def _confusions(pairs: _Pairs, errors: Floats, possible: Bools) -> Confusions:
    """For a class that cannot be true nothing is known; each annotator's labels then share evenly, as crowd-kit's."""
    full = np.repeat(1 / np.repeat(pairs.lengths, pairs.lengths)[:, np.newaxis], len(possible), axis=1)
    full[:, possible] = errors
    return Confusions(pairs.annotator, pairs.label, full)
