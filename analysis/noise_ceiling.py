"""The noise ceiling: how well people's answers are predicted by people, beside which a model's score is read.

    own first answer    of the repeats: the same person's first answer to the same item, as in test and retest. It is
                        one noisy answer, so that a mean of many others may predict the repeat better; and whoever
                        remembers the first answer, minutes later, repeats it better than they know.
    all others          all other people's first answers to the item (in the condition): their mean, or of choices the
                        one that most of them made. What a crowd of that size knows.
    its own entropy     of labels: the least cross entropy that any prediction could have, if answers were drawn from
                        the labels that are predicted.
    a model             the caller's predictions, of the very same answers.

The first two bound no model: one that averages more noise out may do better.
Intervals are 95 % percentiles over resamples of the people who are predicted; the crowd that predicts them stays fixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from crowdloom.analysis.bootstrap import SAMPLES
from crowdloom.analysis.elicited import Bools, Elicited, Floats, Ints
from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.labels import build_labels, entropy, parse_variety
from crowdloom.analysis.others import repeats_and_firsts, sums_of_others, units_of
from crowdloom.analysis.predicted import Ceiling, People
from crowdloom.analysis.summary import Table
from crowdloom.analysis.wasserstein import total_variation

__all__ = [
    "Ceiling",
    "ceiling_table",
    "ceiling_words",
    "cross_entropy",
    "mixing_ceiling",
    "share_of_top",
    "soft_label_ceiling",
    "wrong_label_ceiling",
]

OWN, OTHERS, ANOTHER, ITSELF = "own first answer", "all others", "another person", "its own entropy"
REPEATS, FIRSTS = "repeats", "first answers"
CROSS_ENTROPY, VARIATION, SAME_TOP = "cross entropy (nats)", "total variation", "same most probable class"

SMOOTHING = 0.01
"""Of every label that predicts so much is uniform: people rule classes out, and are wrong at times."""


def soft_label_ceiling(
    frame: pd.DataFrame,
    classes: Sequence[str],
    rng: np.random.Generator,
    predictions: Mapping[str, pd.DataFrame] | None = None,
    samples: int = SAMPLES,
) -> list[Ceiling]:
    """Labels (T2-clamp, gamma 0.1): cross entropy, total variation and the share with the same most probable class.

    `predictions` are those of models, by name: a label for each item, [items, classes], with the items in the index.
    An item that a model does not know is left out of its score. Where several classes of a prediction are the most
    probable, each counts its share. Raises FrameError where a model lacks a class.
    """
    elicited = Elicited.from_frame(frame, classes)
    labels, kept = build_labels(elicited, parse_variety("T2-clamp"), gamma=0.1)
    people, is_first = People(frame), ~frame["is_repeat"].to_numpy(dtype=bool)
    known = {OTHERS: _divided(*sums_of_others(units_of(frame), people.of, labels, is_first & kept))}
    for name, said in (predictions or {}).items():
        if missing := [each for each in classes if each not in said]:
            raise FrameError(f"the predictions of {name} have no column {missing[0]}; give one for each class")
        known[name] = said[list(classes)].reindex(frame["item"].tolist()).to_numpy(dtype=np.float64)
    repeat, first = _both(*repeats_and_firsts(frame), kept)
    for predicted, rows in ((REPEATS, repeat), (FIRSTS, np.flatnonzero(is_first & kept))):
        given = labels[rows]
        for by in [*([OWN] if predicted == REPEATS else []), *known]:
            label = labels[first] if by == OWN else known[by][rows]
            same = (
                (elicited.top1[rows] == elicited.top1[first]).astype(np.float64)
                if by == OWN
                else share_of_top(label, elicited.top1[rows])
            )
            people.mean(CROSS_ENTROPY, predicted, by, rows, cross_entropy(given, label))
            people.mean(VARIATION, predicted, by, rows, total_variation(given, label))
            people.mean(SAME_TOP, predicted, by, rows, same)
        people.mean(CROSS_ENTROPY, predicted, ITSELF, rows, entropy(given))
    return people.ceilings(rng, samples)


def mixing_ceiling(
    frame: pd.DataFrame,
    rng: np.random.Generator,
    predictions: Mapping[str, pd.Series] | None = None,
    samples: int = SAMPLES,
) -> list[Ceiling]:
    """Inferred coefficients, confidences and midpoints, as far as asked: mean |difference| and Pearson's r.

    `predictions` are those of models (or lambda_f) of `inferred`, by name, with the items in the index.
    """
    people, is_first, unit = People(frame), ~frame["is_repeat"].to_numpy(dtype=bool), units_of(frame)
    pairs = repeats_and_firsts(frame)
    asked = [name for name in ("inferred", "confidence", "midpoint") if frame[name].notna().any()]
    for name in asked or ["inferred"]:
        value = frame[name].to_numpy(dtype=np.float64)
        given = ~np.isnan(value)
        known = {OTHERS: _divided(*sums_of_others(unit, people.of, value[:, np.newaxis], is_first & given))[:, 0]}
        if name == "inferred":
            for model, said in (predictions or {}).items():
                known[model] = said.reindex(frame["item"].tolist()).to_numpy(dtype=np.float64)
        repeat, first = _both(*pairs, given)
        for predicted, rows in ((REPEATS, repeat), (FIRSTS, np.flatnonzero(is_first & given))):
            own = {OWN: value[first]} if predicted == REPEATS else {}
            for by, guess in (own | {each: guess[rows] for each, guess in known.items()}).items():
                people.mean(f"|difference|, {name}", predicted, by, rows, np.abs(value[rows] - guess))
                people.correlation(f"Pearson's r, {name}", predicted, by, rows, value[rows], guess)
    return people.ceilings(rng, samples)


def wrong_label_ceiling(
    frame: pd.DataFrame,
    rng: np.random.Generator,
    predictions: Mapping[str, pd.Series] | None = None,
    samples: int = SAMPLES,
) -> list[Ceiling]:
    """Choices: the share of the same ones. `another person` is one of the others at random.

    Where several choices are the others' most frequent, each counts its share. `predictions` are those of models, by
    name: a class for each item, with the items in the index.
    """
    people, is_first = People(frame), ~frame["is_repeat"].to_numpy(dtype=bool)
    choice, options = pd.factorize(frame["choice"])
    chose = choice[:, np.newaxis] == np.arange(len(options))
    given = choice >= 0
    sums, number = sums_of_others(units_of(frame), people.of, chose.astype(np.float64), is_first & given)
    shares = _divided(sums, number)
    position = {name: code for code, name in enumerate(options)}
    repeat, first = _both(*repeats_and_firsts(frame), given)
    for predicted, rows in ((REPEATS, repeat), (FIRSTS, np.flatnonzero(is_first & given))):
        known = {OWN: (choice[rows] == choice[first]).astype(np.float64)} if predicted == REPEATS else {}
        known[OTHERS] = share_of_top(shares[rows], choice[rows])
        known[ANOTHER] = shares[rows, choice[rows]]
        for model, said in (predictions or {}).items():
            guess = said.reindex(frame["item"].iloc[rows].tolist())
            same = (guess.map(position).to_numpy(dtype=np.float64) == choice[rows]).astype(np.float64)
            known[model] = np.where(guess.isna(), np.nan, same)
        for by, same in known.items():
            people.mean("same choice", predicted, by, rows, same)
    return people.ceilings(rng, samples)


def ceiling_table(found: Sequence[Ceiling]) -> Table:
    """One row for each measure of each predictor; `ceiling_words` say what these are."""
    labels = any(one.measure == CROSS_ENTROPY for one in found)
    smoothed = f"for cross entropy alone, every predicting label is {1 - SMOOTHING:.0%} itself, {SMOOTHING:.0%} uniform"
    return Table(
        "How well answers are predicted; 95 % intervals by bootstrap over people" + (f"; {smoothed}" if labels else ""),
        pd.DataFrame(
            {
                **{name: [getattr(one, name) for one in found] for name in ("predicted", "by", "answers", "people")},
                **{
                    name: pd.Series([getattr(one, name) for one in found], dtype=float).tolist()
                    for name in ("value", "low", "high")
                },
                "problem": [one.problem for one in found],
            },
            index=pd.Index([one.measure for one in found], name="measure", dtype=object),
        ),
    )


def ceiling_words(found: Sequence[Ceiling]) -> str:
    """What the predictors of a table are, in sentences to stand below it."""
    said = [
        "Own first answer: test and retest of one person, whom memory may help; it is a single noisy answer, and the "
        "mean of many others, or a model, may do better.",
        "All others: what a crowd of that size knows.",
    ]
    if any(one.by == ANOTHER for one in found):
        said.append("Another person: one of them at random.")
    if any(one.by == ITSELF for one in found):
        said.append(
            "Its own entropy: the least cross entropy any prediction could have if answers were drawn from those "
            "labels."
        )
    return " ".join(said)


def cross_entropy(labels: Floats, predictions: Floats) -> Floats:
    """-sum t log p of labels t and predictions p, [N, K] each, in nats; NaN where the prediction is.

    p is mixed with `SMOOTHING` of the uniform label, so that what was ruled out and happens is no infinity.

    >>> cross_entropy(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])).round(3).tolist()
    [5.298]
    """
    mixed = (1 - SMOOTHING) * predictions  # and all that follows in its place: these may be a million labels
    mixed += SMOOTHING / labels.shape[1]
    np.log(mixed, out=mixed)
    mixed *= labels
    nats: Floats = -mixed.sum(axis=1)
    return nats


def _both(repeat: Ints, first: Ints, given: Bools) -> tuple[Ints, Ints]:
    """The pairs of which both were given."""
    some = given[repeat] & given[first]
    return repeat[some], first[some]


def _divided(sums: Floats, number: Ints) -> Floats:
    """Means, in the place of the sums; NaN where there is nobody."""
    sums /= np.maximum(number, 1)[:, np.newaxis]
    sums[number == 0] = np.nan
    return sums


def share_of_top(label: Floats, chosen: Ints) -> Floats:
    """1 where the class chosen [N] is the most probable one of a label [N, K], 1/n where it is one of n, else 0.

    NaN where the label is. A class of -1 is none.

    >>> share_of_top(np.array([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]]), np.array([1, 1])).tolist()
    [0.5, 0.0]
    """
    most = label >= label.max(axis=1, keepdims=True, initial=0.0) - 1e-12
    named = chosen >= 0
    found = np.where(named, most[np.arange(len(label)), chosen] / np.maximum(most.sum(axis=1), 1), 0.0)
    return np.where(np.isnan(label).any(axis=1), np.nan, found)
