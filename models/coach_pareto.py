"""How a coach does on test pictures, at which weights: accuracy, change and ink, and which weights are worth it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import torch

from crowdloom.analysis.coach_pareto import non_dominated
from crowdloom.models.coach_conditioned import inputs_of
from crowdloom.models.coach_data import CoachData
from crowdloom.models.coach_folder import Tradeoff, Weights
from crowdloom.models.coach_networks import Classifier, Coach
from crowdloom.models.coach_training import computing
from crowdloom.tasks.coach_options import CoachOptions

USUAL = Weights(*(CoachOptions.model_fields[name].default for name in Weights._fields))
"""Those of a design that says nothing."""
_EVERY = product((0, 0.03, 0.1, 0.3, 1), (0, 8), (0, 0.1, 0.5))
GRID = tuple(dict.fromkeys((USUAL, *(Weights(*map(float, one)) for one in _EVERY))))
COMPARED = (Weights(0.0, 0.0, 0.0), Weights(0.3, 0.0, 0.0), USUAL)
"""Weights for which coaches of their own are trained, to see how far off the coach of all weights is."""
_AT_ONCE = 100


def tradeoffs(
    coach: Coach,
    classifier: Classifier,
    data: CoachData,
    grid: Sequence[Weights] = GRID,
    *,
    most: int,
    on_step: Callable[[int, int], None],
) -> tuple[Tradeoff, ...]:
    """How a conditioned coach does at each of the weights of a grid, on the first `most` test pictures.

    Proposals are rounded to bytes, as people and the recogniser get them. `on_step(done, of)` is called after each.
    """
    found = []
    for number, weights in enumerate(grid, 1):
        found.append(tradeoff(coach, classifier, data, weights, most=most))
        on_step(number, len(grid))
    costs = np.array([(1 - one.accuracy, one.change, one.ink) for one in found])
    return tuple(one._replace(best=bool(best)) for one, best in zip(found, non_dominated(costs), strict=True))


def tradeoff(coach: Coach, classifier: Classifier, data: CoachData, weights: Weights, *, most: int) -> Tradeoff:
    """How a conditioned coach does at some weights, on the first `most` test pictures; never marked as best."""
    labels = torch.from_numpy(data.test_labels[:most])
    pictures = torch.from_numpy(data.test_images[:most])[:, None].float() / 255
    with computing().in_use(), torch.inference_mode():
        inputs = inputs_of(torch.tensor([weights]))[:, None].expand(len(labels), 1, -1)
        parts = [one.split(_AT_ONCE) for one in (pictures, labels[:, None], inputs)]
        proposals = torch.cat([coach(*one) for one in zip(*parts, strict=True)])
        shown = (255 * proposals.clamp(max=1)).round() / 255
        ink = float(pictures.sum())
        return Tradeoff(
            weights,
            accuracy=float((classifier(shown).argmax(1) == labels).float().mean()),
            change=float((shown - pictures).abs().sum()) / ink,
            ink=float(shown.sum()) / ink,
            best=False,
        )
