"""The rule that turns answers into labels, against a slow one and against the released labels."""

from __future__ import annotations

import csv
import itertools
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crowdloom.analysis import labels as module
from crowdloom.analysis.labels import (
    VARIETIES,
    Elicited,
    MeanLabels,
    build_labels,
    entropy,
    mean_by_item,
    parse_variety,
    read_similarity,
)
from crowdloom.tasks.columns import pack, record_fields
from crowdloom.tasks.soft_label import CIFAR10, SoftLabel

ABCD = ("a", "b", "c", "d")
Answer = tuple[int, float, int, float | None, set[int]]  # a, p1, b (-1 none), p2 (None none), impossible


def slow_label(answer: Answer, variety: str, gamma: float, k: int, alike: Any) -> list[float] | None:
    """The rule of the paper for one answer, word for word."""
    a, p1, b, p2, ticked = answer
    tier, spread = variety.split("-")
    y = [0.0] * k
    y[a] = p1 / 100
    if tier == "T2" and b >= 0 and p2 is not None:
        y[b] = p2 / 100
    possible = set(range(k)) - ticked
    massed = {c for c in range(k) if y[c] > 0}
    n = len(possible) - len(massed)
    m = sum(y)
    if m < 1:
        r = 1 - m
    else:
        y = [v / m for v in y]
        r = 0.0
        if spread == "clamp" and n != 0:
            r = gamma
            y = [v * (1 - gamma) for v in y]
    without = [c for c in range(k) if c not in massed]
    if spread == "clamp" and n > 0:
        for c in possible - massed:
            y[c] = r / n
    if spread == "uniform":
        for c in without:
            y[c] = r / len(without)
    if spread == "semantic" and without:
        weights = {c: max(alike[a][c], 0.0) for c in without}
        if sum(weights.values()) == 0:
            weights = dict.fromkeys(without, 1.0)
        for c in without:
            y[c] = r * weights[c] / sum(weights.values())
    total = sum(y)
    return [v / total for v in y] if total > 0 else None


def elicited(answers: list[Answer], k: int) -> Elicited:
    """Answers as arrays."""
    impossible = np.zeros((len(answers), k), dtype=bool)
    for row, answer in enumerate(answers):
        impossible[row, list(answer[4])] = True
    return Elicited(
        np.array([answer[0] for answer in answers]),
        np.array([float(answer[1]) for answer in answers]),
        np.array([answer[2] for answer in answers]),
        np.array([np.nan if answer[3] is None else answer[3] for answer in answers], dtype=float),
        impossible,
    )


def every_kind_of_answer(k: int) -> list[Answer]:
    """Every combination of chosen classes and ticks, and probabilities that sum to below, exactly and above 100."""
    ticks = [set(some) for size in range(k + 1) for some in itertools.combinations(range(k), size)]
    probabilities: list[tuple[float, float | None]] = [
        (0, None), (0, 0), (0, 40), (40, 0), (60, None), (60, 20), (60, 40),
        (80, 60), (100, None), (100, 100), (37.5, 2.5)
    ]  # fmt: skip
    return [
        (0, p1, b, p2, ticked)
        for b in (-1, 0, 1)
        for p1, p2 in probabilities
        for ticked in ticks
    ]  # fmt: skip


ALIKE = np.array([[1.0, 0.5, -0.5, 0.25], [0.5, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
UNLIKE = -np.ones((4, 4))


@pytest.mark.parametrize("variety", VARIETIES)
@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.75])
@pytest.mark.parametrize("alike", [ALIKE, UNLIKE], ids=["alike", "unlike"])
@pytest.mark.parametrize("rows", [7, 8192])
def test_labels_are_those_of_the_rule(
    variety: str, gamma: float, alike: Any, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every kind of answer about four classes gives what the slow rule gives, however many are handled at a time."""
    monkeypatch.setattr(module, "ROWS", rows)
    answers = every_kind_of_answer(4)
    labels, kept = build_labels(elicited(answers, 4), parse_variety(variety), gamma, alike)
    expected = [slow_label(answer, variety, gamma, 4, alike) for answer in answers]
    assert kept.tolist() == [label is not None for label in expected]
    np.testing.assert_allclose(labels, [label or [0.0] * 4 for label in expected], rtol=0, atol=1e-14)
    np.testing.assert_allclose(labels[kept].sum(axis=1), 1, rtol=0, atol=1e-14)
    assert not labels[~kept].any()


@pytest.mark.parametrize("k", [2, 3, 9, 17])
def test_random_answers_about_any_number_of_classes(k: int) -> None:
    """Random answers, contradictions included, give what the slow rule gives under every variety."""
    rng = random.Random(k)
    answers: list[Answer] = [
        (
            rng.randrange(k),
            rng.randrange(101),
            rng.randrange(-1, k),
            rng.choice([None, rng.randrange(101)]),
            {c for c in range(k) if rng.random() < 0.5},
        )
        for _ in range(500)
    ]
    alike = np.random.default_rng(k).normal(size=(k, k))
    for variety in VARIETIES:
        labels, kept = build_labels(elicited(answers, k), parse_variety(variety), 0.1, alike)
        expected = [slow_label(answer, variety, 0.1, k, alike) for answer in answers]
        assert kept.tolist() == [label is not None for label in expected]
        np.testing.assert_allclose(labels, [label or [0.0] * k for label in expected], rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("answer", "variety", "label"),
    [
        ((0, 80, 1, 20, {3}), "T2-clamp", [0.72, 0.18, 0.1, 0]),
        ((0, 80, 1, 20, {2, 3}), "T2-clamp", [0.8, 0.2, 0, 0]),
        ((0, 80, -1, None, {3}), "T2-clamp", [0.8, 0.1, 0.1, 0]),
        ((0, 80, 1, 15, set()), "T1-uniform", [0.8, 1 / 15, 1 / 15, 1 / 15]),
        ((0, 80, 1, 20, {0}), "T2-clamp", [0.72 / 1.1, 0.18 / 1.1, 0.1 / 1.1, 0.1 / 1.1]),
        ((0, 80, 0, 0, {0, 1, 2, 3}), "T2-clamp", None),
        ((0, 80, 0, 0, set()), "none", None),
        ((0, 0, -1, None, set()), "T1-uniform", [0.25, 0.25, 0.25, 0.25]),
        ((0, 40, 1, 20, set()), "none", [2 / 3, 1 / 3, 0, 0]),
        ((0, 50, -1, None, set()), "T2-semantic", [0.5, 1 / 3, 0, 1 / 6]),
    ],
)
def test_labels_worked_out_by_hand(answer: Answer, variety: str, label: list[float] | None) -> None:
    """A few answers give the labels that one finds with pencil and paper."""
    labels, kept = build_labels(elicited([answer], 4), parse_variety(variety), 0.1, ALIKE)
    assert kept.tolist() == [label is not None]
    np.testing.assert_allclose(labels[0], label or [0.0] * 4, atol=1e-14)


def test_decimals_that_sum_to_100_are_clamped_alike() -> None:
    """33.4 + 66.6 falls short of 100 in floating point only, so gamma is spread as it is for 33 + 67."""
    labels, _ = build_labels(elicited([(0, 33.4, 1, 66.6, {3}), (0, 33, 1, 67, {3})], 4), parse_variety("T2-clamp"))
    np.testing.assert_allclose(labels[:, 2], 0.1, atol=1e-14)


@pytest.mark.parametrize("variety", VARIETIES)
def test_an_unanswered_item_has_no_label(variety: str) -> None:
    """Without a most probable class, or without its probability, there is no label and never a NaN."""
    answers: list[Answer] = [(-1, 50, 1, 20, set()), (0, float("nan"), 0, 20, set()), (0, 50, 1, 20, set())]
    labels, kept = build_labels(elicited(answers, 4), parse_variety(variety), 0.1, ALIKE)
    assert kept.tolist() == [False, False, True]
    assert np.isfinite(labels).all()
    assert not labels[:2].any()


def test_no_answers_give_no_labels() -> None:
    """An empty study gives an empty array of the right width."""
    labels, kept = build_labels(elicited([], 4), parse_variety("T2-clamp"))
    assert labels.shape == (0, 4)
    assert kept.shape == (0,)


@pytest.mark.parametrize("gamma", [-0.1, 1.0, float("nan")])
def test_gamma_out_of_range_is_refused(gamma: float) -> None:
    """A gamma that is no share of the mass is refused with the range."""
    with pytest.raises(ValueError, match="at least 0 and below 1"):
        build_labels(elicited([], 4), parse_variety("T2-clamp"), gamma)


@pytest.mark.parametrize("similarity", [None, np.eye(3), np.full((4, 4), np.nan)], ids=["none", "3x3", "nan"])
def test_semantic_needs_a_similarity_that_fits(similarity: Any) -> None:
    """Semantic labels without a fitting matrix are refused."""
    with pytest.raises(ValueError, match="similarity"):
        build_labels(elicited([], 4), parse_variety("T2-semantic"), similarity=similarity)


def test_an_unknown_variety_is_refused_with_the_choices() -> None:
    """A misspelt variety names all the choices."""
    with pytest.raises(ValueError, match=r"'T3-clamp' is no variety .* T1-uniform, .* none"):
        parse_variety("T3-clamp")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"top1": np.array([4])}, "top1 must lie between 0 and 3"),
        ({"top2": np.array([-2])}, "top2 must lie between 0 and 3"),
        ({"top1_probability": np.array([101.0])}, "top1_probability must lie between 0 and 100"),
        ({"top2_probability": np.array([-1.0])}, "top2_probability must lie between 0 and 100"),
        ({"top2": np.array([1, 2])}, "top2 has shape"),
        ({"impossible": np.zeros((1, 4))}, "boolean"),
    ],
)
def test_arrays_that_are_no_answers_are_refused(change: dict[str, Any], words: str) -> None:
    """Classes and probabilities out of range and arrays that do not fit are refused by name."""
    good: dict[str, Any] = {
        "top1": np.array([0]), "top1_probability": np.array([50.0]), "top2": np.array([-1]),
        "top2_probability": np.array([np.nan]), "impossible": np.zeros((1, 4), dtype=bool),
    }  # fmt: skip
    Elicited(**good)
    with pytest.raises(ValueError, match=words):
        Elicited(**{**good, **change})


def test_means_are_the_same_in_stretches() -> None:
    """Adding up in stretches gives the mean of every item's labels; what has no label does not count."""
    rng = np.random.default_rng(0)
    labels, item = rng.dirichlet(np.ones(3), size=50), rng.integers(0, 6, size=50)
    item[item == 4] = 5  # item 4 has no response
    kept = rng.random(50) < 0.8
    means = MeanLabels(6, 3)
    for rows in (slice(0, 17), slice(17, 17), slice(17, 50)):
        means.add(labels[rows], kept[rows], item[rows])
    at_once, counts = mean_by_item(labels, kept, item, 6)
    np.testing.assert_allclose(means.result()[0], at_once, atol=1e-15)
    for number in range(6):
        mine = labels[kept & (item == number)]
        assert counts[number] == means.result()[1][number] == len(mine)
        np.testing.assert_allclose(at_once[number], mine.mean(axis=0) if len(mine) else 0, atol=1e-15)
    with pytest.raises(ValueError, match="between 0 and 5"):
        means.add(labels[:1], kept[:1], np.array([6]))


def test_entropy_in_nats() -> None:
    """A label that is even over four classes has ln 4 nats, a certain one none."""
    np.testing.assert_allclose(entropy(np.array([[0.25] * 4, [0, 1, 0, 0]])), [np.log(4), 0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        (",a,b\na,1,0\n", "first column .*missing: b"),
        (",a,x\na,1,0\nb,0,1\n", "header .*missing: b; unknown or twice: x"),
        (",a,b\na,1,0\nb,0\n", "line 3: 1 numbers"),
        (",a,b\na,1,0\nb,0,near\n", "line 3, column b: 'near' is no number"),
        (",a,b\na,1,0\nb,0,nan\n", "line 3, column b: 'nan' is no number"),
    ],
)
def test_a_broken_similarity_file_says_where(tmp_path: Path, text: str, words: str) -> None:
    """Each fault of a similarity file is named with its place."""
    path = tmp_path / "similarity.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=words):
        read_similarity(path, ["a", "b"])
    with pytest.raises(ValueError, match="cannot be read"):
        read_similarity(tmp_path / "absent.csv", ["a", "b"])


def test_a_similarity_file_is_put_in_the_order_of_the_classes(tmp_path: Path) -> None:
    """Rows and columns may stand in any order, with a byte order mark and blanks."""
    path = tmp_path / "similarity.csv"
    path.write_text("\ufeffclass, b, a\n\na,0.25,1\nb,2,-0.5\n")
    assert read_similarity(path, ["a", "b"]).tolist() == [[1, 0.25], [-0.5, 2]]


def test_the_released_labels_come_out_of_the_raw_answers(test_data: Path) -> None:
    """The crowd study's answers, repeats and copies included, give its released labels within 1e-9."""
    released = json.loads((test_data / "cifar10s-released-100.json").read_text())
    task, packed, keys = SoftLabel(), [], []
    with (test_data / "cifar10s-raw.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["task"] in {"spec_conf", "rerun_spec_conf"}:
                packed.append(pack(task.columns, as_typed(json.loads(row["response"])), CIFAR10))
                keys.append(str(int(float(row["img_id"]))))
    assert len(packed) == 6_723
    records = np.frombuffer(b"".join(packed), dtype=np.dtype(record_fields(task.columns, 10)))
    labels, kept = build_labels(Elicited.from_records(records, 10), parse_variety("T2-clamp"), gamma=0.1)
    assert kept.all()
    for key, expected in released.items():
        mine = labels[[number for number, each in enumerate(keys) if each == key]]
        assert mine.shape == np.shape(expected), key
        in_order = [sorted(map(tuple, np.round(some, 6).tolist())) for some in (mine, np.array(expected))]
        assert in_order[0] == in_order[1], key
        left = [np.array(label) for label in expected]
        for label in mine:  # each label has a partner of its own within 1e-9
            near = next(number for number, other in enumerate(left) if np.abs(label - other).max() < 1e-9)
            del left[near]


def as_typed(response: dict[str, str]) -> tuple[Any, ...]:
    """One raw screen with the two corrections that its authors made."""
    top1 = response["classSelect"].removeprefix("mostProb")
    top2 = response["classSelect2"].removeprefix("secondProb")
    p1 = float(response["prob"].replace("8p", "80")) or 100.0
    try:
        p2 = float(response["prob2"])
    except ValueError:  # empty, or no number
        p2 = None
    ticked = [key.removeprefix("improbClassSelect") for key in response if key.startswith("improbClassSelect")]
    return top1, p1, top2 if top2 in CIFAR10 else None, p2, ticked
