"""Gains over the training without a person: paired by seed, with intervals, by scenario and interaction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crowdloom.analysis.latent_frames import Session, curves
from crowdloom.analysis.latent_gains import (
    best_and_worst,
    gains,
    gains_table,
    scenario_gains,
    steps,
    steps_table,
    strategies_table,
)
from crowdloom.analysis.latent_interactions import interactions
from tests.analysis.latent_sessions import baselines_of, session

GAINS = (0.01, 0.02, 0.06, -0.01)


def sessions(**given: object) -> list[Session]:
    """Four, with the gains above."""
    return [session(number, gain=gain, **given) for number, gain in enumerate(GAINS)]  # type: ignore[arg-type]


def told(some: list[Session], known: int | None = None) -> pd.DataFrame:
    """The gains of these, of which the first so many have a baseline."""
    return gains(curves(some, baselines_of(some[:known])))


def test_a_gain_is_the_difference_at_the_same_seed_and_epoch() -> None:
    """With a t interval over sessions, by hand: mean 0.02, sd of the four numbers over 2, quantile of 3 degrees."""
    found = told(sessions())
    assert found["gain_accuracy"].tolist() == pytest.approx(GAINS)
    (one,) = scenario_gains(found)
    half = stats.t.ppf(0.975, 3) * np.std(GAINS, ddof=1) / 2
    assert one.accuracy.test.estimate == pytest.approx(0.02)
    assert (one.accuracy.test.low, one.accuracy.test.high) == pytest.approx((0.02 - half, 0.02 + half))
    assert (one.sessions, one.people, one.seeds) == (4, 4, 4)


def test_baselines_that_end_early_or_are_not_there_count_for_nothing() -> None:
    """The others make the mean; a baseline of fewer epochs has no score at the session's last."""
    some = sessions()
    known = baselines_of(some[:3])
    known["digits", 0] = known["digits", 0][:40]
    found = gains(curves(some, known))
    assert found["gain_accuracy"].isna().tolist() == [True, False, False, True]
    (one,) = scenario_gains(found)
    assert (one.sessions, one.accuracy.test.estimate) == (2, pytest.approx(0.04))


def test_one_session_has_a_gain_and_no_interval() -> None:
    """And the table says why."""
    table = gains_table(scenario_gains(told(sessions(), 1)))
    assert table.frame["n"].tolist() == [1, 1]
    assert table.frame["low"].isna().all()
    assert all("pair" in why for why in table.frame["problem"])
    assert "nan" not in table.lines()


def test_best_and_worst_are_by_final_accuracy() -> None:
    """Their gains stand in the table."""
    found = told(sessions())
    best, worst = best_and_worst(found)
    assert best is not None
    assert worst is not None
    assert best["accuracy"] == found["accuracy"].max()
    assert worst["accuracy"] == found["accuracy"].min()
    row = gains_table(scenario_gains(found)).frame.iloc[0]
    assert (row["best"], row["worst"]) == pytest.approx((best["gain_accuracy"], worst["gain_accuracy"]))
    assert best_and_worst(found.iloc[:0]) == (None, None)


def test_scenarios_and_conditions_are_told_apart() -> None:
    """A row for each scenario, and where there are several conditions for each of both."""
    both = [*sessions(), *sessions(scenario="signals")]
    assert [one.name for one in scenario_gains(told(both))] == ["digits", "signals"]
    armed = [*sessions(condition="A"), *sessions(condition="B")]
    assert [one.name for one in scenario_gains(told(armed[:2] + armed[6:]))] == ["digits, A", "digits, B"]


def test_what_each_interaction_changed() -> None:
    """A session gains a quarter of its gain in each of its four interactions."""
    some = sessions()
    lines = curves(some, baselines_of(some))
    found = steps(interactions(some), lines)
    assert found["gain"].tolist() == pytest.approx([gain / 4 for gain in GAINS for _ in range(4)])
    table = steps_table(found).frame
    assert table["n"].tolist() == [4] * 4
    assert table["gain"].tolist() == pytest.approx([0.005] * 4)


def test_interactions_without_a_person_are_no_steps() -> None:
    """They stand in no table."""
    some = [session(0, ("distance",), without_person=2)]
    assert steps(interactions(some), curves(some))["interaction"].tolist() == [1]


def test_strategies_are_counted_with_their_people() -> None:
    """Two people, of whom one changes the strategy."""
    some = [session(0, ("distance", "merge")), session(1, ("distance", "distance"))]
    table = strategies_table(steps(interactions(some), curves(some, baselines_of(some)))).frame
    assert table["interactions"].to_dict() == {
        "Increase compactness": 0,
        "Maximise distance": 3,
        "Merge similar classes": 0,
        "Keep the arrangement": 0,
        "Change strategy": 1,
        "none that the rule knows": 0,
    }
    assert table["people"].tolist() == [0, 2, 0, 0, 1, 0]


def test_without_sessions_every_table_is_empty() -> None:
    """No traceback, no NaN."""
    lines, asked = curves([]), interactions([])
    assert scenario_gains(gains(lines)) == []
    for table in (gains_table([]), steps_table(steps(asked, lines)), strategies_table(steps(asked, lines))):
        assert "nan" not in table.lines()
