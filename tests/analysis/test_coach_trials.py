"""Trials of the task coach: whose they are, what came before each, and which can be coached."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crowdloom.analysis.coach_trials import MEASURES, coachable, never_coached_by, trials
from crowdloom.analysis.frame import check_frame
from crowdloom.tasks import TASKS
from tests.analysis.coach_frames import CLASSES, coach_frame
from tests.analysis.mixed_frames import item_frame


def test_the_made_up_frames_are_like_those_of_a_store() -> None:
    """They keep the contract of the long frame for the task's columns."""
    for within in (False, True):
        check_frame(coach_frame(3, within=within), TASKS["coach"].columns, CLASSES)


@pytest.mark.parametrize("within", [False, True])
def test_what_came_before_is_counted_for_each_person(within: bool) -> None:
    """Counted anew, row by row."""
    found = trials(coach_frame(5, within=within, never=("8", "9")), ("8", "9"))
    assert set(found.loc[found["never_coached"], "asked"]) == {"8", "9"}
    for _, own in found.groupby("participant"):
        rows = own.to_dict("records")
        for number, row in enumerate(rows):
            earlier, same = rows[:number], [one for one in rows[:number] if one["asked"] == row["asked"]]
            assert row["order"] == number
            assert row["earlier"] == sum(not one["never_coached"] for one in earlier)
            assert row["earlier_coached"] == sum(one["coached"] for one in earlier)
            assert row["class_times"] == len(same)
            assert row["class_coached"] == sum(one["coached"] for one in same)
    assert len(coachable(found)) == 5 * 16


def test_arms_are_of_people() -> None:
    """Those of one condition are in its arm; whoever is in a mixed condition is in both, also after few trials."""
    between = trials(coach_frame(4))
    assert between.groupby("participant")["arm"].first().tolist() == ["control", "coached"] * 2
    few = coach_frame(4, within=True)
    few = few[(few["participant"] != "p000") | (few["position"] < 1)]
    assert set(trials(few)["arm"]) == {"both"}
    twice = coach_frame(2)
    twice["participant"] = "p000"
    assert set(trials(twice)["arm"]) == {"both"}
    nobody = coach_frame(3)
    nobody[["coached", "condition"]] = 0.0, "alone"
    assert set(trials(nobody)["arm"]) == {"control"}


def test_a_person_in_two_submissions_goes_on() -> None:
    """The order counts over both, and repeats do not count."""
    frame = coach_frame(2)
    frame.loc[frame["submission"] == "s001", "participant"] = "p000"
    again = frame.iloc[:1].assign(is_repeat=True, repeat_index=1)
    found = trials(pd.concat([frame, again], ignore_index=True))
    assert found["order"].tolist() == list(range(40))
    assert found["submission"].tolist() == ["s000"] * 20 + ["s001"] * 20


def test_changes_are_after_less_before() -> None:
    """Of each measure; what is not known stays so."""
    frame = coach_frame(1)
    frame.loc[0, "seconds_after"] = np.nan
    found = trials(frame)
    for one in MEASURES:
        wanted = frame[f"{one.name}_after"] - frame[f"{one.name}_before"]
        pd.testing.assert_series_equal(found[f"{one.name}_change"], wanted, check_names=False)
    assert found["seconds_change"].isna().sum() == 1


def test_items_say_which_classes_are_never_coached() -> None:
    """By their attribute; a class that somebody was coached at is none of these."""
    items = item_frame({"item": "8-1", "reference": "8", "never_coached": "yes"}, {"item": "1-1", "reference": "1"})
    assert never_coached_by(items) == ["8"]
    assert never_coached_by(item_frame({"item": "8-1", "reference": "8"})) == []
    assert not trials(coach_frame(2), never_coached=("8",))["never_coached"].any()


def test_no_answers_are_no_trials() -> None:
    """And nothing fails."""
    empty = trials(coach_frame(1).iloc[:0])
    assert not len(empty)
    assert {"arm", "earlier", "recognised_change"} <= set(empty)
