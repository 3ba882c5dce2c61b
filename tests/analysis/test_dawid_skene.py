"""Dawid-Skene and the majority vote: equal to crowd-kit's, indifferent to order and names, and right in simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from crowdkit.aggregation import DawidSkene, MajorityVote

from crowdloom.analysis.annotations import Annotations
from crowdloom.analysis.dawid_skene import dawid_skene
from crowdloom.analysis.majority_vote import majority_vote
from tests.analysis.crowds import confusions, hard_answers, noisy

pytestmark = pytest.mark.filterwarnings("ignore")  # of crowd-kit's use of pandas


def as_frame(answers: Annotations) -> pd.DataFrame:
    """What crowd-kit reads."""
    return pd.DataFrame({"task": answers.item, "worker": answers.annotator, "label": answers.label})


def theirs(answers: Annotations, found: pd.DataFrame) -> Any:
    """Crowd-kit's probabilities as an array [I, K]; it knows only the items and classes that occur."""
    full = np.zeros((answers.n_items, answers.n_classes))
    full[np.ix_(found.index.to_numpy(int), found.columns.to_numpy(int))] = found.to_numpy()
    return full


@pytest.mark.parametrize(("iterations", "seeds"), [(1, 8), (2, 8), (3, 8), (10, 8), (40, 2)])
@pytest.mark.parametrize("tolerance", [-np.inf, 1e-5])
def test_probabilities_are_those_of_crowd_kit(iterations: int, seeds: int, tolerance: float) -> None:
    """On noisy data with ties, gaps and annotators of one answer: the same to 1e-8, after as many iterations."""
    for seed in range(seeds):
        answers = noisy(seed)
        expected = DawidSkene(iterations, tol=tolerance)
        probabilities = theirs(answers, expected.fit_predict_proba(as_frame(answers)))
        found = dawid_skene(answers, iterations, tolerance)
        assert len(found.history) == len(expected.loss_history_)
        np.testing.assert_allclose(found.probabilities, probabilities, rtol=0, atol=1e-8)
        errors = expected.errors_
        assert found.confusions is not None
        dense = found.confusions.dense(answers.n_annotators)
        worker, label = (errors.index.get_level_values(level).to_numpy(int) for level in (0, 1))
        mine = dense[worker, :, label][:, errors.columns.to_numpy(int)]
        np.testing.assert_allclose(mine, errors.to_numpy(), rtol=0, atol=1e-8)
        np.testing.assert_allclose(
            found.prior[expected.priors_.index.to_numpy(int)], expected.priors_.to_numpy(), rtol=0, atol=1e-8
        )


def test_shares_are_those_of_crowd_kit() -> None:
    """The majority vote's shares, and without an iteration Dawid-Skene's, are crowd-kit's."""
    for seed in range(8):
        answers = noisy(seed)
        expected = theirs(answers, MajorityVote().fit_predict_proba(as_frame(answers)))
        np.testing.assert_allclose(majority_vote(answers).probabilities, expected, rtol=0, atol=1e-15)
        np.testing.assert_array_equal(dawid_skene(answers, 0).probabilities, majority_vote(answers).probabilities)


def test_order_and_names_do_not_matter() -> None:
    """Shuffled rows, annotators renumbered and classes renamed give the same probabilities, renamed."""
    answers, rng = noisy(3), np.random.default_rng(3)
    before = dawid_skene(answers, 10, -np.inf)
    rows = rng.permutation(len(answers))
    people, classes = rng.permutation(answers.n_annotators), rng.permutation(answers.n_classes)
    after = dawid_skene(
        Annotations(
            answers.item[rows],
            people[answers.annotator[rows]],
            classes[answers.label[rows]],
            answers.n_items,
            answers.n_annotators,
            answers.n_classes,
        ),
        10,
        -np.inf,
    )
    np.testing.assert_allclose(after.probabilities[:, classes], before.probabilities, rtol=0, atol=1e-9)
    np.testing.assert_allclose(after.history, before.history, rtol=1e-10)


def test_the_likelihood_never_falls() -> None:
    """Each iteration begins with parameters at least as likely as the last one's."""
    for seed in range(8):
        history = dawid_skene(noisy(seed), 30, -np.inf).history
        assert len(history) == 30
        assert np.diff(history).min() > -1e-6


def test_truth_and_confusions_are_recovered() -> None:
    """Of 2,000 simulated items it finds more classes than the majority vote, and each annotator's confusions."""
    rng = np.random.default_rng(0)
    truth, errors = rng.integers(0, 4, 2000), confusions(rng, 20, 4, 0.6)
    answers = hard_answers(rng, truth, errors, 7)
    found = dawid_skene(answers)
    right = np.mean(found.probabilities.argmax(axis=1) == truth)
    assert right > np.mean(majority_vote(answers).probabilities.argmax(axis=1) == truth) + 0.005
    assert right > 0.95
    assert found.converged
    assert found.confusions is not None
    assert np.abs(found.confusions.dense(20) - errors).mean() < 0.03
    np.testing.assert_allclose(found.prior, np.bincount(truth) / 2000, atol=0.02)


def test_drawing_everybody_twice_changes_nothing() -> None:
    """Weights of a bootstrap are copies of people: two of everybody have the same shares, and are surer."""
    answers = noisy(5)
    twice = np.full(answers.n_annotators, 2.0)
    np.testing.assert_allclose(
        majority_vote(answers, twice).probabilities, majority_vote(answers).probabilities, atol=1e-15
    )
    copies = Annotations(
        np.tile(answers.item, 2),
        np.concatenate([answers.annotator, answers.annotator + answers.n_annotators]),
        np.tile(answers.label, 2),
        answers.n_items,
        2 * answers.n_annotators,
        answers.n_classes,
    )
    weighted, copied = dawid_skene(answers, drawn=twice), dawid_skene(copies)
    np.testing.assert_allclose(weighted.probabilities, copied.probabilities, rtol=0, atol=1e-9)
    np.testing.assert_allclose(weighted.history, copied.history, rtol=1e-9)


@pytest.mark.parametrize("method", [majority_vote, dawid_skene])
def test_nothing_and_next_to_nothing(method: Any) -> None:
    """No answers give rows of zeros, one answer its class, one class certainty; never a NaN."""
    none = method(Annotations(*(np.empty(0, np.intp),) * 3, 2, 0, 3))
    assert none.probabilities.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert not none.answered.any()
    assert method(Annotations(*(np.empty(0, np.intp),) * 3, 0, 0, 0)).probabilities.shape == (0, 0)
    one = method(Annotations(np.array([1]), np.array([0]), np.array([2]), 2, 1, 3))
    assert one.probabilities.tolist() == [[0, 0, 0], [0, 0, 1]]
    same = method(Annotations(np.array([0, 0, 1]), np.array([0, 1, 1]), np.zeros(3, np.intp), 2, 2, 1))
    assert same.probabilities.tolist() == [[1], [1]]


def test_many_answers_to_one_item_do_not_underflow() -> None:
    """Ten thousand answers to an item have a likelihood below the smallest number, and still a label."""
    n = 10_000
    label = np.concatenate([np.arange(n) % 3 == 0, np.arange(n) % 3 != 0]).astype(np.intp)
    answers = Annotations(np.repeat([0, 1], n), np.tile(np.arange(n), 2), label, 2, n, 2)
    found = dawid_skene(answers)
    assert found.probabilities.argmax(axis=1).tolist() == [0, 1]
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)


def test_options_and_answers_out_of_range_are_refused() -> None:
    """Negative iterations, a tolerance that is no number, and positions that there are not."""
    with pytest.raises(ValueError, match="-1 iterations"):
        dawid_skene(noisy(0), -1)
    with pytest.raises(ValueError, match="tolerance"):
        dawid_skene(noisy(0), tolerance=np.nan)
    with pytest.raises(ValueError, match="label must lie between 0 and 1"):
        Annotations(np.array([0]), np.array([0]), np.array([2]), 1, 1, 2)
    with pytest.raises(ValueError, match="annotator has shape"):
        Annotations(np.array([0]), np.array([0, 1]), np.array([0]), 1, 2, 2)
