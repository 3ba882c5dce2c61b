"""Every kind of label that a network is trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crowdloom.analysis.elicited import Elicited
from crowdloom.analysis.label_kinds import (
    counts_labels,
    counts_pool,
    hard_labels,
    random_labels,
    smoothed,
    soft_label_pool,
    uniform_labels,
)
from crowdloom.analysis.labels import VARIETIES, build_labels, parse_variety

COUNTS = np.array([[3, 0, 1], [0, 2, 0], [1, 1, 5]])


def answers(top1: list[int], p1: list[float]) -> Elicited:
    """Answers with a most probable class alone."""
    n = len(top1)
    return Elicited(np.array(top1), np.array(p1), np.full(n, -1), np.full(n, np.nan), np.zeros((n, 3), dtype=np.bool_))


def test_hard_uniform_and_smoothed_labels_are_what_they_are_called() -> None:
    """By hand."""
    hard = hard_labels([2, 0], 3)
    assert hard.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert uniform_labels(2, 4).tolist() == [[0.25] * 4] * 2
    np.testing.assert_allclose(smoothed(hard, 0.3)[0], [0.1, 0.1, 0.8])
    assert smoothed(hard, 0.0).tolist() == hard.tolist()


def test_random_labels_are_one_hot_and_of_every_class_alike() -> None:
    """Each class comes as often as any other, and the seed decides which."""
    drawn = random_labels(9000, 3, np.random.default_rng(1))
    assert (np.sort(drawn, axis=1) == [0, 0, 1]).all()
    assert (np.abs(drawn.sum(axis=0) - 3000) < 200).all()
    assert (random_labels(9000, 3, np.random.default_rng(1)) == drawn).all()
    assert (random_labels(9000, 3, np.random.default_rng(2)) != drawn).any()


def test_counts_become_one_label_for_each_annotator() -> None:
    """Kept apart they are one-hot rows; together their mean is the class's share."""
    pool = counts_pool(COUNTS)
    assert pool.count.tolist() == [4, 2, 7]
    for image, row in enumerate(COUNTS):
        of_image = pool.labels[pool.start[image] : pool.start[image] + pool.count[image]]
        assert of_image.sum(axis=0).tolist() == row.tolist()
    np.testing.assert_allclose(pool.mean(), counts_labels(COUNTS))
    np.testing.assert_allclose(counts_labels(COUNTS)[0], [0.75, 0, 0.25])


def test_sampled_annotators_are_drawn_without_replacement() -> None:
    """Of 4 annotators, 3 against 1, three are never all alike as often as with replacement; all of them are all."""
    pool = counts_pool(COUNTS)
    rng = np.random.default_rng(0)
    dissent = [pool.draw(3, rng).mean()[0, 2] > 0 for _ in range(2000)]
    assert abs(np.mean(dissent) - 3 / 4) < 0.04  # with replacement it were 1 - (3/4)^3 = 0.58
    np.testing.assert_allclose(pool.draw(99, rng).mean(), pool.mean())
    assert pool.draw(2, rng).count.tolist() == [2, 2, 2]


@pytest.mark.parametrize("variety", VARIETIES)
def test_elicited_labels_stand_by_image(variety: str) -> None:
    """Each image has the labels of its answers, in their order, whatever the variety; their mean is the aggregate."""
    said = answers([0, 1, 2, 0], [50.0, 60.0, 70.0, 80.0])
    image = np.array([1, 0, 1, 1])
    pool = soft_label_pool(said, image, 2, parse_variety(variety), similarity=np.eye(3))
    labels, _ = build_labels(said, parse_variety(variety), similarity=np.eye(3))
    np.testing.assert_allclose(pool.labels, labels[[1, 0, 2, 3]])
    np.testing.assert_allclose(pool.mean(), [labels[1], labels[[0, 2, 3]].mean(axis=0)])


def test_an_answer_without_a_label_is_left_out_and_no_nan_enters() -> None:
    """Answers without a probability, or without any mass, are dropped; an image that has nothing else is named."""
    said = answers([0, 1, 2], [50.0, np.nan, 0.0])
    pool = soft_label_pool(said, np.array([0, 0, 0]), 1, parse_variety("T2-none"))
    assert pool.labels.tolist() == [[1, 0, 0]]
    with pytest.raises(ValueError, match=r"image 1 \(one of 2 such among 3\) has no label"):
        soft_label_pool(said, np.array([0, 1, 2]), 3, parse_variety("T2-none"))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: hard_labels([0, -1], 3), r"image 1 \(one of 1 such among 2\) has no reference class"),
        (lambda: hard_labels([0, 3], 3), "has the class 3 of 3"),
        (lambda: smoothed(np.eye(3), 1.1), "beta is 1.1"),
        (lambda: smoothed(np.eye(3), float("nan")), "beta is nan"),
        (lambda: counts_pool(np.array([[1, 0], [0, 0]])), "row 1 of the counts is all zeros"),
        (lambda: counts_pool(np.array([[0.5, 0.5]])), "not all whole numbers"),
        (lambda: counts_labels(np.array([[1, -1]])), "negative or none at all"),
        (lambda: counts_labels(np.array([[1, np.nan]])), "negative or none at all"),
        (lambda: counts_labels(np.array([1, 2])), "a column is needed"),
        (
            lambda: soft_label_pool(answers([0], [50.0]), np.array([2]), 2, parse_variety("T1-clamp")),
            "the position of its image, 0 to 1",
        ),
    ],
)
def test_what_is_no_label_is_refused(make: Any, sentence: str) -> None:
    """In one sentence."""
    with pytest.raises(ValueError, match=sentence):
        make()
