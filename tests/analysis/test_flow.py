"""The flow of participants that comes of what is left out."""

from __future__ import annotations

from crowdloom.analysis.flow import flow_table
from crowdloom.analysis.leaving_out import leave_out
from crowdloom.analysis.plan import PlannedExclusions
from tests.analysis.test_leaving_out import about, answers


def test_the_flow_adds_up() -> None:
    """What arrived less what is taken off is what is analysed."""
    frame = answers()
    told = leave_out(
        frame,
        about(("quick", "accepted"), ("alike", "surplus"), ("wavering", "accepted"), ("good", "accepted")),
        "soft-label",
        PlannedExclusions(seconds_per_answer=1.0),
    )
    table = flow_table({"completed": 4, "refused": 2}, told, frame).frame["all"]
    assert table.to_dict() == {
        "arrived": 6,
        "– did not consent, or found no place": 2,
        "began": 4,
        "began: people": 4,
        "began: first answers": 24,
        "began: repeats": 4,
        "– without a place (surplus)": 1,
        "– speed": 1,
        "analysed: submissions": 2,
        "analysed: people": 2,
        "analysed: first answers": 12,
        "analysed: repeats": 2,
    }


def test_the_flow_of_conditions() -> None:
    """Conditions have columns of their own once somebody has begun."""
    frame = answers()
    submissions = about(("quick", "accepted"), ("good", "accepted"), condition=["one", "other"])
    told = leave_out(frame, submissions, "soft-label", PlannedExclusions(seconds_per_answer=1.0))
    table = flow_table({"completed": 2}, told, frame).frame
    assert table.columns.tolist() == ["all", "one", "other"]
    assert table.loc["analysed: submissions"].tolist() == [1, 0, 1]
    assert table.loc["arrived"].tolist() == [2, None, None]


def test_nobody() -> None:
    """A study without anybody has a flow of zeros."""
    nobody = leave_out(answers().iloc[:0], about(), "soft-label", PlannedExclusions(consistency=0.5, same_answer=0.5))
    table = flow_table({}, nobody, answers().iloc[:0]).frame["all"]
    assert set(table) == {0}


def test_reasons_stand_in_the_order_in_which_they_are_applied() -> None:
    """Standings before the plan's rules, whatever the order of the submissions; each has its own row."""
    frame = answers()
    people = about(("good", "accepted"), ("wavering", "accepted"), ("alike", "left"), ("quick", "excluded"))
    told = leave_out(frame, people.assign(checks_failed=[4, 0, 0, 0]), "soft-label", _RULES)
    rows = flow_table({"completed": 3, "left": 1}, told, frame).frame["all"]
    taken = [name for name in rows.index if name.startswith("–")]
    assert taken == ["– left before the end", "– excluded by hand", "– comprehension", "– consistency"]
    assert rows["analysed: submissions"] == rows["arrived"] - sum(rows[name] for name in taken) == 0


def test_who_comes_twice_is_one_person() -> None:
    """Of each condition, too; submissions are counted beside."""
    frame = answers()
    people = about(("quick", "accepted"), ("good", "accepted"), condition=["one", "other"], participant=["ann", "ann"])
    table = flow_table({"completed": 2}, leave_out(frame, people, "soft-label", PlannedExclusions()), frame).frame
    assert table.loc["analysed: submissions"].tolist() == [2, 1, 1]
    assert table.loc["analysed: people"].tolist() == [1, 1, 1]


_RULES = PlannedExclusions(comprehension=2, consistency=0.5)
