"""What participants said of themselves, counted."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from crowdloom.studies.analysing.debrief import debrief_tables
from crowdloom.studies.analysing.material import read_material
from crowdloom.studies.database import Store
from crowdloom.studies.design import Design
from tests.studies.designs import make_design
from tests.studies.releasing.answered import everything

AGE = {"question": "How old are you?", "options": ["under 30", "30 or older", "I would rather not say"]}


def design() -> Design:
    """One with a question that has options, and one to be answered in words."""
    return make_design(debrief=[AGE, {"question": "Who are you?"}])


def test_answers_are_counted() -> None:
    """Of those that count; every option has a row, and so has silence."""
    given = pd.DataFrame(
        {
            "submission": ["a", "b", "c", "d"],
            AGE["question"]: ["under 30", "under 30", "30 or older", ""],
            "Who are you?": ["Ann", "Ben", "Cem", "Dan"],
        }
    )
    [table] = debrief_tables(design(), given, pd.Series(["a", "b", "d", "e"]))
    assert table.title == "How old are you?"
    assert table.frame["people"].to_dict() == {
        "under 30": 2,
        "30 or older": 0,
        "I would rather not say": 0,
        "no answer": 2,
    }
    assert table.frame["share"].tolist() == [0.5, 0, 0, 0.5]
    assert "Ann" not in table.lines()


def test_what_is_no_option_is_no_answer() -> None:
    """A version of the design may have had other options."""
    given = pd.DataFrame({"submission": ["a"], AGE["question"]: ["30 to 40"]})
    [table] = debrief_tables(design(), given, pd.Series(["a"]))
    assert table.frame.loc["no answer", "people"] == 1
    assert table.frame["people"].sum() == 1


def test_nobody() -> None:
    """Nobody counts: shares of nobody are 0. Nobody was asked: no table."""
    given = pd.DataFrame({"submission": ["a"], AGE["question"]: ["under 30"]})
    [table] = debrief_tables(design(), given, pd.Series([], dtype=object))
    assert table.frame.sum().tolist() == [0, 0]
    assert debrief_tables(design(), pd.DataFrame(columns=["submission"]), pd.Series(["a"])) == []
    assert debrief_tables(make_design(), given, pd.Series(["a"])) == []


def test_of_a_real_study(sqlite_store: Store, tmp_path: Path) -> None:
    """One says easy, one hard; who was excluded is not among them."""
    everything(sqlite_store, tmp_path)
    with sqlite_store.read() as connection:
        material = read_material(connection, "digits")
    about = material.submissions
    kept = about["submission"][about["standing"] == "accepted"]
    [table] = debrief_tables(material.design, material.debrief, kept)
    assert table.frame["people"].to_dict() == {"easy": 1, "hard": 1, "no answer": 0}
