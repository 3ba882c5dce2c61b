"""Seconds per answer by the kind of information that it gives.

The time is rt_ms, from showing the item to handing the answer in. Kinds are those that an answer happens to be of:
where people choose what they tell (a second class, impossible ones), a kind says how long such answers took, and not
what it costs to ask for it, for items on which there is more to say may take longer whatever is said.

Source: K. M. Collins (MPhil thesis, Cambridge, 2022), sections 3.3.4 and 3.3.5, which had to suppose that each kind of
information takes equally long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crowdloom.analysis.bootstrap import SAMPLES
from crowdloom.analysis.elicited import Floats, Ints
from crowdloom.analysis.resamples import interval, resample
from crowdloom.analysis.summary import Table

FIRSTS, REPEATS, ALL = "all first answers", "all repeats", "all answers"


@dataclass(frozen=True)
class TimeSpent:
    """Seconds per answer of one kind, over answers; 95 % intervals over resamples of the people."""

    kind: str
    answers: int
    people: int
    median: float | None
    median_low: float | None
    median_high: float | None
    mean: float | None
    mean_low: float | None
    mean_high: float | None
    problem: str | None = None
    """Why there is no time, or no interval."""


def soft_label_kinds(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """A second class is one that was named, with or without its probability; impossible ones are one tick or more."""
    second, ticked = frame["top2"].notna(), frame["impossible"].map(len) > 0
    return {
        "most probable class only": ~second & ~ticked,
        "most probable and second class": second & ~ticked,
        "most probable and impossible classes": ~second & ticked,
        "most probable, second and impossible classes": second & ticked,
    }


def mixing_kinds(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """What was answered: a coefficient, with a confidence or without, or a midpoint."""
    inferred, sure = frame["inferred"].notna(), frame["confidence"].notna()
    return {
        "inferred coefficient only": inferred & ~sure,
        "inferred coefficient and confidence": inferred & sure,
        "midpoint": frame["midpoint"].notna(),
    }


def wrong_label_kinds(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """A choice in each of the conditions, which differ in what is shown."""
    return {f"choice, {name}": frame["condition"] == name for name in sorted(set(frame["condition"]))}


def latent_kinds(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """A session in each of the scenarios, which are the items."""
    return {f"session, {name}": frame["item"] == name for name in sorted(set(frame["item"]))}


def coach_kinds(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """A trial in which the coach proposed something, and one in which it did not."""
    return {"coached trial": frame["coached"] == 1, "uncoached trial": frame["coached"] == 0}


KINDS: dict[str, Callable[[pd.DataFrame], dict[str, pd.Series]]] = {
    "soft-label": soft_label_kinds,
    "mixing-coefficient": mixing_kinds,
    "wrong-label": wrong_label_kinds,
    "latent-session": latent_kinds,
    "coach": coach_kinds,
}
"""For each task, which answers of its frame are of each kind."""


def time_spent(task: str, frame: pd.DataFrame, rng: np.random.Generator, samples: int = SAMPLES) -> list[TimeSpent]:
    """The times of first answers of each kind that there is, then of all first answers, all repeats and all answers.

    Answers without a time do not count. The frame was checked at the door.
    """
    is_repeat = frame["is_repeat"].astype(bool)
    kinds = {name: some & ~is_repeat for name, some in KINDS[task](frame).items()}
    kinds = {name: some for name, some in kinds.items() if some.any()}
    kinds |= {FIRSTS: ~is_repeat, REPEATS: is_repeat, ALL: pd.Series(True, index=frame.index)}
    person, ms = pd.factorize(frame["participant"])[0], frame["rt_ms"].to_numpy(dtype=np.float64)
    found = []
    for name, some in kinds.items():
        rows = some.to_numpy(dtype=bool)
        found.append(_spent(name, person[rows], ms[rows], rng, samples))
    return found


def times_table(found: Sequence[TimeSpent]) -> Table:
    """One row for each kind of answers."""
    names = ("median", "median_low", "median_high", "mean", "mean_low", "mean_high")
    return Table(
        "Seconds per answer, over answers of each kind; 95 % intervals by bootstrap over people",
        pd.DataFrame(
            {
                "answers": [one.answers for one in found],
                "people": [one.people for one in found],
                **{
                    name.replace("_", " "): pd.Series([getattr(one, name) for one in found], dtype=float).tolist()
                    for name in names
                },
                "problem": [one.problem for one in found],
            },
            index=pd.Index([one.kind for one in found], name="answers that give", dtype=object),
        ),
    )


def _spent(kind: str, person: Ints, ms: Floats, rng: np.random.Generator, samples: int) -> TimeSpent:
    """Of the answers of a kind, each by a person [N] in so many milliseconds [N] or NaN."""
    timed = ~np.isnan(ms)
    if not timed.any():
        problem = "No such answer says how long it took." if len(ms) else "There is no such answer."
        return TimeSpent(kind, 0, 0, *(None,) * 6, problem=problem)
    person, people = pd.factorize(person[timed])
    seconds = ms[timed] / 1000
    about = (kind, len(seconds), len(people))
    median, mean = float(np.median(seconds)), float(seconds.mean())
    if len(people) < 2:
        problem = "One person says nothing of how much others would differ."
        return TimeSpent(*about, median, None, None, mean, None, None, problem=problem)
    drawn = resample(_median_and_mean(seconds, person, len(people)), len(people), rng, samples)
    return TimeSpent(*about, median, *interval(drawn[:, 0]), mean, *interval(drawn[:, 1]))


def _median_and_mean(seconds: Floats, person: Ints, people: int) -> Callable[[Floats], Floats]:
    """What gives the median and the mean, [B, 2], of resamples in which each person stands weights [B, people] times.

    The values are sorted once. A median lies among the middle ones in all but the strangest draws: the share of answers
    below it varies by about 1 / (2 sqrt(people)) at most, unless a few people gave most answers. Where it lies beyond
    them, all values are gone through.
    """
    order = np.argsort(seconds)
    ranked, who = seconds[order], person[order]
    n, aside = len(ranked), 2 / np.sqrt(people)
    start, end = max(0, int(n * (0.5 - aside))), min(n, int(n * (0.5 + aside)) + 1)
    of_person = np.stack(
        [
            np.bincount(who, minlength=people),
            np.bincount(who[:start], minlength=people),
            np.bincount(who, weights=ranked, minlength=people),
        ],
        axis=1,
    ).astype(np.float64)

    def both(weights: Floats) -> Floats:
        found = np.empty((len(weights), 2))
        for number, (drawn, (total, below, spent)) in enumerate(zip(weights, weights @ of_person, strict=True)):
            median = _middle(ranked[start:end], drawn[who[start:end]], total / 2 - below)
            found[number, 0] = _middle(ranked, drawn[who], total / 2) if median is None else median
            found[number, 1] = spent / total
        return found

    return both


def _middle(ranked: Floats, weights: Floats, half: float) -> float | None:
    """The median of ranked values that each stand there `weights` times, where `half` of all come before it.

    Of two in the middle their mean; None where it does not lie among these values.
    """
    reached = np.cumsum(weights)
    if not 0 < half < reached[-1]:
        return None
    low, high = np.searchsorted(reached, half, "left"), np.searchsorted(reached, half, "right")
    return float(ranked[low] + ranked[high]) / 2
