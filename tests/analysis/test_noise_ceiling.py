"""How well answers are predicted, against loops over all answers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crowdloom.analysis.bootstrap import draw_counts
from crowdloom.analysis.elicited import Elicited
from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.labels import build_labels, entropy, parse_variety
from crowdloom.analysis.noise_ceiling import (
    SMOOTHING,
    Ceiling,
    ceiling_table,
    ceiling_words,
    mixing_ceiling,
    soft_label_ceiling,
    wrong_label_ceiling,
)
from tests.analysis.frames import CLASSES, frame_of, response
from tests.analysis.mixed_frames import CLASSES as FOUR
from tests.analysis.mixed_frames import answered, task_frame

Rng = np.random.default_rng


def value_of(found: list[Ceiling], measure: str, predicted: str, by: str) -> Ceiling:
    """The one row of that kind."""
    (one,) = [one for one in found if (one.measure, one.predicted, one.by) == (measure, predicted, by)]
    return one


@pytest.fixture(scope="module")
def soft() -> pd.DataFrame:
    """Random soft labels of six people about five items, with repeats; one of them passes twice."""
    rng, rows = Rng(3), []
    for person in "abcdefa":
        submission = person if all(row["submission"] != person for row in rows) else "again"
        for item in "vwxyz":
            for repeat in range(1 + (rng.random() < 0.4)):
                top1, top2 = rng.permutation(CLASSES)[:2].tolist()
                more = {"p1": int(rng.integers(30, 101)), "repeat": repeat, "participant": person}
                more |= {"impossible": (str(rng.choice(CLASSES)),)} if rng.random() < 0.5 else {}
                p2 = int(rng.integers(0, 40))
                rows.append(response(submission, item, top1, top2 if rng.random() < 0.7 else None, p2=p2, **more))
    return frame_of(rows)


def test_soft_labels_equal_a_loop(soft: pd.DataFrame) -> None:
    """Cross entropy, total variation and the same most probable class, by the own first answer and by the others."""
    labels, kept = build_labels(Elicited.from_frame(soft, CLASSES), parse_variety("T2-clamp"), gamma=0.1)
    assert kept.all()
    found = soft_label_ceiling(soft, CLASSES, Rng(0), samples=50)
    scores: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for number, row in enumerate(soft.itertuples()):
        predicted = "repeats" if row.is_repeat else "first answers"
        firsts = soft[(soft["item"] == row.item) & ~soft["is_repeat"]]
        label = labels[firsts.index[firsts["participant"] != row.participant]].mean(axis=0)
        top = np.flatnonzero(label >= label.max() - 1e-12)
        same = (CLASSES.index(row.top1) in top) / len(top)
        guesses = {"all others": (label, same)}
        if row.is_repeat:
            (own,) = firsts.index[firsts["submission"] == row.submission]
            guesses["own first answer"] = (labels[own], float(soft.loc[own, "top1"] == row.top1))
        for by, (guess, same) in guesses.items():
            mixed = (1 - SMOOTHING) * guess + SMOOTHING / 3
            nats = -float(np.sum(labels[number] * np.log(mixed)))
            variation = float(np.abs(guess - labels[number]).sum()) / 2
            scores.setdefault((predicted, by), []).append((nats, variation, same))
    assert len(scores) == 3
    for (predicted, by), values in scores.items():
        names = ("cross entropy (nats)", "total variation", "same most probable class")
        for name, value in zip(names, np.mean(values, axis=0), strict=True):
            one = value_of(found, name, predicted, by)
            assert one.value == pytest.approx(value)
            assert one.answers == len(values)
    least = value_of(found, "cross entropy (nats)", "repeats", "its own entropy")
    assert least.value == pytest.approx(entropy(labels[soft["is_repeat"]]).mean())


def test_what_the_numbers_are_is_said(soft: pd.DataFrame) -> None:
    """The smoothing is that of cross entropy alone; each predictor of the table has its words, and no other."""
    found = soft_label_ceiling(soft, CLASSES, Rng(0), samples=20)
    assert "for cross entropy alone, every predicting label is 99% itself, 1% uniform" in ceiling_table(found).title
    assert "least cross entropy any prediction could have" in ceiling_words(found)
    assert "Another person" not in ceiling_words(found)
    chosen = wrong_label_ceiling(task_frame("wrong-label", [answered("a", "x", choice="ant")]), Rng(0), samples=5)
    assert "uniform" not in ceiling_table(chosen).title
    assert "Another person: one of them" in ceiling_words(chosen)
    assert "entropy" not in ceiling_words(chosen)
    assert "single noisy answer" in ceiling_words(chosen)


def test_a_model_is_scored_on_the_same_answers(soft: pd.DataFrame) -> None:
    """What it does not know is left out; where two classes tie, each counts half; a missing class is refused."""
    told = pd.DataFrame([[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]], index=["v", "w"], columns=["bee", "ant", "cow"])
    found = soft_label_ceiling(soft, CLASSES, Rng(0), {"net": told}, samples=20)
    one = value_of(found, "same most probable class", "first answers", "net")
    first = soft[~soft["is_repeat"]]
    on_v, on_w = (first["top1"][first["item"] == item] for item in "vw")
    right = [0.5 * (name != "cow") for name in on_v] + [float(name == "cow") for name in on_w]
    assert one.value == pytest.approx(np.mean(right))
    assert one.answers == len(right)
    with pytest.raises(FrameError, match="net have no column cow"):
        soft_label_ceiling(soft, CLASSES, Rng(0), {"net": told[["ant", "bee"]]}, samples=20)


def test_intervals_are_over_people() -> None:
    """A mean and a correlation of each resample, worked out from the answers of the people who were drawn."""
    rng, rows = Rng(5), []
    for person in range(12):
        for item in range(4):
            value = rng.random()
            rows.append(answered(f"p{person}", f"i{item}", inferred=value))
            rows.append(
                answered(f"p{person}", f"i{item}", inferred=np.clip(value + rng.normal(0, 0.2), 0, 1), repeat=1)
            )
    frame = task_frame("mixing-coefficient", rows)
    found = mixing_ceiling(frame, Rng(1), samples=80)
    first, repeat = (frame["inferred"][frame["is_repeat"] == again].to_numpy() for again in (False, True))
    draws = [np.concatenate([[4 * p + i for i in range(4)] * int(n) for p, n in enumerate(counts) if n])
             for counts in draw_counts(12, 80, Rng(1))]  # fmt: skip
    measures: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
        "|difference|, inferred": lambda x, y: float(np.abs(x - y).mean()),
        "Pearson's r, inferred": lambda x, y: float(stats.pearsonr(x, y).statistic),
    }
    for name, measure in measures.items():
        one = value_of(found, name, "repeats", "own first answer")
        assert one.value == pytest.approx(measure(repeat, first))
        resampled = [measure(repeat[rows].astype(float), first[rows]) for rows in draws]
        assert (one.low, one.high) == pytest.approx(tuple(np.quantile(resampled, [0.025, 0.975])))
        assert (one.answers, one.people) == (48, 12)


def test_sliders_by_others_and_by_lambda() -> None:
    """The mean of the others, and a prediction of the caller's, which is of `inferred` alone."""
    values = {"a": (0.2, 0.9), "b": (0.4, 0.6), "c": (0.9, 0.1)}
    rows = [
        answered(p, i, inferred=v, confidence=50 * v) for p, of in values.items() for i, v in zip("xy", of, strict=True)
    ]
    frame = task_frame("mixing-coefficient", rows)
    found = mixing_ceiling(frame, Rng(0), {"lambda_f": pd.Series({"x": 0.5, "y": 0.5})}, samples=20)
    others = {"x": (0.65, 0.55, 0.3), "y": (0.35, 0.5, 0.75)}
    gaps = [abs(of["xy".index(i)] - others[i][n]) for i in "xy" for n, of in enumerate(values.values())]
    assert value_of(found, "|difference|, inferred", "first answers", "all others").value == pytest.approx(
        np.mean(gaps)
    )
    assert value_of(found, "|difference|, confidence", "first answers", "all others").value == pytest.approx(
        50 * np.mean(gaps)
    )
    assert value_of(found, "|difference|, inferred", "first answers", "lambda_f").value == pytest.approx(
        np.mean([abs(v - 0.5) for of in values.values() for v in of])
    )
    flat = value_of(found, "Pearson's r, inferred", "first answers", "lambda_f")
    assert flat.value is None
    assert "always the same" in str(flat.problem)
    assert not [one for one in found if one.by == "lambda_f" and "confidence" in one.measure]


def test_choices_by_hand() -> None:
    """Of four people three chose ant: each is predicted by the other three; in another condition nobody is."""
    rows = [answered(who, "x", choice=choice) for who, choice in zip("abcd", ("ant", "ant", "ant", "bee"), strict=True)]
    rows += [answered("a", "x", choice="bee", repeat=1), answered("b", "x", choice="ant", repeat=1)]
    rows += [answered("e", "x", choice="ant", condition="other"), answered("e", "y", condition="other")]
    frame = task_frame("wrong-label", rows)
    found = wrong_label_ceiling(frame, Rng(0), {"net": pd.Series({"x": "bee"})}, samples=20)
    assert value_of(found, "same choice", "repeats", "own first answer").value == 0.5
    first = value_of(found, "same choice", "first answers", "all others")
    assert (first.value, first.answers, first.people) == (0.75, 4, 4)
    assert value_of(found, "same choice", "first answers", "another person").value == pytest.approx((3 * 2 / 3 + 0) / 4)
    assert value_of(found, "same choice", "repeats", "all others").value == 0.5
    assert value_of(found, "same choice", "first answers", "net").value == pytest.approx(1 / 5)
    tied = task_frame("wrong-label", [answered(who, "x", choice=c) for who, c in zip("abc", FOUR, strict=False)])
    assert (
        value_of(wrong_label_ceiling(tied, Rng(0), samples=5), "same choice", "first answers", "all others").value == 0
    )


def test_what_is_not_defined_is_said() -> None:
    """No answers, no repeats, one person: a sentence for every number or interval that is missing, and no NaN."""
    alone = [answered("s", "x", inferred=0.5, choice="ant")]
    cases = [
        soft_label_ceiling(frame_of([]), CLASSES, Rng(0), samples=5),
        soft_label_ceiling(frame_of([response("s", "x", "ant", repeat=n) for n in (0, 1)]), CLASSES, Rng(0), samples=5),
        mixing_ceiling(task_frame("mixing-coefficient", []), Rng(0), samples=5),
        mixing_ceiling(task_frame("mixing-coefficient", alone), Rng(0), samples=5),
        wrong_label_ceiling(task_frame("wrong-label", []), Rng(0), samples=5),
        wrong_label_ceiling(task_frame("wrong-label", alone), Rng(0), samples=5),
    ]  # fmt: skip
    for found in cases:
        assert found
        for one in found:
            assert one.low is None
            assert str(one.problem).endswith(".")
        assert "nan" not in ceiling_table(found).lines().lower()
        assert all(record["low"] is None for record in ceiling_table(found).records())
    assert value_of(cases[1], "total variation", "repeats", "own first answer").value == 0
