"""Power of designs: their exact numbers, what they cost at each size, and what is needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from crowdloom.analysis.power import Trial
from crowdloom.analysis.power_outcome import Means, Proportions
from crowdloom.analysis.power_people import draw_answers
from crowdloom.studies.catalogue import find_design
from crowdloom.studies.cost import study_cost
from crowdloom.studies.database import Store
from crowdloom.studies.design import Design
from crowdloom.studies.design_file import read_design
from crowdloom.studies.errors import DesignError, OptionError, StudyError
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.power import PowerReport, around, power_report
from crowdloom.studies.power_numbers import Setting, asked_of
from crowdloom.studies.power_setting import (
    count_items,
    planned,
    read_effect,
    setting_of,
    stored_items,
    variances_of_study,
)
from crowdloom.studies.power_words import (
    figure_of,
    power_record,
    power_table,
    result_sentences,
    setting_sentences,
)
from crowdloom.studies.tables import Item
from tests.studies.designs import load, make_design, make_images
from tests.studies.studies_for_tests import answer, begin, open_small, trial_id

TWO = ({"name": "plain"}, {"name": "example"})
THREE = (*TWO, {"name": "film", "responses_per_item": 6})
PEOPLE = {"minutes": 2, "hold_minutes": 10, "reward": "0.50 USD"}
EFFECT = Proportions(0.5, 0.9)


def setting(items: int = 8, simulations: int = 40, test: str = "welch", **changes: Any) -> Setting:
    """A small design of two conditions, and a big effect."""
    design = make_design(**({"conditions": TWO, "people": PEOPLE} | changes))
    sides = (design.conditions[0].name, design.conditions[1].name)
    return Setting(design, items, sides, Trial(EFFECT, test, simulations=simulations))


def catalogued(name: str) -> Design:
    return read_design(find_design(name))[0]


@pytest.fixture(scope="module")
def report() -> PowerReport:
    """The small design over some responses."""
    return power_report(setting(simulations=200), [1, 4])


def test_the_numbers_of_the_papers() -> None:
    """Experiment 1: 100 images and 900 submissions each, 45 workers; Experiment 2: 200 shared, 1,000 each, 105."""
    for name, shape, each, people in (("wrong-label-1", (2, 200), 9, 45), ("wrong-label-2", (2, 200), 5, 105)):
        design = catalogued(name)
        asked = asked_of(setting_of(design, 200, planned(design), EFFECT), each, 200)
        assert asked.wanted.shape == shape
        assert asked.wanted.sum(axis=1).tolist() == [100 * 9, 100 * 9] if each == 9 else [1000, 1000]
        assert set(np.unique(asked.wanted)) == ({0, 9} if each == 9 else {5})
        assert (asked.items, asked.people, asked.shared) == (200, people, each == 5)
        answers = draw_answers(asked, np.random.default_rng(1))
        assert len(np.unique(answers.participant)) == people


def test_other_sizes_keep_what_people_do() -> None:
    """Twice the responses take twice the people, and never fewer than can do it; who may come once makes one each."""
    design = catalogued("wrong-label-2")
    compared = setting_of(design, 200, planned(design), EFFECT)
    assert [asked_of(compared, responses, 200).people for responses in (1, 5, 10)] == [21, 105, 210]
    assert asked_of(compared, 100, 1).people == 200  # one image for each person
    assert asked_of(replace(compared, people=50), 5, 200).people == 50
    assert asked_of(replace(compared, people=3), 5, 200).people == 10  # five in each condition at least
    assert asked_of(setting(), 3, 8).people == 2 * 4 * 3


def test_last_batches_mixes_and_conditions_of_their_own_size() -> None:
    """Batches are those that would be dealt; a condition that wants more keeps its share."""
    asked = asked_of(setting(7, conditions=THREE), 4, 7)
    assert asked.sizes.tolist() == [2, 2, 2, 1]
    assert asked.wanted.tolist() == [[4] * 4, [4] * 4, [12] * 4]
    even = {"size": 3, "responses_per_item": 2, "even": True}
    assert sorted(asked_of(setting(7, batches=even), 2, 7).sizes.tolist()) == [2, 2, 3]
    mixed = {"size": 2, "responses_per_item": 2, "mix": ({"count": 1, "at_most": 0.5}, {"count": 1, "above": 0.5})}
    assert asked_of(setting(6, batches=mixed), 2, 6).sizes.tolist() == [2, 2, 2]
    with pytest.raises(DesignError, match="7 items are no whole number of batches of 2"):
        asked_of(setting(7, batches=mixed), 2, 7)
    split = {"size": 2, "responses_per_item": 2, "split_items": True}
    with pytest.raises(DesignError, match="cannot be shared equally"):
        asked_of(setting(6, batches=split), 2, 6)
    with pytest.raises(DesignError, match="cannot be shared equally"):
        power_report(setting(8, batches=split), [], [8, 10])


@pytest.mark.parametrize("split", [True, False])
def test_the_cost_is_that_of_the_loaded_study(sqlite_store: Store, tmp_path: Path, split: bool) -> None:
    """To the cent, fees included, as `crowdloom cost` has it once the design is in the store."""
    make_images(tmp_path, 12)
    design = make_design(
        conditions=({"name": "plain"}, {"name": "example"} if split else {"name": "example", "responses_per_item": 11}),
        batches={"size": 3, "responses_per_item": 4, "split_items": split},
        people={**PEOPLE, "reward": "0.57 USD"},
        bonus={"rule": "agreement", "amount": "0.13 USD", "share": 0.3},
        mturk={"delivery": "batches"},
    )
    load(sqlite_store, tmp_path, design)
    for platform in PLATFORMS:
        with sqlite_store.read() as connection:
            expected = study_cost(connection, "pets", platform)
            items = stored_items(connection, "pets")
        setting = setting_of(design, items, planned(design), EFFECT, test="welch", simulations=2, platform=platform)
        assert items == count_items(design, tmp_path) == 12
        assert power_report(setting, [5]).own.cost == expected


def test_what_the_papers_paid() -> None:
    """0.05 USD for each image, and a fifth of that to the marketplace."""
    design = catalogued("wrong-label-1")
    setting = setting_of(design, 200, planned(design), EFFECT, simulations=2, platform="mturk")
    assert power_report(setting, [3], most_answers=1800).own.cost.total == 1800 * 6


def test_bonuses_and_steps_of_the_fee_are_in_the_cost() -> None:
    """The most that bonuses can come to; and from ten places on a HIT the marketplace takes twice as much."""
    bonus = {"rule": "agreement", "amount": "0.10 USD", "share": 0.2}
    found = power_report(replace(setting(bonus=bonus, mturk={"delivery": "batches"}), platform="mturk"), [9, 10])
    costs = {point.responses_per_item: point.cost for point in found.points}
    assert costs[9].bonuses == 2 * 4 * 9 * 10
    assert costs[9].fee_on_rewards == 2 * 4 * 9 * 10
    assert costs[10].fee_on_rewards == 2 * 4 * 10 * 20


def test_the_design_is_always_a_point(report: PowerReport) -> None:
    """Beside the numbers that are asked for, in order; and what is needed lies on the curve."""
    assert [(point.responses_per_item, point.own) for point in report.points] == [(1, False), (2, True), (4, False)]
    powers = [point.power.found.share for point in report.points]
    assert powers == sorted(powers)
    low, high = report.needed
    assert (low.target, high.target, low.over) == (0.8, 0.9, "responses")
    assert low.point is not None
    assert high.point is not None
    assert low.point.power.found.share >= 0.8
    assert high.point.power.found.share >= 0.9
    assert low.point.responses_per_item <= high.point.responses_per_item
    assert low.point.cost.places == 2 * 4 * low.point.responses_per_item
    assert around(5) == [2, 3, 5, 7, 10]
    assert [point.responses_per_item for point in power_report(setting()).points] == [1, 2, 3, 4]


def test_items_vary_in_whole_batches() -> None:
    """What is needed over items can be dealt: a multiple of what makes a batch in each condition."""
    split = {"size": 2, "responses_per_item": 2, "split_items": True}
    found = power_report(setting(8, test="student", batches=split, seed=3), [], [16, 32])
    assert [point.items for point in found.points] == [8, 16, 32]
    assert list(found.series) == [0]
    for one in found.needed:
        assert one.over == "items"
        assert one.point is not None
        assert one.point.items % 4 == 0
    both = power_report(setting(8, simulations=20), [1, 3], [12])
    assert [(point.items, point.responses_per_item) for point in both.points] == [
        *((8, 1), (8, 2), (8, 3)),
        *((12, 1), (12, 2), (12, 3)),
    ]
    assert [one.over for one in both.needed] == ["responses", "responses", "items", "items"]
    assert list(both.series) == [8, 12]


def test_what_no_size_reaches_is_said() -> None:
    """An effect that is too small: more than was looked at."""
    tiny = replace(setting(), trial=Trial(Means(0.001, 1.0), "welch", simulations=20))
    found = power_report(tiny, [4], most_answers=500)
    assert [one.point for one in found.needed] == [None, None]
    assert found.needed[0].furthest == 31  # each takes 16 answers
    assert "For 80 %: more than 31 responses per item, which is as far as was looked." in result_sentences(found)


def test_the_same_seed_gives_the_same_report() -> None:
    """And progress ends at its end, never beyond."""
    told: list[tuple[int, int]] = []
    first = power_report(setting(), [4], progress=lambda done, of: told.append((done, of)))
    assert power_record(power_report(setting(), [4])) == power_record(first)
    other = setting()
    other = replace(other, trial=replace(other.trial, seed=9))
    assert power_record(power_report(other, [4])) != power_record(first)
    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_words_table_and_figure(report: PowerReport) -> None:
    """The table has a line for each point with its cost; sentences say what is needed; the figure has the costs."""
    lines = power_table(report).lines().splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("2 *")
    assert lines[2].endswith("8.00 USD")
    said = result_sentences(report)
    assert said[0].startswith("The design as it stands (32 responses by 16 people, 8.00 USD at most on link)")
    assert said[1].startswith("For 80 %: ")
    figure = figure_of(report)
    above = figure.axes[0].child_axes[0]
    assert {label.get_text() for label in above.get_xticklabels()} >= {"8"}
    assert above.get_xlabel() == "cost on link, at most (USD)"
    several = figure_of(power_report(setting(8, simulations=10), [1, 3], [12]))
    assert {text.get_text() for text in several.axes[0].texts} >= {"4", "8", "12", "6", "18"}
    record = power_record(report)
    assert record["points"][1]["cost"] == 800
    assert record["needed"][0]["needed"]["power"] >= 0.8


def test_the_plans_correction_is_not_simulated_and_that_is_said() -> None:
    """Where the plan has several hypotheses and corrects; also in JSON."""
    about = {"outcome": "top1_accuracy", "claim": "It helps.", "test": "welch", "levels": ("plain", "example")}
    hypotheses = [about | {"name": name} for name in ("one", "two", "three")]
    corrects = "The plan corrects over 3 hypotheses, at 0.02 together: see crowdloom plan."
    for number, correction, is_said in (
        (3, "holm", True),
        (3, "bonferroni", True),
        (3, "none", False),
        (1, "holm", False),
    ):
        plan = {"stopping": "When full.", "alpha": 0.02, "correction": correction, "hypotheses": hypotheses[:number]}
        record = power_record(power_report(setting(simulations=5, plan=plan), [4], most_answers=100))
        assert any(sentence.endswith(corrects) for sentence in record["said"]) == is_said
    plain = power_record(power_report(setting(simulations=5), [4], most_answers=100))
    assert not any("corrects" in sentence for sentence in plain["said"])


def test_what_is_not_simulated_is_said() -> None:
    """Effects do not differ between items; those of shares are the same in log-odds."""
    small = setting()
    assert "same for every item and person, in log-odds: no interaction of items" in setting_sentences(small)[2]
    number = replace(small, trial=Trial(Means(0.1, 0.3), "welch"))
    assert "same for every item and person: no interaction of items" in setting_sentences(number)[2]


def test_a_test_that_finds_too_much_is_warned_of() -> None:
    """Where a few people in one condition do most, a test over items believes too much."""
    design = catalogued("wrong-label-2")
    for test, warned in (("paired", True), ("clustered-logit", False)):
        setting = setting_of(design, 200, planned(design), Proportions(0.63, 0.73), test=test, simulations=100)
        said = result_sentences(power_report(setting, [5, 6], most_answers=2400))
        assert any(sentence.startswith("Beware") and "clustered-logit" in sentence for sentence in said) == warned


def test_the_plan_says_how_conditions_are_compared() -> None:
    """Test, unit, alpha and sides are the first fitting hypothesis's; without a plan the papers' tests."""
    about = {"outcome": "top1_accuracy", "claim": "It helps.", "by": "condition"}
    hypotheses = [
        {"name": "hard", "test": "welch", "levels": ("plain", "example"), "where": {"kind": "hard"}, **about},
        {"name": "all", "test": "permutation", "unit": "participant", "levels": ("film", "plain"), **about},
    ]
    plan = {"stopping": "When it is full.", "alpha": 0.01, "hypotheses": hypotheses}
    found = planned(make_design(conditions=THREE, plan=plan))
    assert (found.sides, found.test, found.unit, found.alpha) == (("film", "plain"), "permutation", "participant", 0.01)
    assert "hypothesis all" in found.by
    of_some = planned(make_design(conditions=THREE, plan=plan), ("plain", "example"))
    assert (of_some.test, of_some.by) == (
        "welch",
        "From the plan’s hypothesis hard, which is about some of the items: power is that of all.",
    )
    assert planned(make_design(conditions=THREE, plan=plan), ("example", "plain")).test == "paired"
    assert planned(make_design(conditions=TWO)).test == "paired"
    split = {"size": 1, "responses_per_item": 2, "split_items": True}
    assert planned(make_design(conditions=TWO, batches=split)).test == "student"
    asked = asked_of(replace(setting(8, conditions=THREE), sides=("film", "plain")), 2, 8)
    assert asked.wanted[:, 0].tolist() == [6, 2, 2]


def test_mistakes() -> None:
    """One clear sentence each."""
    with pytest.raises(DesignError, match="pets has one condition, and power is that of a difference between two"):
        planned(make_design())
    with pytest.raises(
        DesignError, match=r"coach-within has one condition.*; for versions within people, `crowdloom plan`"
    ):
        planned(read_design(find_design("coach-within"))[0])
    with pytest.raises(OptionError, match="say which two of plain, example, film are compared, as in plain,example"):
        planned(make_design(conditions=THREE))
    with pytest.raises(OptionError, match="no condition is called 'none'; there are: plain, example"):
        planned(make_design(conditions=TWO), ("plain", "none"))
    with pytest.raises(OptionError, match="name two different ones"):
        planned(make_design(conditions=TWO), ("plain", "plain"))
    with pytest.raises(OptionError, match="no test of two conditions is called 'anova'"):
        setting_of(make_design(conditions=TWO), 8, planned(make_design(conditions=TWO)), EFFECT, test="anova")
    with pytest.raises(OptionError, match="--people: everybody makes one submission"):
        setting_of(make_design(conditions=TWO), 8, planned(make_design(conditions=TWO)), EFFECT, people=9)
    with pytest.raises(OptionError, match="nothing varies, since the design has 2 responses per item and 8"):
        power_report(setting(), [2], [8])
    with pytest.raises(OptionError, match="--responses: expected numbers from 1 to 10,000, got 0"):
        power_report(setting(), [0])
    split = {"size": 2, "responses_per_item": 2, "split_items": True}
    with pytest.raises(OptionError, match="each condition has items of its own"):
        power_report(setting(test="paired", batches=split))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("0.63,1.2", "lies between 0 and 1, got 1.2"),
        ("0,0.5", "lies between 0 and 1, got 0"),
        ("0.7,0.7", "there is no difference to find"),
        ("some", "expected two shares such as 0.63,0.73, or a difference"),
        ("0.1,0.2,0.3", "expected two shares"),
        ("0.05", "needs the standard deviation of single answers"),
    ],
)
def test_effects_that_cannot_be_read(written: str, said: str) -> None:
    """What was expected, and what is wrong."""
    with pytest.raises(OptionError, match=f"--effect: .*{said}"):
        read_effect(written)


def test_effects() -> None:
    """Shares with assumed or given variances, and differences with their spread."""
    assert read_effect("0.63, .73") == Proportions(0.63, 0.73, 0.5, 1.0)
    assert read_effect("0.63,0.73", participant_sd=0, item_sd=0.2) == Proportions(0.63, 0.73, 0, 0.2)
    assert read_effect("-0.05", spread=0.2) == Means(-0.05, 0.2)


def test_items_are_counted(tmp_path: Path) -> None:
    """Those that the source holds or the design samples, mixes or deals; or somebody has to say."""
    digits = {"source": "digits", "sample": 12}
    assert count_items(make_design(items=digits, classes=tuple("0123456789")), tmp_path) == 12
    assert count_items(catalogued("wrong-label-2"), tmp_path) == 200
    assert count_items(catalogued("mixing-coefficient"), tmp_path) > 1
    with pytest.raises(OptionError, match="images is not here and the design draws no sample"):
        count_items(make_design(), tmp_path)
    mix = {"size": 2, "responses_per_item": 1, "mix": ({"count": 2, "above": 99.0},)}
    design = make_design(items={"source": "digits"}, batches=mix, classes=tuple("0123456789"))
    with pytest.raises(DesignError, match="of this difficulty"):
        count_items(design, tmp_path)


def test_variances_of_a_study_in_the_store(store: Store, tmp_path: Path) -> None:
    """Those of its accepted first answers; which outcome is to be said where several fit; too few answers say so."""
    from crowdloom.studies.web import create_app

    posting = open_small(store, tmp_path)
    with store.read() as connection, pytest.raises(StudyError, match="--like small: there are no answers"):
        variances_of_study(connection, "small", True, "top1_accuracy")
    with store.read() as connection:
        references = connection.execute(select(Item.reference)).scalars().all()
    assert len(set(references)) > 1  # so all who give one of them are right about some items and wrong about others
    client = create_app(store).test_client()
    for name in ("ann", "ben", "cem", "dan"):
        base = begin(client, posting, name)
        while trial_id(client, base):
            assert answer(client, base, top1=references[0]) == 303
    with store.read() as connection:
        found = variances_of_study(connection, "small", True, "top1_accuracy")
        assert (found.answers, found.participants, found.items) == (12, 4, 6)
        effect = read_effect("0.5,0.6", item_sd=0.3, like=lambda right: found)
        assert effect == Proportions(0.5, 0.6, found.participant_sd, 0.3)
        with pytest.raises(OptionError, match="--outcome: say which outcome; there are: top1_accuracy, top2_accuracy"):
            variances_of_study(connection, "small", True)
        with pytest.raises(OptionError, match="'seconds' is no outcome of small that is right or wrong"):
            variances_of_study(connection, "small", True, "seconds")
        with pytest.raises(StudyError, match="all answers are the same"):
            variances_of_study(connection, "small", False, "top1_probability")
        with pytest.raises(StudyError, match="no study is called"):
            variances_of_study(connection, "nothing", False, "seconds")
