"""Which submissions a plan leaves out, and why."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from crowdloom.analysis.leaving_out import failed_attention, leave_out, repeat_consistency
from crowdloom.analysis.plan import PlannedExclusions
from tests.analysis.frames import frame_of, response

EASY = pd.DataFrame({"item": ["a", "b", "c"], "reference": ["ant", "bee", "cow"], "difficulty": [0.0, 0.1, 2.0]})


def about(*rows: tuple[str, str], **columns: list[Any]) -> pd.DataFrame:
    """Submissions with their standings."""
    told = pd.DataFrame(list(rows), columns=["submission", "standing"])
    told["participant"], told["condition"] = told["submission"], "default"
    return told.assign(**{"checks_failed": 0, "attention": None, "note": None} | columns)


def answers() -> pd.DataFrame:
    """One quick, one who always says ant, one who does not repeat themselves, and one good one."""
    rows = []
    for name, seconds in (("quick", 0.4), ("alike", 9.0), ("wavering", 9.0), ("good", 9.0)):
        for number, item in enumerate("abcdef"):
            top1 = "ant" if name == "alike" or number % 2 else "bee"
            rows.append(response(name, item, top1, rt_ms=1000 * seconds))
        again = {"wavering": "cow", "alike": "ant"}.get(name, "bee")
        rows.append(response(name, "a", again, rt_ms=1000 * seconds, repeat=1))
    return frame_of(rows)


def test_each_rule_leaves_out_its_own() -> None:
    """Speed, equal answers and consistency, each with what it saw."""
    told = leave_out(
        answers(),
        about(("quick", "accepted"), ("alike", "accepted"), ("wavering", "accepted"), ("good", "accepted")),
        "soft-label",
        PlannedExclusions(seconds_per_answer=1.0, same_answer=0.8, consistency=0.5),
    )
    assert told["reason"].tolist() == ["speed", "same answer", "consistency", None]
    assert told["detail"].tolist() == [
        "0.40 s per answer",
        "100% of the answers are the same",
        "repeats agree by 0.00",
        None,
    ]


def test_without_rules_standings_alone_count() -> None:
    """What is not accepted never counts, under its standing; a reason given by hand is kept."""
    told = leave_out(
        answers(),
        about(
            ("quick", "accepted"),
            ("alike", "surplus"),
            ("wavering", "excluded"),
            ("good", "started"),
            note=[None, None, "they said so", None],
        ),
        "soft-label",
        PlannedExclusions(),
    )
    assert told["reason"].tolist() == [None, "without a place (surplus)", "excluded by hand", "not complete"]
    assert told["detail"].tolist() == [None, None, "they said so", None]


def test_the_first_rule_counts() -> None:
    """Who breaks several is left out once, by the first of them."""
    told = leave_out(
        answers(),
        about(("quick", "accepted"), ("alike", "rejected"), checks_failed=[3, 3], attention=["1 of 2", "1 of 2"]),
        "soft-label",
        PlannedExclusions(comprehension=2, attention=True, seconds_per_answer=1.0),
    )
    assert told["reason"].tolist() == ["comprehension", "rejected in review"]
    assert told["detail"].tolist() == ["failed the check 3 times", None]


def test_a_limit_itself_is_good() -> None:
    """As many failed checks as allowed, and just the share or the time that is wanted, stay in."""
    told = leave_out(
        answers(),
        about(("good", "accepted"), checks_failed=[2]),
        "soft-label",
        PlannedExclusions(comprehension=2, seconds_per_answer=9.0, same_answer=0.5, consistency=1.0),
    )
    assert told["reason"].tolist() == [None]


def test_attention_is_about_easy_items() -> None:
    """So many of the easy ones are to be right, or all where there are fewer; hard ones do not count."""
    frame = frame_of(
        [
            response("both", "a", "ant", reference="ant"),
            response("both", "b", "bee", reference="bee"),
            response("one", "a", "ant", reference="ant"),
            response("one", "b", "cow", reference="bee"),
            response("one", "c", "ant", reference="cow"),
            response("few", "a", "bee", reference="ant"),
        ]
    )
    failed = failed_attention(frame, EASY, "soft-label", 0.5, 2)
    assert failed.to_dict() == {
        "few": "0 of 1 easy items right, 1 wanted",
        "one": "1 of 2 easy items right, 2 wanted",
    }
    assert len(failed_attention(frame.iloc[:0], EASY, "soft-label", 0.5, 2)) == 0
    assert len(failed_attention(frame, EASY, "mixing-coefficient", 0.5, 2)) == 0


def test_consistency_of_numbers() -> None:
    """Coefficients agree by one less their mean distance."""
    frame = pd.DataFrame(
        {
            "submission": ["x", "x", "x", "x"],
            "item": ["a", "b", "a", "b"],
            "repeat_index": [0, 0, 1, 1],
            "inferred": [0.5, 0.2, 0.7, 0.2],
            "midpoint": [float("nan")] * 4,
        }
    )
    assert repeat_consistency(frame, "mixing-coefficient")["x"] == pytest.approx(0.9)
