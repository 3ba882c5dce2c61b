"""Coefficients of agreement between people with their intervals: 95 % percentiles over resamples of the items.

Which people there are stays fixed. What is undefined is None with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crowdloom.analysis.alpha import Level, alpha_problem, alphas, pairable
from crowdloom.analysis.elicited import Floats, Ints
from crowdloom.analysis.icc import ONE_WAY, TWO_WAY, complete_blocks, one_way, two_way
from crowdloom.analysis.kappa import coder_agreement
from crowdloom.analysis.resamples import interval

Resampler = Callable[[Callable[[Floats], Floats], int], Floats]
"""Of a statistic and a number of units the resamples; `resamples.resample` with everything else given."""


@dataclass(frozen=True)
class Agreement:
    """One coefficient of agreement with its interval, or why there is none."""

    measure: str
    of: str
    """The column, and the condition where there are several."""
    items: int
    """Items (in a condition) that count."""
    answers: int
    """Answers to these."""
    value: float | None
    low: float | None = None
    high: float | None = None
    """95 % interval."""
    problem: str | None = None
    """Why there is no value, or no interval."""


@dataclass(frozen=True)
class Asked:
    """Answers [N], one of a person to an item, with the numbers of what they belong to."""

    of: str
    item: Ints
    person: Ints
    block: Ints
    """In which batch (in a condition)."""
    value: Floats
    """NaN where there is none; of classes the position in `names`."""
    names: Sequence[str] = ()


def alpha_of(asked: Asked, level: Level, draw: Resampler) -> Agreement:
    """Krippendorff's alpha."""
    answers = pairable(asked.item, asked.value)
    items = len(answers.items)
    about: dict[str, Any] = {"of": asked.of, "items": items, "answers": int(answers.sizes.sum())}
    measure = f"Krippendorff's alpha ({level})"
    if problem := alpha_problem(answers):
        return Agreement(measure, **about, value=None, problem=problem)
    value = float(alphas(answers, level, np.ones((1, items)))[0])
    return Agreement(measure, **about, value=value, **_interval(lambda w: alphas(answers, level, w), items, draw))


def options_agreement(asked: Asked, options: int, draw: Resampler) -> Agreement:
    """Brennan and Prediger's coefficient, (P - 1/q) / (1 - 1/q), of answers that choose among q options each.

    P is the mean over items with two answers of the share of their pairs that agree. Chance is what choosing at random
    among the options of an item gives, whatever these are; alpha and kappa take it from how often each class is chosen
    over all items, which is less where an item offers a few of many classes. Brennan and Prediger (1981), Educational
    and Psychological Measurement 41.
    """
    answers = pairable(asked.item, asked.value)
    items, sizes = len(answers.items), answers.sizes.astype(np.float64)
    about: dict[str, Any] = {"of": asked.of, "items": items, "answers": int(sizes.sum())}
    measure = f"Brennan-Prediger ({options} options an item)"
    if not items:
        return Agreement(measure, **about, value=None, problem="No item has two answers.")
    same = (np.asarray(answers.counts.power(2).sum(axis=1)).ravel() - sizes) / (sizes * (sizes - 1))
    corrected = (same - 1 / options) / (1 - 1 / options)
    value = float(corrected.mean())
    return Agreement(measure, **about, value=value, **_interval(lambda w: w @ corrected / w.sum(axis=1), items, draw))


def kappa_of(asked: Asked, draw: Resampler) -> Agreement:
    """Cohen's kappa where there are just two people, with its own large-sample interval; else Fleiss'.

    Fleiss' kappa wants as many answers to each item: it is of the items with the number of answers that most have.
    """
    known = ~np.isnan(asked.value)
    if len(set(asked.person[known])) == 2:
        category = [asked.names[int(code)] for code in asked.value[known]]
        coded = {"item": asked.item[known], "coder": asked.person[known].astype(str), "category": category}
        both = coder_agreement(pd.DataFrame(coded)).overall
        if not both.items:
            return Agreement("Cohen's kappa", asked.of, 0, 0, None, problem="No item has two answers.")
        return Agreement(
            "Cohen's kappa", asked.of, both.items, 2 * both.items, both.value, both.low, both.high, both.problem
        )
    return _fleiss(asked, draw)


def correlations_of(asked: Asked, draw: Resampler) -> list[Agreement]:
    """The six intraclass correlations of `analysis.icc`."""
    return [*_one_way(asked, draw), *_two_way(asked, draw)]


def _fleiss(asked: Asked, draw: Resampler) -> Agreement:
    from statsmodels.stats.inter_rater import fleiss_kappa

    answers = pairable(asked.item, asked.value)
    if not len(answers.items):
        return Agreement("Fleiss' kappa", asked.of, 0, 0, None, problem="No item has two answers.")
    people = int(np.argmax(np.bincount(answers.sizes)))
    counts = answers.counts[answers.sizes == people].toarray()
    items = len(counts)
    about = (f"Fleiss' kappa ({people} answers an item)", asked.of, items, items * people)
    if np.count_nonzero(counts.sum(axis=0)) < 2:
        problem = "All answers are the same, so chance alone would make them agree and kappa is not defined."
        return Agreement(*about, None, problem=problem)
    same = np.sum(counts * (counts - 1), axis=1) / (people * (people - 1))

    def kappas(weights: Floats) -> Floats:
        """Fleiss (1971), equations 5 to 7, of each resample: as statsmodels', but many at a time."""
        drawn = weights.sum(axis=1)
        observed = weights @ same / drawn
        chance = np.sum((weights @ counts / (drawn * people)[:, np.newaxis]) ** 2, axis=1)
        found = np.full(len(weights), np.nan)
        np.divide(observed - chance, 1 - chance, out=found, where=chance < 1 - 1e-12)
        return found

    return Agreement(*about, float(fleiss_kappa(counts)), **_interval(kappas, items, draw))


def _one_way(asked: Asked, draw: Resampler) -> list[Agreement]:
    known = ~np.isnan(asked.value)
    item, value = asked.item[known], asked.value[known]
    sizes = np.bincount(item).astype(np.float64)
    means = np.bincount(item, weights=value) / np.maximum(sizes, 1)
    squares = np.asarray(np.bincount(item, weights=(value - means[item]) ** 2), dtype=np.float64)
    several = sizes > 1
    counted = (int(several.sum()), int(sizes[several].sum()))
    if counted[0] < 2:
        return _none(ONE_WAY, asked, counted, "Fewer than two items have two answers.")
    centred = means[several] - means[several].mean()
    return _correlations(
        asked, counted, lambda weights: one_way(sizes[several], centred, squares[several], weights), draw
    )


def _two_way(asked: Asked, draw: Resampler) -> list[Agreement]:
    blocks = complete_blocks(asked.block, asked.item, asked.person, asked.value)
    counted = (sum(block[..., 0].size for block in blocks), sum(block.size for block in blocks))
    if not blocks:
        return _none(TWO_WAY, asked, counted, "In no batch have all people, two or more, answered the same two items.")
    return _correlations(asked, counted, lambda weights: two_way(blocks, weights), draw)


def _correlations(
    asked: Asked, counted: tuple[int, int], statistic: Callable[[Floats], dict[str, Floats]], draw: Resampler
) -> list[Agreement]:
    def stacked(weights: Floats) -> Floats:
        return np.stack(list(statistic(weights).values()), axis=1)

    values = {name: float(value[0]) for name, value in statistic(np.ones((1, counted[0]))).items()}
    drawn = draw(stacked, counted[0])
    found = []
    for number, (name, value) in enumerate(values.items()):
        if np.isnan(value):
            found += _none([name], asked, counted, "The answers vary too little to tell items and people apart.")
        else:
            low, high = interval(drawn[:, number])
            found.append(Agreement(name, asked.of, *counted, value, low, high))
    return found


def _none(names: Sequence[str], asked: Asked, counted: tuple[int, int], problem: str) -> list[Agreement]:
    return [Agreement(name, asked.of, *counted, None, problem=problem) for name in names]


def _interval(statistic: Callable[[Floats], Floats], items: int, draw: Resampler) -> dict[str, Any]:
    if items < 2:
        return {"problem": "One item says nothing of how much others would differ."}
    low, high = interval(draw(statistic, items))
    return {"low": low, "high": high}
