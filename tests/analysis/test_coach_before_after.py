"""First and second attempts as a terminal shows them."""

from __future__ import annotations

import pandas as pd

from crowdloom.analysis.coach_before_after import as_lines, before_after


def trial(participant: str, coached: bool, never: bool, arm: str, before: float, after: float) -> dict[str, object]:
    """A trial in which all that is shown goes from one share to another."""
    who = {"participant": participant, "coached": coached, "never_coached": never, "arm": arm}
    shares = {f"{name}_before": before for name in ("recognised", "confidence", "ink")}
    return who | shares | {f"{name}_after": after for name in ("recognised", "confidence", "ink")}


TRIALS = pd.DataFrame(
    [
        trial("a", True, False, "coached", 0, 1),
        trial("a", True, False, "coached", 1, 1),
        trial("a", True, False, "coached", 1, 1),
        trial("b", True, False, "coached", 0, 1),
        trial("a", False, True, "coached", 1, 0),
        trial("c", False, False, "control", 1, 0.5),
        trial("c", False, True, "control", 0.25, 0.5),
    ]
)


def test_people_count_once_on_each_side() -> None:
    """However many trials they wrote; what is coached for nobody is by itself, by who wrote it."""
    table = before_after(TRIALS)
    assert list(table.index) == [
        "coached",
        "not coached",
        "never coached (coached people)",
        "never coached (the others)",
    ]
    assert table["people"].tolist() == [2, 1, 1, 1]
    assert table["trials"].tolist() == [4, 1, 1, 1]
    assert table.loc["coached", "recognised_before"] == 100 * (2 / 3 + 0) / 2
    assert table.loc["coached", "ink_after"] == 1
    assert table.loc["never coached (the others)", "confidence_after"] == 50


def test_sides_without_trials_are_left_out() -> None:
    """Such as those who are not coached, where everybody is."""
    assert list(before_after(TRIALS[:4]).index) == ["coached"]
    assert before_after(TRIALS[:0]).empty
    assert len(as_lines(before_after(TRIALS[:0]))) == 2


def test_the_lines_stand_below_their_headings() -> None:
    """All of one length, each number where its heading ends."""
    lines = as_lines(before_after(TRIALS[:4]))
    assert len({len(line) for line in lines}) == 1
    assert lines[1].split() == ["people", "trials", *["first", "second"] * 3]
    assert lines[2].split() == ["coached", "2", "4", "33", "%", "100", "%", "33", "%", "100", "%", "0", "1"]
    assert lines[1].index("trials") + len("trials") == lines[2].index(" 4 ") + 2
