"""Dawid and Skene's model for soft answers: true classes, and how each annotator spreads a label over classes.

An answer is one vote that may be divided. Item i has a true class z, of class k with probability p[k]; a label y that
annotator a gives an item of class k has the log likelihood

    sum over l of y[l] log e[a, k, l]

that of the vote with parts y, but for what does not depend on k: the nearer y lies (by Kullback and Leibler) to the
label that a usually gives to items of class k, the better k explains it. Of certain answers this is Dawid and Skene's
own model. Zeros in labels need no repair, an even label says little, and e is learned from means of labels.

A Dirichlet distribution of y for each annotator and class is the richer model, but it cannot stand the zeros and ones
that people do give, and has as many concentrations to learn as 25 answers in ten classes give numbers; its density
runs off to infinity at the corners. The divided vote has neither fault, and is what is here.

e[a, k] has the prior Dirichlet(1 + strength m[k]): as if a had given `strength` answers more to items of each class,
in which m[k], the crowd's own way of answering class k, stood. Somebody with few answers is so taken for one of the
crowd. p has the prior Dirichlet(1 + 1/K). EM climbs to the maximum of the posterior, in two stages that both begin
with the linear pool:

    1. the crowd as one annotator, with one right answer and an even one added for each class: gives m
    2. each annotator apart, with the prior above

What comes out is the probability of each class to be *the true one*. It is surer than a pool, the more answers the
surer, and does not say how ambiguous people find an item: for that, take a pool.

Source: A. P. Dawid and A. M. Skene (1979, see `analysis.dawid_skene`); the shared prior is that of hierarchical models
of annotators, as in B. Paun and others, *Comparing Bayesian Models of Annotation*, TACL 6 (2018), 571-585.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from crowdloom.analysis.annotations import LARGEST, Aggregate, Confusions, SoftAnnotations
from crowdloom.analysis.dawid_skene import ITERATIONS, TOLERANCE, check_iterations, normalise
from crowdloom.analysis.elicited import Bools, Floats
from crowdloom.analysis.pools import weighted_mean

STRENGTH = 20.0
"""Answers of the crowd that each annotator's own are added to, for each true class."""


def soft_dawid_skene(
    answers: SoftAnnotations,
    iterations: int = ITERATIONS,
    tolerance: float = TOLERANCE,
    strength: float = STRENGTH,
    drawn: Floats | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Aggregate:
    """Each item's probabilities of its true class, the classes' frequencies and the annotators' confusions.

    iterations      at most so many in each of the two stages
    tolerance       a stage ends where the log posterior per answer gains less
    strength        of the shared prior, above 0

    Raises ValueError for options out of range, and where annotators times classes squared is too large.

    >>> labels = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.1, 0.9], [0.3, 0.7], [0.4, 0.6]])
    >>> answers = SoftAnnotations(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 2, 0, 1, 2]), labels, 2, 3)
    >>> soft_dawid_skene(answers).probabilities.argmax(axis=1).tolist()
    [0, 1]
    """
    check_iterations(iterations, tolerance)
    k, n_annotators = answers.n_classes, answers.n_annotators
    if not 0 < strength < np.inf:
        raise ValueError(f"the strength of the shared prior is {strength}; it must be a number above 0")
    if n_annotators * k * k > LARGEST:
        raise ValueError(
            f"the confusions of {n_annotators} annotators in {k} classes are too many for soft-dawid-skene; take a pool"
        )
    pool, answered = weighted_mean(answers, answers.labels, np.ones(n_annotators), drawn)
    counts = np.ones(n_annotators) if drawn is None else drawn
    weight = counts[answers.annotator]
    least_gain = tolerance * max(float(weight.sum()), 1.0)
    sums = answers.by_item @ (answers.labels * weight[:, np.newaxis])
    crowd = _Model(sums, (np.eye(k) + 1 / max(k, 1))[np.newaxis], np.ones(1))
    shared = _climb(crowd, pool, answered, iterations, least_gain).errors
    apart = _Model(_votes(answers), strength * shared, counts)
    found = _climb(apart, pool, answered, iterations, least_gain, progress)
    annotator, label = np.divmod(np.arange(n_annotators * k), k)
    return Aggregate(
        "soft-dawid-skene",
        found.truth,
        answered,
        prior=found.prior,
        confusions=Confusions(annotator, label, found.errors.reshape(n_annotators * k, k)),
        history=tuple(found.history),
        converged=found.converged,
    )


@dataclass(frozen=True)
class _Model:
    """M annotators' divided votes [I, M K], what their priors add to them [M or 1, K, K], how often each counts [M].

    The last two axes are label and true class throughout.
    """

    votes: Any
    added: Floats
    counts: Floats


@dataclass
class _Found:
    truth: Floats
    prior: Floats
    errors: Floats
    history: list[float]
    converged: bool


def _climb(
    model: _Model,
    start: Floats,
    answered: Bools,
    iterations: int,
    least_gain: float,
    progress: Callable[[int, int], None] | None = None,
) -> _Found:
    """EM from the items' probabilities `start` [I, K]."""
    prior, errors = _maximise(model, start, answered)
    found = _Found(start, prior, errors, [], converged=False)
    for number in range(iterations if answered.any() else 0):
        log_errors, log_prior = np.log(found.errors), np.log(found.prior)
        counted = (log_errors * model.counts[:, np.newaxis, np.newaxis]).reshape(model.votes.shape[1], len(prior))
        found.truth, likelihood, _ = normalise(model.votes @ counted + log_prior, answered)
        before = np.einsum("mlk,m->", model.added * log_errors, model.counts) + log_prior.mean()
        found.history.append(likelihood + float(before))
        found.prior, found.errors = _maximise(model, found.truth, answered)
        if progress is not None:
            progress(number + 1, iterations)
        if number and found.history[-1] - found.history[-2] < least_gain:
            found.converged = True
            break
    return found


def _maximise(model: _Model, truth: Floats, answered: Bools) -> tuple[Floats, Floats]:
    """The classes' frequencies [K] and the confusions [M, K, K] at the maximum of their posterior, given the truth."""
    k = truth.shape[1]
    prior = (truth.sum(axis=0) + 1 / max(k, 1)) / (answered.sum() + 1)
    errors = (model.votes.T @ truth).reshape(len(model.counts), k, k) + model.added
    return prior, errors / errors.sum(axis=1, keepdims=True)


def _votes(answers: SoftAnnotations) -> Any:
    """Sparse [I, A K]: how much of each annotator's vote for each label each item got."""
    answer, label = np.nonzero(answers.labels)
    column = answers.annotator[answer] * answers.n_classes + label
    shape = (answers.n_items, answers.n_annotators * answers.n_classes)
    return sparse.csr_array((answers.labels[answer, label], (answers.item[answer], column)), shape=shape)
