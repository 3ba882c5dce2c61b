"""The bootstrap over people, alone and of aggregates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crowdloom.analysis import aggregate_intervals as module
from crowdloom.analysis.aggregate_intervals import aggregate_intervals
from crowdloom.analysis.aggregation import METHODS, fit
from crowdloom.analysis.annotations import Annotations, SoftAnnotations
from crowdloom.analysis.bootstrap import bootstrap_over, draw_counts, percentile_intervals
from tests.analysis.crowds import confusions, hard_answers, soft_answers


def rng() -> np.random.Generator:
    """The same draws each time."""
    return np.random.default_rng(0)


def test_weights_are_how_often_each_unit_was_drawn() -> None:
    """Rows of one unit have one weight, and as many units are drawn as there are."""
    units = np.array([0, 0, 1, 2, 2, 2])
    weights = bootstrap_over(units, lambda each: each, 3, 50, rng())
    assert weights.shape == (50, 6)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, [0, 2, 3]].sum(axis=1) == 3).all()


def test_the_spread_is_that_of_means_of_people() -> None:
    """Drawing people whose answers go together gives the standard error over people, not over rows."""
    people, per = 200, 10
    values = np.repeat(np.random.default_rng(1).normal(size=people), per)
    units = np.repeat(np.arange(people), per)
    drawn = bootstrap_over(units, lambda w: np.average(values, weights=w), people, 800, rng())
    np.testing.assert_allclose(drawn.std(), values[::per].std() / np.sqrt(people), rtol=0.1)


def test_intervals_cover() -> None:
    """Of 200 samples' 90 % intervals of a mean, about 180 hold the true one."""
    inside = 0
    for seed in range(200):
        values = np.random.default_rng(seed).normal(size=60)
        drawn = bootstrap_over(np.arange(60), lambda w, v=values: np.average(v, weights=w), 60, 200, rng())
        found = percentile_intervals(drawn, 0.9)
        inside += float(found.low) <= 0 <= float(found.high)
    assert 165 <= inside <= 192


def test_percentiles_are_numpys_and_pass_over_what_is_not_defined() -> None:
    """With and without NaN, for single numbers and arrays."""
    drawn = np.random.default_rng(2).normal(size=(101, 4, 3))
    found = percentile_intervals(drawn, 0.8)
    np.testing.assert_allclose([found.low, found.high], np.quantile(drawn, [0.1, 0.9], axis=0), atol=1e-14)
    drawn[np.random.default_rng(3).random(drawn.shape) < 0.3] = np.nan
    drawn[:, 0, 0] = np.nan
    found = percentile_intervals(drawn, 0.8)
    assert np.isnan(found.low[0, 0])
    some = (slice(None), slice(1, None))
    np.testing.assert_allclose(found.high[1:], np.nanquantile(drawn[some], 0.9, axis=0), atol=1e-14)
    with pytest.raises(ValueError, match="between 0 and 1"):
        percentile_intervals(drawn, 95)


@pytest.mark.parametrize(
    ("units", "n", "samples", "words"),
    [
        (np.array([0, 2]), 2, 10, "outside 0 to 1"),
        (np.array([], dtype=np.intp), 0, 10, "no units"),
        (np.array([0]), 1, 0, "at least 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(units: Any, n: int, samples: int, words: str) -> None:
    """Units that there are not, nobody, and no draws."""
    with pytest.raises(ValueError, match=words):
        bootstrap_over(units, np.sum, n, samples, rng())


def answers_for(name: str) -> Annotations | SoftAnnotations:
    """Answers of six people to 12 items, as the method takes them."""
    made = np.random.default_rng(4)
    truth, errors = made.integers(0, 3, 12), confusions(made, 6, 3, 0.7)
    if METHODS[name].takes == "hard":
        return hard_answers(made, truth, errors, 3)
    return soft_answers(made, truth, errors, 3, concentration=1)


def copied(answers: Any, counts: Any) -> Any:
    """The answers of the people in one draw, as so many people of their own."""
    item, annotator, rest, people = [], [], [], 0
    for person, count in enumerate(counts.astype(int)):
        mine = answers.annotator == person
        for _ in range(count):
            item.append(answers.item[mine])
            annotator.append(np.full(mine.sum(), people))
            rest.append((answers.label if isinstance(answers, Annotations) else answers.labels)[mine])
            people += 1
    joined = [np.concatenate(each) for each in (item, annotator, rest)]
    if isinstance(answers, Annotations):
        return Annotations(*joined, answers.n_items, people, answers.n_classes)
    return SoftAnnotations(joined[0], joined[1], joined[2], answers.n_items, people)


@pytest.mark.parametrize("options", [{}, {"weights": "equal"}])
@pytest.mark.parametrize("name", METHODS)
def test_draws_are_those_of_copied_people(name: str, options: dict[str, Any]) -> None:
    """Weights give what copying each drawn person's rows gives, for every method; sums agree with fits."""
    if any(option not in METHODS[name].options for option in options):
        options = {}
    answers = answers_for(name)
    found = aggregate_intervals(name, answers, rng(), samples=40, level=0.5, **options)
    draws, entropies = [], []
    for counts in draw_counts(6, 40, rng()):
        single = fit(name, copied(answers, counts), **options)
        draws.append(np.where(single.answered[:, np.newaxis], single.probabilities, np.nan))
        entropies.append(module.mean_entropy(single.probabilities[single.answered]))
    expected = percentile_intervals(np.array(draws), 0.5)
    np.testing.assert_allclose(found.probabilities.low, expected.low, atol=1e-6)
    np.testing.assert_allclose(found.probabilities.high, expected.high, atol=1e-6)
    shift = module.mean_entropy(fit(name, answers, **options).probabilities) - np.mean(entropies)
    summary = percentile_intervals(np.array(entropies) + shift, 0.5)
    np.testing.assert_allclose(found.statistics["mean entropy"].low, summary.low, atol=1e-6)
    np.testing.assert_allclose(found.statistics["mean entropy"].high, summary.high, atol=1e-6)


@pytest.mark.parametrize("options", [{"weights": "agreement"}, {"calibrated": True}])
@pytest.mark.parametrize("name", ["linear-pool", "log-pool"])
def test_weights_and_calibration_are_fitted_in_every_draw(name: str, options: dict[str, Any]) -> None:
    """A draw's pool is the pool with that draw's weights and temperatures, copies of a person being no others."""
    answers = answers_for(name)
    found = aggregate_intervals(name, answers, rng(), samples=20, level=0.5, **options)
    draws = [fit(name, answers, **options, drawn=counts) for counts in draw_counts(6, 20, rng())]
    stacked = np.array([np.where(each.answered[:, np.newaxis], each.probabilities, np.nan) for each in draws])
    np.testing.assert_allclose(found.probabilities.low, percentile_intervals(stacked, 0.5).low, atol=1e-12)


def test_a_statistic_lies_in_its_interval() -> None:
    """Also the entropy, which is lower in a draw, where some people are there twice, than among as many people."""
    item = np.repeat(np.arange(200), 3)
    labels = rng().dirichlet(np.full(4, 0.5), len(item))
    answers = SoftAnnotations(item, rng().integers(0, 60, len(item)), labels, 200, 60)
    found = aggregate_intervals("linear-pool", answers, rng(), samples=200)
    for name, value in found.estimates.items():
        assert found.statistics[name].low < value < found.statistics[name].high


@pytest.mark.parametrize("name", METHODS)
def test_one_annotator_gives_no_interval(name: str) -> None:
    """Of an item with one person, though that person answered it twice; of the whole where there is one person."""
    item, annotator = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 0, 1])
    answers = Annotations(item, annotator, np.array([0, 1, 0, 1, 1]), 3, 2, 2)
    found = aggregate_intervals(name, answers, rng(), samples=60)
    for end in (found.probabilities.low, found.probabilities.high):
        assert np.isnan(end).all(axis=1).tolist() == [False, True, True]
    assert not np.isnan(found.statistics["mean entropy"].low)
    one = Annotations(item[:1], annotator[:1], answers.label[:1], 1, 1, 2)
    alone = aggregate_intervals(name, one, rng(), samples=5)
    assert np.isnan(alone.probabilities.low).all()
    assert np.isnan(alone.statistics["mean entropy"].high)
    assert alone.estimates["mean entropy"] >= 0


def test_stretches_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many numbers are held at a time."""
    answers = answers_for("log-pool")
    whole = aggregate_intervals("log-pool", answers, rng(), samples=30)
    monkeypatch.setattr(module, "CHUNK", 100)
    parts = aggregate_intervals("log-pool", answers, rng(), samples=30)
    np.testing.assert_array_equal(whole.probabilities.high, parts.probabilities.high)
    assert whole.statistics["mean certainty"].low == parts.statistics["mean certainty"].low


def test_too_many_draws_of_fits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each draw is a fit, all must fit in memory; the sentence says how many would."""
    monkeypatch.setattr(module, "DRAWS", 400)
    with pytest.raises(ValueError, match="at most 11 draws"):
        aggregate_intervals("dawid-skene", answers_for("dawid-skene"), rng(), samples=40)


def test_progress_is_told() -> None:
    """Both ways of drawing end at their total."""
    for name in ("majority-vote", "dawid-skene"):
        seen: list[tuple[int, int]] = []
        aggregate_intervals(name, answers_for(name), rng(), samples=5, progress=lambda *at, to=seen: to.append(at))
        assert seen[-1][0] == seen[-1][1]
