"""Sessions in a latent space go into a release whole, and come back as the same answers and the same analysis."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import mlcroissant
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from crowdloom.analysis.report import Prose
from crowdloom.studies.analysing.material import read_material
from crowdloom.studies.analysing.report import analyse
from crowdloom.studies.coding import add_coder, final_interaction_codes, read_scheme, save_code
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.hill_analysing import write_hill_analysis
from crowdloom.studies.participation import Assigned, Designs, save_answer, trial_at
from crowdloom.studies.reading_sessions import read_sessions
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.releasing import release_study
from crowdloom.studies.releasing.session_tables import TABLES
from crowdloom.studies.tables import Coding, Item, Response, Study
from crowdloom.tasks import TASKS
from crowdloom.tasks.protocol import Person
from tests.studies.latent_studies import Loops, open_loops, rows
from tests.studies.releasing.brought import assert_refused, bring, changed, without
from tests.studies.releasing.test_anonymous import everything_in
from tests.studies.releasing.test_broken import with_value

WORDS = "I asked ann@people.example and then pulled"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No scenario is prepared, and none can be."""
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(tmp_path / "scenarios"))
    monkeypatch.setattr("crowdloom.studies.hill_baselines.lacking", lambda: "torch is not installed")


def finished(store: Store, folder: Path) -> Loops:
    """Three people went through both scenarios, and two interactions have a category."""
    loops = open_loops(store, folder)
    for seed, (person, strategy) in enumerate((("ann", "compactness"), ("ben", "distance"), ("cem", "merge"))):
        submission = loops.arrive(person)
        loops.answer(submission, strategy, 2 * seed)
        loops.answer(submission, strategy, 2 * seed + 1)
    with store.write() as connection:
        for name in ("Dee", "Eli"):
            coder, scheme = add_coder(connection, "loops", name), read_scheme(connection, "loops")
            for item in scheme.items[:2]:
                save_code(connection, scheme, coder, item, "compactness", "the note of a coder")
    return loops


def answers(store: Store, study: str) -> list[Any]:
    """All answers of a study, by submissions as they began and in the order in which they were given."""
    with store.read() as connection:
        found = connection.execute(
            select(Response.answer)
            .join(Item, Item.id == Response.item_id)
            .join(Study, Study.id == Item.study_id)
            .where(Study.name == study)
            .order_by(Response.submission_id, Response.id)
        )
        return list(found.scalars())


def analysed(store: Store, study: str, out: Path) -> dict[str, pd.DataFrame]:
    """The frames of `crowdloom hill analyse`, with people numbered as they come."""
    write_hill_analysis(store, study, out)
    frames = {path.stem: pd.read_csv(path) for path in sorted((out / "data").iterdir())}
    for frame in frames.values():
        for name in ("participant", "submission"):
            frame[name] = pd.factorize(frame[name])[0]
        frame["study"] = "the study"
    return frames


def test_a_release_comes_back_as_the_same_answers_and_analysis(store: Store, tmp_path: Path) -> None:
    """From and into both databases: every record, every frame of the analysis, and the categories of coders."""
    finished(store, tmp_path)
    release_study(store, "loops", tmp_path / "r", Options("MIT", free_text=True))
    bring(store, tmp_path / "r.zip")
    before, after = answers(store, "loops"), answers(store, "again")
    assert len(before) == 6
    assert after == before
    frames, again = (analysed(store, name, tmp_path / name) for name in ("loops", "again"))
    assert list(frames) == list(again)
    assert {"interactions", "gains", "curves", "shapes", "movements", "sessions"} <= set(frames)
    for name, frame in frames.items():
        assert len(frame), name
        pd.testing.assert_frame_equal(frame, again[name], check_exact=True)
    assert frames["interactions"]["strategy_code"].tolist().count("compactness") == 2
    with store.read() as connection:
        codes = [final_interaction_codes(connection, name).values() for name in ("loops", "again")]
        assert len(read_scheme(connection, "again").items) == 12
    assert sorted(codes[0]) == sorted(codes[1]) == ["compactness"] * 2
    assert {row.coder_id for row in rows(store, Coding)} == {1, 2}


def test_a_release_of_an_import_says_the_same(sqlite_store: Store, tmp_path: Path) -> None:
    """Every table, names of people aside; so goes a session that the server had otherwise than its page sent it."""
    loops = finished(sqlite_store, tmp_path)
    first = rows(sqlite_store, Response)[0]
    changed = json.loads(json.dumps(first.answer["session"]))
    changed["curve"][-1]["accuracy"] = 0.123
    loops.trained(first, changed)
    release_study(sqlite_store, "loops", tmp_path / "one", Options("MIT", free_text=True))
    again = open_store(str(tmp_path / "again.db"))
    bring(again, tmp_path / "one", "loops")
    release_study(again, "loops", tmp_path / "two", Options("MIT", free_text=True))
    for path in sorted((tmp_path / "one" / "data").glob("*.parquet")):
        frames = [pd.read_parquet(tmp_path / which / "data" / path.name) for which in ("one", "two")]
        for frame in frames:
            for name in frame.columns.intersection(["participant", "submission"]):
                frame[name] = pd.factorize(frame[name])[0]
        pd.testing.assert_frame_equal(*frames, check_exact=True)
    said = pd.read_parquet(tmp_path / "two" / "data" / "sessions.parquet")
    assert said["replaced"].tolist() == [True] + [False] * 5
    with again.read() as connection:
        found = read_sessions(connection, "loops")
    assert found.sessions[0].record.curve[-1].accuracy == 0.123
    assert [one.partition(":")[0] for one in found.notes()] == [
        "Of 1 session the page sent something else than the server's own record, which counts"
    ]
    again.close()


@pytest.mark.parametrize("free_text", [False, True])
def test_what_people_wrote_is_free_text(sqlite_store: Store, tmp_path: Path, free_text: bool) -> None:
    """It is there only where it is asked for, without addresses; whose sessions have none come back without."""
    loops = open_loops(sqlite_store, tmp_path)
    say(loops, loops.arrive("ann"), WORDS)
    release_study(sqlite_store, "loops", tmp_path / "r", Options("MIT", free_text=free_text))
    assert ("words" in pq.read_schema(tmp_path / "r" / "data" / "sessions.parquet").names) == free_text
    for where, content in everything_in(tmp_path / "r"):
        assert b"ann@people" not in content, where
        assert free_text or b"then pulled" not in content, where
    bring(sqlite_store, tmp_path / "r")
    (answer,) = answers(sqlite_store, "again")
    assert answer["strategy"] == ("I asked [removed] and then pulled" if free_text else "")


def say(loops: Loops, submission: Assigned, words: str, **changes: Any) -> None:
    """Answer the first scenario, and write this about the strategy; `changes` replace fields of the session."""
    designs, task = Designs(loops.store), TASKS["latent-session"]
    _, trial = trial_at(designs, submission, 0)
    given = task.parse(task.simulate({}, Person(), trial, random.Random(3)), trial)
    answer = {"session": given["session"] | changes, "strategy": words}
    with loops.store.write() as connection:
        save_answer(connection, designs, submission, 0, answer, rt_ms=1000, timing=None)


def test_a_class_that_the_study_does_not_know_is_not_named(sqlite_store: Store, tmp_path: Path) -> None:
    """Somebody may have written anything into the form."""
    loops = open_loops(sqlite_store, tmp_path)
    say(loops, loops.arrive("ann"), "", classes=["zero", "Ann Meier of Main Street", "two", "three"])
    release_study(sqlite_store, "loops", tmp_path / "r", Options("MIT"))
    for where, content in everything_in(tmp_path / "r"):
        assert b"Ann Meier" not in content, where
    bring(sqlite_store, tmp_path / "r")
    with sqlite_store.read() as connection:
        (one,) = read_sessions(connection, "again", "all").sessions
    assert one.record.classes == ["zero", "class 2", "two", "three"]


def test_documents_know_the_tables(sqlite_store: Store, tmp_path: Path) -> None:
    """The codebook every column, the card every table, and Croissant loads every record."""
    finished(sqlite_store, tmp_path)
    out = release_study(sqlite_store, "loops", tmp_path / "r", Options("MIT", free_text=True)).out
    with (out / "codebook.csv").open(encoding="utf-8") as file:
        book = {(name, row["column"]): row for row in csv.DictReader(file) for name in row["file"].split()}
    dataset = mlcroissant.Dataset(jsonld=out / "croissant.json")
    card = (out / "README.md").read_text(encoding="utf-8")
    for stem in TABLES:
        table = pq.read_table(out / "data" / f"{stem}.parquet")
        assert all(book[f"data/{stem}.parquet", name]["meaning"] for name in table.column_names)
        assert len(list(dataset.records(stem))) == table.num_rows > 0
        assert f"| `data/{stem}` .csv .parquet | {table.num_rows:,} rows |" in card
    assert "Where each single point of an arrangement lay" in card
    assert "compactness Increase compactness" in book["data/session_interactions.csv", "category"]["values"]
    assert not [where for where, content in everything_in(out) if b"the note of a coder" in content]


def test_the_report_says_what_a_release_lacks(sqlite_store: Store, tmp_path: Path) -> None:
    """The points of the pictures; its sections on sessions are those of the study."""
    finished(sqlite_store, tmp_path)
    release_study(sqlite_store, "loops", tmp_path / "r", Options("MIT"))
    bring(sqlite_store, tmp_path / "r")
    titles = []
    for study in ("loops", "again"):
        with sqlite_store.read() as connection:
            made = analyse(read_material(connection, study), ["crowdloom"], samples=20)
        titles.append([section.title for section in made.sections])
    assert titles[0] == titles[1]
    assert "Strategies" in titles[1]
    told = [block.text for block in made.sections[-1].blocks if isinstance(block, Prose)]
    assert "where single points lay, so that no interaction is shown in pictures" in told[-1]


def test_a_release_without_sessions_is_read_as_before(sqlite_store: Store, tmp_path: Path) -> None:
    """The numbers alone come back; there is nothing to analyse or to code, and nothing fails."""
    finished(sqlite_store, tmp_path)
    release_study(sqlite_store, "loops", tmp_path / "r", Options("MIT"))
    bring(sqlite_store, without(tmp_path / "r", tmp_path / "bare", TABLES))
    with sqlite_store.read() as connection:
        found = read_sessions(connection, "again")
        assert not read_scheme(connection, "again").items
        assert final_interaction_codes(connection, "again") == {}
    assert not found.sessions
    assert found.notes() == [
        "6 answers have no session beside the numbers, as after the import of a release that had none."
    ]


@pytest.mark.parametrize(
    ("stem", "change", "sentence"),
    [
        ("sessions", lambda f: f[1:], "is not in sessions, but in a table beside it"),
        ("sessions", lambda f: pd.concat([f, f[:1]]), "cannot be used: it stands in sessions twice"),
        ("sessions", with_value("seed", None), "cannot be used: seed: "),
        ("sessions", lambda f: f.drop(columns="seed"), "the column seed of sessions is missing"),
        ("session_curves", lambda f: f[1:], "the epochs of the curve are not 1, 2, 3 and so on"),
        ("session_curves", with_value("accuracy", 1.5), "cannot be used: curve.0.accuracy: "),
        ("session_curves", with_value("accuracy", 0.5, 34), "numbers in responses are those of another one"),
        ("session_curves", with_value("item", "birds"), "in birds is not in sessions"),
        ("session_interactions", with_value("movements", 99), "and not 99"),
        ("session_interactions", with_value("category", "C9"), "the category 'C9', which no design has"),
        ("session_classes", lambda f: f[1:], "('before', 'zero') is missing, or has no meaning"),
        ("session_classes", with_value("class", "nobody"), "('before', 'zero') is missing, or has no meaning"),
        ("session_movements", with_value("class", "nobody"), "'nobody' is missing, or has no meaning"),
        ("session_movements", with_value("interaction", None), "cannot be used: "),
    ],
)
def test_tables_that_do_not_fit_are_refused(
    whole: Path, sqlite_store: Store, tmp_path: Path, stem: str, change: Any, sentence: str
) -> None:
    """In a sentence, and nothing is stored."""
    assert_refused(sqlite_store, changed(whole, tmp_path, stem, change), sentence)


def test_a_table_of_them_alone_is_refused(whole: Path, sqlite_store: Store, tmp_path: Path) -> None:
    """They belong together."""
    release = without(whole, tmp_path, ["session_classes"])
    assert_refused(sqlite_store, release, "it has no table session_classes")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release with categories, to be copied and broken."""
    folder = tmp_path_factory.mktemp("whole")
    store = open_store(str(folder / "store.db"))
    finished(store, folder)
    release_study(store, "loops", folder / "r", Options("MIT"))
    store.close()
    return folder / "r"
