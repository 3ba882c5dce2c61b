"""Power by simulation: against formulas where there are some, and its own promises where there are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.power import TTestIndPower, TTestPower
from statsmodels.stats.proportion import proportion_confint

from crowdloom.analysis.power import Rate, Trial, power_of, rate
from crowdloom.analysis.power_needed import needed
from crowdloom.analysis.power_outcome import Means, Proportions
from crowdloom.analysis.power_people import Asked

UNCLUSTERED = Means(0.1, 0.25, participant_sd=0, item_sd=0)


def split(items: int, responses: int) -> Asked:
    """So many items in each of two conditions, everybody answers one."""
    wanted = np.zeros((2, 2 * items), dtype=np.intp)
    wanted[0, :items] = wanted[1, items:] = responses
    return Asked(np.ones(2 * items, dtype=np.intp), wanted, int(wanted.sum()))


def shared(items: int, responses: int, people: int | None = None) -> Asked:
    """The same items in both conditions; with `people` these come again, in one condition."""
    wanted = np.full((2, items), responses, dtype=np.intp)
    if people is None:
        return Asked(np.ones(items, dtype=np.intp), wanted, int(wanted.sum()))
    return Asked(np.ones(items, dtype=np.intp), wanted, people, most=items, one_condition=True)


@pytest.mark.parametrize("items", [15, 40])
def test_unpaired_power_is_the_formula_s(items: int) -> None:
    """Without clusters, Student's test over item means has the power that statsmodels computes."""
    found = power_of(split(items, 4), Trial(UNCLUSTERED, "student", simulations=2000)).found
    formula = TTestIndPower().power(effect_size=0.1 / (0.25 / 2), nobs1=items, alpha=0.05)
    assert found.low - 0.01 < formula < found.high + 0.01


def test_paired_power_is_the_formula_s() -> None:
    """What items add is the same in both conditions, so it takes no power from the paired test."""
    formula = TTestPower().power(effect_size=0.1 / (0.2 * np.sqrt(2 / 3)), nobs=20, alpha=0.05)
    effect = Means(0.1, np.sqrt(0.2**2 + 0.5**2), participant_sd=0, item_sd=0.5)
    found = power_of(shared(20, 3), Trial(effect, "paired", simulations=2000)).found
    assert found.low - 0.01 < formula < found.high + 0.01
    unpaired = power_of(shared(20, 3), Trial(effect, "student", simulations=500)).found
    assert unpaired.share < found.share / 2


@pytest.mark.parametrize(
    ("test", "unit"),
    [
        ("student", "item"),
        ("welch", "participant"),
        ("mann-whitney", "item"),
        ("permutation", "response"),
        ("paired", "item"),
        ("wilcoxon", "item"),
        ("paired-permutation", "item"),
        ("clustered-logit", "item"),
    ],
)
def test_without_variances_false_positives_are_alpha(test: str, unit: str) -> None:
    """Independent answers, no effect: every test finds one in about 5 % of studies, or in 10 % where that is asked."""
    right = test == "clustered-logit"
    effect = Proportions(0.6, 0.7, participant_sd=0, item_sd=0) if right else UNCLUSTERED
    trial = Trial(effect, test, unit, simulations=2000, seed=1)  # type: ignore[arg-type]
    false = power_of(shared(40, 4), trial).false
    assert 0.035 < false.share < 0.065
    assert 0.08 < power_of(shared(40, 4), replace(trial, alpha=0.1)).false.share < 0.12


def test_people_who_do_much_make_false_positives() -> None:
    """People in one condition who differ and do many items deceive a test over items, not the clustered one."""
    asked, effect = shared(200, 5, people=105), Proportions(0.63, 0.73)
    over_items = power_of(asked, Trial(effect, "paired", simulations=400))
    clustered = power_of(asked, Trial(effect, "clustered-logit", simulations=400))
    assert over_items.false.share > 0.15
    assert clustered.false.share < 0.11
    assert clustered.found.share < over_items.found.share
    assert (over_items.people, clustered.people) == (105, 105)


def test_it_is_two_sided() -> None:
    """An effect the other way is found as often."""
    asked = split(40, 3)
    up = power_of(asked, Trial(Proportions(0.5, 0.65), "student", simulations=2000)).found
    down = power_of(asked, Trial(Proportions(0.65, 0.5), "student", simulations=2000)).found
    assert abs(up.share - down.share) < 0.05
    assert 0.2 < up.share < 0.9


def test_the_seed_fixes_it() -> None:
    """The same seed gives the same counts, and another one others; progress ends with all simulations."""
    told: list[tuple[int, int]] = []
    asked, trial = shared(30, 3, people=20), Trial(Proportions(0.6, 0.8), "permutation", simulations=200, seed=3)
    first = power_of(asked, trial, lambda done, of: told.append((done, of)))
    assert power_of(asked, trial) == first
    assert power_of(asked, replace(trial, seed=4)) != first
    assert told[-1] == (200, 200)
    assert len(told) == 25


def test_more_answers_have_more_power() -> None:
    """Power rises with responses and with items."""
    trial = Trial(Proportions(0.6, 0.7), "student", simulations=500)
    powers = [power_of(split(*size), trial).found.share for size in ((40, 2), (40, 6), (120, 6))]
    assert powers[0] < powers[1] < powers[2]


def test_the_interval_is_wilson_s() -> None:
    """As statsmodels has it, also at the ends."""
    for count, of in ((0, 50), (7, 1000), (999, 1000), (50, 50)):
        found = rate(count, of)
        low, high = proportion_confint(count, of, method="wilson")
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)
        assert found.share == count / of


def test_the_interval_of_never_and_always_ends_there() -> None:
    """Without rounding: an error bar from the share to its interval's end is never negative."""
    for of in range(1, 1200):
        assert rate(0, of).low == 0
        assert rate(of, of).high == 1


@pytest.mark.parametrize("target", [0.5, 0.8, 0.9])
@pytest.mark.parametrize("known", [1, 9, 60])
def test_what_is_needed_is_found(target: float, known: int) -> None:
    """From whatever it begins with, the number comes out at which the formula reaches the target."""
    formula = TTestIndPower()
    asked: list[int] = []

    def find(number: int) -> Rate:
        asked.append(number)
        count = round(1e6 * float(formula.power(effect_size=0.6, nobs1=number + 1, alpha=0.05)))
        return Rate(count, 1_000_000, 0, 1)

    number = needed(target, find, {known: find(known)}, most=500)
    exact = int(np.ceil(formula.solve_power(effect_size=0.6, power=target, alpha=0.05))) - 1
    assert number is not None
    assert 0 <= number - exact <= 1
    assert number in asked
    assert len(asked) <= 12


def test_what_nothing_reaches_is_none() -> None:
    """Where the most does not reach it, or no number does."""
    assert needed(0.9, lambda _: Rate(50, 100, 0, 1), {4: Rate(50, 100, 0, 1)}, most=64) is None
    assert needed(0.9, lambda _: Rate(95, 100, 0, 1), {4: Rate(95, 100, 0, 1)}, most=64) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"test": "anova"}, "no test of two conditions is called 'anova'; there are: student"),
        ({"effect": UNCLUSTERED, "test": "clustered-logit"}, "needs an outcome that is right or wrong"),
        ({"unit": "response"}, "needs pairs, and single answers have none"),
        ({"alpha": 1.0}, "alpha lies between 0 and 1, got 1"),
        ({"simulations": 0}, "at least one simulation is needed, got 0"),
    ],
)
def test_what_cannot_be_asked(change: dict[str, object], said: str) -> None:
    """One sentence each."""
    with pytest.raises(ValueError, match=said):
        Trial(**({"effect": Proportions(0.6, 0.7), "test": "paired"} | change))  # type: ignore[arg-type]


def test_pairs_need_units_in_both_conditions() -> None:
    """Items that are split have no pairs, nor have people in one condition; one condition has no difference."""
    trial = Trial(Proportions(0.6, 0.7), "paired", simulations=10)
    with pytest.raises(ValueError, match="each condition has items of its own"):
        power_of(split(10, 2), trial)
    with pytest.raises(ValueError, match="everybody is in one"):
        power_of(shared(10, 2, people=8), replace(trial, unit="participant"))
    one = Asked(np.ones(5, dtype=np.intp), np.full((1, 5), 2, dtype=np.intp), 10)
    with pytest.raises(ValueError, match="there is one condition"):
        power_of(one, replace(trial, test="student"))


def test_a_tiny_study_finds_nothing() -> None:
    """One item a side: no test has a p, which counts as not found."""
    for test in ("student", "permutation", "clustered-logit"):
        found = power_of(split(1, 3), Trial(Proportions(0.2, 0.9), test, simulations=20))
        assert (found.found.share, found.false.share) == (0, 0)
