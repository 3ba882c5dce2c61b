"""Majority vote: the share of an item's answers that each class got.

As a soft label these shares are P_multi of section 2.3.2 of K. M. Collins, *Improving Machine Learning Systems by
Eliciting and Incorporating Additional Human Knowledge* (MPhil thesis, Cambridge, 2022), the labels of CIFAR-10H; the
class with the largest share is the majority's.
"""

from __future__ import annotations

import numpy as np

from crowdloom.analysis.annotations import Aggregate, Annotations
from crowdloom.analysis.elicited import Bools, Floats


def majority_vote(answers: Annotations, drawn: Floats | None = None) -> Aggregate:
    """The shares [I, K] of every item's answers.

    >>> item, annotator, label = np.array([0, 0, 0, 1]), np.array([0, 1, 2, 0]), np.array([1, 1, 0, 0])
    >>> majority_vote(Annotations(item, annotator, label, 2, 3, 2)).probabilities.round(3).tolist()
    [[0.333, 0.667], [1.0, 0.0]]
    """
    shares, answered = vote_shares(answers, drawn)
    return Aggregate("majority-vote", shares, answered)


def vote_shares(answers: Annotations, drawn: Floats | None = None) -> tuple[Floats, Bools]:
    """The shares [I, K], and which items have an answer that counts, [I]."""
    i, k = answers.n_items, answers.n_classes
    weight = None if drawn is None else drawn[answers.annotator]
    place = answers.item * k
    place += answers.label
    votes = np.bincount(place, weights=weight, minlength=i * k).reshape(i, k)
    total = np.einsum("ik->i", votes)  # over few columns several times as fast as sum
    shares: Floats = votes / np.maximum(total, 1)[:, np.newaxis]
    answered: Bools = total > 0
    return shares, answered
