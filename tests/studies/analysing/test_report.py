"""A study's report: what its plan found against scipy by hand, who was left out and why, and what is exploratory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scipy import stats

from crowdloom.analysis.plan import plan_hash
from crowdloom.analysis.report import Facts, Prose, Section, Tabular
from crowdloom.studies.analysing.material import Material, read_material
from crowdloom.studies.analysing.report import Analysed, analyse
from crowdloom.studies.analysing.results import find_results
from crowdloom.studies.database import Store
from crowdloom.studies.posting import publish
from tests.studies.analysing.odd import KINDS, SIDED, Odd, plan_of
from tests.studies.releasing.answered import everything

WRONG = KINDS["wrong"]
COMMAND = ("crowdloom", "analyse", "guesses", "--out", "my report.html")


def guesses(store: Store, name: str = "guesses", **changes: Any) -> Odd:
    """A planned study that ten people complete; of them two are too quick, one is excluded, and one did not finish."""
    plan = plan_of(WRONG, seconds_per_answer=0.5)
    batches = {"size": 2, "responses_per_item": 6, "repeats": [1]}
    study = Odd(store, name, "wrong", **{"plan": plan, "batches": batches} | changes)
    study.come(*(f"q{number}" for number in range(7)))
    study.come("quick1", "quick2", ms=200)
    study.exclude(study.come("child"), "a child clicked")
    study.come("left", trials=1)
    return study


def material_of(store: Store, name: str = "guesses", version: int | None = None) -> Material:
    """What is read of a study."""
    with store.read() as connection:
        return read_material(connection, name, version)


def report_of(store: Store, name: str = "guesses", version: int | None = None) -> Analysed:
    """Its report, with few draws."""
    return analyse(material_of(store, name, version), COMMAND, samples=20)


def section(analysed: Analysed, title: str) -> Section:
    """One section."""
    [found] = [one for one in analysed.sections if one.title == title]
    return found


def facts(found: Section) -> dict[str, str]:
    """What a section says in names and values, with their meanings behind."""
    rows = [row for block in found.blocks if isinstance(block, Facts) for row in block.rows]
    return {name: f"{value} {meaning}".strip() for name, value, meaning in rows}


def table(analysed: Analysed, stem: str) -> Tabular:
    """One table, by the stem of its file."""
    [found] = [
        block for one in analysed.sections for block in one.blocks if isinstance(block, Tabular) and block.stem == stem
    ]
    return found


@pytest.mark.filterwarnings("error")
def test_the_plan_is_carried_out_on_the_answers_that_count(sqlite_store: Store) -> None:
    """Each test against scipy called by hand, on means of people computed from the frame alone."""
    for name in (f"guesses{number}" for number in range(20)):  # chance decides who gets which items
        guesses(sqlite_store, name)
        material, analysed = material_of(sqlite_store, name), report_of(sqlite_store, name)
        frame = material.frame
        median = frame[frame["repeat_index"] == 0].groupby("submission")["rt_ms"].median()
        kept = frame[(frame["standing"] == "accepted") & (frame["submission"].map(median) >= 500) & ~frame["is_repeat"]]
        right = kept["choice"] == kept["item"].map(material.items.set_index("item")["prediction"])
        means = right.astype(float).groupby([kept["condition"], kept["participant"]]).mean()
        one, other = means["plain"], means["shown"]
        if min(one.nunique(), other.nunique(), right.groupby(kept["item"]).mean().nunique()) > 1:
            break  # all of them vary, so that scipy has a p
    assert min(len(one), len(other)) >= 3
    both = one.index.intersection(other.index)
    assert len(both) == 0, "each person was in one condition, so there are no pairs"
    by_hand = {
        "student": stats.ttest_ind(one, other).pvalue,
        "welch": stats.ttest_ind(one, other, equal_var=False).pvalue,
        "mann-whitney": stats.mannwhitneyu(one, other).pvalue,
        "one": stats.ttest_1samp(right.astype(float).groupby(kept["item"]).mean(), 0.5).pvalue,
    }
    found = {tested.hypothesis.name: tested for tested in analysed.results.tested}
    assert {name: found[name].result.p for name in by_hand} == pytest.approx(by_hand)
    assert found["student"].means == pytest.approx((one.mean(), other.mean()))
    for name in SIDED[4:]:
        assert (found[name].result.p, found[name].result.problem) == (None, "no pair is there")
    file = table(analysed, "plan").data
    assert file is not None
    assert file.index.tolist() == list(found)
    assert file["p"].dropna().tolist() == [tested.result.p for tested in found.values() if tested.result.p is not None]
    said = " ".join(block.text for block in section(analysed, "Plan and results").blocks if isinstance(block, Prose))
    assert all(tested.sentence() in said for tested in found.values())


def test_who_was_left_out_and_why(sqlite_store: Store) -> None:
    """Every submission is on one line of the flow, with its reason; the reasons given by hand are told."""
    guesses(sqlite_store)
    analysed = report_of(sqlite_store)
    told = analysed.results.told
    assert told["reason"].value_counts().to_dict() == {"speed": 2, "excluded by hand": 1, "not complete": 1}
    flow = table(analysed, "flow").table.frame
    taken = [int(number) for name, number in flow["all"].items() if str(name).startswith("–")]
    assert flow.loc["arrived", "all"] - sum(taken) == flow.loc["analysed: submissions", "all"] == 7
    assert flow.loc["– speed", "all"] == 2
    counted = analysed.results.counted
    assert flow.loc["analysed: first answers", "all"] + flow.loc["analysed: repeats", "all"] == len(counted)
    assert (flow["plain"] + flow["shown"]).iloc[1:].tolist() == flow["all"].iloc[1:].tolist()
    assert "0.20 s per answer" in set(told["detail"])
    prose = [block.text for block in section(analysed, "Participants").blocks if isinstance(block, Prose)]
    assert any("a child clicked" in text for text in prose)
    assert f"{len(counted)} answers of 7 people" in analysed.lead


def test_the_plan_is_shown_with_its_hash(sqlite_store: Store) -> None:
    """And when it was frozen; what the plan does not ask for is exploratory."""
    study = guesses(sqlite_store)
    analysed, material = report_of(sqlite_store), material_of(sqlite_store)
    assert study.design.plan is not None
    said = facts(section(analysed, "Plan and results"))
    assert plan_hash(study.design.plan) in said["plan"]
    assert material.planned is not None
    assert material.planned.published is not None
    assert f"{material.planned.published:%Y-%m-%d}" in said["frozen"]
    assert "0.5 s" in said["left out"]
    exploratory = {one.title: one.exploratory for one in analysed.sections}
    sure = ("Plan and results", "Design", "Participants", "How this report was made")
    assert all(is_so == (title not in sure) for title, is_so in exploratory.items())
    assert sum(exploratory.values()) >= 3
    assert "'my report.html'" in facts(section(analysed, "How this report was made"))["command"]


def test_without_a_plan_everything_is_exploratory(sqlite_store: Store, tmp_path: Path) -> None:
    """The results are the study's answers as the store counts them, those of complete submissions."""
    everything(sqlite_store, tmp_path)
    analysed = report_of(sqlite_store, "digits")
    assert section(analysed, "Plan and results").exploratory
    assert "plan" not in facts(section(analysed, "Plan and results"))
    assert (analysed.results.tested, analysed.results.counted["submission"].nunique()) == ([], 2)
    assert table(analysed, "questionnaire-1").table.frame.shape[0] > 0
    assert section(analysed, "Questionnaires").exploratory
    assert table(analysed, "debrief-1").table.frame["people"].sum() == 2


def test_a_plan_that_was_changed_after_publication_is_told(sqlite_store: Store) -> None:
    """In the report of either version; answers before and after stay apart, unless all are asked for."""
    guesses(sqlite_store)
    assert "other plans" not in facts(section(report_of(sqlite_store), "Plan and results"))
    changed = plan_of(WRONG)
    Odd(sqlite_store, "guesses", "wrong", plan=changed).come("later")
    first, second, all_of_them = (report_of(sqlite_store, version=version) for version in (1, 2, None))
    assert "version 2" in facts(section(first, "Plan and results"))["other plans"]
    assert "version 1" in facts(section(second, "Plan and results"))["other plans"]
    hashes = {facts(section(one, "Plan and results"))["plan"] for one in (first, second)}
    assert len(hashes) == 2
    people = [one.results.counted["participant"].nunique() for one in (first, second, all_of_them)]
    assert people == [7, 1, 7 + 2 + 1]  # the second plan has no rule about speed
    sections = [section(one, "Plan and results") for one in (first, second, all_of_them)]
    assert [one.exploratory for one in sections] == [False, False, True]
    said = next(block.text for block in sections[2].blocks if isinstance(block, Prose))
    assert said.startswith("9 of 10 submissions that count here began before this plan was frozen")


def test_a_plan_that_came_after_the_answers_is_exploratory(sqlite_store: Store) -> None:
    """All of them are older than it; and a version that lost its plan says which one had it."""
    Odd(sqlite_store, "late", "wrong").come("ann", "ben")
    Odd(sqlite_store, "late", "wrong", plan=plan_of(WRONG))
    planned = section(report_of(sqlite_store, "late"), "Plan and results")
    assert planned.exploratory
    assert any(isinstance(one, Prose) and one.text.startswith("All 2 submissions that count") for one in planned.blocks)
    Odd(sqlite_store, "late", "wrong", thanks="Thank you.")
    lost = section(report_of(sqlite_store, "late"), "Plan and results")
    assert lost.exploratory
    [said] = [block.text for block in lost.blocks if isinstance(block, Prose)]
    assert said.endswith("Published with a plan were: 2; analyse one of them with --version.")


def test_a_plan_that_was_never_published_is_told(sqlite_store: Store) -> None:
    """It could still have been changed."""
    Odd(sqlite_store, "guesses", "wrong", plan=plan_of(WRONG), published=False)
    assert facts(section(report_of(sqlite_store), "Plan and results"))["frozen"].startswith("never")
    with sqlite_store.write() as connection:
        publish(connection, "guesses", "link")
    assert not facts(section(report_of(sqlite_store), "Plan and results"))["frozen"].startswith("never")


def test_results_are_those_of_the_report(sqlite_store: Store) -> None:
    """The plan alone, without a report, finds the same."""
    guesses(sqlite_store)
    results = find_results(material_of(sqlite_store))
    analysed = report_of(sqlite_store).results
    assert results.tested == analysed.tested
    pd.testing.assert_frame_equal(results.counted, analysed.counted)
