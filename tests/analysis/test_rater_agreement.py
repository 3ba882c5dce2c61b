"""Agreement in the frames of the three tasks, against the libraries by hand."""

from __future__ import annotations

from typing import Any

import krippendorff
import numpy as np
import pandas as pd
import pingouin
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

from crowdloom.analysis.bootstrap import draw_counts
from crowdloom.analysis.rater_agreement import (
    AGREEMENT,
    agreement_table,
    mixing_agreement,
    soft_label_agreement,
    wrong_label_agreement,
)
from crowdloom.analysis.rater_coefficients import Agreement
from tests.analysis.frames import CLASSES, frame_of, response
from tests.analysis.mixed_frames import answered, task_frame

Rng = np.random.default_rng


def soft(codes: np.ndarray, **more: Any) -> pd.DataFrame:
    """A frame of most probable classes [people, items]; -1 was not answered."""
    rows = [
        response(f"s{person}", f"i{item}", CLASSES[code], **more)
        for person, answers in enumerate(codes)
        for item, code in enumerate(answers)
        if code >= 0
    ]
    return frame_of(rows)


def codes(people: int, items: int, seed: int = 0) -> np.ndarray:
    """Most follow the item."""
    rng = Rng(seed)
    hidden = rng.integers(0, 3, items)
    return np.where(rng.random((people, items)) < 0.6, hidden, rng.integers(0, 3, (people, items)))


def by_name(found: list[Agreement]) -> dict[str, Agreement]:
    """By measure and column."""
    return {f"{one.measure}, {one.of}": one for one in found}


def test_soft_labels_have_the_libraries_alpha_and_kappa() -> None:
    """Items that one person left out count for alpha, and not for Fleiss' kappa, which wants as many to each."""
    table = codes(5, 40)
    table[0, :4] = -1
    found = by_name(soft_label_agreement(soft(table), Rng(0), 200))
    alpha = found["Krippendorff's alpha (nominal), top1"]
    theirs = krippendorff.alpha(np.where(table < 0, np.nan, table), level_of_measurement="nominal")
    assert alpha.value == pytest.approx(float(theirs))
    assert (alpha.items, alpha.answers, alpha.problem) == (40, 196, None)
    kappa = found["Fleiss' kappa (5 answers an item), top1"]
    assert kappa.value == pytest.approx(fleiss_kappa(aggregate_raters(table[:, 4:].T)[0]))
    assert (kappa.items, kappa.answers) == (36, 180)


def test_intervals_are_percentiles_over_resamples_of_the_items() -> None:
    """The same draws, with each resample's alpha and kappa from the libraries."""
    table = codes(4, 25, seed=2)
    found = soft_label_agreement(soft(table), Rng(7), 60)
    rng = Rng(7)
    drawn = [[np.repeat(table, counts.astype(int), axis=1) for counts in draw_counts(25, 60, rng)] for _ in range(2)]
    alphas = [float(krippendorff.alpha(some.astype(float), level_of_measurement="nominal")) for some in drawn[0]]
    kappas = [fleiss_kappa(aggregate_raters(some.T, n_cat=3)[0]) for some in drawn[1]]
    for one, values in zip(found, (alphas, kappas), strict=True):
        assert (one.low, one.high) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])))
        assert one.low is not None
        assert one.value is not None
        assert one.high is not None
        assert one.low < one.value < one.high


def test_two_people_have_cohens_kappa() -> None:
    """As the page for coders gives it."""
    table = codes(2, 30, seed=4)
    kappa = by_name(soft_label_agreement(soft(table), Rng(0), 50))["Cohen's kappa, top1"]
    assert kappa.value == pytest.approx(cohen_kappa_score(*table))
    assert (kappa.items, kappa.answers) == (30, 60)


def test_repeats_and_second_passes_do_not_count() -> None:
    """A person agrees with themselves too easily."""
    table = codes(4, 12, seed=5)
    once = soft_label_agreement(soft(table), Rng(0), 50)
    rows = [response("s0", f"i{item}", CLASSES[code], repeat=1) for item, code in enumerate(table[0])]
    rows += [response("again", f"i{item}", CLASSES[code], participant="s0") for item, code in enumerate(table[0])]
    more = pd.concat([soft(table), frame_of(rows)], ignore_index=True)
    assert soft_label_agreement(more, Rng(0), 50) == once


def test_choices_by_condition() -> None:
    """An item in two conditions is two, and each condition has rows of its own."""
    table = codes(3, 10, seed=6)
    rows = [
        answered(f"{condition}{person}", f"i{item}", condition=condition, choice=CLASSES[(code + shift) % 3])
        for condition, shift in (("A", 0), ("B", 1))
        for person, answers in enumerate(table)
        for item, code in enumerate(answers)
    ]
    found = by_name(wrong_label_agreement(task_frame("wrong-label", rows), Rng(0), 50))
    both = np.concatenate([table, (table + 1) % 3], axis=1).astype(float)
    expected = {"choice, all conditions": both, "choice, A": both[:, :10], "choice, B": both[:, 10:]}
    for of, some in expected.items():
        alpha = found[f"Krippendorff's alpha (nominal), {of}"]
        assert alpha.value == pytest.approx(float(krippendorff.alpha(some, level_of_measurement="nominal")))
        assert found[f"Fleiss' kappa (3 answers an item), {of}"].items == some.shape[1]
    assert "An item counts once in each condition" in agreement_table(list(found.values())).title


def choices(people: int, images: int, tempted: float, seed: int = 0) -> tuple[pd.DataFrame, list[list[str]]]:
    """Choices among five of thirty classes an image, at random but for the share that is tempted by the first; and the
    choices about each image."""
    rng, names, rows, chosen = Rng(seed), [f"c{number:02}" for number in range(30)], [], []
    for image in range(images):
        offered = rng.choice(30, 5, replace=False)
        some = np.where(rng.random(people) < tempted, offered[0], rng.choice(offered, people))
        some = some[: people - image % 3]
        chosen.append([names[code] for code in some])
        rows += [answered(f"s{n}", f"i{image}", choice=choice) for n, choice in enumerate(chosen[-1])]
    return task_frame("wrong-label", rows, names), chosen


def test_guessing_among_the_options_is_chance() -> None:
    """The first coefficient is 0 for it, by counting pairs; alpha and kappa are not, and the title says why."""
    frame, chosen = choices(9, 300, tempted=0)
    first, *others = wrong_label_agreement(frame, Rng(0), 300)
    same = [np.mean([x == y for n, x in enumerate(of) for y in of[:n]]) for of in chosen]
    assert first.measure == "Brennan-Prediger (5 options an item)"
    assert first.value == pytest.approx((np.mean(same) - 0.2) / 0.8)
    assert (first.items, first.answers) == (300, 300 * 8)
    assert first.low is not None
    assert first.high is not None
    assert first.low < 0 < first.high
    assert all(one.low is not None and one.low > 0.1 for one in others)
    title = agreement_table([first, *others]).title
    assert "guessing among the options" in title
    assert "each condition" not in title
    assert "guessing" not in agreement_table(soft_label_agreement(soft(codes(3, 5)), Rng(0), 20)).title
    tempted, _ = choices(9, 300, tempted=0.5)
    assert wrong_label_agreement(tempted, Rng(0), 50)[0].value == pytest.approx(0.25, abs=0.03)


def test_the_options_interval_is_over_items() -> None:
    """Percentiles of the mean of the items that were drawn."""
    frame, chosen = choices(6, 30, tempted=0.3)
    found = wrong_label_agreement(frame, Rng(3), 80)[0]
    same = np.array([np.mean([x == y for n, x in enumerate(of) for y in of[:n]]) for of in chosen])
    drawn = [(np.repeat(same, counts.astype(int)).mean() - 0.2) / 0.8 for counts in draw_counts(30, 80, Rng(3))]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))


def test_sliders_have_pingouins_correlations() -> None:
    """Inferred coefficients and confidences of one batch that four people answered whole."""
    rng = Rng(8)
    values = np.clip(rng.random((9, 1)) + rng.normal(0, 0.15, (9, 4)), 0, 1)
    rows = [
        answered(f"s{person}", f"i{item}", inferred=value, confidence=100 * value**2)
        for item, of_item in enumerate(values)
        for person, value in enumerate(of_item)
    ]
    found = by_name(mixing_agreement(task_frame("mixing-coefficient", rows), Rng(0), 100))
    for name, table in (("inferred", values), ("confidence", 100 * values**2)):
        long = pd.DataFrame(table).reset_index(names="item").melt(id_vars="item", var_name="person")
        theirs = pingouin.intraclass_corr(long, "item", "person", "value").set_index("Type")["ICC"]
        pairs = {"ICC(1)": "ICC(1,1)", "ICC(2,1)": "ICC(A,1)", "ICC(3,1)": "ICC(C,1)", "ICC(3,k)": "ICC(C,k)"}
        for ours, others in pairs.items():
            one = found[f"{ours}, {name}"]
            assert one.value == pytest.approx(theirs[others])
            assert one.low is not None
            assert one.value is not None
            assert one.low < one.value
        alpha = found[f"Krippendorff's alpha (interval), {name}"].value
        assert alpha == pytest.approx(float(krippendorff.alpha(table.T, level_of_measurement="interval")))


EMPTY = {"soft-label": frame_of([]), **{task: task_frame(task, []) for task in ("mixing-coefficient", "wrong-label")}}


@pytest.mark.parametrize("task", list(AGREEMENT))
def test_nothing_to_agree_on_is_a_sentence(task: str) -> None:
    """Without answers every row has a problem and no number."""
    found = AGREEMENT[task](EMPTY[task], Rng(0), 10)
    assert found
    for one in found:
        assert one.value is None
        assert str(one.problem).endswith(".")
    records = agreement_table(found).records()
    assert all(record["value"] is None and record["low"] is None for record in records)


@pytest.mark.parametrize("table", [np.zeros((3, 4), dtype=int), np.array([[0], [1], [0]]), np.array([[0, 1, 2]])])
def test_one_class_one_item_or_one_person(table: np.ndarray) -> None:
    """What is not defined is None with a sentence, never NaN; a single item has a value and no interval."""
    for one in soft_label_agreement(soft(table), Rng(0), 20):
        assert one.low is None
        assert one.problem
        assert (one.value is None) == (table.shape[1] > 1)
    assert "nan" not in agreement_table(soft_label_agreement(soft(table), Rng(0), 20)).lines().lower()


def test_sliders_that_never_move() -> None:
    """The same number everywhere: no correlation, no alpha, and why."""
    rows = [answered(f"s{person}", f"i{item}", inferred=0.5) for person in range(3) for item in range(3)]
    found = mixing_agreement(task_frame("mixing-coefficient", rows), Rng(0), 20)
    assert len(found) == 7
    assert all(one.value is None and one.problem for one in found)


def test_two_people_without_a_common_item() -> None:
    """Neither alpha nor kappa is defined, and both say so of answers and not of coders."""
    frame = frame_of([response("a", "x", "ant"), response("b", "y", "bee")])
    for one in soft_label_agreement(frame, Rng(0), 20):
        assert (one.value, one.answers) == (None, 0)
        assert str(one.problem).startswith("No item has two answers")
