"""Plans carried out on frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crowdloom.analysis.clustered import clustered_logit
from crowdloom.analysis.planned import Tested, carry_out, correct, plan_frame, plan_table
from tests.analysis.test_plan import plan_of

CLASSES = ("cat", "dog", "cow")


def items_of(n: int = 20) -> pd.DataFrame:
    """Items with a prediction, a category and a number."""
    return pd.DataFrame(
        {
            "item": [f"i{number}" for number in range(n)],
            "reference": ["cow"] * n,
            "difficulty": [np.nan] * n,
            "prediction": ["cat"] * n,
            "category": ["C1" if number % 2 else "C2" for number in range(n)],
            "strength": [str(number / 10) for number in range(n)],
        }
    )


def guesses_of(items: pd.DataFrame, seed: int = 1, people: int = 6) -> pd.DataFrame:
    """Every person guesses every item, half of the people in each condition; Int is worse."""
    rng = np.random.default_rng(seed)
    rows = [
        {
            "condition": condition,
            "item": item,
            "participant": f"p{person}",
            "submission": f"s{person}",
            "is_repeat": False,
            "rt_ms": float(rng.integers(1000, 9000)),
            "choice": "cat" if rng.random() < (0.4 if condition == "Int" else 0.85) else "dog",
        }
        for person in range(people)
        for condition in [("Int", "No-Int")[person % 2]]
        for item in items["item"]
    ]
    return pd.DataFrame(rows)


def once(**changes: Any) -> Tested:
    """One hypothesis, a change of a good one, on the guesses of 20 items."""
    items = items_of()
    return carry_out(plan_of(changes), "wrong-label", guesses_of(items), items, CLASSES)[0]


def means(side: str, by: str = "item") -> np.ndarray:
    """What the tests are held against: mean accuracies computed by hand."""
    frame = guesses_of(items_of())
    frame["right"] = frame["choice"] == "cat"
    return frame[frame["condition"] == side].groupby(by)["right"].mean().to_numpy(dtype=float)


@pytest.mark.parametrize("test", ["paired", "wilcoxon"])
def test_pairs_of_items(test: str) -> None:
    """The same items in both conditions; differences that rounding alone sets apart are ties."""
    found = once(test=test)
    both = means("Int"), means("No-Int")
    by_hand: Any = stats.ttest_rel(*both) if test == "paired" else stats.wilcoxon((both[0] - both[1]).round(9))
    assert found.result.p == pytest.approx(by_hand.pvalue)
    assert found.means == pytest.approx((means("Int").mean(), means("No-Int").mean()))
    assert found.result.n == (20, 20)


@pytest.mark.parametrize(
    ("test", "by_hand"),
    [
        ("student", stats.ttest_ind),
        ("welch", lambda one, other: stats.ttest_ind(one, other, equal_var=False)),
        ("mann-whitney", stats.mannwhitneyu),
    ],
)
@pytest.mark.parametrize("unit", ["item", "participant"])
def test_two_sides(test: str, by_hand: Any, unit: str) -> None:
    """Means of items or of people."""
    found = once(test=test, unit=unit)
    assert found.result.p == pytest.approx(by_hand(means("Int", unit), means("No-Int", unit)).pvalue)


def test_single_answers() -> None:
    """The regression gets the answers as they are, with who and what."""
    found = once(test="clustered-logit", unit="response")
    frame = guesses_of(items_of())
    by_hand = clustered_logit(
        (frame["choice"] == "cat").to_numpy(),
        (frame["condition"] == "Int").to_numpy(),
        pd.factorize(frame["participant"])[0],
        pd.factorize(frame["item"])[0],
    )
    assert found.result.p == pytest.approx(by_hand.p)
    assert found.result.estimate is not None
    assert found.result.estimate < 0


def test_one_side() -> None:
    """Against chance, in one condition or in all."""
    found = once(test="one-sample", levels=["Int"], against=0.2)
    assert found.result.p == pytest.approx(stats.ttest_1samp(means("Int"), 0.2).pvalue)
    everybody = once(test="one-sample", levels=[], against=0.2)
    assert everybody.result.n == (20,)
    assert everybody.means == pytest.approx(((means("Int").mean() + means("No-Int").mean()) / 2,))


def test_a_number_of_the_items() -> None:
    """Attributes are texts in the store, and numbers here."""
    found = once(test="pearson", levels=[], by="strength")
    accuracy = (
        guesses_of(items_of()).assign(right=lambda frame: frame["choice"] == "cat").groupby("item")["right"].mean()
    )
    strength = items_of().set_index("item")["strength"].astype(float)[accuracy.index]
    assert found.result.p == pytest.approx(stats.pearsonr(strength, accuracy).pvalue)
    assert found.means == ()


def test_sides_by_an_attribute_and_where() -> None:
    """Items are told apart by an attribute, and others are left aside; 0.50 is 0.5."""
    by_category = once(test="welch", by="category", levels=["C1", "C2"])
    assert by_category.result.n == (10, 10)
    only = once(where={"category": "C1"})
    assert only.result.n == (10, 10)
    one = once(test="welch", by="strength", levels=["0.50", "1"])
    assert one.result.n == (1, 1)
    assert one.result.p is None


def test_an_attribute_that_is_not_there() -> None:
    """It is named, with those that are; the plan's other hypotheses are tested."""
    items = items_of()
    plan = plan_of({"where": {"colour": "red"}}, {}, {"test": "pearson", "levels": [], "by": "weight"})
    found = carry_out(plan, "wrong-label", guesses_of(items), items, CLASSES)
    said = "no item has the attribute 'colour', which the plan needs; there are: item, reference, difficulty"
    assert str(found[0].result.problem).startswith(said)
    assert "no item has the attribute 'weight'" in found[2].sentence()
    assert [one.means for one in found] == [(None, None), pytest.approx((means("Int").mean(), 0.85), abs=0.1), ()]
    assert [one.result.p is None for one in found] == [True, False, True]
    assert "nan" not in plan_table(found).lines()


def test_an_outcome_that_the_items_do_not_allow() -> None:
    """Guesses of items without a prediction are neither right nor wrong."""
    items = items_of()
    found = carry_out(plan_of(), "wrong-label", guesses_of(items), items.drop(columns="prediction"), CLASSES)
    assert str(found[0].result.problem).startswith("the items have no prediction")


def test_a_side_without_answers() -> None:
    """It has no p and no NaN, and says which side."""
    items = items_of()
    frame = guesses_of(items).query("condition == 'Int'")
    student, paired = carry_out(plan_of({"test": "student"}, {}), "wrong-label", frame, items, CLASSES)
    assert (student.result.problem, student.means[1]) == ("'No-Int' has no answer that counts", None)
    assert paired.result.problem == "no pair is there"
    assert (student.found, student.p_corrected) == (None, None)
    assert "could not be tested" in student.sentence()
    for tested in (student, paired):
        table = plan_table([tested])
        assert not table.frame.isna().all(axis=None)
        assert "nan" not in table.lines()
    assert plan_frame([student])["problem"].tolist() == ["'No-Int' has no answer that counts"]


def test_a_regression_names_the_sides() -> None:
    """Where it cannot be made: a side without answers, and one of a single person."""
    items = items_of()
    logit = plan_of({"test": "clustered-logit", "unit": "response"})
    frame = guesses_of(items)
    one_sided = carry_out(logit, "wrong-label", frame.query("condition == 'Int'"), items, CLASSES)[0]
    assert one_sided.result.problem == "nobody answered in No-Int"
    alone = carry_out(logit, "wrong-label", frame.query("condition == 'No-Int' or participant == 'p0'"), items, CLASSES)
    assert alone[0].result.problem == "only one participant answered in Int"


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({"test": "student"}, "Student's t-test of two sides finds a difference (p"),
        ({}, "The paired t-test finds a difference (p"),
        (
            {"test": "pearson", "levels": [], "by": "strength"},
            "Pearson's correlation with a number of the items does not find a difference from 0 (p",
        ),
        (
            {"test": "one-sample", "levels": [], "against": 0.65},
            "The t-test of the mean against 0.65 does not find",
        ),
    ],
)
def test_sentences(changes: dict[str, Any], begins: str) -> None:
    """An article stands before a test that is not somebody's."""
    assert once(**changes).sentence().startswith(begins)


SIDES: list[dict[str, Any]] = [
    *({"test": test} for test in ("student", "welch", "mann-whitney", "permutation", "paired", "wilcoxon")),
    {"test": "paired-permutation"},
    {"test": "clustered-logit", "unit": "response"},
    {"test": "one-sample", "levels": ["Int"], "against": 0.9},
]


@pytest.mark.parametrize("changes", SIDES, ids=lambda changes: changes["test"])
def test_a_difference_the_other_way_is_not_what_the_plan_says(changes: dict[str, Any]) -> None:
    """Int is worse, whichever test says so; p is the same whatever direction the plan states."""
    items = items_of(60)
    frame = guesses_of(items, people=40)
    frame["right"] = frame["choice"] == "cat"
    either, less, greater = carry_out(
        plan_of(*(changes | {"direction": way} for way in (None, "less", "greater")), correction="none"),
        "wrong-label",
        frame,
        items,
        CLASSES,
    )
    assert either.p_corrected == less.p_corrected == greater.p_corrected
    assert [one.found for one in (either, less, greater)] == [True, True, False]
    assert [one.other_way for one in (either, less, greater)] == [False, False, True]
    assert " finds a difference (p" in either.sentence()
    assert " finds a difference, in the direction that the plan says (p" in less.sentence()
    assert " finds a difference, but in the other direction than the plan says (p" in greater.sentence()
    table = plan_table([either, less, greater]).frame
    assert table["found"].tolist() == ["yes", "yes", "no, the other way"]
    assert plan_frame([either, greater])["direction"].tolist() == [None, "greater"]


@pytest.mark.parametrize("test", ["pearson", "spearman"])
def test_a_correlation_the_other_way(test: str) -> None:
    """The stronger, the more often right: a plan that says less has not found it."""
    items = items_of()
    frame = guesses_of(items).assign(choice="dog")
    frame.loc[frame["item"].str[1:].astype(int) + frame["participant"].str[1:].astype(int) > 12, "choice"] = "cat"
    asked = {"test": test, "levels": [], "by": "strength"}
    plan = plan_of(asked | {"direction": "greater"}, asked | {"direction": "less"})
    greater, less = carry_out(plan, "wrong-label", frame, items, CLASSES)
    assert (greater.found, less.found, less.other_way) == (True, False, True)
    assert "finds a difference from 0, but in the other direction than the plan says" in less.sentence()


def test_nothing_found_is_no_other_way() -> None:
    """Where there is no difference, or no p, a direction changes nothing."""
    assert once(test="one-sample", levels=[], against=0.65, direction="less").other_way is False
    untested = once(where={"colour": "red"}, direction="less")
    assert (untested.found, untested.other_way) == (None, False)


def test_the_table_says_how_many_and_in_which_unit() -> None:
    """Each side's units, what an estimate is, and an effect with its interval."""
    items = items_of()
    plan = plan_of(
        {"test": "welch"},
        {"test": "clustered-logit", "unit": "response"},
        {"test": "spearman", "levels": [], "by": "strength"},
        {"test": "one-sample", "levels": [], "against": 0.5, "unit": "participant"},
        {"test": "paired", "outcome": "seconds"},
        {"test": "student", "by": "strength", "levels": ["0.50", "1"]},
    )
    tested = carry_out(plan, "wrong-label", guesses_of(items), items, CLASSES)
    table = plan_table(tested).frame
    welch, logit, spearman, one, paired, student = table.to_dict("records")
    assert (
        welch["compared"] == f"Int {means('Int').mean():.3f} (20 items); No-Int {means('No-Int').mean():.3f} (20 items)"
    )
    assert logit["compared"].endswith("(60 responses)")
    assert spearman["compared"] == "strength (20 items)"
    assert one["compared"].startswith("all 0.")
    assert one["compared"].endswith("(6 participants); against 0.5")
    assert student["compared"].endswith("(1 item)")
    begins = ["difference (share) -", "log odds ratio -", "rho ", "difference (share) ", "difference (s) "]
    for row, begin in zip((welch, logit, spearman, one, paired), begins, strict=True):
        assert row["estimate, 95 % interval"].startswith(begin)
        assert row["estimate, 95 % interval"].endswith("]")
    g = tested[0].result
    assert welch["effect, 95 % interval"] == (
        f"Hedges' g (pooled SD) {g.effect:.3f} [{g.effect_low:.3f}, {g.effect_high:.3f}]"
    )
    assert logit["effect, 95 % interval"].startswith("odds ratio 0.")
    assert spearman["effect, 95 % interval"] is None
    assert plan_frame(tested)["estimates"].tolist()[1] == "log odds ratio"


def test_repeats_do_not_count() -> None:
    """A hypothesis is about first answers."""
    items = items_of()
    frame = guesses_of(items)
    again = frame.assign(is_repeat=True, choice="dog")
    plain = carry_out(plan_of(), "wrong-label", frame, items, CLASSES)
    assert carry_out(plan_of(), "wrong-label", pd.concat([frame, again]), items, CLASSES) == plain


def test_correction_is_over_all_hypotheses() -> None:
    """What could not be tested counts as 1; alpha is held against corrected values."""
    assert correct([0.01, None, 0.02], "holm") == pytest.approx([0.03, None, 0.04])
    assert correct([0.01, None, 0.02], "bonferroni") == pytest.approx([0.03, None, 0.06])
    assert correct([0.01, None], "none") == [0.01, None]
    assert correct([], "holm") == []
    items = items_of()
    both = carry_out(plan_of({}, {"test": "student"}, alpha=1e-30), "wrong-label", guesses_of(items), items, CLASSES)
    assert [one.found for one in both] == [False, False]
