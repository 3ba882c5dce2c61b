"""Tests of what coaching changed: recomputed in another way, effects that are there found, and others not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from crowdloom.analysis.coach_learning import (
    again_between,
    again_within,
    earlier_coaching,
    trends,
    trends_compared,
)
from crowdloom.analysis.coach_tests import (
    before_and_after,
    between_people,
    regressions,
    within_people,
)
from crowdloom.analysis.coach_transfer import transfer
from crowdloom.analysis.coach_trials import coachable, trials
from tests.analysis.coach_frames import Effects, coach_frame

NEVER = ("8", "9")
STRONG = Effects(second=0.3, practice=0.03, coached=1.6, learned=0.12, kept=1.2, ink=12)
NAMES = ["recognised", "confidence", "ink", "length", "seconds"]


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Permutation tests draw fewer arrangements."""
    monkeypatch.setattr("crowdloom.analysis.permutation.DRAWN", 4999)


@pytest.fixture(scope="module")
def between() -> pd.DataFrame:
    """Trials of coached and of control people, with strong effects."""
    return trials(coach_frame(40, STRONG, never=NEVER), NEVER)


@pytest.fixture(scope="module")
def within() -> pd.DataFrame:
    """Trials of people who were coached in half of them."""
    return trials(coach_frame(40, STRONG, never=NEVER, within=True, seed=2), NEVER)


def test_people_are_compared_by_their_means(between: pd.DataFrame) -> None:
    """Welch's test of the mean changes of people, one value each, and Hedges' g."""
    found = {one.measure.name: one for one in between_people(between)}
    assert list(found) == NAMES
    own = between[~between["asked"].isin(NEVER)]
    for name, one in found.items():
        change = own[f"{name}_after"] - own[f"{name}_before"]
        sides = [
            change[own["condition"] == condition].groupby(own["participant"]).mean()
            for condition in ("coached", "control")
        ]
        wanted = stats.ttest_ind(*sides, equal_var=False)
        assert one.test.n == (20, 20)
        assert (one.first, one.second) == pytest.approx(tuple(side.mean() for side in sides))
        assert one.test.p == pytest.approx(wanted.pvalue)
        assert (one.test.low, one.test.high) == pytest.approx(tuple(wanted.confidence_interval()))
        pooled = np.sqrt((sides[0].var() + sides[1].var()) / 2)
        d = (sides[0].mean() - sides[1].mean()) / pooled
        assert one.test.effect == pytest.approx(d * (1 - 3 / (4 * 38 - 1)), rel=1e-3)
        assert one.permutation.p == pytest.approx(wanted.pvalue, abs=0.02)
    ps = [one.test.p for one in found.values()]
    order = np.argsort(ps)
    stepped = np.maximum.accumulate(np.array(ps)[order] * (5 - np.arange(5)))
    assert [found[NAMES[k]].holm for k in order] == pytest.approx(np.minimum(stepped, 1).tolist())


def test_effects_that_are_there_are_found_between_people(between: pd.DataFrame) -> None:
    """And no others: length and time are alike."""
    ps = {one.measure.name: one.holm for one in between_people(between)}
    assert max(ps["confidence"], ps["ink"]) < 0.001
    assert min(ps["length"], ps["seconds"]) > 0.05
    plain, held = regressions(between)
    assert plain.clusters == "people and classes"
    assert (plain.people, plain.classes, plain.odds.df) == (40, 8, 7)
    assert plain.odds.p < 0.01 > held.odds.p
    assert plain.odds.effect_low > 1 < held.odds.effect_low
    share = coachable(between).groupby("coached")["recognised_after"].mean()
    assert plain.difference.estimate == pytest.approx(share[True] - share[False])
    assert (plain.coached, plain.control) == pytest.approx((share[True], share[False]))


def test_the_same_people_are_paired(within: pd.DataFrame) -> None:
    """Changes in coached trials and in others, and second attempts beside first ones."""
    assert set(within["arm"]) == {"both"}
    own = within[~within["never_coached"]]
    means = own.pivot_table(index="participant", columns="coached", values="confidence_change")
    found = {one.measure.name: one for one in within_people(within)}
    wanted = stats.ttest_rel(means[True], means[False])
    assert found["confidence"].test.p == pytest.approx(wanted.pvalue)
    assert found["confidence"].test.n == (40, 40)
    differences = means[True] - means[False]
    assert found["confidence"].test.effect == pytest.approx(differences.mean() / differences.std())
    assert max(found[name].holm for name in ("recognised", "confidence", "ink")) < 0.05
    assert min(found[name].holm for name in ("length", "seconds")) > 0.01
    for coached in (True, False):
        rows = own[own["coached"] == coached].groupby("participant")[["ink_after", "ink_before"]].mean()
        (ink,) = (one for one in before_and_after(within, coached=coached) if one.measure.name == "ink")
        assert ink.test.p == pytest.approx(stats.ttest_rel(rows["ink_after"], rows["ink_before"]).pvalue)
        assert (ink.test.p < 0.001) == coached


def test_slopes_are_those_of_people(between: pd.DataFrame) -> None:
    """A straight line through each person's first attempts, and a t-test of the slopes."""
    own = between[~between["never_coached"]]
    slopes = {
        arm: [np.polyfit(rows["order"], rows["confidence_before"], 1)[0] for _, rows in some.groupby("participant")]
        for arm, some in own.groupby("arm")
    }
    found = {(one.arm, one.measure.name): one.test for one in trends(between)}
    for arm, values in slopes.items():
        assert found[arm, "confidence"].estimate == pytest.approx(10 * np.mean(values))
        assert found[arm, "confidence"].p == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    (compared,) = (one for one in trends_compared(coachable(between)) if one.measure.name == "confidence")
    wanted = stats.ttest_ind(slopes["coached"], slopes["control"], equal_var=False).pvalue
    assert compared.test.p == pytest.approx(wanted)
    assert compared.holm < 0.01
    assert compared.first > compared.second


def test_earlier_coaching_is_a_slope_beside_the_order(within: pd.DataFrame) -> None:
    """That of a regression with a level and a trend for each person; the interval is the jackknife's."""
    own = within[~within["never_coached"]]
    model = "confidence_before ~ C(participant) + C(participant):order + earlier_coached - 1"
    wanted = smf.ols(model, own).fit().params["earlier_coached"]
    found = {one.measure.name: one.test for one in earlier_coaching(within)}
    assert found["confidence"].estimate == pytest.approx(10 * wanted)
    assert found["confidence"].n == (40,)
    people = own["participant"].unique()
    left = [10 * smf.ols(model, own[own["participant"] != one]).fit().params["earlier_coached"] for one in people[:3]]
    assert found["confidence"].low < min(left) < max(left) < found["confidence"].high
    assert found["confidence"].p < 0.05 < found["length"].p


def test_a_class_again_is_compared_with_its_first_time(within: pd.DataFrame, between: pd.DataFrame) -> None:
    """Where the person was coached at it in between, and where not."""
    values: dict[bool, dict[str, list[float]]] = {True: {}, False: {}}
    for person, rows in within[~within["never_coached"]].groupby("participant"):
        for _, same in rows.groupby("asked"):
            first, second = same.sort_values("order").to_dict("records")
            change = second["confidence_before"] - first["confidence_before"]
            values[first["coached"]].setdefault(str(person), []).append(change)
    means = {kind: {person: np.mean(some) for person, some in of.items()} for kind, of in values.items()}
    both = sorted(means[True].keys() & means[False].keys())
    wanted = stats.ttest_rel(*([means[kind][one] for one in both] for kind in (True, False)))
    (found,) = (one for one in again_within(within) if one.measure.name == "confidence")
    assert found.test.p == pytest.approx(wanted.pvalue)
    assert found.holm < 0.01
    (found,) = (one for one in again_between(between) if one.measure.name == "confidence")
    assert found.holm < 0.01
    assert found.first > found.second


def test_transfer_is_seen_at_classes_never_coached(between: pd.DataFrame) -> None:
    """First attempts after another class, of both arms; the regression is clustered on people alone."""
    found = transfer(between)
    assert found.classes == NEVER
    assert found.people == (20, 20)
    rows = between[between["asked"].isin(NEVER) & (between["earlier"] > 0)]
    assert found.trials == len(rows)
    means = rows.groupby(["condition", "participant"])["confidence_before"].mean()
    wanted = stats.ttest_ind(means["coached"], means["control"], equal_var=False).pvalue
    (confidence,) = (one for one in found.compared if one.measure.name == "confidence")
    assert confidence.test.p == pytest.approx(wanted)
    assert confidence.test.p < 0.01
    assert found.regression is not None
    assert (found.regression.clusters, found.regression.odds.df) == ("people", 39)
    assert found.regression.odds.effect > 1
    assert not found.both


@pytest.mark.parametrize("is_within", [False, True])
def test_nothing_is_found_where_there_is_nothing(is_within: bool) -> None:
    """Writing again and practice help everybody alike: no comparison with the control finds anything."""
    found = trials(coach_frame(30, Effects(second=0.5, practice=0.05), never=NEVER, within=is_within, seed=5), NEVER)
    compared = [
        *(within_people(found) if is_within else between_people(found)),
        *(again_within(found) if is_within else again_between(found)),
        *([] if is_within else trends_compared(coachable(found))),
        *([] if is_within else transfer(found).compared),
    ]
    assert len(compared) == (10 if is_within else 20)
    ps = [one.holm for one in (*compared, *earlier_coaching(found))] + [one.odds.p for one in regressions(found)]
    assert min(ps) > 0.01  # 22 tests or 17 in some families of five
    gained = {one.measure.name: one.test for one in before_and_after(found, coached=False)}
    assert gained["confidence"].p < 0.001  # which is why there is a control


def test_too_few_people_have_problems_and_no_p() -> None:
    """One coached person and one control; trials without a second attempt's time."""
    found = trials(coach_frame(2))
    assert {one.test.problem for one in between_people(found)} == {
        "there is only one value on a side, and a t-test needs two"
    }
    assert all(one.odds.problem for one in regressions(found))
    assert {one.test.problem for one in within_people(found)} == {"there is no pair, and a t-test needs two"}
    chosen = coach_frame(6, within=True).assign(seconds_after=np.nan)
    times = next(one for one in within_people(trials(chosen)) if one.measure.name == "seconds")
    assert times.test.p is None
    assert times.first is None
    nobody = trials(coach_frame(1).iloc[:0])
    assert all(one.test.p is None for one in [*between_people(nobody), *within_people(nobody), *again_within(nobody)])
    assert earlier_coaching(nobody) == []
    assert trends(nobody) == []
    assert transfer(nobody).regression is None
