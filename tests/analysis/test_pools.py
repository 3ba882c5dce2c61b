"""Pools, the weights of annotators in them, and their calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize

from crowdloom.analysis.aggregate import mean_by_item
from crowdloom.analysis.annotations import SoftAnnotations, others_mean
from crowdloom.analysis.annotator_weights import annotator_weights
from crowdloom.analysis.calibration import calibrate, even_out, recalibrated, temper
from crowdloom.analysis.pools import linear_pool, log_pool
from tests.analysis.crowds import confusions, soft_answers


def some(seed: int, concentration: float = 2) -> SoftAnnotations:
    """Labels of 80 items by 9 annotators, 4 each, in three classes; further two of each have none."""
    rng = np.random.default_rng(seed)
    made = soft_answers(rng, rng.integers(0, 3, 80), confusions(rng, 9, 3, 0.6), 4, concentration)
    return SoftAnnotations(made.item, made.annotator, made.labels, 82, 11)


def slow_pool(answers: SoftAnnotations, weights: Any, logarithmic: bool, floor: float = 0.01) -> Any:
    """Answer by answer, as the formulas stand."""
    pooled = np.zeros((answers.n_items, answers.n_classes))
    for item in range(answers.n_items):
        rows = np.flatnonzero(answers.item == item)
        if len(rows):
            w = weights[answers.annotator[rows]]
            w = w / w.sum()
            labels = answers.labels[rows]
            if logarithmic:
                product = np.prod(((1 - floor) * labels + floor / answers.n_classes) ** w[:, np.newaxis], axis=0)
                pooled[item] = product / product.sum()
            else:
                pooled[item] = w @ labels
    return pooled


@pytest.mark.parametrize("pool", [linear_pool, log_pool])
def test_pools_are_those_of_the_formulas(pool: Any) -> None:
    """With equal, given and estimated weights, calibrated or not, it is the formula's pool of every item."""
    answers = some(0, concentration=0.3)
    weights = np.random.default_rng(0).random(11) + 0.1
    for given, number in (("equal", np.ones(11)), (weights, weights), ("agreement", annotator_weights(answers).weight)):
        found = pool(answers, given)
        expected = slow_pool(answers, number, pool is log_pool)
        np.testing.assert_allclose(found.probabilities, expected, atol=1e-12)
        assert found.answered.tolist() == [True] * 80 + [False] * 2
    tempered = recalibrated(answers, calibrate(answers))
    expected = slow_pool(tempered, np.ones(11), pool is log_pool, floor=1e-300)
    found = pool(answers, calibrated=True)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-12)
    np.testing.assert_allclose(found.temperatures, calibrate(answers).temperature)


def test_the_linear_pool_is_the_mean_label() -> None:
    """With equal weights, to rounding, what `labels --aggregate mean` gives."""
    answers = some(1)
    mean, _ = mean_by_item(answers.labels, np.ones(len(answers), dtype=bool), answers.item, 82)
    np.testing.assert_allclose(linear_pool(answers).probabilities, mean, atol=1e-14)


def test_a_zero_is_no_veto_in_a_log_pool() -> None:
    """One of five people rules a class out that the others are certain of: it stays the likeliest, and is less sure."""
    labels = np.array([[1.0, 0.0]] * 4 + [[0.0, 1.0]])
    answers = SoftAnnotations(np.zeros(5, np.intp), np.arange(5), labels, 1, 5)
    (pooled,) = log_pool(answers).probabilities
    certain, ruled_out = 0.99 + 0.005, 0.005
    odds = (certain / ruled_out) ** (3 / 5)
    np.testing.assert_allclose(pooled, [odds / (1 + odds), 1 / (1 + odds)])


@pytest.mark.parametrize("pool", [linear_pool, log_pool])
def test_order_and_names_do_not_matter(pool: Any) -> None:
    """Shuffled rows, renamed annotators, items and classes give the same pools, renamed."""
    answers, rng = some(2), np.random.default_rng(2)
    rows, classes, items, people = (rng.permutation(n) for n in (len(answers), 3, 82, 11))
    other = SoftAnnotations(
        items[answers.item[rows]], people[answers.annotator[rows]], answers.labels[rows][:, classes], 82, 11
    )
    before, after = (pool(each, "agreement", calibrated=True).probabilities for each in (answers, other))
    np.testing.assert_allclose(after[items], before[:, classes], rtol=0, atol=1e-8)


def test_others_leave_out_all_that_is_ones_own() -> None:
    """Also where somebody answered an item twice, and where a person was drawn twice."""
    item, annotator = np.array([0, 0, 0, 0, 1]), np.array([0, 0, 1, 2, 1])
    labels = np.array([[1, 0], [0.5, 0.5], [0, 1], [0.4, 0.6], [1, 0]])
    answers = SoftAnnotations(item, annotator, labels, 2, 3)
    mean, known = others_mean(answers)
    np.testing.assert_allclose(mean, [[0.2, 0.8], [0.2, 0.8], [1.9 / 3, 1.1 / 3], [0.5, 0.5], [0, 0]])
    assert known.tolist() == [True, True, True, True, False]
    mean, known = others_mean(answers, np.array([0.0, 2.0, 1.0]))
    np.testing.assert_allclose(mean[2:], [[0.4, 0.6], [0, 1], [0, 0]], atol=1e-15)
    assert known.tolist() == [True, True, True, True, False]


def test_those_who_answer_at_random_weigh_least() -> None:
    """Spammers of all kinds weigh less than everybody who tries; the weights have the mean 1."""
    rng = np.random.default_rng(3)
    truth, errors = rng.integers(0, 3, 300), confusions(rng, 8, 3, 0.75)
    good = soft_answers(rng, truth, errors, 8, concentration=3)
    spam = [rng.dirichlet(np.ones(3), 300), np.full((300, 3), 1 / 3), np.eye(3)[np.zeros(300, np.intp)]]
    answers = SoftAnnotations(
        np.concatenate([good.item, np.tile(np.arange(300), 3)]),
        np.concatenate([good.annotator, np.repeat([8, 9, 10], 300)]),
        np.concatenate([good.labels, *spam]),
        300,
        11,
    )
    found = annotator_weights(answers)
    assert found.weight[8:].max() < 0.5 * found.weight[:8].min()
    np.testing.assert_allclose(found.weight.mean(), 1)
    pooled, plain = (linear_pool(answers, weights).probabilities for weights in ("agreement", "equal"))
    assert np.log(pooled[np.arange(300), truth]).mean() > np.log(plain[np.arange(300), truth]).mean() + 0.05


def test_nothing_in_common_gives_equal_weights() -> None:
    """Where no item has two annotators, all weigh the same and agreement is unknown."""
    answers = SoftAnnotations(np.arange(3), np.arange(3), np.eye(3), 3, 3)
    found = annotator_weights(answers)
    np.testing.assert_allclose(found.weight, 1)
    assert np.isnan(found.agreement).all()
    assert calibrate(answers).temperature.tolist() == [1, 1, 1]


def test_temperatures_score_best() -> None:
    """Each temperature is where a search finds the maximum of the score with its prior, and scores no worse than 1."""
    answers = some(4)
    found = calibrate(answers)
    others, _ = others_mean(answers)
    logs = np.log(even_out(answers.labels))
    for annotator in range(9):
        mine = answers.annotator == annotator

        def loss(power: float, mine: Any = mine) -> float:
            tempered = temper(np.exp(logs[mine]), np.full(mine.sum(), 1 / power))
            return float(-np.sum(others[mine] * np.log(tempered)) + (power - 1) ** 2 / 2)

        best = optimize.minimize_scalar(loss, bounds=(1 / 20, 20), method="bounded", options={"xatol": 1e-9}).x
        np.testing.assert_allclose(1 / found.temperature[annotator], best, rtol=1e-5)
    assert (found.score_after[:9] >= found.score_before[:9] - 1e-9).all()
    assert found.temperature[9:].tolist() == [1, 1]
    assert found.answers.tolist() == np.bincount(answers.annotator, minlength=11).tolist()


def test_calibration_undoes_a_temperature() -> None:
    """Somebody whose labels are the others' made too sure, or too even, is set right."""
    rng = np.random.default_rng(5)
    truth = rng.dirichlet([0.5] * 4, size=300)
    for power in (0.4, 3.0):
        bent = truth**power / (truth**power).sum(axis=1, keepdims=True)
        labels = np.concatenate([truth] * 6 + [bent])
        answers = SoftAnnotations(np.tile(np.arange(300), 7), np.repeat(np.arange(7), 300), labels, 300, 7)
        found = calibrate(answers, floor=1e-6).temperature
        assert abs(np.log(found[6] / power)) < 0.35
        assert abs(np.log(found[:6])).max() < 0.35


def test_one_answer_moves_no_temperature_far() -> None:
    """A single answer, however absurd, leaves a temperature that is a number between 1/20 and 20."""
    labels = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    answers = SoftAnnotations(np.zeros(2, np.intp), np.arange(2), labels, 1, 2)
    found = calibrate(answers).temperature
    assert ((found >= 1 / 20) & (found <= 20)).all()


@pytest.mark.parametrize("pool", [linear_pool, log_pool])
def test_nothing_and_next_to_nothing(pool: Any) -> None:
    """No answers give rows of zeros, one annotator their own label."""
    none = SoftAnnotations(np.empty(0, np.intp), np.empty(0, np.intp), np.empty((0, 3)), 2, 0)
    for given in ({}, {"weights": "agreement"}, {"calibrated": True}):
        assert pool(none, **given).probabilities.tolist() == [[0, 0, 0], [0, 0, 0]]
    one = SoftAnnotations(np.array([1]), np.array([0]), np.array([[0.2, 0.5, 0.3]]), 2, 1)
    for given in ({"floor": 1e-9}, {"floor": 1e-9, "weights": "agreement"}, {"floor": 1e-9, "calibrated": True}):
        np.testing.assert_allclose(pool(one, **given).probabilities, [[0, 0, 0], [0.2, 0.5, 0.3]], atol=1e-8)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"weights": "skill"}, "'skill' is no way to weigh annotators; choose one of equal, agreement"),
        ({"weights": np.ones(3)}, "must be 11 finite numbers"),
        ({"weights": -np.ones(11)}, "at least 0"),
        ({"floor": 0.0}, "the floor is 0.0"),
        ({"floor": 1.0}, "the floor is 1.0"),
    ],
)
def test_options_that_do_not_fit_are_refused(given: dict[str, Any], words: str) -> None:
    """Unknown weights, weights of another number, and floors that leave zeros or nothing."""
    with pytest.raises(ValueError, match=words):
        log_pool(some(6), **given)
