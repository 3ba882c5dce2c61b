"""The tests of guessed wrong labels: the paper's tables from simulated answers, by hand, and where little is there."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from crowdloom.analysis.clustered import clustered_logit
from crowdloom.analysis.wrong_label import guesses
from crowdloom.analysis.wrong_label_test_summary import (
    agreement,
    published_table,
    wrong_label_test_sentences,
    wrong_label_test_tables,
)
from crowdloom.analysis.wrong_label_tests import ConditionsCompared, compare_all_conditions, compare_conditions
from crowdloom.tasks.wrong_label import TABLE2_IMAGES, TABLE2_WITH, TABLE2_WITHOUT
from tests.analysis.mixed_frames import answered, item_frame, task_frame

IMAGES_1 = ({"C1": 29, "C2": 23, "C3": 28, "C4": 15, "C5": 5}, {"C1": 25, "C2": 10, "C3": 47, "C4": 12, "C5": 6})
SHARES_1 = (
    {"C1": 0.77, "C2": 0.83, "C3": 0.71, "C4": 0.54, "C5": 0.71},
    {"C1": 0.76, "C2": 0.77, "C3": 0.87, "C4": 0.75, "C5": 0.78},
)


def experiment(number: int, seed: int = 1) -> pd.DataFrame:
    """Answers as `guesses` makes them, as many as in the paper, right as often as its table says."""
    rng = np.random.default_rng(seed)
    if number == 1:
        images, shares, each, people = IMAGES_1, SHARES_1, 9, ((0, 41), (0, 40))
    else:
        images, shares, each, people = (TABLE2_IMAGES,) * 2, (TABLE2_WITH, TABLE2_WITHOUT), 5, ((0, 42), (42, 105))
    rows: list[dict[str, Any]] = []
    for side, condition in enumerate(("Int", "No-Int")):
        categories = [name for name, count in images[side].items() for _ in range(count)]
        for image, category in enumerate(categories):
            of_both = number == 2
            for person in rng.choice(np.arange(*people[side]), each, replace=False):
                item = f"image-{image}" if of_both else f"{condition}-{image}"
                right = rng.random() < shares[side][category]
                rows.append(answer(item, condition, f"p{person}", category=category, right=bool(right)))
    return pd.DataFrame(rows)


@cache
def comparison(number: int) -> ConditionsCompared:
    """Of the conditions of one experiment, which several tests look at."""
    return compared(experiment(number))


def answer(item: str, condition: str, person: str, *, right: bool, category: str | None = "C1") -> dict[str, Any]:
    """One row."""
    return {"item": item, "condition": condition, "participant": person, "category": category, "right": right}


def small(*rows: dict[str, Any]) -> pd.DataFrame:
    """Rows as a frame whose categories may be missing."""
    return pd.DataFrame(rows).astype({"category": object})


def compared(answers: pd.DataFrame) -> ConditionsCompared:
    """The only comparison."""
    (found,) = compare_all_conditions(answers)
    return found


def test_table_1_of_the_paper() -> None:
    """Other images in each condition: their numbers stand below each, and what was put in comes out."""
    found = comparison(1)
    assert not found.is_paired
    table = published_table(found)
    assert table.frame.index.tolist() == ["Int", "#images", "No-Int", "#images"]
    assert table.frame.columns.tolist() == ["C1", "C2", "C3", "C4", "C5", "Overall"]
    assert table.frame.iloc[1].tolist() == [29, 23, 28, 15, 5, 100]
    assert table.frame.iloc[3].tolist() == [25, 10, 47, 12, 6, 100]
    assert found.columns["Overall"].accuracy == pytest.approx((0.73, 0.81), abs=0.03)
    lines = table.lines().splitlines()
    assert lines[0].split() == ["C1", "C2", "C3", "C4", "C5", "Overall"]
    assert lines[2].split() == ["#images", "29", "23", "28", "15", "5", "100"]
    assert lines[3].split()[-1].startswith("**0.8")
    assert "nan" not in table.lines()


def test_table_2_of_the_paper() -> None:
    """The same images in both conditions: paired, and their number stands once."""
    found = comparison(2)
    assert (found.is_paired, found.shared, found.left_out) == (True, 200, 0)
    table = published_table(found)
    assert table.frame.index.tolist() == ["Int", "No-Int", "#images"]
    assert table.frame.loc["#images"].tolist() == [44, 20, 112, 18, 6, 200]
    assert found.columns["Overall"].accuracy == pytest.approx((0.63, 0.73), abs=0.04)
    assert table.frame.loc["No-Int", "Overall"].startswith("**0.7")
    assert table.frame.loc["No-Int", "C3"].startswith("**0.8")


@pytest.mark.parametrize("number", [1, 2])
def test_every_column_by_hand(number: int) -> None:
    """The t-test, Holm's correction and the regression are those of scipy, statsmodels and `clustered_logit`."""
    answers, found = experiment(number), comparison(number)
    ps = []
    for name, column in found.columns.items():
        some = answers if name == "Overall" else answers[answers["category"] == name]
        shares = some.groupby(["condition", "item"])["right"].mean()
        one, other = shares["Int"], shares["No-Int"]
        expected = stats.ttest_rel(one, other.loc[one.index]) if number == 2 else stats.ttest_ind(one, other)
        assert (column.t_test.statistic, column.t_test.p) == pytest.approx((expected.statistic, expected.pvalue))
        if number == 1:
            assert column.welch.p == pytest.approx(stats.ttest_ind(one, other, equal_var=False).pvalue)
        assert column.images == (len(one), len(other))
        ps.append(column.t_test.p)
        people, items = (pd.factorize(some[part])[0] for part in ("participant", "item"))
        treated = (some["condition"] == "Int").to_numpy()
        assert column.regression == clustered_logit(some["right"].to_numpy(), treated, people, items)
        assert column.difference.estimate == pytest.approx(
            some["right"][treated].mean() - some["right"][~treated].mean()
        )
    assert [column.holm for column in found.columns.values()] == pytest.approx(multipletests(ps, method="holm")[1])


@pytest.mark.parametrize("number", [1, 2])
def test_the_tables_beside(number: int) -> None:
    """A row for each category; no column of problems where there are none."""
    found = [comparison(number)]
    _, tests, effects, regressions = wrong_label_test_tables(found)
    for table in (tests, effects, regressions):
        assert table.frame.index.tolist() == ["C1", "C2", "C3", "C4", "C5", "Overall"]
        assert "problem" not in table.frame
        assert table.frame.notna().all(axis=None)
    assert ("Welch p" in tests.frame) == (number == 1)
    assert effects.frame.columns[0] == ("Cohen's d" if number == 1 else "d_z")
    said = wrong_label_test_sentences(found)
    assert said[0].startswith("The t-test is unpaired" if number == 1 else "The t-test is paired, since 200 images")
    kind = "unpaired" if number == 1 else "paired"
    agrees = (
        f"The clustered logistic regression agrees with the {kind} t-test: accuracy is lower in Int than in No-Int ("
    )
    assert said[1].startswith(agrees)
    apart = ["Overall"] if number == 1 else ["Overall", "C4"]
    both = said[2 : 2 + len(apart)]
    assert [sentence.split(", Int")[0] for sentence in both] == [f"{x}: the difference of accuracies" for x in apart]
    rest = said[2 + len(apart) :]
    few = "C5 (5 and 6)" if number == 1 else "C5 (6)"
    assert rest[0].startswith(f"Fewer than 10 images in a condition: {few}. A variance clustered by so few images is")
    assert all("Shapiro-Wilk" in sentence and "permutation test" in sentence for sentence in rest[1:])
    assert "(99,999 random draws, seed 1), which" in rest[-1]
    assert len(rest) == 7


@pytest.mark.parametrize("number", [1, 2])
def test_titles_say_which_p_are_corrected_and_over_what(number: int) -> None:
    """Stars are of uncorrected p; Holm's family is counted; the regression's df are those of the fewer clusters."""
    published, tests, _, regressions = wrong_label_test_tables([comparison(number)])
    assert f"{'Paired' if number == 2 else 'Unpaired'} t-test, p uncorrected. *: p < 0.05" in published.title
    assert tests.title.endswith("Holm p: over the categories and Overall, 6 tests; other p uncorrected")
    assert regressions.title.endswith("; p uncorrected")
    c5 = experiment(number)[lambda frame: frame["category"] == "C5"]
    assert regressions.frame.loc["C5", "df"] == min(c5["item"].nunique(), c5["participant"].nunique()) - 1


def test_holm_counts_only_what_was_tested() -> None:
    """A category without a t-test is no part of the family; without categories it is one test."""
    answers, _ = CASES["a category in one condition"]
    assert "over the categories and Overall, 5 tests;" in wrong_label_test_tables([compared(answers)])[1].title
    answers, _ = CASES["no categories"]
    assert "over Overall alone, 1 test;" in wrong_label_test_tables([compared(answers)])[1].title


def test_the_mark_stands_at_the_higher_one() -> None:
    """Wherever that is, and one star between 0.01 and 0.05."""
    answers = experiment(2)
    answers["condition"] = answers["condition"].map({"Int": "b", "No-Int": "a"})
    table = published_table(compared(answers))
    assert table.frame.index.tolist() == ["a", "b", "#images"]
    assert table.frame.loc["a", "Overall"].startswith("**")
    assert not table.frame.loc["b", "Overall"].startswith("*")
    rows = [
        answer(f"i{image}", condition, f"{condition}{person}", right=person + (condition == "x") * (image % 3 > 0) > 1)
        for image in range(7)
        for condition in "xy"
        for person in range(3)
    ]
    found = compared(small(*rows))
    assert 0.01 < found.columns["Overall"].t_test.p < 0.05
    assert published_table(found).frame["Overall"].tolist() == ["*0.52", "0.33", 7]


def one_sided(people: int) -> pd.DataFrame:
    """Twenty images in both conditions, each guessed by everybody; one person in x is never right."""
    return small(
        *(
            answer(
                f"i{image}",
                condition,
                f"{condition}{person}",
                right=(image + person) % 4 > 0 and (condition, person) != ("x", 0),
            )
            for image in range(20)
            for condition in "xy"
            for person in range(people)
        )
    )


def test_they_disagree_where_one_person_makes_the_difference() -> None:
    """Over images the difference is sure; over people it is not."""
    found = compared(one_sided(3))
    assert found.columns["Overall"].t_test.p < 0.001
    assert found.columns["Overall"].regression.p > 0.05
    said = agreement(found)
    assert said.startswith(
        "The clustered logistic regression disagrees with the paired t-test: "
        "over images accuracy is lower in x than in y (p < 0.001)"
    )
    assert "due to the people who took part (regression p = 0." in said
    assert said.endswith("By category they disagree in C1.")
    overall = found.columns["Overall"]
    assert (overall.t_test.estimate, overall.difference.estimate) == pytest.approx((-0.25, -0.25))
    assert overall.t_test.high < 0 < overall.difference.high
    assert wrong_label_test_sentences([found])[2] == (
        "Overall: the difference of accuracies, x less y, is -0.250 (95 % interval "
        f"{overall.t_test.low:.3f} to {overall.t_test.high:.3f}) over images and -0.250 (95 % interval "
        f"{overall.difference.low:.3f} to {overall.difference.high:.3f}) over answers, "
        "clustered by participant and image."
    )


def test_neither_finds_a_difference() -> None:
    """That is agreement, too."""
    answers = experiment(2)
    answers["condition"] = np.random.default_rng(1).permutation(answers["condition"])
    assert "neither finds a difference (p = 0." in agreement(compared(answers))


CASES: dict[str, tuple[pd.DataFrame, str]] = {
    "a category in one condition": (
        experiment(1)[lambda frame: ~((frame["condition"] == "Int") & (frame["category"] == "C2"))],
        "C2: no t-test, since no image was answered in Int.",
    ),
    "one image": (
        small(*(answer("i", c, f"{c}{n}", right=n > 1) for c in "xy" for n in range(4))),
        "Overall: no t-test, since only one image was answered in both conditions.",
    ),
    "one image in each": (
        small(*(answer(c, c, f"{c}{n}", right=n > 1) for c in "xy" for n in range(4))),
        "Overall: no t-test, since only one image was answered in x.",
    ),
    "everything right": (
        experiment(2).assign(right=True),
        "The clustered logistic regression and the paired t-test cannot be compared: the paired t-test has no p, "
        "since all pairs have the same difference.",
    ),
    "one person": (
        experiment(2).assign(participant="p"),
        "The clustered logistic regression and the paired t-test cannot be compared: the clustered logistic "
        "regression has no p, since only one participant answered in No-Int.",
    ),
    "no categories": (
        experiment(2).assign(category=pd.Series([None] * 2000, dtype=object)),
        "200 images have no category and count in Overall alone.",
    ),
}


@pytest.mark.parametrize("case", list(CASES))
def test_where_little_is_there(case: str) -> None:
    """A dash and a sentence; nothing that is not a number, in any table or sentence."""
    answers, sentence = CASES[case]
    found = compare_all_conditions(answers)
    said = wrong_label_test_sentences(found)
    assert sentence in said
    tables = wrong_label_test_tables(found)
    assert len(tables) == 4
    for text in (*(table.lines() for table in tables), *said):
        assert "nan" not in text
        assert "None" not in text
    for table in tables:
        for record in table.records():
            assert not any(isinstance(value, float) and np.isnan(value) for value in record.values())


def test_a_category_without_images_has_a_dash() -> None:
    """And the number 0."""
    answers, _ = CASES["a category in one condition"]
    lines = published_table(compared(answers)).lines().splitlines()
    assert lines[1].split()[2] == "–"
    assert lines[2].split()[2] == "0"


def test_images_without_a_pair_are_left_out() -> None:
    """Where at least half of them have one; where fewer have, all are compared unpaired."""
    answers = experiment(2)
    some = answers[(answers["condition"] == "Int") | ~answers["item"].isin([f"image-{n}" for n in range(30)])]
    found = compared(some)
    assert (found.is_paired, found.shared, found.left_out) == (True, 170, 30)
    assert found.columns["C1"].images == (14, 14)
    assert wrong_label_test_sentences([found])[0] == (
        "The t-test is paired, since 170 images were shown in both conditions. "
        "It leaves out 30 other images, answered in one condition alone."
    )
    other = answers["item"].where(answers["condition"] == "Int", answers["item"].str.replace("image-1", "other-1"))
    apart = other.where(~other.str.contains("image-[2-9]") | (answers["condition"] == "Int"), "x" + other)
    found = compared(answers.assign(item=apart))
    assert (found.is_paired, found.shared) == (False, 1)
    assert wrong_label_test_sentences([found])[0] == (
        "The t-test is unpaired, since only one image was shown in both conditions."
    )


def test_more_than_two_conditions() -> None:
    """Each two of them are compared; sentences say which."""
    answers = experiment(2)
    third = answers[answers["condition"] == "Int"].assign(condition="Third")
    found = compare_all_conditions(pd.concat([answers, third]))
    assert [(one.first, one.second) for one in found] == [("Int", "No-Int"), ("Int", "Third"), ("No-Int", "Third")]
    assert len(wrong_label_test_tables(found)) == 12
    assert wrong_label_test_sentences(found)[0].startswith("Int and No-Int: The t-test is paired")


def test_one_condition() -> None:
    """There is nothing to compare; a condition without answers is refused."""
    answers = experiment(2)
    answers = answers[answers["condition"] == "Int"]
    assert compare_all_conditions(answers) == []
    assert wrong_label_test_tables([]) == []
    assert wrong_label_test_sentences([]) == [
        "There are no two conditions with answers, so there is nothing to compare."
    ]
    with pytest.raises(ValueError, match="no answer counts in the condition 'No-Int'"):
        compare_conditions(answers, "Int", "No-Int")


def test_answers_as_they_are_read() -> None:
    """From the long frame and the items of a study, by `guesses`; what is shown again is not counted."""
    classes = ("ant", "bee", "cow", "dog", "elk", "fox", "gnu")
    options = {f"option{number}": name for number, name in enumerate(("bee", "cow", "dog", "elk", "fox"), start=1)}
    items = item_frame(*({"item": f"i{n}", "reference": "ant", "prediction": "bee", **options} for n in range(6)))
    rows = [
        answered(f"{condition}{person}", f"i{n}", condition=condition, choice="bee" if (n + person) % 3 else "elk")
        for condition in ("int", "no")
        for person in range(2 + (condition == "no"))
        for n in range(6)
    ]
    rows.append(answered("int0", "i0", condition="int", choice="cow", repeat=1))
    frame = task_frame("wrong-label", rows, classes)
    found = compared(guesses(frame, items, classes))
    assert found.is_paired
    assert published_table(found).frame["Overall"].tolist() == ["0.67", "0.67", 6]
    assert sum(found.columns["Overall"].regression.n) == 30
