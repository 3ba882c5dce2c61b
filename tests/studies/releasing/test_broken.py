"""What is no release, or is not as it was written, is refused in a sentence, and nothing of it is stored."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crowdloom.studies.database import Store
from crowdloom.studies.errors import ImportFileError
from crowdloom.studies.releasing import sums
from crowdloom.studies.releasing.importing import import_release
from crowdloom.studies.releasing.opening import opened_release
from tests.studies.releasing.test_reading_back import bring, counts


@pytest.fixture
def release(released: Path, tmp_path: Path) -> Path:
    """A copy of a release to break, with its zip beside it."""
    shutil.copytree(released, tmp_path / "r")
    shutil.copy(released.with_name("digits.zip"), tmp_path / "r.zip")
    return tmp_path / "r"


def refused(store: Store, path: Path, sentence: str) -> None:
    """It is refused with this sentence, which is one line."""
    before = counts(store)
    with pytest.raises(ImportFileError, match=re.escape(sentence)) as caught, opened_release(path) as opened:
        import_release(store, opened, "again")
    assert "\n" not in str(caught.value)
    assert counts(store) == before


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda r: (r / "data" / "items.csv").unlink(), "is not whole: the file data/items.csv is missing"),
        (lambda r: (r / "README.md").write_text("x"), "is damaged: the file README.md is not as SHA256SUMS says"),
        (lambda r: (r / "SHA256SUMS").unlink(), "is not a release of crowdloom (it has no SHA256SUMS)"),
        (lambda r: (r / "SHA256SUMS").write_text("hello\n"), "(line 1 is not a digest and a path)"),
        (lambda r: (r / "SHA256SUMS").write_bytes(b"\xff\xfe"), "is not a release of crowdloom ("),
        (lambda r: (r / "SHA256SUMS").write_text(f"{'0' * 64}  ../s.db\n"), "names a path outside of the release"),
        (lambda r: (r / "SHA256SUMS").write_text(f"{'0' * 64}  a\n"), "does not name release.json"),
        (shutil.rmtree, "does not exist; name the folder or the zip of a release"),
    ],
)
def test_a_folder_that_is_not_whole(
    sqlite_store: Store, release: Path, spoil: Callable[[Path], Any], sentence: str
) -> None:
    """A file missing, changed or strange; paths that lead out of it."""
    spoil(release)
    refused(sqlite_store, release, sentence)


def test_a_zip_that_is_not_whole(sqlite_store: Store, release: Path) -> None:
    """Torn, with another file in it, without one; no zip at all."""
    whole = release.with_suffix(".zip")
    torn = release.with_name("torn.zip")
    torn.write_bytes(whole.read_bytes()[:5000])
    refused(sqlite_store, torn, "is no folder and no zip that can be read")
    torn.write_text("hello", encoding="utf-8")
    refused(sqlite_store, torn, "is no folder and no zip that can be read")
    for drop, change, sentence in (
        ("data/items.csv", None, "is not whole"),
        ("README.md", b"x", "is damaged: the file README.md is not as SHA256SUMS says"),
        ("SHA256SUMS", None, "it has no SHA256SUMS"),
    ):
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(torn, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                if name.endswith(drop):
                    if change is None:
                        continue
                    content = change
                target.writestr(name, content)
        refused(sqlite_store, torn, sentence)
    spoiled = bytearray(whole.read_bytes())
    spoiled[len(spoiled) // 3] ^= 1
    torn.write_bytes(spoiled)
    with pytest.raises(ImportFileError, match=r"damaged|can be read"), opened_release(torn):
        pass


def change_table(release: Path, stem: str, change: Callable[[pd.DataFrame], Any]) -> None:
    """Write a table anew, changed, in the same types where they still fit."""
    path = release / "data" / f"{stem}.parquet"
    schema = pq.read_schema(path)
    frame = pq.read_table(path).to_pandas().astype(object)
    frame = change(frame)
    rows = frame.where(frame.notna(), None)
    wanted = pa.schema([field for field in schema if field.name in rows])
    pq.write_table(pa.Table.from_pandas(rows, wanted, preserve_index=False), path)


def with_value(column: str, value: Any, row: int = 0) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A change of one cell."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[row, column] = value
        return frame

    return change


@pytest.mark.parametrize(
    ("stem", "change", "sentence"),
    [
        ("responses", with_value("top1", "ten"), "its answers cannot be used: column top1"),
        ("responses", with_value("item", "nothing"), "an answer is of the item 'nothing', which is not there"),
        ("responses", with_value("submission", "s-x"), "an answer is of the submission 's-x', which is not there"),
        ("responses", with_value("position", None), "its answers cannot be used"),
        ("responses", with_value("rt_ms", -5), "its answers cannot be used: column rt_ms"),
        ("responses", lambda f: f.drop(columns="top1"), "the column top1 of responses is missing"),
        ("responses", lambda f: pd.concat([f[:1], f], ignore_index=True), "an answer stands in its table twice"),
        ("responses", lambda f: f[::-1], "do not stand in the order of its submissions"),
        ("submissions", with_value("standing", "best"), "has the standing 'best', which there is not"),
        ("submissions", with_value("batch", 99), "a submission has the batch (1, 'default', 99), which no design has"),
        ("submissions", with_value("copy_of", "s-x"), "a submission is a copy of s-x, which is not there"),
        ("submissions", lambda f: pd.concat([f[:1], f]), "a submission stands in its table twice"),
        ("submissions", lambda f: f[:0], "it has no submissions"),
        ("submissions", lambda f: f.drop(columns="standing"), "the column standing of submissions is missing"),
        ("items", lambda f: f[1:], "that is not in items"),
        ("items", lambda f: pd.concat([f[:1], f]), "has an item twice"),
        ("images", with_value("file", "../../r.zip"), "the picture ../../r.zip is missing or another one"),
        ("debrief", with_value("submission", "s-x"), "s-x answered questions, but is no submission"),
    ],
)
def test_a_release_whose_parts_do_not_fit(
    sqlite_store: Store, release: Path, stem: str, change: Callable[[pd.DataFrame], Any], sentence: str
) -> None:
    """Even where the digests are right: somebody has written it by hand."""
    change_table(release, stem, change)
    sums.write_sums(release)
    refused(sqlite_store, release, sentence)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "other"}, "release.json is not one that this crowdloom reads (format: "),
        ({"format_version": 2}, "release.json is not one that this crowdloom reads (format_version: "),
        ({"designs": []}, "it has no design"),
        ({"classes": ["a", "b"]}, "its designs are of another task, or of other classes, than it says"),
        ({"tables": {}}, "it has no table responses"),
        ({"task": "juggling"}, "cannot be read back: this crowdloom has no task 'juggling'"),
        ({"task": "wrong-label"}, "the column choice of responses is missing or no text"),
        ({"counts": 7}, "release.json is not one that this crowdloom reads (counts: "),
    ],
)
def test_a_study_that_is_not_what_it_says(
    sqlite_store: Store, release: Path, change: dict[str, Any], sentence: str
) -> None:
    """Of another format or version, without a design, with other classes."""
    path = release / "release.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | change), encoding="utf-8")
    sums.write_sums(release)
    refused(sqlite_store, release, sentence)


def test_columns_that_are_not_what_they_say(sqlite_store: Store, release: Path) -> None:
    """Of another kind, of one that there is not, without one; a table that is told of and missing."""
    path = release / "release.json"
    text = path.read_text(encoding="utf-8")
    for stem, column, kind, sentence in (
        ("submissions", "batch", "text", "the column batch of submissions is missing or no whole"),
        ("submissions", "standing", None, "the column standing of submissions is missing or no text"),
        ("items", "more", "colour", "there is no kind of column 'colour'"),
        ("items", "more", "json", "the column more of items is missing or no json"),
        ("birds", "name", "text", "the table birds is missing"),
    ):
        said = json.loads(text)
        columns = said["tables"].setdefault(stem, {})
        columns.pop(column, None)
        columns |= {column: kind} if kind else {}
        path.write_text(json.dumps(said), encoding="utf-8")
        sums.write_sums(release)
        refused(sqlite_store, release, sentence)


def test_a_design_that_cannot_be_used(sqlite_store: Store, release: Path) -> None:
    """The field is named."""
    path = release / "release.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    said["designs"][0]["values"]["batches"]["size"] = 0
    path.write_text(json.dumps(said), encoding="utf-8")
    sums.write_sums(release)
    refused(sqlite_store, release, "its design cannot be used (batches.size: ")
    said["designs"][0]["values"]["batches"]["size"] = 4
    del said["designs"][0]["values"]["people"]
    path.write_text(json.dumps(said), encoding="utf-8")
    sums.write_sums(release)
    refused(sqlite_store, release, "its design cannot be used (people")


def test_a_participant_called_as_an_import_calls_others(sqlite_store: Store, release: Path) -> None:
    """Whoever got no batch is nobody who did, whatever people are called."""
    assert json.loads((release / "release.json").read_text(encoding="utf-8"))["counts"]["never"] == {"refused": 1}
    usual = bring(sqlite_store, release, "usual")
    before = counts(sqlite_store)
    change_table(release, "submissions", with_value("participant", "never-0"))
    sums.write_sums(release)
    assert bring(sqlite_store, release, "crafted").participants == usual.participants
    after = counts(sqlite_store)
    for name in ("participant", "submission"):
        assert after[name] == 2 * before[name] > 0, name
