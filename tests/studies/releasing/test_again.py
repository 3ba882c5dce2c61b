"""A release can be made again, byte by byte; what has changed is another version, with other pseudonyms."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.errors import OptionError, StudyError
from crowdloom.studies.releasing import parquet
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.releasing import Released, release_study
from crowdloom.studies.review import exclude
from crowdloom.studies.tables import Release, Submission
from tests.studies.releasing.answered import PEOPLE, answer_all, study

CC0 = Options("CC0-1.0")


def digests(out: Path) -> dict[str, str]:
    """Of all files of a release, its zip, and their modes."""
    files = [*sorted(path for path in out.rglob("*") if path.is_file()), out.with_name(f"{out.name}.zip")]
    return {
        str(path.relative_to(out)) if path.is_relative_to(out) else "zip": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def participants(out: Path) -> set[str]:
    """The names of the people."""
    return set(pq.read_table(out / "data" / "submissions.parquet")["participant"].to_pylist())


def make(store: Store, out: Path, options: Options | None = CC0, number: int | None = None) -> Released:
    """Release digits."""
    return release_study(store, "digits", out, options, number=number)


def test_the_same_version_is_the_same_bytes(store: Store, tmp_path: Path) -> None:
    """Another folder, another time, another umask and time zone: files and zip are equal, bit for bit."""
    answer_all(store, study(store, tmp_path, "digits"), PEOPLE[:3])
    options = Options("CC-BY-4.0", True, "include")
    first = make(store, tmp_path / "one", options)
    before, umask = os.environ.get("TZ"), os.umask(0o077)
    os.environ["TZ"] = "Pacific/Kiritimati"
    try:
        time.tzset()
        time.sleep(1.1)  # a second is what a zip's times can tell apart
        again = make(store, tmp_path / "two", options)
    finally:
        os.umask(umask)
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        time.tzset()
    assert (first.version, first.is_new, again.version, again.is_new, again.otherwise) == (1, True, 1, False, ())
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert len(digests(tmp_path / "one")) > 20


def test_changed_content_is_a_new_version(store: Store, tmp_path: Path) -> None:
    """More answers, an exclusion, other options: each is a version of its own, and none shares a name with another."""
    design = study(store, tmp_path, "digits")
    answer_all(store, design, PEOPLE[:2])
    assert make(store, tmp_path / "1").version == 1
    answer_all(store, design, PEOPLE[2:3])
    assert make(store, tmp_path / "2").version == 2
    with store.write() as connection:
        code = connection.scalars(select(Submission.pseudonym).order_by(Submission.id)).first()
        exclude(connection, "digits", str(code), "a child clicked")
    assert make(store, tmp_path / "3").version == 3
    other = Options("CC0-1.0", creators=("The Digits Lab",))
    assert make(store, tmp_path / "4", other).version == 4
    assert make(store, tmp_path / "5").version == 3  # as it was before the other options
    names = [participants(tmp_path / number) for number in "1234"]
    assert [len(of_version) for of_version in names] == [2, 3, 3, 3]
    assert len(set().union(*names)) == 11
    assert digests(tmp_path / "3") == digests(tmp_path / "5")
    with store.read() as connection:
        keys = connection.scalars(select(Release.key)).all()
    assert len(set(keys)) == 4
    assert {len(key) for key in keys} == {32}


def test_an_old_version_again_or_how_it_has_changed(store: Store, tmp_path: Path) -> None:
    """By its number; its own options count, and those given must be these."""
    design = study(store, tmp_path, "digits")
    answer_all(store, design, PEOPLE[:2])
    make(store, tmp_path / "1")
    make(store, tmp_path / "2", Options("MIT"))
    assert make(store, tmp_path / "again", None, 1).version == 1
    assert digests(tmp_path / "1") == digests(tmp_path / "again")
    with pytest.raises(OptionError, match="version 1 was made with another --licence"):
        release_study(store, "digits", tmp_path / "x", number=1, given={"licence": "MIT"})
    with pytest.raises(StudyError, match="digits has no such release; there are: 1, 2"):
        make(store, tmp_path / "x", None, 3)
    answer_all(store, design, PEOPLE[2:3])
    with pytest.raises(StudyError) as caught:
        make(store, tmp_path / "x", None, 1)
    assert str(caught.value) == (
        "version 1 of digits cannot be built again, because its content has changed: 10 responses then and 15 now, "
        "2 participants then and 3 now, 2 accepted submissions then and 3 now; leave out --release-version to make a "
        "new version"
    )
    assert not list(tmp_path.glob("*x*"))


def test_a_change_that_no_count_shows(sqlite_store: Store, tmp_path: Path) -> None:
    """Then the file is named in which it is."""
    answer_all(sqlite_store, study(sqlite_store, tmp_path, "digits"), PEOPLE[:2])
    make(sqlite_store, tmp_path / "1")
    with sqlite_store.write() as connection:
        connection.exec_driver_sql("UPDATE item SET difficulty = 0.5 WHERE id = 1")
    with pytest.raises(StudyError, match=r"changed: data/items\.csv would be different; leave out"):
        make(sqlite_store, tmp_path / "2", None, 1)
    assert make(sqlite_store, tmp_path / "2").version == 2


def test_other_software_that_writes_the_same(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another layout of Parquet is no other content; the files that it concerns are named."""
    answer_all(sqlite_store, study(sqlite_store, tmp_path, "digits"), PEOPLE[:2])
    make(sqlite_store, tmp_path / "1")
    monkeypatch.setattr(parquet, "ROWS_IN_A_GROUP", 3)
    again = make(sqlite_store, tmp_path / "2")
    assert (again.version, again.is_new) == (1, False)
    assert "data/responses.parquet" in again.otherwise
    assert not [name for name in again.otherwise if name.endswith((".csv", "T2-clamp.json", "release.json"))]


def test_nothing_to_release(sqlite_store: Store, tmp_path: Path) -> None:
    """A study without answers, and one that there is not, in a sentence."""
    study(sqlite_store, tmp_path, "digits")
    with pytest.raises(StudyError, match="digits has no answers yet, so there is nothing to release"):
        make(sqlite_store, tmp_path / "out")
    with pytest.raises(StudyError, match="no study is called 'cats'"):
        release_study(sqlite_store, "cats", tmp_path / "out", CC0)
    with pytest.raises(OptionError, match="--licence is missing"):
        make(sqlite_store, tmp_path / "out", None)
    assert not list(tmp_path.glob("*out*"))
