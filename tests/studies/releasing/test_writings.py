"""Writings in releases: whole, without what nobody confirms, and back again as the same answers and analysis."""

from __future__ import annotations

import copy
import csv
import json
from pathlib import Path
from typing import Any

import mlcroissant
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sqlalchemy import insert

from crowdloom.analysis.coach_report import writing_sections
from crowdloom.analysis.report import Prose
from crowdloom.studies.analysing.material import read_material
from crowdloom.studies.analysing.report import analyse
from crowdloom.studies.analysing.writings import read_writing_material
from crowdloom.studies.database import Store, now, open_store
from crowdloom.studies.reading_writings import read_writings
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.releasing import release_study
from crowdloom.studies.releasing.writing_tables import TABLES
from crowdloom.studies.tables import Response
from tests.studies.coach_studies import Writings, finished, open_writings
from tests.studies.latent_studies import rows
from tests.studies.releasing.brought import assert_refused, bring, changed, without
from tests.studies.releasing.test_anonymous import everything_in
from tests.studies.releasing.test_broken import with_value
from tests.studies.releasing.test_sessions import answers


def confirmed(study: Writings) -> None:
    """The server read all that was written."""
    for one in rows(study.store, Response):
        study.read(one, one.answer["writing"])


def found(store: Store, study: str) -> list[pd.DataFrame]:
    """Trials and attempts, with people numbered as they come."""
    with store.read() as connection:
        read = read_writings(connection, study)
    frames = [read.frame.drop(columns=["answered_at", "batch"]), read.attempts]
    for frame in frames:
        for name in ("participant", "submission"):
            frame[name] = pd.factorize(frame[name])[0]
        frame["study"] = "the study"
    return frames


def test_a_release_comes_back_as_the_same_answers_and_frames(store: Store, tmp_path: Path) -> None:
    """From and into both databases: every point, every probability, every word of the coach."""
    confirmed(finished(store, tmp_path, 2))
    release_study(store, "writing", tmp_path / "r", Options("MIT"))
    bring(store, tmp_path / "r.zip")
    before, after = answers(store, "writing"), answers(store, "again")
    assert len(before) == 16
    assert after == before
    assert any(one["writing"]["attempts"][0]["proposal"]["words"] for one in after if one["writing"]["coached"])
    for one, other in zip(found(store, "writing"), found(store, "again"), strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_a_release_of_an_import_says_the_same(sqlite_store: Store, tmp_path: Path) -> None:
    """Every table, names of people aside; so goes a writing that the server had otherwise than its page sent it."""
    study = finished(sqlite_store, tmp_path, 1)
    confirmed(study)
    first = rows(sqlite_store, Response)[0]
    other = copy.deepcopy(first.answer["writing"])
    other["attempts"][1]["reading"]["probabilities"] = [0.25] * 4
    study.read(first, other)
    release_study(sqlite_store, "writing", tmp_path / "one", Options("MIT"))
    again = open_store(str(tmp_path / "again.db"))
    bring(again, tmp_path / "one", "writing")
    release_study(again, "writing", tmp_path / "two", Options("MIT"))
    for path in sorted((tmp_path / "one" / "data").glob("*.parquet")):
        frames = [pd.read_parquet(tmp_path / which / "data" / path.name) for which in ("one", "two")]
        for frame in frames:
            for name in frame.columns.intersection(["participant", "submission"]):
                frame[name] = pd.factorize(frame[name])[0]
        pd.testing.assert_frame_equal(*frames, check_exact=True)
    said = pd.read_parquet(tmp_path / "two" / "data" / "writings.parquet")
    assert said["replaced"].tolist() == [True] + [False] * 7
    with again.read() as connection:
        read = read_writings(connection, "writing")
    assert read.frame["confidence_after"].iloc[0] == 0.25
    assert read.notes[0].startswith("Of 1 writing the page sent something else than the server's own record")
    again.close()


def test_texts_that_nobody_confirms_are_not_released(sqlite_store: Store, tmp_path: Path) -> None:
    """Somebody may have written anything for the coach's words and name; the rest is there."""
    study = open_writings(sqlite_store, tmp_path)
    study.answer(study.arrive("ann"), trials=8)
    ben = study.arrive("ben")
    for given in rows(sqlite_store, Response):
        writing = copy.deepcopy(given.answer["writing"]) | {"coach": "Ann Meier of Main Street"}
        for one in writing["attempts"]:
            if one["proposal"]:
                one["proposal"]["words"] = "Ann Meier of Main Street"
        values = {name: getattr(given, name) for name in ("item_id", "repeat_index", "position", "packed", "rt_ms")}
        values |= {"submission_id": ben.id, "answer": {"writing": writing}, "answered_at": now()}
        with sqlite_store.write() as connection:
            connection.execute(insert(Response).values(values))
    release_study(sqlite_store, "writing", tmp_path / "r", Options("MIT"))
    for where, content in everything_in(tmp_path / "r"):
        assert b"Ann Meier" not in content, where
    bring(sqlite_store, tmp_path / "r")
    names = {one["writing"]["coach"] for one in answers(sqlite_store, "again")}
    assert "" in names
    assert len(names) == 2


def test_documents_know_the_tables(sqlite_store: Store, tmp_path: Path) -> None:
    """The codebook every column, the card every table, and Croissant loads every record."""
    confirmed(finished(sqlite_store, tmp_path, 1))
    out = release_study(sqlite_store, "writing", tmp_path / "r", Options("MIT")).out
    with (out / "codebook.csv").open(encoding="utf-8") as file:
        book = {(name, row["column"]): row for row in csv.DictReader(file) for name in row["file"].split()}
    dataset = mlcroissant.Dataset(jsonld=out / "croissant.json")
    card = (out / "README.md").read_text(encoding="utf-8")
    for stem in TABLES:
        table = pq.read_table(out / "data" / f"{stem}.parquet")
        assert all(book[f"data/{stem}.parquet", name]["meaning"] for name in table.column_names)
        assert len(list(dataset.records(stem))) == table.num_rows > 0
        assert f"| `data/{stem}` .csv .parquet | {table.num_rows:,} rows |" in card
    assert "Handwriting can be told from that of others" in card
    strokes = json.loads(pd.read_csv(out / "data" / "writing_attempts.csv")["strokes"].iloc[0])
    assert strokes == rows(sqlite_store, Response)[0].answer["writing"]["attempts"][0]["drawing"]["strokes"]


def test_the_report_of_an_import_is_that_of_the_study(sqlite_store: Store, tmp_path: Path) -> None:
    """The same sections, with the same sentences on what coaching changed."""
    finished(sqlite_store, tmp_path, 4)
    release_study(sqlite_store, "writing", tmp_path / "r", Options("MIT"))
    bring(sqlite_store, tmp_path / "r")
    with sqlite_store.read() as connection:
        whole = analyse(read_material(connection, "writing"), ["crowdloom"], samples=20).sections
        again = writing_sections(read_writing_material(connection, "again"))
    said = [
        {section.title: [block.text for block in section.blocks if isinstance(block, Prose)] for section in sections}
        for sections in (whole, again)
    ]
    assert {"What coaching changed", "Learning over trials", "Transfer to classes never coached"} < set(said[1])
    assert said[1].items() <= said[0].items()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release, to be copied and broken."""
    folder = tmp_path_factory.mktemp("whole")
    store = open_store(str(folder / "store.db"))
    finished(store, folder, 1)
    release_study(store, "writing", folder / "r", Options("MIT"))
    store.close()
    return folder / "r"


@pytest.mark.parametrize(
    ("stem", "change", "sentence"),
    [
        ("writings", lambda f: f[1:], "is not in writings, but in a table beside it"),
        ("writings", lambda f: pd.concat([f, f[:1]]), "cannot be used: it stands in writings twice"),
        ("writings", with_value("looks", -1), "cannot be used: looks: "),
        ("writings", lambda f: f.drop(columns="coach"), "the column coach of writings is missing"),
        ("writing_attempts", lambda f: f[1:], "its attempts are not 1 to 2"),
        ("writing_attempts", with_value("strokes", "[[[0.5, 2.0, 1.0]]]"), "attempts.0.drawing.strokes.0.0.1: "),
        ("writing_attempts", with_value("picture", "AAAA"), "a picture has 784 pixels"),
        ("writing_attempts", with_value("strokes", "[[[0.5, 0.5, 1.0]]]"), "numbers in responses are those of another"),
        ("writing_attempts", with_value("item", "9-9"), "in 9-9 is not in writings"),
    ],
)
def test_tables_that_do_not_fit_are_refused(
    whole: Path, sqlite_store: Store, tmp_path: Path, stem: str, change: Any, sentence: str
) -> None:
    """In a sentence, and nothing is stored."""
    assert_refused(sqlite_store, changed(whole, tmp_path, stem, change), sentence)


def test_a_table_of_them_alone_is_refused(whole: Path, sqlite_store: Store, tmp_path: Path) -> None:
    """They belong together."""
    release = without(whole, tmp_path, ["writing_attempts"])
    assert_refused(sqlite_store, release, "it has no table writing_attempts")


def test_a_release_without_writings_has_its_numbers(whole: Path, sqlite_store: Store, tmp_path: Path) -> None:
    """As one that somebody made of other software's answers; they are analysed."""
    bring(sqlite_store, without(whole, tmp_path, TABLES))
    with sqlite_store.read() as connection:
        read = read_writings(connection, "again")
    assert len(read.frame) == 8
    assert not len(read.attempts)
    assert read.notes == [
        "8 answers have no writing beside the numbers, as after the import of a file that had none; their numbers "
        "count."
    ]
