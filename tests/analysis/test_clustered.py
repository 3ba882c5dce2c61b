"""The clustered regression, held against statsmodels' by hand, and against leaving clusters out one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.special import expit, logit

from crowdloom.analysis.clustered import SUBSTITUTED, clustered_difference, clustered_logit, clustered_logits
from crowdloom.analysis.elicited import Bools, Floats, Ints


@dataclass(frozen=True)
class Answers:
    """Right or wrong answers of people about items in two conditions."""

    right: Bools
    treated: Bools
    participant: Ints
    item: Ints

    def all(self) -> tuple[Bools, Bools, Ints, Ints]:
        """In the order of the functions' arguments."""
        return self.right, self.treated, self.participant, self.item


def simulated(seed: int = 1, people: int = 30, items: int = 40, answers: int = 600) -> Answers:
    """Answers with effects of people and items, whose numbers differ; some people are in both conditions."""
    rng = np.random.default_rng(seed)
    participant = rng.choice(people, answers, p=rng.dirichlet(np.full(people, 1.5)))
    item = rng.integers(0, items, answers)
    treated = np.where(participant < people // 3, rng.random(answers) < 0.5, participant % 2 == 0)
    person, thing = rng.normal(0, 0.6, people), rng.normal(0, 1, items)
    right = rng.random(answers) < expit(0.8 - 0.6 * treated + person[participant] + thing[item])
    return Answers(right, treated.astype(bool), participant + 7, item * 3)


def by_statsmodels(data: Answers, columns: Floats) -> tuple[float, float]:
    """The log odds ratio and its standard error, clustered both ways."""
    x = np.column_stack([data.treated, np.ones(len(data.right)), columns]).astype(float)
    groups = np.column_stack([data.participant, data.item])
    fit = sm.Logit(data.right.astype(float), x).fit(disp=0, tol=1e-12, cov_type="cluster", cov_kwds={"groups": groups})
    return float(fit.params[0]), float(fit.bse[0])


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("further", [None, 0, 2])
def test_statsmodels_says_the_same(seed: int, further: int | None) -> None:
    """With its correction, by the closed form and by Newton's method, with further columns and without."""
    data = simulated(seed)
    columns = None if further is None else np.random.default_rng(seed).normal(1000, 50, (600, further))
    expected, se = by_statsmodels(data, np.zeros((600, 0)) if columns is None else columns)
    found = clustered_logit(*data.all(), columns=columns, correction="CR1")
    assert found.problem is None
    assert found.estimate == pytest.approx(expected, abs=1e-8)
    assert found.statistic == pytest.approx(expected / se, rel=1e-7)
    assert found.df == min(len(set(data.participant.tolist())), len(set(data.item.tolist()))) - 1
    assert found.p == pytest.approx(2 * stats.t.sf(abs(expected / se), found.df), rel=1e-6)
    reach = stats.t.ppf(0.975, found.df) * se
    assert (found.low, found.high) == pytest.approx((expected - reach, expected + reach), rel=1e-6)
    assert found.effect == pytest.approx(np.exp(expected))
    assert (found.effect_low, found.effect_high) == pytest.approx(np.exp([expected - reach, expected + reach]))
    assert found.n == (data.treated.sum(), (~data.treated).sum())


def test_the_difference_is_that_of_statsmodels_linear_regression() -> None:
    """Of the outcome on the condition."""
    data = simulated()
    x = np.column_stack([data.treated, np.ones(600)]).astype(float)
    groups = np.column_stack([data.participant, data.item])
    fit = sm.OLS(data.right.astype(float), x).fit(cov_type="cluster", cov_kwds={"groups": groups})
    found = clustered_difference(*data.all(), correction="CR1")
    assert found.estimate == pytest.approx(fit.params[0])
    assert found.statistic == pytest.approx(fit.tvalues[0])


def test_the_jackknife_leaves_each_cluster_out() -> None:
    """CR3 of the difference is the jackknife itself, done here one cluster at a time."""
    data = simulated()

    def difference(kept: Bools) -> float:
        return float(data.right[kept & data.treated].mean() - data.right[kept & ~data.treated].mean())

    def variance(codes: Ints) -> float:
        names = np.unique(codes)
        seen = difference(np.ones(600, dtype=bool))
        moved = [difference(codes != name) - seen for name in names]
        return (len(names) - 1) / len(names) * float(np.sum(np.square(moved)))

    pairs = data.participant * 1000 + data.item
    expected = variance(data.participant) + variance(data.item) - variance(pairs)
    found = clustered_difference(*data.all())
    assert found.statistic == pytest.approx(found.estimate / np.sqrt(expected))


def test_the_closed_form_is_newtons_method() -> None:
    """CR3, too, is the same by both ways."""
    data = simulated()
    closed, newton = clustered_logit(*data.all()), clustered_logit(*data.all(), columns=np.zeros((600, 0)))
    assert newton.statistic == pytest.approx(closed.statistic)
    wider = clustered_logit(*data.all(), correction="CR1")
    assert closed.high - closed.low > wider.high - wider.low


def test_many_outcomes_at_once() -> None:
    """Each is as it is alone; where a condition has one kind of outcome, NaN."""
    data = simulated()
    outcomes = np.stack([data.right, data.right[::-1], data.treated, ~data.right])
    found = clustered_logits(outcomes, data.treated, data.participant, data.item)
    for number in (0, 1, 3):
        alone = clustered_logit(outcomes[number], data.treated, data.participant, data.item)
        assert found.log_odds_ratio[number] == pytest.approx(alone.estimate)
        assert found.log_odds_ratio_se[number] == pytest.approx(alone.estimate / alone.statistic)
        assert found.log_odds_ratio_p[number] == pytest.approx(alone.p)
        share = clustered_difference(outcomes[number], data.treated, data.participant, data.item)
        assert found.difference[number] == pytest.approx(share.estimate)
        assert found.difference_se[number] == pytest.approx(share.estimate / share.statistic)
        assert found.difference_p[number] == pytest.approx(share.p)
    assert np.isnan(found.log_odds_ratio_p[2])
    assert found.difference[2] == 1
    assert not found.substituted.any()
    assert found.df == alone.df


def test_a_variance_that_is_not_positive_is_replaced() -> None:
    """Each person is right as often as the others, each item as often, so one-way variances are below the two-way."""
    right, treated = [1, 0, 0, 1, 1, 0, 0, 1], [1, 1, 1, 1, 0, 0, 0, 0]
    people, items = [1, 1, 2, 2, 3, 3, 4, 5], [1, 2, 1, 2, 1, 2, 1, 2]
    found = clustered_logit(*(np.array(values) for values in (right, treated, people, items)))
    assert found.name.endswith(SUBSTITUTED)
    assert found.problem is None
    assert found.p == pytest.approx(1)


def arrays(*values: list[int]) -> tuple[Bools, Bools, Ints, Ints]:
    """Outcomes, conditions, people and items from lists."""
    right, treated, people, items = values
    return np.array(right, dtype=bool), np.array(treated, dtype=bool), np.array(people), np.array(items)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (([], [], [], []), "nobody answered in untreated"),
        (([1, 0], [1, 1], [1, 2], [1, 2]), "nobody answered in untreated"),
        (([1, 0], [0, 0], [1, 2], [1, 2]), "nobody answered in treated"),
        (([1, 0, 1, 0], [1, 1, 0, 0], [1, 1, 2, 3], [1, 2, 1, 2]), "only one participant answered in treated"),
        (([1, 0, 1, 0], [1, 1, 0, 0], [1, 2, 3, 4], [1, 2, 1, 1]), "only one item was answered in untreated"),
        (([1, 1, 1, 0], [1, 1, 0, 0], [1, 2, 3, 4], [1, 2, 1, 2]), "all outcomes in treated are the same"),
        (([1, 1, 0, 0], [1, 1, 0, 0], [1, 2, 3, 4], [1, 2, 1, 2]), "all outcomes in untreated are the same, and so"),
    ],
)
def test_what_cannot_be_compared_says_why(given: tuple[list[int], ...], problem: str) -> None:
    """There is no p then, and nothing that is not a number."""
    for compare in (clustered_logit, clustered_difference):
        found = compare(*arrays(*given))
        assert found.problem is not None
        assert found.problem.startswith(problem)
        assert (found.p, found.statistic, found.low, found.effect) == (None,) * 4
    assert clustered_logit(*arrays(*given), names=("No-Int", "Int")).problem == clustered_logit(
        *arrays(*given)
    ).problem.replace("untreated", "No-Int").replace("treated", "Int")


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        (lambda data: data.treated, "the further columns, the condition and a constant cannot be told apart"),
        (lambda data: data.right, "the outcomes follow from the condition and the further columns without fail"),
        (lambda data: data.right & (data.item < 60), "the outcomes follow from the condition and the further"),
        (lambda data: data.item == 0, "a further column varies for one participant or one item only"),
    ],
)
def test_columns_that_cannot_be_held_constant(column: object, problem: str) -> None:
    """A copy of the condition, of the outcome, a part of it, and what one item alone has."""
    data = simulated()
    given = np.asarray(column(data), dtype=float)[:, None]  # type: ignore[operator]
    found = clustered_logit(*data.all(), columns=given)
    assert found.problem is not None
    assert found.problem.startswith(problem)
    assert found.p is None


def test_arrays_that_do_not_fit_are_refused() -> None:
    """Not of one length, or columns with gaps."""
    data = simulated()
    with pytest.raises(ValueError, match="arrays of one length"):
        clustered_logit(data.right, data.treated, data.participant[1:], data.item)
    with pytest.raises(ValueError, match="599 outcomes are given for 600 answers"):
        clustered_logit(data.right[1:], data.treated, data.participant, data.item)
    with pytest.raises(ValueError, match="finite numbers"):
        clustered_logit(*data.all(), columns=np.full((600, 1), np.nan))
    with pytest.raises(ValueError, match="nobody answered in untreated"):
        clustered_logits(np.ones((1, 2)), np.ones(2), np.arange(2), np.arange(2))


def test_equal_shares_are_no_difference() -> None:
    """The estimate is the difference of the log odds of the shares, here 0."""
    data = simulated()
    right = np.zeros(600, dtype=bool)
    for arm in (data.treated, ~data.treated):
        places = np.flatnonzero(arm)
        right[places[: len(places) // 2 * 2 : 2]] = True
    found = clustered_logit(right, data.treated, data.participant, data.item)
    shares = [right[arm].mean() for arm in (data.treated, ~data.treated)]
    assert found.estimate == pytest.approx(logit(shares[0]) - logit(shares[1]))
    assert found.p > 0.5
