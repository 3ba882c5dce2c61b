"""Background answers and questionnaires after each item in exports, reports, releases and what is read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from crowdloom.studies.analysing.material import read_material
from crowdloom.studies.analysing.report import analyse
from crowdloom.studies.cli.export import command
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.participation import Designs, read_progress, save_answer, save_background, save_questionnaire
from crowdloom.studies.reading_questionnaires import read_questionnaires
from crowdloom.studies.records import background_of, read_background
from crowdloom.studies.releasing.importing import import_release
from crowdloom.studies.releasing.opening import opened_release
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.releasing import release_study
from tests.studies.releasing.test_anonymous import everything_in
from tests.studies.takers import ANSWER, Study

AGE, SKILL, HAND, WORK = "How old are you?", "How well do you know it?", "Which hand?", "What do you work on?"
BACKGROUND: list[dict[str, Any]] = [
    {"question": AGE, "number": True, "minimum": 18},
    {"question": SKILL, "scale": True, "left": "not at all", "right": "very well"},
    {"question": HAND, "options": ["left", "right"]},
    {"question": WORK},
]
SAID: list[dict[str, str | int | float]] = [
    {AGE: 30, SKILL: 20.5, HAND: "left", WORK: "for ann.meier@people.example"},
    {AGE: 40, SKILL: "", HAND: "right", WORK: ""},
]


@pytest.fixture
def study(sqlite_store: Store, tmp_path: Path) -> Study:
    """Two people with a background, who rate the tool after each of two items."""
    found = Study(
        sqlite_store,
        tmp_path,
        2,
        background=BACKGROUND,
        questionnaires=[{"instrument": "umux-lite", "after": "item"}, {"instrument": "nasa-tlx"}],
    )
    for person, said in zip(("ann", "ben"), SAID, strict=True):
        take(found, person, said)
    return found


def take(study: Study, person: str, said: dict[str, str | int | float]) -> str:
    """Go to the end, but for the last questionnaire; the token."""
    token, designs = study.arrive(person), Designs(study.store)

    def progress() -> Any:
        return read_progress(connection, token)

    with study.store.write() as connection:
        save_background(connection, progress(), said)
        for position in range(2):
            save_answer(connection, designs, progress(), position, ANSWER, rt_ms=1000, timing=None)
            save_questionnaire(connection, progress(), study.design, 0, {"capabilities": 3 + position, "ease": 5})
    return token


def test_a_frame_has_numbers_as_numbers(study: Study) -> None:
    """A row for each submission, a column for each question."""
    with study.store.read() as connection:
        frame = read_background(connection, "pets")
        one = background_of(connection, "pets", frame["submission"][0])
    assert frame[AGE].tolist() == [30, 40]
    assert pd.to_numeric(frame[SKILL], errors="coerce").tolist()[0] == 20.5
    assert one == SAID[0]


def test_they_are_exported(study: Study, tmp_path: Path) -> None:
    """By the same command as the debrief answers."""
    arguments = ["pets", "--table", "background", "--out", str(tmp_path / "b.csv"), "--database", study.store.url]
    assert CliRunner().invoke(command, arguments, catch_exceptions=False).exit_code == 0
    assert pd.read_csv(tmp_path / "b.csv")[AGE].tolist() == [30, 40]


def test_the_report_describes_them(study: Study) -> None:
    """Numbers by mean and standard deviation, options by counts, words not at all; questionnaires by item."""
    with study.store.read() as connection:
        analysed = analyse(read_material(connection, "pets"), ["crowdloom"], samples=20)
    tables = {
        block.stem: block.table.frame
        for section in analysed.sections
        for block in section.blocks
        if hasattr(block, "table") and hasattr(block, "stem")
    }
    numbers = tables["background-1"]
    assert numbers.loc[AGE].tolist() == pytest.approx([2, 35, 7.0710678])
    assert numbers.loc[SKILL, "n"] == 1
    assert tables["background-2"]["people"].to_dict() == {"left": 1, "right": 1, "no answer": 0}
    assert "background-3" not in tables
    assert {"questionnaire-1", "questionnaire-2"} <= tables.keys()


@pytest.mark.parametrize("free_text", [False, True])
def test_a_release_holds_what_debriefs_may_say(study: Study, tmp_path: Path, free_text: bool) -> None:
    """Choices and numbers; what was typed only where it was asked for, and without addresses."""
    release_study(study.store, "pets", tmp_path / "r", Options("MIT", free_text=free_text))
    table = pq.read_table(tmp_path / "r" / "data" / "background.parquet").to_pydict()
    assert table[AGE] == [30.0, 40.0]
    assert table[SKILL] == [20.5, None]
    assert table[HAND] == ["left", "right"]
    assert (WORK in table) == free_text
    assert not [where for where, content in everything_in(tmp_path / "r") if b"ann.meier" in content]
    ratings = pq.read_table(tmp_path / "r" / "data" / "questionnaires.parquet").to_pydict()
    assert len(set(ratings["after_item"])) == 2


def test_they_are_read_back(study: Study, tmp_path: Path) -> None:
    """Into another store: the same answers, after the same items."""
    release_study(study.store, "pets", tmp_path / "r", Options("MIT"))
    again = open_store(str(tmp_path / "again.db"))
    with opened_release(tmp_path / "r") as release:
        import_release(again, release, "again")
    with study.store.read() as one, again.read() as other:
        assert read_background(other, "again")[AGE].tolist() == [30, 40]
        assert read_background(other, "again")[HAND].tolist() == ["left", "right"]
        columns = ["questionnaire", "after_item", "kind", "item", "value"]
        frames = [
            read_questionnaires(connection, name, "all")[columns].sort_values(columns).to_dict("records")
            for connection, name in ((one, "pets"), (other, "again"))
        ]
    assert frames[0] == frames[1]
    assert len(frames[0]) == 2 * 2 * 3
    again.close()


def test_a_study_without_them_is_released_as_before(sqlite_store: Store, tmp_path: Path) -> None:
    """No table, no column."""
    plain = Study(sqlite_store, tmp_path, 2, questionnaires=[{"instrument": "umux-lite"}])
    token = plain.arrive("ann")
    plain.answer(token)
    with sqlite_store.write() as connection:
        save_questionnaire(
            connection, read_progress(connection, token), plain.design, 0, {"capabilities": 3, "ease": 5}
        )
    release_study(sqlite_store, "pets", tmp_path / "r", Options("MIT"))
    assert not (tmp_path / "r" / "data" / "background.csv").exists()
    assert "after_item" not in pq.read_schema(tmp_path / "r" / "data" / "questionnaires.parquet").names
    written = (tmp_path / "r" / "release.json").read_text()
    assert not [word for word in ('"background"', '"order"', '"after"', '"names"') if word in written]
