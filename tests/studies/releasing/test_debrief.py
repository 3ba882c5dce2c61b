"""Debrief answers in a release: choices always, what was typed only where it was asked for."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from crowdloom.studies.database import Store, open_store
from crowdloom.studies.errors import DesignError
from crowdloom.studies.participation import read_progress, save_debrief, save_questionnaire
from crowdloom.studies.records import read_debrief
from crowdloom.studies.releasing.importing import import_release
from crowdloom.studies.releasing.opening import opened_release
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.releasing import release_study
from tests.studies.releasing.answered import answer_all, study
from tests.studies.releasing.test_anonymous import everything_in

HARD = "How hard was it?"
CHOICES = 'options = ["easy", "hard"]\n[[debrief]]'


def say(store: Store, folder: Path, answers: dict[str, str], **changes: str) -> None:
    """A new version of digits, if there are changes, and what its people answer in the debrief."""
    design = study(store, folder, "digits", **changes)
    for token, said in zip(answer_all(store, design, tuple(answers)), answers.values(), strict=True):
        with store.write() as connection:
            save_questionnaire(connection, read_progress(connection, token), design, 0, {"capabilities": 5, "ease": 6})
            save_debrief(connection, read_progress(connection, token), {design.debrief[0].question: said})


@pytest.mark.parametrize(("free_text", "typed"), [(False, None), (True, "so and so")])
def test_choices_stay_where_another_version_let_people_type(
    sqlite_store: Store, tmp_path: Path, free_text: bool, typed: str | None
) -> None:
    """What was typed goes without free text; choices stay."""
    say(sqlite_store, tmp_path, {"ann-1": "easy", "ben-1": "hard"})
    say(sqlite_store, tmp_path, {"cleo-1": "so and so", "dan-1": "hard"}, **{CHOICES: "[[debrief]]"})
    release_study(sqlite_store, "digits", tmp_path / "r", Options("MIT", free_text=free_text))
    said = pq.read_table(tmp_path / "r" / "data" / "debrief.parquet").to_pydict()
    assert said[HARD] == ["easy", "hard", typed, "hard"]
    assert free_text == any(b"so and so" in content for _, content in everything_in(tmp_path / "r"))


def test_an_address_in_an_option_leaves_question_and_answer_alike(sqlite_store: Store, tmp_path: Path) -> None:
    """So that a choice is still one of the options after it was read back."""
    there = 'options = ["easy", "ask eva@university.example"]\n[[debrief]]'
    say(sqlite_store, tmp_path, {"ann-1": "ask eva@university.example", "ben-1": "easy"}, **{CHOICES: there})
    release_study(sqlite_store, "digits", tmp_path / "r", Options("MIT"))
    assert not [where for where, content in everything_in(tmp_path / "r") if b"eva@university" in content]
    again = open_store(str(tmp_path / "again.db"))
    with opened_release(tmp_path / "r") as release:
        import_release(again, release, "again")
        options = release.said.designs[0].values["debrief"][0]["options"]
    with again.read() as connection:
        assert read_debrief(connection, "again")[HARD].tolist() == [options[1], "easy"]
    again.close()


@pytest.mark.parametrize("name", ["participant", "submission", "at"])
def test_a_question_cannot_take_the_place_of_a_column(sqlite_store: Store, tmp_path: Path, name: str) -> None:
    """Its answers would stand where tables say whose they are."""
    with pytest.raises(DesignError, match=f"'{name}' is a column of the table"):
        study(sqlite_store, tmp_path, "digits", **{HARD: name})
