"""What the tests of a study of the task `coach` found, in sentences, and how little."""

from __future__ import annotations

from crowdloom.analysis.assumptions import p_words
from crowdloom.analysis.coach_tests import Compared

FEW = 10
"""People on a side, below which nobody can see whether their means are anything like normal, as t intervals suppose."""


def change_sentences(one: Compared, who: str) -> list[str]:
    """What coaching changed in a measure that is a share or a probability.

    `who` says whose trials are compared, as `Between 20 coached and 20 control people`.
    """
    test = one.test
    if one.first is None or one.second is None or test.estimate is None:
        return [f"{who}, {one.measure.title}: nothing can be compared, since {test.problem}."]
    said = (
        f"{who}, {one.measure.title}: from first to second attempts {points(one.first)} with the coach and "
        f"{points(one.second)} without; the difference is {points(test.estimate)}"
    )
    if test.low is None or test.high is None or test.p is None:
        return [f"{said}, without an interval, since {test.problem}."]
    said += f", 95 % interval {100 * test.low:+.1f} to {100 * test.high:+.1f} ({test.name}, {p_words(test.p)}"
    if one.permutation.p is not None:
        said += f", by permutation {p_words(one.permutation.p)}"
    if test.effect is not None and test.effect_low is not None and test.effect_high is not None:
        said += f"; {test.effect_name} {test.effect:.2f}, {test.effect_low:.2f} to {test.effect_high:.2f}"
    said += "). " + (
        "The interval has 0 in it: that the coach changes anything is not shown."
        if test.low <= 0 <= test.high
        else f"The interval lies {'above' if test.low > 0 else 'below'} 0."
    )
    if min(test.n) < FEW:
        return [said, f"{min(test.n)} people on a side are few: whether their means are normal cannot be seen."]
    return [said]


def points(share: float) -> str:
    """A change of a share.

    >>> points(0.125), points(-0.004)
    ('+12.5 points', '-0.4 points')
    """
    return f"{100 * share:+.1f} points"
