"""Plans tried on imagined studies: how often they find what is there, what is not, and what cannot be tested."""

from __future__ import annotations

from typing import Any

import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from crowdloom.studies.analysing.rehearsed import Tried, try_plan
from crowdloom.studies.database import Store
from crowdloom.studies.reading_items import read_items
from crowdloom.studies.rehearsal.imagined import ImaginedStudy
from tests.studies.analysing.odd import KINDS, Odd, plan_of

pytestmark = pytest.mark.filterwarnings("error")

CLEAR = {
    "with_interpretations": {"overall": 0.2},
    "without_interpretations": {"overall": 0.8},
    "images_with": {},
    "images_without": {},
}


def tried(store: Store, kind: str, runs: int, *hypotheses: dict[str, Any], **changes: Any) -> list[Tried]:
    """A plan of these hypotheses, or of every test, tried on a small study with these changes of its design."""
    plan = plan_of(KINDS[kind], **changes.pop("exclusions", {}))
    if hypotheses:
        plan["hypotheses"] = [{"name": f"H{n}", "claim": "They differ."} | one for n, one in enumerate(hypotheses, 1)]
    people = changes.pop("people_come", None)
    odd = Odd(store, "pets", kind, plan=plan, published=False, **changes)
    with store.read() as connection:
        study, items = ImaginedStudy(connection, odd.name), read_items(connection, odd.name)
    return try_plan(study, items, runs=runs, seed=1, people=people)


def test_as_many_come_as_the_places_need(sqlite_store: Store) -> None:
    """Where people may come four times and there is one batch, nobody comes twice; all places are filled."""
    Odd(sqlite_store, "pets", "wrong", published=False, **SHOWN)
    with sqlite_store.read() as connection:
        study = ImaginedStudy(connection, "pets")
    frame = study.answers(1)
    assert study.people() == frame["participant"].nunique() == 20
    assert frame.groupby(["condition", "item"]).size().tolist() == [10] * 8


STUDENT = {"outcome": "accuracy", "test": "student", "unit": "response", "levels": ["shown", "plain"]}
SHOWN = {
    "conditions": [{"name": "plain"}, {"name": "shown", "options": {"interpretations": True}}],
    "batches": {"size": 4, "responses_per_item": 10},
}


def test_a_run_is_the_test_of_an_imagined_frame(sqlite_store: Store) -> None:
    """What is counted as found is what scipy finds in the same frames."""
    [one] = tried(sqlite_store, "wrong", 6, STUDENT, rehearsal={"behaviour": CLEAR}, **SHOWN)
    found = {False: 0, True: 0}
    with sqlite_store.read() as connection:
        study, items = ImaginedStudy(connection, "pets"), read_items(connection, "pets")
    predicted = items.set_index("item")["prediction"]
    for seed in range(1, 7):
        for alike in (False, True):
            frame = study.answers(seed, alike=alike)
            right = (frame["choice"] == frame["item"].map(predicted)).astype(float)
            sides = [right[frame["condition"] == name].to_numpy() for name in ("shown", "plain")]
            found[alike] += stats.ttest_ind(*sides).pvalue < 0.05
    assert (one.found, one.found_without) == (found[False], found[True])
    assert one.found == 6
    assert one.found_without < 3


def test_what_is_not_there_is_found_no_more_often_than_without(sqlite_store: Store) -> None:
    """Both conditions behave alike, so both columns are false alarms."""
    same = CLEAR | {"with_interpretations": {"overall": 0.5}, "without_interpretations": {"overall": 0.5}}
    [one] = tried(sqlite_store, "wrong", 20, STUDENT, rehearsal={"behaviour": same}, **SHOWN)
    assert one.found <= 4
    assert one.found_without <= 4


@pytest.mark.parametrize("kind", KINDS)
def test_tiny_runs_of_every_test(sqlite_store: Store, kind: str) -> None:
    """One person comes, in one run: everything has a count or a reason, and no number is none."""
    for one in tried(sqlite_store, kind, 1, people_come=1):
        assert one.found + one.untested <= 1
        assert (one.problem is None) == (one.untested == 0)
        assert "nan" not in f"{one} {one.interval(one.found)}"


def test_rules_that_leave_nobody(sqlite_store: Store) -> None:
    """Every run is untested, and says why at first."""
    [one] = tried(sqlite_store, "wrong", 3, STUDENT, exclusions={"seconds_per_answer": 1000.0}, **SHOWN)
    assert (one.found, one.found_without, one.untested) == (0, 0, 3)
    assert one.problem == "'shown' has no answer that counts"


def test_attributes_that_no_item_has(sqlite_store: Store) -> None:
    """The hypothesis is untested, with what is missing; the others are tried."""
    unknown = {"outcome": "accuracy", "test": "pearson", "by": "strength"}
    missing, there = tried(sqlite_store, "wrong", 2, unknown, STUDENT, rehearsal={"behaviour": CLEAR}, **SHOWN)
    assert missing.untested == 2
    assert str(missing.problem).startswith("no item has the attribute 'strength'")
    assert there.found == 2


@pytest.mark.parametrize(("found", "runs"), [(0, 1), (1, 1), (7, 20)])
def test_the_interval_is_wilsons(found: int, runs: int) -> None:
    """As statsmodels has it, in whole per cent."""
    low, high = proportion_confint(found, runs, method="wilson")
    said = Tried("H1", runs, found, 0, 0, None).interval(found)
    assert said == f"{100 * found / runs:.0f}%, {100 * low:.0f}% to {100 * high:.0f}%"


@pytest.mark.parametrize(("without", "too_often"), [(28, True), (10, True), (9, False), (0, False), (None, False)])
def test_false_alarms_beyond_alpha_are_said(without: int | None, too_often: bool) -> None:
    """Where the whole interval of the share lies above 0.05: of 9 in 100 it begins at 4.8 %, of 10 at 5.5 %."""
    assert Tried("H1", 100, 90, without, 0, None).too_often(0.05) is too_often
