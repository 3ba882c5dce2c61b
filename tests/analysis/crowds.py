"""Simulated annotators, for tests of what aggregates their answers."""

from __future__ import annotations

import numpy as np

from crowdloom.analysis.annotations import Annotations, SoftAnnotations
from crowdloom.analysis.elicited import Floats, Ints


def noisy(seed: int) -> Annotations:
    """Answers of every quality: ties, items and classes without answers, annotators with one answer or several to
    the same item."""
    rng = np.random.default_rng(seed)
    items, annotators, classes, n = (int(rng.integers(1, most)) for most in (60, 12, 6, 300))
    item, annotator = rng.integers(0, items, n), rng.integers(0, annotators, n)
    truth, skill = rng.integers(0, classes, items), rng.random()
    label = np.where(rng.random(n) < skill, truth[item], rng.integers(0, classes, n))
    once = np.array([0]), np.array([annotators]), np.array([0])  # somebody who answered once
    item, annotator, label = (np.concatenate(both) for both in zip((item, annotator, label), once, strict=True))
    return Annotations(item, annotator, label, items + 1, annotators + 2, classes + 1)


def confusions(rng: np.random.Generator, annotators: int, classes: int, right: float) -> Floats:
    """How so many annotators answer, [A, K, K] of true class and label: about `right` of it right."""
    wrong = rng.dirichlet(np.ones(classes), size=(annotators, classes))
    skill = np.clip(rng.normal(right, 0.1, size=(annotators, 1, 1)), 0.3, 0.98)
    made: Floats = skill * np.eye(classes) + (1 - skill) * wrong
    return made


def crowd(rng: np.random.Generator, truth: Ints, errors: Floats, per_item: int) -> tuple[Ints, Ints]:
    """Which items [N] are answered by whom [N]: every item by so many annotators, at random."""
    who = np.argsort(rng.random((len(truth), len(errors))), axis=1)[:, :per_item]
    return np.repeat(np.arange(len(truth)), per_item), who.reshape(-1).astype(np.intp)


def hard_answers(rng: np.random.Generator, truth: Ints, errors: Floats, per_item: int) -> Annotations:
    """Each answer is drawn from its annotator's way of answering the true class."""
    item, annotator = crowd(rng, truth, errors, per_item)
    chances = errors[annotator, truth[item]].cumsum(axis=1)
    label = (rng.random((len(item), 1)) > chances).sum(axis=1).astype(np.intp)
    return Annotations(
        item, annotator, np.minimum(label, errors.shape[2] - 1), len(truth), len(errors), errors.shape[2]
    )


def soft_answers(
    rng: np.random.Generator, truth: Ints, errors: Floats, per_item: int, concentration: float
) -> SoftAnnotations:
    """Each label is drawn around its annotator's way of answering the true class, by a Dirichlet distribution."""
    item, annotator = crowd(rng, truth, errors, per_item)
    draws = rng.standard_gamma(concentration * errors[annotator, truth[item]])
    return SoftAnnotations(item, annotator, draws / draws.sum(axis=1, keepdims=True), len(truth), len(errors))
