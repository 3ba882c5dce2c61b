"""The parts of a simulation of power: people, outcomes, tests, and variances from answers."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from crowdloom.analysis.clustered import clustered_logit
from crowdloom.analysis.power_outcome import Means, Proportions, center
from crowdloom.analysis.power_people import Answers, Asked, draw_answers
from crowdloom.analysis.power_tests import p_values
from crowdloom.analysis.tests import TESTS
from crowdloom.analysis.variances import estimate_variances

PEOPLE_AND_ITEMS = np.full((2, 30), 4, dtype=np.intp)


def drawn(asked: Asked) -> Answers:
    return draw_answers(asked, np.random.default_rng(1))


def counts(answers: Answers, condition: int) -> list[int]:
    """How many answers each item has in a condition."""
    return np.bincount(answers.item[answers.condition == condition]).tolist()


@pytest.mark.parametrize("people", [1, 7, 25, 300])
@pytest.mark.parametrize("one_condition", [True, False])
@pytest.mark.parametrize("most", [1, 5, 30])
def test_every_place_is_filled_and_nobody_has_an_item_twice(people: int, one_condition: bool, most: int) -> None:
    """However many come, and however often they may: the numbers are exact, and the rules of the study hold."""
    sizes = np.where(np.arange(30) % 2, 1, 3)
    answers = drawn(Asked(sizes, PEOPLE_AND_ITEMS, people, most, one_condition))
    assert counts(answers, 0) == counts(answers, 1) == [4] * int(sizes.sum())
    pairs = np.stack([answers.participant, answers.item])
    assert len(np.unique(pairs, axis=1).T) == len(answers.item)
    batch = np.repeat(np.arange(30), sizes)[answers.item]
    submissions = np.unique(np.stack([answers.participant, batch]), axis=1)
    assert np.bincount(submissions[0]).max() <= most
    if one_condition or most == 1:
        stays = np.unique(np.stack([answers.participant, answers.condition]), axis=1)
        assert len(np.unique(answers.participant)) == stays.shape[1]
    if most == 1:
        assert len(np.unique(answers.participant)) == 240


def test_a_few_people_do_much() -> None:
    """As in a rehearsal; and without one condition most people are in both."""
    asked = Asked(np.ones(200, dtype=np.intp), np.full((2, 200), 5, dtype=np.intp), 60, most=200)
    answers = drawn(asked)
    each = np.sort(np.bincount(answers.participant))
    assert len(each) == 60
    assert each[-6:].sum() > 0.25 * each.sum()
    both = sum(len(np.unique(answers.condition[answers.participant == person])) == 2 for person in range(60))
    assert both > 50


def test_two_of_three_conditions() -> None:
    """Only the answers of the first two are compared, with codes without gaps."""
    wanted = np.zeros((3, 9), dtype=np.intp)
    for condition in range(3):
        wanted[condition, condition::3] = 2
    answers = drawn(Asked(np.full(9, 2, dtype=np.intp), wanted, 54)).of_two()
    assert set(answers.condition.tolist()) == {0, 1}
    assert np.unique(answers.item).tolist() == list(range(12))
    assert np.unique(answers.participant).tolist() == list(range(12))


@pytest.mark.parametrize("spread", [0.0, 0.7, 2.5])
def test_shares_are_those_that_are_stated(spread: float) -> None:
    """Over all people and items, whatever they vary by; without effect both conditions have the mean share."""
    answers = drawn(Asked(np.ones(30, dtype=np.intp), PEOPLE_AND_ITEMS, 240))
    effect = Proportions(0.3, 0.9, participant_sd=spread, item_sd=spread / 2)
    with_effect, without = effect.draw(answers, 4000, np.random.default_rng(2))
    for condition, share in enumerate((0.3, 0.9)):
        assert with_effect[answers.condition == condition].mean() == pytest.approx(share, abs=0.01)
        assert without[answers.condition == condition].mean() == pytest.approx(0.6, abs=0.01)


def test_means_have_their_spread() -> None:
    """The difference, the spread within a condition, and the parts of it between people and items."""
    asked = Asked(np.ones(30, dtype=np.intp), PEOPLE_AND_ITEMS, 40, most=30)
    answers = drawn(asked)
    with_effect, without = Means(0.4, 2.0, 1.0, 0.5).draw(answers, 4000, np.random.default_rng(2))
    second = answers.condition == 1
    assert with_effect[second].mean() - with_effect[~second].mean() == pytest.approx(0.4, abs=0.05)
    assert without.std(axis=1).mean() == pytest.approx(2.0, abs=0.05)
    one, other = np.flatnonzero(answers.participant == answers.participant[0])[:2]
    assert np.cov(without[one], without[other])[0, 1] == pytest.approx(1.0, abs=0.2)
    one, other = np.flatnonzero(answers.item == 7)[:2]
    assert np.cov(without[one], without[other])[0, 1] == pytest.approx(0.25, abs=0.2)


def test_center_is_exact_without_spread() -> None:
    """The log-odds themselves; with much spread further out."""
    assert center(0.8, 0.0) == pytest.approx(np.log(4), abs=1e-9)
    assert center(0.5, 3.0) == pytest.approx(0, abs=1e-9)
    assert center(0.99, 6.0) > 10


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: Proportions(0, 0.5), "lies between 0 and 1, got 0"),
        (lambda: Proportions(0.5, 1.2), "lies between 0 and 1, got 1.2"),
        (lambda: Proportions(0.5, 0.5), "both shares are 0.5; there is no difference to find"),
        (lambda: Proportions(0.5, 0.6, participant_sd=-1), "between participants is a number of at least 0, got -1"),
        (lambda: Means(0, 1), "a number other than 0"),
        (lambda: Means(1, 0), "a number above 0; got 0"),
        (lambda: Means(1, 1, 0.9, 0.9), "vary more than single answers do"),
    ],
)
def test_effects_that_cannot_be(wrong: object, said: str) -> None:
    """One sentence each."""
    with pytest.raises(ValueError, match=said):
        wrong()  # type: ignore[operator]


def test_tests_are_those_of_a_plan_one_by_one() -> None:
    """Of each simulated study, p is what the plan's test of that name gives for its units' means alone."""
    asked = Asked(np.ones(12, dtype=np.intp), np.full((2, 12), 3, dtype=np.intp), 9, most=12, one_condition=True)
    answers = drawn(asked)
    outcomes, _ = Means(0.8, 1.0).draw(answers, 5, np.random.default_rng(3))
    second = answers.condition == 1

    def means(of: np.ndarray, study: int, side: np.ndarray) -> list[float]:
        return [outcomes[side & (of == unit), study].mean() for unit in np.unique(of[side])]

    for unit, of in (("item", answers.item), ("participant", answers.participant)):
        for name, test in TESTS.items():
            if unit == "participant" and test.is_paired:
                continue  # they are in one condition
            found = p_values(name, unit, answers, outcomes, np.random.default_rng(4))
            for study in range(5):
                alone = test.run(*(means(of, study, side) for side in (~second, second)), 0.95)
                near = 0.06 if "permutation" in name else 1e-9  # other arrangements are drawn
                assert found[study] == pytest.approx(alone.p, abs=near), name


@pytest.mark.parametrize("test", ["paired", "student", "welch", "mann-whitney", "wilcoxon", "permutation"])
def test_studies_in_which_nothing_varies_have_found_nothing(test: str) -> None:
    """All answers the same: p is 1, without a warning; so it is for a t-test where each side is of one kind."""
    answers = drawn(Asked(np.ones(30, dtype=np.intp), PEOPLE_AND_ITEMS, 240))
    outcomes = np.stack([np.ones(240), answers.condition + 0.1], axis=1).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = p_values(test, "item", answers, outcomes, np.random.default_rng(0))
    assert found[0] == 1
    assert found[1] == 1 or test in ("mann-whitney", "wilcoxon", "permutation")


def test_the_logistic_regression_is_that_of_single_studies() -> None:
    """The same p as `clustered_logit`."""
    asked = Asked(np.ones(40, dtype=np.intp), np.full((2, 40), 3, dtype=np.intp), 30, most=40, one_condition=True)
    answers = drawn(asked)
    outcomes, _ = Proportions(0.6, 0.8).draw(answers, 4, np.random.default_rng(3))
    found = p_values("clustered-logit", "item", answers, outcomes, np.random.default_rng(0))
    for study in range(4):
        alone = clustered_logit(outcomes[:, study] > 0.5, answers.condition == 1, answers.participant, answers.item)
        assert found[study] == pytest.approx(alone.p, rel=1e-9)


def estimates(effect: Proportions | Means, studies: int) -> tuple[float, float, float]:
    """Participants' and items' deviations and the spread, on average over studies of 60 people and 150 items."""
    asked = Asked(np.ones(150, dtype=np.intp), np.full((2, 150), 6, dtype=np.intp), 60, most=150, one_condition=True)
    found = []
    for seed in range(studies):
        rng = np.random.default_rng(seed)
        answers = draw_answers(asked, rng)
        outcomes, _ = effect.draw(answers, 1, rng)
        found.append(
            estimate_variances(
                outcomes[:, 0],
                answers.participant,
                answers.item,
                answers.condition,
                right_or_wrong=effect.right_or_wrong,
            )
        )
    people, items, spread = np.mean([(one.participant_sd, one.item_sd, one.spread) for one in found], axis=0)
    return float(people), float(items), float(spread)


def test_variances_of_numbers_are_recovered() -> None:
    """On average, from answers in which people do different numbers of items."""
    people, items, spread = estimates(Means(0.5, 1.5, 0.6, 0.8), studies=20)
    assert people == pytest.approx(0.6, abs=0.05)
    assert items == pytest.approx(0.8, abs=0.05)
    assert spread == pytest.approx(1.5, abs=0.05)


def test_variances_of_shares_are_recovered() -> None:
    """On the logit scale."""
    people, items, _ = estimates(Proportions(0.63, 0.73, 0.6, 1.1), studies=20)
    assert people == pytest.approx(0.6, abs=0.07)
    assert items == pytest.approx(1.1, abs=0.07)


def test_people_who_differ_by_rounding_only_do_not_differ() -> None:
    """Two people saw each half of the items, and were right about one half more often; found by random answers."""
    right = [1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1]
    items = [0, 1, 2, 3, 4, 5, 3, 4, 5, 0, 1, 2]
    found = estimate_variances(right, np.repeat(range(4), 3), items, right_or_wrong=True)
    assert found.participant_sd < 1e-6
    assert found.item_sd > 1


def test_moments_are_near_the_mixed_model_of_a_balanced_study() -> None:
    """statsmodels' REML of a crossed model, on one study in which everybody answers everything."""
    rng = np.random.default_rng(5)
    people, items = (of.ravel() for of in np.indices((12, 15)))
    values = rng.normal(0, 1.0, 12)[people] + rng.normal(0, 0.7, 15)[items] + rng.normal(0, 0.5, len(people))
    found = estimate_variances(values, people, items)
    parts = {"person": "0 + C(person)", "item": "0 + C(item)"}
    model = MixedLM.from_formula(
        "value ~ 1",
        pd.DataFrame({"value": values, "person": people, "item": items, "all": 1}),
        groups="all",
        vc_formula=parts,
        re_formula="0",
    )
    fitted = model.fit()
    by_name = dict(zip(fitted.model.exog_vc.names, fitted.vcomp, strict=True))
    assert found.participant_sd == pytest.approx(np.sqrt(by_name["person"]), rel=0.01)
    assert found.item_sd == pytest.approx(np.sqrt(by_name["item"]), rel=0.01)
    assert found.spread**2 == pytest.approx(sum(by_name.values()) + fitted.scale, rel=0.01)


def test_variances_need_answers_that_can_be_compared() -> None:
    """One sentence where nobody answered twice, nothing differs, or nothing is there; NaN is left out."""
    with pytest.raises(ValueError, match="no answers"):
        estimate_variances([np.nan], ["a"], ["x"])
    with pytest.raises(ValueError, match="people with several answers"):
        estimate_variances([1.0, 2.0, 3.0], ["a", "b", "c"], ["x", "x", "y"])
    with pytest.raises(ValueError, match="all answers are the same"):
        estimate_variances([1.0, 1.0, 1.0, 1.0], ["a", "a", "b", "b"], ["x", "y", "x", "y"])
    found = estimate_variances([1, 2, 3, 4, np.nan], list("aabbc"), list("xyxyz"))
    assert (found.answers, found.participants, found.items) == (4, 2, 2)
