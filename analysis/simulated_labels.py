"""Simulated labels beside collected ones of the same images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdloom.analysis.label_pools import LabelPool
from crowdloom.analysis.labels import entropy

FEW = 2
"""A label of so many classes at most is made of a most probable and a second class alone."""


@dataclass(frozen=True)
class PoolNumbers:
    """What the labels of a pool are like, in the mean.

    entropy          of single labels, nats
    mean_entropy     of the images' mean labels, nats; it grows with the number of labels that differ
    highest          the probability of a single label's most probable class
    few              the share of single labels with mass on at most two classes
    """

    entropy: float
    mean_entropy: float
    highest: float
    few: float


def pool_numbers(pool: LabelPool) -> PoolNumbers:
    """The numbers of a pool that has images.

    >>> from crowdloom.analysis.label_pools import pool_of
    >>> pool_numbers(pool_of(np.array([[0.5, 0.5, 0.0], [0.5, 0.25, 0.25]])))
    PoolNumbers(entropy=0.8664, mean_entropy=0.8664, highest=0.5, few=0.5)
    """
    few = np.count_nonzero(pool.labels, axis=1) <= FEW
    values = (entropy(pool.labels), entropy(pool.mean()), pool.labels.max(axis=1), few)
    return PoolNumbers(*(round(float(value.mean()), 4) for value in values))
