"""A study of soft labels in a few numbers, worked out by hand on small frames."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crowdloom.analysis import soft_label_summary as module
from crowdloom.analysis.describe import describe_rows
from crowdloom.analysis.labels import Elicited, build_labels, parse_variety
from crowdloom.analysis.soft_label_summary import MEANINGS
from crowdloom.analysis.soft_label_summary import describe_soft_labels as describe
from tests.analysis.frames import CLASSES, frame_of, response

KNOWN = {"impossible": CLASSES}  # with everything else ticked, a label is certain


def test_counts_times_and_accuracy() -> None:
    """People, passes, seconds and the share that is right are those counted by hand."""
    summary = describe(
        frame_of(
            [
                response("s1", "x", "ant", participant="p", rt_ms=1000, reference="ant"),
                response("s1", "y", "bee", "ant", p1=60, p2=40, participant="p", rt_ms=2000, reference="ant"),
                response("s2", "x", "cow", participant="p", rt_ms=3000, reference="ant"),
                response("s2", "z", "cow", participant="p"),
                response("s1", "x", "ant", participant="p", repeat=1, rt_ms=6000, reference="ant"),
            ]
        ),
        CLASSES,
    )
    assert (summary["participants"], summary["submissions"], summary["items"]) == (1, 2, 3)
    assert (summary["responses_first"], summary["responses_repeat"]) == (4, 1)
    assert (summary["seconds_median"], summary["seconds_mean"]) == (2.5, 3.0)
    assert summary["top1_accuracy"] == pytest.approx(1 / 3)
    assert summary["top2_accuracy"] == pytest.approx(2 / 3)


def test_entropy_of_labels_and_of_items() -> None:
    """Two certain people who disagree make an uncertain item; what gives no label is left out."""
    summary = describe(
        frame_of(
            [
                response("s1", "x", "ant", **KNOWN),
                response("s2", "x", "bee", **KNOWN),
                response("s1", "y", "ant", "ant", p2=0, **KNOWN),
            ]
        ),
        CLASSES,
    )
    assert summary["label_entropy_mean"] == 0
    assert summary["item_label_entropy_mean"] == pytest.approx(math.log(2))
    assert summary["responses_without_label"] == 1


@pytest.mark.parametrize("pairs", [1, 200_000])
def test_repeats_against_first_answers_and_against_chance(pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Agreement and total variation, for the same item and for the submission's others, counted by hand."""
    monkeypatch.setattr(module, "_PAIRS", pairs)
    frame = frame_of(
        [
            response("s1", "x", "ant", **KNOWN),
            response("s1", "y", "ant", **KNOWN),
            response("s1", "z", "bee", **KNOWN),
            response("s2", "x", "cow", **KNOWN),
            response("s2", "y", "bee", **KNOWN),
            response("s1", "x", "ant", repeat=1, **KNOWN),  # as at first; of the others y agrees, z does not
            response("s2", "y", "ant", "bee", p1=50, p2=50, repeat=1, **KNOWN),  # changed; the other disagrees
        ]
    )
    summary = describe(frame, CLASSES)
    assert summary["repeat_agreement"] == 0.5
    assert summary["repeat_agreement_chance"] == pytest.approx((1 / 2 + 0) / 2)
    assert summary["repeat_total_variation"] == pytest.approx((0 + 0.5) / 2)
    assert summary["repeat_total_variation_chance"] == pytest.approx((1 / 2 + 1) / 2)
    shuffled = describe(frame.sample(frac=1, random_state=3), CLASSES)
    assert shuffled == pytest.approx(summary)


def test_consistency_on_random_answers_equals_a_loop() -> None:
    """The pairs found by sorting are those that two loops over the answers find."""
    rng = np.random.default_rng(5)
    rows = []
    for submission in "abcd":
        for item in "stuvwx"[: rng.integers(2, 7)]:
            for repeat in range(rng.integers(1, 4)):
                top1, top2 = rng.permutation(CLASSES)[:2].tolist()
                p1, p2 = rng.integers(0, 90, size=2).tolist()
                rows.append(response(submission, item, top1, top2, p1=p1, p2=p2, repeat=repeat))
    frame = frame_of(rows)
    labels, _ = build_labels(Elicited.from_frame(frame, CLASSES), parse_variety("T2-clamp"))
    same: list[tuple[float, float]] = []
    chance: list[tuple[float, float]] = []
    for number, one in enumerate(rows):
        if not one["repeat_index"]:
            continue
        found: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        for other_number, other in enumerate(rows):
            if other["submission"] == one["submission"] and not other["repeat_index"]:
                agrees = float(one["answer"]["top1"] == other["answer"]["top1"])
                variation = np.abs(labels[number] - labels[other_number]).sum() / 2
                found[one["item"] == other["item"]].append((agrees, variation))
        same.append(tuple(np.mean(found[True], axis=0)))
        chance.append(tuple(np.mean(found[False], axis=0)))
    summary = describe(frame, CLASSES)
    keys = ("repeat_agreement", "repeat_total_variation")
    assert [summary[key] for key in keys] == pytest.approx(np.mean(same, axis=0).tolist())
    assert [summary[f"{key}_chance"] for key in keys] == pytest.approx(np.mean(chance, axis=0).tolist())


@pytest.mark.parametrize("rows", [[], [response("s", "x", "ant")], [response("s", "x", "ant", repeat=1)]])
def test_what_is_not_defined_is_none(rows: list[dict[str, object]]) -> None:
    """Without repeats, references, times or answers the numbers are None, never NaN."""
    summary = describe(frame_of(rows), CLASSES)
    assert list(summary) == list(MEANINGS)
    for name in ("seconds_median", "seconds_mean", "top1_accuracy", "repeat_agreement", "repeat_agreement_chance"):
        assert summary[name] is None
    assert not any(isinstance(value, float) and math.isnan(value) for value in summary.values())
    shown = {name: value for name, value, _ in describe_rows(summary)}
    assert shown["seconds_mean"] == "–"
    assert shown["responses_first"] == str(summary["responses_first"])
