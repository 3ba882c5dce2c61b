"""The folder appears when it is complete, and takes the place of a release of ours alone."""

from __future__ import annotations

import os
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crowdloom.studies.database import Store
from crowdloom.studies.errors import OptionError
from crowdloom.studies.releasing import building, releasing
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.releasing import Released, release_study
from crowdloom.studies.releasing.versions import read_versions
from tests.studies.releasing.test_again import digests

CC0 = Options("CC0-1.0")


def make(store: Store, out: Path, options: Options = CC0, study: str = "digits") -> Released:
    """Release a study."""
    return release_study(store, study, out, options)


def test_a_release_takes_the_place_of_an_earlier_one(answered: Store, tmp_path: Path) -> None:
    """Nothing of the earlier one stays, and it is said what it was; an empty folder is as good as none."""
    out = tmp_path / "out"
    out.mkdir()
    first = make(answered, out, Options("CC0-1.0", images="include"))
    assert first.replaced is None
    assert (out / "images").is_dir()
    second = make(answered, out)
    assert second.replaced == f"version {first.version}"
    assert not (out / "images").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.zip"]
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert {name.partition("/")[0] for name in archive.namelist()} == {f"digits-v{second.version}"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda out: (out / "notes.txt").write_text("mine"), "the file notes.txt in it is not of the release"),
        (lambda out: (out / "README.md").write_text("mine"), "the file README.md in it was changed since"),
        (lambda out: (out / "release.json").write_text("{}"), "exists and is not a release of crowdloom"),
        (lambda out: (out / "release.json").unlink(), "exists and is not a release of crowdloom"),
        (lambda out: (out / "SHA256SUMS").unlink(), "SHA256SUMS is missing or damaged"),
        (lambda out: out.with_suffix(".zip").write_text("mine"), "is not the zip of a release of digits"),
    ],
)
def test_what_is_not_ours_stays(answered: Store, tmp_path: Path, change: object, sentence: str) -> None:
    """A file that somebody added or wrote in, another folder, another zip: refused before anything is done."""
    out = tmp_path / "out"
    make(answered, out)
    change(out)  # type: ignore[operator]
    before = digests(out)
    with pytest.raises(OptionError, match=re.escape(sentence)):
        make(answered, out)
    assert digests(out) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.zip"]


def test_other_things_stay(answered: Store, tmp_path: Path) -> None:
    """A folder with somebody's files, a file, a link, another study's release."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").write_text("mine", encoding="utf-8")
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    make(answered, tmp_path / "mixes", study="mixes")
    with pytest.raises(OptionError, match=r"--out \.: the release needs a folder of its own"):
        make(answered, Path())
    for name, sentence in (
        ("folder", "is not a release of crowdloom"),
        ("file", "something that is not a folder"),
        ("link", "something that is not a folder"),
        ("mixes", "has a release of the study mixes, not of digits"),
    ):
        with pytest.raises(OptionError, match=sentence):
            make(answered, tmp_path / name)
    assert (tmp_path / "folder" / "thesis.tex").read_text(encoding="utf-8") == "mine"


def test_a_full_disk_leaves_what_was_there(answered: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a part of a new release nor a version in the store; the earlier release stands as it was."""
    out = tmp_path / "out"
    make(answered, out)
    before = digests(out)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def versions() -> int:
        with answered.read() as connection:
            return len(read_versions(connection, "digits"))

    known = versions()
    for module, name in ((building, "_write_documents"), (releasing, "write_zip")):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, full)
            with pytest.raises(OSError, match="No space left"):
                make(answered, out, Options("PDDL-1.0"))
        assert digests(out) == before
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.zip"]
        assert versions() == known


def test_what_a_killed_release_left_goes(answered: Store, tmp_path: Path) -> None:
    """Parts of it, beside what is not ours; a release that was just out of its place is there again, if all fails."""
    out = tmp_path / "out"
    make(answered, out)
    (tmp_path / ".out.0123abcd.part" / "data").mkdir(parents=True)
    (tmp_path / ".out.0123abcd.zip").write_bytes(b"PK")
    for name in (".out.notes.old", ".outer.0123abcd.part", "out.0123abcd.part"):
        (tmp_path / name).mkdir()
    out.rename(tmp_path / ".out.4567cdef.old")
    with pytest.raises(OptionError, match="has a release of the study digits, not of mixes"):
        make(answered, out, study="mixes")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"out", "out.zip", ".out.notes.old", ".outer.0123abcd.part", "out.0123abcd.part"}
    assert str(make(answered, out).replaced).startswith("version ")


def test_releases_beside_each_other_wait(answered: Store, tmp_path: Path) -> None:
    """Two at once, to the same folder: one after the other, both whole, one version."""
    with ThreadPoolExecutor() as pool:
        made = list(pool.map(lambda _: make(answered, tmp_path / "out", Options("ODbL-1.0")), range(3)))
    assert len({one.version for one in made}) == 1
    assert sorted(one.is_new for one in made) == [False, False, True]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.zip"]


def test_files_are_on_the_disk_before_they_have_their_names(
    answered: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file of the folder, and the zip, while neither is in its place."""
    flushed = set()

    def fsync(file: int) -> None:
        flushed.add(os.fstat(file).st_ino)
        assert not (tmp_path / "out").exists()

    monkeypatch.setattr(os, "fsync", fsync)
    make(answered, tmp_path / "out")
    assert {path.stat().st_ino for path in tmp_path.rglob("*") if path.is_file()} <= flushed
