"""Simulated labels, against the rule told by hand and against what they were fitted to."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crowdloom.analysis.elicited import Elicited, Floats
from crowdloom.analysis.label_simulator import (
    Beta,
    LabelSimulator,
    Side,
    fit_simulator,
    is_ambiguous,
)

SIMILARITY = np.array([[1, 0.1, 0.7, 0.1], [-0.5, 1, 0.2, 0.9], [0, 0, 1, 0], [0.3, 0.3, 0.2, 1]])
NEAREST = [[2, 1, 3], [3, 2, 0], [0, 1, 3], [0, 1, 2]]
"""Of each class the others, from the nearest on; ties in the order of the classes."""

SURE, UNSURE = [50, 1, 0, 0], [20, 0, 11, 20]


def simulator(**low: Any) -> LabelSimulator:
    """A simulator whose low side is told, and whose high side is another."""
    given: dict[str, Any] = {"top1": Beta(0.8, 0.2), "top2": Beta(0.3, 0.2), "possible": (10, 10, 10, 10)}
    return LabelSimulator(
        low=Side(**{**given, **low}, answers=40, own=True),
        high=Side(Beta(0.5, 0.0), Beta(0.25, 0.0), (0, 0, 0, 7), answers=7, own=True),
        similarity=SIMILARITY,
    )


def by_hand(top1: int, p1: float, p2: float, possible: int) -> list[float]:
    """Steps 3 to 5 for one answer, word for word."""
    label = [0.0] * 4
    label[top1] = p1
    if possible >= 1:
        label[NEAREST[top1][0]] = p2
    total = sum(label)
    if total < 1:
        others = NEAREST[top1][1:possible]
        for other in others:
            label[other] = (1 - total) / len(others)
    return [mass / sum(label) for mass in label]


def test_labels_are_those_of_the_rule() -> None:
    """For every simulated answer, whatever is possible, and whether or not the two probabilities exceed 1."""
    made = simulator(top2=Beta(0.5, 0.3))
    counts = np.array([SURE, [0, 1, 50, 0], [1, 0, 0, 50], [0, 50, 0, 1]])
    said, image = made.answers(counts, 200, np.random.default_rng(3))
    pool = made.simulate(counts, 200, np.random.default_rng(3))
    assert pool.count.tolist() == [200] * 4
    assert image.tolist() == np.repeat(np.arange(4), 200).tolist()
    possible = 3 - said.impossible.sum(axis=1)
    exceed = 0
    for row, label in enumerate(pool.labels):
        p2 = said.top2_probability[row] / 100
        expected = by_hand(int(said.top1[row]), said.top1_probability[row] / 100, p2, int(possible[row]))
        np.testing.assert_allclose(label, expected, atol=1e-9)
        exceed += possible[row] > 0 and said.top1_probability[row] / 100 + p2 > 1
    assert exceed > 100
    assert set(possible.tolist()) == {0, 1, 2, 3}
    assert (np.count_nonzero(pool.labels[possible == 0], axis=1) == 1).all()


def test_an_image_is_simulated_by_its_own_side() -> None:
    """Ambiguous counts take the fits of ambiguous images, whose Betas here have one value and leave all possible."""
    pool = simulator().simulate(np.array([UNSURE, SURE]), 300, np.random.default_rng(0))
    ambiguous = np.sort(pool.labels[:300], axis=1)
    np.testing.assert_allclose(ambiguous, np.tile([0.125, 0.125, 0.25, 0.5], (300, 1)))
    assert len(np.unique(pool.labels[300:], axis=0)) > 100


def test_first_classes_are_drawn_from_the_counts() -> None:
    """Each as often as annotators chose it, and never one that nobody chose."""
    said, _ = simulator().answers(np.array([UNSURE]), 20_000, np.random.default_rng(0))
    shares = np.bincount(said.top1, minlength=4) / 20_000
    assert shares[1] == 0
    np.testing.assert_allclose(shares, np.array(UNSURE) / 51, atol=0.012)


def test_simulated_answers_have_the_moments_and_the_histogram_they_were_fitted_to() -> None:
    """Mean and spread of both probabilities, and how many classes are possible."""
    said, _ = simulator(possible=(60, 0, 30, 10)).answers(np.array([SURE]), 40_000, np.random.default_rng(0))
    second = said.top2 >= 0
    for values, mean, sd in ((said.top1_probability, 80, 20), (said.top2_probability[second], 30, 20)):
        assert abs(values.mean() - mean) < 0.5
        assert abs(values.std() - sd) < 0.5
    shares = np.bincount(3 - said.impossible.sum(axis=1), minlength=4) / 40_000
    np.testing.assert_allclose(shares, [0.6, 0, 0.3, 0.1], atol=0.01)
    assert (second == (said.impossible.sum(axis=1) < 3)).all()
    assert not said.impossible[np.arange(40_000), said.top1].any()


def test_a_seed_gives_the_same_labels_again() -> None:
    """To the last bit; another seed gives others."""
    made, counts = simulator(), np.array([SURE, UNSURE])
    first = made.simulate(counts, 3, np.random.default_rng(5)).labels
    assert (made.simulate(counts, 3, np.random.default_rng(5)).labels == first).all()
    assert (made.simulate(counts, 3, np.random.default_rng(6)).labels != first).any()


def test_gamma_keeps_mass_for_the_classes_left_possible() -> None:
    """Only where the two probabilities leave none."""
    made = simulator(top1=Beta(0.9, 0.0), top2=Beta(0.6, 0.0), possible=(0, 0, 0, 1))
    without = made.simulate(np.array([[9, 0, 0, 0]]), 1, np.random.default_rng(0)).labels[0]
    kept = made.simulate(np.array([[9, 0, 0, 0]]), 1, np.random.default_rng(0), gamma=0.1).labels[0]
    np.testing.assert_allclose(without, [0.6, 0, 0.4, 0])
    np.testing.assert_allclose(kept, [0.54, 0.05, 0.36, 0.05])


def fitted(p1: list[float], high: list[bool], **changes: Any) -> LabelSimulator:
    """A simulator fitted to answers with the class 0 first, these probabilities and the class 1 second at 20 %."""
    n = len(p1)
    given: dict[str, Any] = {
        "top1": np.zeros(n, np.intp),
        "top1_probability": np.array(p1),
        "top2": np.ones(n, np.intp),
        "top2_probability": np.full(n, 20.0),
        "impossible": np.tile([False, False, False, True], (n, 1)),
    }
    return fit_simulator(Elicited(**{**given, **changes}), np.array(high), SIMILARITY)


def test_both_sides_are_fitted_apart() -> None:
    """By the mean and the standard deviation of each; probabilities of exactly 0 and 1 are like all others."""
    made = fitted([100.0] * 15 + [0.0] * 5 + [40.0, 60.0] * 10, [False] * 20 + [True] * 20)
    assert (made.low.top1.mean, made.high.top1.mean) == pytest.approx((0.75, 0.5))
    assert (made.low.top1.sd, made.high.top1.sd) == pytest.approx((np.sqrt(0.75 * 0.25), 0.1))
    assert made.high.possible == (0, 0, 20, 0)
    assert made.high.mean_possible() == 2
    assert (made.low.own, made.low.answers) == (True, 20)
    drawn = made.low.top1.draw(1000, np.random.default_rng(0))  # the largest spread there is: 0 or 1
    assert set(drawn.tolist()) == {0.0, 1.0}
    assert abs(drawn.mean() - 0.75) < 0.05
    a, b = made.high.top1.parameters()
    assert (a, b) == pytest.approx((12.0, 12.0))


def test_too_few_answers_to_one_side_take_all() -> None:
    """Rather than a fit to a handful; the side says so."""
    made = fitted([100.0] * 30 + [40.0] * 5, [False] * 30 + [True] * 5)
    assert (made.low.own, made.low.answers, made.low.top1.mean) == (True, 30, 1.0)
    assert (made.high.own, made.high.answers) == (False, 35)
    assert made.high.top1.mean == pytest.approx((30 + 5 * 0.4) / 35)


def test_answers_that_say_nothing_are_left_out() -> None:
    """Those without a first class or its probability; a second class that is the first again, or has no number."""
    n = 40
    made = fitted(
        [50.0, np.nan] * 20,
        [False] * n,
        top2=np.tile([1, 1, 0, 1], 10),
        top2_probability=np.tile([20.0, 99.0, 70.0, 99.0], 10),
    )
    assert (made.low.answers, made.low.top1, made.low.top2) == (20, Beta(0.5, 0.0), Beta(0.2, 0.0))


def test_a_study_without_second_classes_can_be_simulated() -> None:
    """The nearest possible class then has its share of the rest."""
    made = fitted([40.0] * 20, [False] * 20, top2=np.full(20, -1), top2_probability=np.full(20, np.nan))
    assert made.simulate(np.array([[1, 0, 0, 0]]), 1, np.random.default_rng(0)).labels.round(9).tolist() == [
        [0.4, 0.3, 0.3, 0]
    ]


def test_a_first_class_without_mass_still_gives_a_label() -> None:
    """Where people gave it 0 % and left nothing else possible."""
    made = fitted([0.0] * 20, [False] * 20, impossible=np.ones((20, 4), np.bool_))
    assert made.simulate(np.array([[0, 0, 1, 0]]), 2, np.random.default_rng(0)).labels.tolist() == [[0, 0, 1, 0]] * 2


def test_high_entropy_is_above_a_quarter_nat() -> None:
    """One, two and three of 51 against all others are low, six are high."""
    assert is_ambiguous(np.array([[51 - n, n] for n in (0, 1, 2, 3, 6)])).tolist() == [False] * 4 + [True]


def test_a_simulator_is_written_and_read(tmp_path: Path) -> None:
    """What is read simulates the same labels."""
    made = fitted([100.0, 30.0] * 20, [False, True] * 20)
    made.write(tmp_path / "s.json")
    back = LabelSimulator.read(tmp_path / "s.json")
    assert (back.low, back.high, back.threshold) == (made.low, made.high, made.threshold)
    counts = np.array([SURE, UNSURE])
    labels = [one.simulate(counts, 4, np.random.default_rng(1)).labels for one in (made, back)]
    assert (labels[0] == labels[1]).all()


@pytest.mark.parametrize(
    "break_it",
    [
        lambda values: values.pop("low"),
        lambda values: values["high"].pop("own"),
        lambda values: values["low"].update(top1=3),
        lambda values: values.update(similarity=[[1.0]]),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, break_it: Any) -> None:
    """Whatever it lacks."""
    values = simulator().to_json()
    break_it(values)
    path = tmp_path / "s.json"
    path.write_text(json.dumps(values))
    with pytest.raises(ValueError, match=r"s\.json cannot be read as a label simulator"):
        LabelSimulator.read(path)


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        (np.ones((2, 3)), "a column is needed for each of 4 classes"),
        (np.array([[1, 0, 0, 0], [0, 0, 0, 0]]), "row 1 of the counts is all zeros"),
        (np.array([[1.0, np.nan, 0, 0]]), "negative or none at all"),
    ],
)
def test_counts_that_do_not_fit_are_refused(counts: Floats, sentence: str) -> None:
    """In one sentence."""
    with pytest.raises(ValueError, match=sentence):
        simulator().simulate(counts, 1, np.random.default_rng(0))


def test_nothing_to_fit_is_refused() -> None:
    """And a similarity that does not fit."""
    with pytest.raises(ValueError, match="nothing to fit"):
        fitted([np.nan], [True])
    with pytest.raises(ValueError, match="4 x 4 finite numbers"):
        LabelSimulator(simulator().low, simulator().high, np.eye(3))


def test_ten_thousand_images_take_less_than_a_second() -> None:
    """Of processor time, for five annotators each."""
    counts = np.random.default_rng(0).multinomial(51, [0.7, 0.2, 0.1, 0.0], size=10_000)
    before = time.process_time()
    pool = simulator().simulate(counts, 5, np.random.default_rng(0))
    assert time.process_time() - before < 1
    assert len(pool.labels) == 50_000
