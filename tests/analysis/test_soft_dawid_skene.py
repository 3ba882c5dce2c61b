"""Dawid-Skene for distributions: it climbs, recovers what was simulated, and holds annotators with few answers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from crowdloom.analysis.aggregation import fit
from crowdloom.analysis.annotations import SoftAnnotations
from crowdloom.analysis.dawid_skene import dawid_skene
from crowdloom.analysis.elicited import Elicited
from crowdloom.analysis.labels import build_labels, parse_variety
from crowdloom.analysis.pools import linear_pool
from crowdloom.analysis.soft_dawid_skene import soft_dawid_skene
from crowdloom.tasks.columns import pack, record_fields
from crowdloom.tasks.soft_label import CIFAR10, SoftLabel
from tests.analysis.crowds import confusions, hard_answers, soft_answers
from tests.analysis.test_labels import as_typed


def test_truth_and_confusions_are_recovered() -> None:
    """From noisy labels it finds more true classes than the mean label, and each annotator's usual labels."""
    rng = np.random.default_rng(1)
    truth, errors = rng.integers(0, 4, 1500), confusions(rng, 20, 4, 0.55)
    answers = soft_answers(rng, truth, errors, 6, concentration=1.5)
    found = soft_dawid_skene(answers, strength=5)
    right = np.mean(found.probabilities.argmax(axis=1) == truth)
    assert right > np.mean(linear_pool(answers).probabilities.argmax(axis=1) == truth) + 0.003
    assert found.confusions is not None
    assert np.abs(found.confusions.dense(20) - errors).mean() < 0.03
    np.testing.assert_allclose(found.prior, np.bincount(truth) / 1500, atol=0.03)
    np.testing.assert_allclose(found.confusions.dense(20).sum(axis=2), 1)


def test_somebody_who_swaps_two_classes_is_understood() -> None:
    """A third of the people always swap two classes; with that the truth is still found."""
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 3, 600)
    errors = np.repeat((0.6 * np.eye(3) + 0.4 / 3)[np.newaxis], 9, axis=0)
    errors[:3] = errors[:3][:, [1, 0, 2]]
    answers = soft_answers(rng, truth, errors, 9, concentration=4)
    found = soft_dawid_skene(answers)
    assert np.mean(found.probabilities.argmax(axis=1) == truth) > 0.99
    assert found.confusions is not None
    swapped = found.confusions.dense(9)
    assert (swapped[:3, 0].argmax(axis=1) == 1).all()
    assert (swapped[3:, 0].argmax(axis=1) == 0).all()


def test_certain_answers_give_dawid_skenes_labels() -> None:
    """With a weak prior and hard answers, the two models name the same classes."""
    rng = np.random.default_rng(3)
    truth, errors = rng.integers(0, 3, 800), confusions(rng, 10, 3, 0.75)
    answers = hard_answers(rng, truth, errors, 6)
    soft, hard = soft_dawid_skene(answers.one_hot(), strength=1e-3), dawid_skene(answers)
    assert np.mean(soft.probabilities.argmax(axis=1) == hard.probabilities.argmax(axis=1)) > 0.995
    assert soft.confusions is not None
    assert hard.confusions is not None
    assert np.abs(soft.confusions.dense(10) - hard.confusions.dense(10)).max() < 0.03


def test_real_peoples_labels_name_more_classes_right_than_their_votes(test_data: Path) -> None:
    """On the crowd study's 6,200 first answers, of 25 by each person, against the images' own classes."""
    task, packed, of = SoftLabel(), [], []
    with (test_data / "cifar10s-raw.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["task"] == "spec_conf":
                packed.append(pack(task.columns, as_typed(json.loads(row["response"])), CIFAR10))
                of.append((row["img_id"], row["subject"], row["label"].capitalize()))
    records = np.frombuffer(b"".join(packed), dtype=np.dtype(record_fields(task.columns, 10)))
    labels, kept = build_labels(Elicited.from_records(records, 10), parse_variety("T2-clamp"))
    assert kept.all()
    images, item = np.unique([each[0] for each in of], return_inverse=True)
    people, annotator = np.unique([each[1] for each in of], return_inverse=True)
    truth = np.empty(len(images), dtype=np.intp)
    truth[item] = [CIFAR10.index(each[2]) for each in of]
    answers = SoftAnnotations(item, annotator, labels, len(images), len(people))
    shares = {
        name: np.mean(fit(name, answers).probabilities.argmax(axis=1) == truth)
        for name in ("soft-dawid-skene", "majority-vote", "dawid-skene")
    }
    assert shares["soft-dawid-skene"] > shares["majority-vote"] + 0.005 > shares["dawid-skene"]
    np.testing.assert_allclose(shares["soft-dawid-skene"], 0.95, atol=0.005)


def test_the_posterior_never_falls() -> None:
    """Each iteration begins with parameters whose posterior is at least as high."""
    rng = np.random.default_rng(4)
    answers = soft_answers(rng, rng.integers(0, 5, 100), confusions(rng, 30, 5, 0.5), 4, concentration=1)
    history = soft_dawid_skene(answers, 40, -np.inf).history
    assert len(history) == 40
    assert np.diff(history).min() > -1e-7


def test_few_answers_make_nobody_degenerate() -> None:
    """Somebody with one answer has the crowd's confusions but for that answer, and none is 0 or 1."""
    rng = np.random.default_rng(5)
    truth, errors = rng.integers(0, 3, 300), confusions(rng, 10, 3, 0.8)
    many = soft_answers(rng, truth, errors, 5, concentration=3)
    labels = np.concatenate([many.labels, [[0.0, 0.0, 1.0]]])
    item, annotator = np.append(many.item, 0), np.append(many.annotator, 10)
    found = soft_dawid_skene(SoftAnnotations(item, annotator, labels, 300, 11))
    assert found.confusions is not None
    dense = found.confusions.dense(11)
    assert np.abs(dense[10] - dense[:10].mean(axis=0)).max() < 0.1
    assert (dense > 0).all()
    assert (dense < 1).all()


def test_order_and_names_do_not_matter() -> None:
    """Shuffled rows and renamed annotators, items and classes give the same probabilities, renamed."""
    rng = np.random.default_rng(6)
    answers = soft_answers(rng, rng.integers(0, 3, 40), confusions(rng, 6, 3, 0.6), 3, concentration=1)
    rows, classes, items = rng.permutation(len(answers)), rng.permutation(3), rng.permutation(40)
    other = SoftAnnotations(
        items[answers.item[rows]], 5 - answers.annotator[rows], answers.labels[rows][:, classes], 40, 6
    )
    before, after = (soft_dawid_skene(each, 10, -np.inf).probabilities for each in (answers, other))
    np.testing.assert_allclose(after[items], before[:, classes], rtol=0, atol=1e-10)


def test_nothing_and_next_to_nothing() -> None:
    """No answers give rows of zeros; one answer gives a label near it; one class is certain."""
    none = soft_dawid_skene(SoftAnnotations(np.empty(0, np.intp), np.empty(0, np.intp), np.empty((0, 3)), 2, 0))
    assert none.probabilities.tolist() == [[0, 0, 0], [0, 0, 0]]
    one = soft_dawid_skene(SoftAnnotations(np.array([1]), np.array([0]), np.array([[0.2, 0.8, 0.0]]), 2, 1))
    assert one.probabilities[1].argmax() == 1
    assert not one.probabilities[0].any()
    same = soft_dawid_skene(SoftAnnotations(np.array([0]), np.array([0]), np.ones((1, 1)), 1, 1))
    assert same.probabilities.tolist() == [[1]]


@pytest.mark.parametrize("strength", [0.0, -1.0, float("nan"), float("inf")])
def test_a_prior_without_strength_is_refused(strength: float) -> None:
    """The shared prior must hold somebody who never saw a class."""
    answers = SoftAnnotations(np.array([0]), np.array([0]), np.ones((1, 1)), 1, 1)
    with pytest.raises(ValueError, match="strength"):
        soft_dawid_skene(answers, strength=strength)


def test_sizes_that_no_memory_holds_are_refused() -> None:
    """Ten million annotators in ten classes are refused with a sentence."""
    answers = SoftAnnotations(np.array([0]), np.array([0]), np.full((1, 10), 0.1), 1, 10_000_000)
    with pytest.raises(ValueError, match="too many for soft-dawid-skene"):
        soft_dawid_skene(answers)


def test_labels_that_are_no_distributions_are_refused() -> None:
    """Rows that do not sum to 1, are negative, or hold NaN are named."""
    for row in ([0.5, 0.4], [1.5, -0.5], [np.nan, 1.0]):
        with pytest.raises(ValueError, match="label 1 is no distribution"):
            SoftAnnotations(np.zeros(2, np.intp), np.zeros(2, np.intp), np.array([[0.5, 0.5], row]), 1, 1)
