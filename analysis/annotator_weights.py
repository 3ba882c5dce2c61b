"""What each annotator weighs in a pool: by how much they agree with the others, beyond chance.

For annotator a, over their answers to items that somebody else answered, and with TV(p, q) = sum |p - q| / 2:

    s[a] = mean of 1 - TV(p, mean label that all others gave the item)             agreement, leave-one-out
    c[a] = mean of 1 - TV(p, mean label of all answers to all items)               what chance would give
    g[a] = max(0, (s[a] - c[a]) / (1 - c[a]))                                      as Cohen's kappa is made
    w[a] = max(0.05, (n[a] g[a] + 5 m) / (n[a] + 5)),   m the mean of g over such answers

n[a] is the number of such answers: those with few are drawn towards the mean m, as if they had given five answers of
average agreement more. Nobody weighs less than 0.05, so that no item loses its label. The weights returned are divided
by their mean. Somebody who always gives the even label, or everybody's mean label, agrees with the others by chance
only, and gets the least.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdloom.analysis.annotations import SoftAnnotations, others_mean
from crowdloom.analysis.elicited import Floats, Ints

PRIOR_ANSWERS = 5.0
LEAST = 0.05

WEIGHTS = ("equal", "agreement")
"""The names of ways to weigh annotators."""


@dataclass(frozen=True)
class AnnotatorWeights:
    """weight [A], with the mean 1; agreement [A], s above, NaN where nothing is shared; answers [A], n above."""

    weight: Floats
    agreement: Floats
    answers: Ints


def annotator_weights(answers: SoftAnnotations, drawn: Floats | None = None) -> AnnotatorWeights:
    """The weights by the formula at the top of this module.

    >>> item, annotator = np.tile(np.arange(20), 4), np.repeat(np.arange(4), 20)
    >>> truth = np.eye(2)[np.arange(20) % 2]
    >>> answers = SoftAnnotations(item, annotator, np.concatenate([truth, truth, truth, 1 - truth]), 20, 4)
    >>> annotator_weights(answers).weight.round(2).tolist()  # the fourth contradicts
    [1.27, 1.27, 1.27, 0.2]
    """
    others, known = others_mean(answers, drawn)
    weight = np.ones(len(answers)) if drawn is None else drawn[answers.annotator]
    total = max(weight.sum(), 1.0)
    everybody = np.einsum("n,nk->k", weight, answers.labels) / total
    gather = answers.by_annotator[:, known]
    count = np.bincount(answers.annotator[known], minlength=answers.n_annotators)
    some = np.maximum(count, 1)
    mine = answers.labels[known]
    agreed = gather @ (1 - np.abs(mine - others[known]).sum(axis=1) / 2) / some
    chance = gather @ (1 - np.abs(mine - everybody).sum(axis=1) / 2) / some
    room = 1 - chance
    gain = np.divide(agreed - chance, room, out=np.zeros_like(room), where=room > 1e-9)
    gain = np.maximum(gain, 0)
    counted = count if drawn is None else count * drawn
    mean = float(np.sum(counted * gain) / max(counted.sum(), 1))
    raw = np.maximum((count * gain + PRIOR_ANSWERS * mean) / (count + PRIOR_ANSWERS), LEAST)
    present = np.ones(len(raw)) if drawn is None else drawn
    average = float(np.sum(present * raw) / max(present.sum(), 1)) or 1.0
    return AnnotatorWeights(raw / average, np.where(count > 0, agreed, np.nan), count)
