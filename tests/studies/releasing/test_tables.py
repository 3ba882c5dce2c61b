"""What the tables of a release say, in CSV and in Parquet alike, and that the codebook knows every column."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from crowdloom.analysis.export import write_labels
from crowdloom.studies.database import Store
from crowdloom.studies.label_recipes import Recipe
from crowdloom.studies.labelling import build_label_set
from crowdloom.studies.reading import read_frame
from crowdloom.studies.reading_items import read_items
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.parquet import ParquetFile
from crowdloom.studies.releasing.releasing import release_study
from crowdloom.studies.releasing.tables import TYPES, Column, TableWriter
from crowdloom.tasks import TASKS
from tests.studies.releasing.answered import STUDIES


def rows_of(release: Path, stem: str) -> list[dict[str, Any]]:
    """A table's rows, from Parquet."""
    return pq.read_table(release / "data" / f"{stem}.parquet").to_pylist()  # type: ignore[no-any-return]


@pytest.fixture(scope="module", params=STUDIES)
def of_each_task(request: pytest.FixtureRequest, answered: Store, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The name of a study, and its release."""
    out = tmp_path_factory.mktemp("release") / request.param
    return request.param, release_study(answered, request.param, out, Options("CC-BY-4.0")).out


def test_responses_are_the_long_frame(answered: Store, of_each_task: tuple[str, Path]) -> None:
    """Row by row and column by column; only people have other names, and times are durations."""
    name, release = of_each_task
    with answered.read() as connection:
        frame = read_frame(connection, name, "all")
    table = pq.read_table(release / "data" / "responses.parquet").to_pandas()
    assert ["answered_at" if column == "answered_s" else column for column in table] == list(frame.columns)
    for column in frame.columns:
        if column in ("participant", "submission", "answered_at"):
            continue
        theirs = [tuple(v) if isinstance(v, np.ndarray) else v for v in table[column]]
        assert [None if v != v else v for v in theirs] == [None if v != v else v for v in frame[column]], column
    for column in ("participant", "submission"):
        assert (pd.factorize(table[column])[0] == pd.factorize(frame[column])[0]).all()
    since = frame.groupby("submission")["answered_at"].transform("min")
    np.testing.assert_allclose(
        table["answered_s"] - table.groupby("submission")["answered_s"].transform("min"),
        (frame["answered_at"] - since).dt.total_seconds(),
        atol=0.0011,
    )


def test_csv_says_what_parquet_says(of_each_task: tuple[str, Path]) -> None:
    """Cell by cell, read back by hand."""
    for path in (of_each_task[1] / "data").glob("*.csv"):
        table = pq.read_table(path.with_suffix(".parquet"))
        read = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
        assert read[0] == table.column_names
        written = [[_as_csv(value) for value in row.values()] for row in table.to_pylist()]
        assert read[1:] == written, path.name


def _as_csv(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return "|".join(value) if isinstance(value, list) else str(value)


def test_everybody_stands_there_with_how_they_count(released: Path) -> None:
    """Two accepted, one excluded, one who left, one who failed the check; who did not consent is counted alone."""
    rows = rows_of(released, "submissions")
    assert [row["standing"] for row in rows] == ["accepted", "excluded", "accepted", "left", "failed_check"]
    assert [row["complete"] for row in rows] == [True, True, True, False, False]
    assert [row["checks_failed"] for row in rows] == [0, 0, 0, 0, 1]
    assert [row["seconds"] is not None for row in rows] == [True, True, True, False, False]
    assert all(sorted(row["class_order"]) == [str(digit) for digit in range(10)] for row in rows)
    said = json.loads((released / "release.json").read_text(encoding="utf-8"))
    assert said["counts"]["never"] == {"refused": 1}
    answers = pd.Series([row["standing"] for row in rows_of(released, "responses")]).value_counts()
    assert answers.to_dict() == {"accepted": 10, "excluded": 5, "left": 2}


def test_debriefs_and_questionnaires(released: Path) -> None:
    """Chosen answers, ratings and their scores, with whose they are."""
    people = {row["submission"]: row["participant"] for row in rows_of(released, "submissions")}
    debrief = rows_of(released, "debrief")
    assert [row["How hard was it?"] for row in debrief] == ["easy", "hard"]
    ratings = rows_of(released, "questionnaires")
    assert [(row["item"], row["value"]) for row in ratings if row["kind"] == "item"] == [
        ("capabilities", 5),
        ("ease", 6),
    ] * 2
    score = 0.65 * (5 + 6 - 2) * 100 / 12 + 22.9
    assert [row["value"] for row in ratings if row["kind"] == "score"] == pytest.approx([score, score])
    assert all(people[row["submission"]] == row["participant"] for row in (*debrief, *ratings))


def test_items_have_what_the_export_has(answered: Store, of_each_task: tuple[str, Path]) -> None:
    """The same columns and values."""
    name, release = of_each_task
    with answered.read() as connection:
        frame = read_items(connection, name)
    there = pd.DataFrame(rows_of(release, "items"))
    assert list(there) == list(frame)
    assert there.astype(object).where(there.notna(), None).to_numpy().tolist() == (
        frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    )


def test_pictures_are_what_was_shown(released: Path) -> None:
    """Each file has the SHA-256 that its name says, and is the picture of its item."""
    rows = rows_of(released, "images")
    assert {row["role"] for row in rows} == {"source", "shown"}
    assert len({row["item"] for row in rows}) == len(rows_of(released, "items"))
    for row in rows:
        content = (released / row["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        assert len(content) == row["bytes"]
        if row["role"] == "shown":
            with Image.open(io.BytesIO(content)) as image:
                assert image.size == (row["width"], row["height"])
    assert len(list((released / "images").iterdir())) == len({row["sha256"] for row in rows})


def test_pictures_may_be_referred_to(of_each_task: tuple[str, Path]) -> None:
    """Then there are no files, and the digests stand there all the same; further pictures too."""
    name, release = of_each_task
    rows = rows_of(release, "images")
    assert not (release / "images").exists()
    assert {row["file"] for row in rows} == {None}
    assert all(len(row["sha256"]) == 64 for row in rows)
    assert ("view:gradcam" in {row["role"] for row in rows}) == (name == "mistakes")
    assert ("view:0.25" in {row["role"] for row in rows}) == (name == "midpoints")


@pytest.mark.parametrize(("name", "variety"), [("digits", "T2-clamp"), ("mixes", "two-hot")])
def test_labels_are_those_of_the_command(answered: Store, name: str, variety: str, tmp_path: Path) -> None:
    """JSON is just what `crowdloom labels` writes; NPZ and Parquet say the same, and whose each label is."""
    out = release_study(answered, name, tmp_path / "r", Options("CC-BY-4.0")).out
    for aggregate, stem in ((None, variety), ("mean", f"{variety}-mean")):
        with answered.read() as connection:
            built = build_label_set(connection, name, Recipe(aggregate=aggregate)).table
        write_labels(built, tmp_path / "labels.json")
        assert (out / "labels" / f"{stem}.json").read_bytes() == (tmp_path / "labels.json").read_bytes()
        arrays = np.load(out / "labels" / f"{stem}.npz")
        np.testing.assert_array_equal(arrays["labels"], built.labels)
        table = pq.read_table(out / "labels" / f"{stem}.parquet").to_pydict()
        assert table["label"] == built.labels.tolist()
        assert table["item"] == list(built.item) == arrays["item"].tolist()
        if aggregate is None:
            known = {row["submission"]: row["participant"] for row in rows_of(out, "submissions")}
            assert [known[one] for one in table["submission"]] == table["participant"] == arrays["participant"].tolist()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("mistakes", "answers to the task wrong-label give no labels"),
        ("midpoints", "'midpoints' asks for midpoints, not for mixing coefficients, which labels are built of"),
    ],
)
def test_a_study_without_labels_says_why(answered: Store, tmp_path: Path, name: str, problem: str) -> None:
    """In the data card, and to whoever runs the command."""
    released = release_study(answered, name, tmp_path / "r", Options("CC-BY-4.0"))
    assert released.built.about.labels.problem == problem
    card = (released.out / "README.md").read_text(encoding="utf-8")
    assert f"There are no label sets: {problem}." in card
    assert not (released.out / "labels").exists()


def test_the_codebook_knows_every_column(of_each_task: tuple[str, Path]) -> None:
    """Of every file, each with a meaning and a type; the task's columns with the task's own meanings."""
    name, release = of_each_task
    book = list(csv.DictReader(io.StringIO((release / "codebook.csv").read_text(encoding="utf-8"))))
    known = {(file, row["column"]): row for row in book for file in row["file"].split()}
    assert all(row["meaning"] and row["type"] for row in book)
    for path in release.rglob("*"):
        inside = path.relative_to(release).as_posix()
        if path.suffix == ".parquet":
            columns = pq.read_schema(path).names
        elif path.suffix == ".csv" and path.name != "codebook.csv":
            columns = path.read_text(encoding="utf-8").partition("\n")[0].split(",")
        elif path.suffix == ".npz":
            columns = list(np.load(path))
        else:
            continue
        for column in columns:
            assert (inside, column) in known, (inside, column)
    for column in TASKS[STUDIES[name][0]].columns:
        assert known["data/responses.csv", column.name]["meaning"] == column.meaning
    assert known["data/responses.csv", "rt_ms"]["unit"] == "ms"


def test_values_of_several_types_are_json(tmp_path: Path) -> None:
    """An attribute that is now a list and now a text; numbers keep every digit."""
    columns = [Column("a", "json", "any"), Column("b", "number", "a number"), Column("c", "whole", "a count")]
    with TableWriter(tmp_path, "t", "rows", columns) as writer:
        writer.write({"a": [[1, "x"], "y", None], "b": [0.1 + 0.2, float("nan"), 1e-300], "c": [2.0, None, 2**60]})
    table = writer.table()
    assert (tmp_path / "data" / "t.csv").read_text(encoding="utf-8") == (
        'a,b,c\n"[1, ""x""]",0.30000000000000004,2\n"""y""",,\n,1e-300,1152921504606846976\n'
    )
    assert [column.values for column in table.columns] == [
        "",
        "observed: 1e-300 to 0.3",
        "observed: 2 to 1152921504606846976",
    ]


def test_parquet_does_not_depend_on_how_rows_come(tmp_path: Path) -> None:
    """The same bytes for the same rows in one lot and in many; any reader reads them, and no version stands there."""
    import pyarrow as pa

    schema = pa.schema([("n", TYPES["whole"]), ("t", TYPES["texts"])])
    numbers = list(range(120_000))
    for name, size in (("one", 120_000), ("many", 777)):
        with ParquetFile(tmp_path / name, schema) as file:
            for start in range(0, len(numbers), size):
                part = numbers[start : start + size]
                file.add([pa.array(part, TYPES["whole"]), pa.array([[str(n % 7)] for n in part], TYPES["texts"])])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "many").read_bytes()
    about = pq.read_metadata(tmp_path / "one")
    assert (about.num_row_groups, about.created_by, about.metadata) == (3, "crowdloom", None)
    assert pq.read_table(tmp_path / "one")["n"].to_pylist() == numbers
    assert b"version" not in (tmp_path / "one").read_bytes()
