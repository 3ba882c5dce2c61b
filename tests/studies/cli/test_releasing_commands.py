"""`release` and `import release` as their users call them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from crowdloom.studies.cli import cli
from crowdloom.studies.database import Store
from crowdloom.studies.errors import CrowdloomError
from crowdloom.studies.review import exclude
from crowdloom.studies.tables import Submission
from tests.studies.cli.test_commands import call
from tests.studies.releasing.answered import PEOPLE, answer_all, study


@pytest.fixture
def here(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the commands find a store with the study digits, answered by three people."""
    answer_all(sqlite_store, study(sqlite_store, tmp_path, "digits"), PEOPLE[:3])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_DATABASE", str(sqlite_store.url))
    return tmp_path


def test_release_and_read_back(here: Path) -> None:
    """What was written is said; the same again is the same version; another store describes it alike."""
    first = call("release", "digits", "--out", "release/", "--licence", "cc-by-4.0", "--creator", "Meier, Eva")
    assert first.output == (
        "Wrote version 1 of digits (new) to release and release.zip: 15 responses, 3 submissions, CC-BY-4.0.\n"
    )
    zipped = Path("release.zip").read_bytes()
    again = call("release", "digits", "--out", "release/", "--licence", "CC-BY-4.0", "--creator", "Meier, Eva")
    assert again.output == first.output.replace("(new)", "(the same as before)")
    assert Path("release.zip").read_bytes() == zipped
    other = call("release", "digits", "--out", "release", "--license", "CC0-1.0", "--free-text", "--images", "include")
    assert other.output.splitlines()[0] == (
        "Version 1, which was in release, is replaced; --release-version 1 builds it again only from a store as it was."
    )
    assert "version 2 of digits (new)" in other.output
    assert "version 1 of digits (the same as before) to old" in (
        call("release", "digits", "--out", "old", "--release-version", "1").output
    )
    assert Path("old.zip").read_bytes() == zipped
    call("release", "digits", "--out", "v1", "--licence", "MIT", "--version", "1")

    elsewhere = ["--database", "elsewhere.db"]
    read = call("import", "release", "release", "--study", "theirs", *elsewhere)
    assert read.output == (
        "Imported the release digits, version 2 as the study theirs: 3 submissions of 3 participants, 15 responses.\n"
    )
    assert call("describe", "theirs", "--json", *elsewhere).output == call("describe", "digits", "--json").output
    assert call("import", "release", "release.zip", "--study", "theirs", *elsewhere).output == (
        "The study theirs is the release digits, version 2 already; nothing was added.\n"
    )


def test_the_licence_is_said_once(here: Path, sqlite_store: Store) -> None:
    """The newest version's counts until another is said, for the same content and for new content alike."""
    call("release", "digits", "--out", "r", "--licence", "MIT")
    assert "version 1 of digits (the same as before)" in call("release", "digits", "--out", "r").output
    assert call("release", "digits", "--out", "r", "--free-text").output.endswith("3 submissions, MIT.\n")
    call("release", "digits", "--out", "r", "--licence", "CC0-1.0")
    with sqlite_store.write() as connection:
        code = connection.scalars(select(Submission.pseudonym)).first()
        exclude(connection, "digits", str(code), "a child clicked")
    output = call("release", "digits", "--out", "r").output
    assert "Wrote version 4 of digits (new)" in output
    assert "CC0-1.0" in output


def test_a_task_without_labels_says_why(here: Path, sqlite_store: Store) -> None:
    """After what was written."""
    answer_all(sqlite_store, study(sqlite_store, here, "mistakes"), PEOPLE[:2])
    output = call("release", "mistakes", "--out", "r", "--licence", "MIT").output
    assert output.endswith("There are no label sets in it: answers to the task wrong-label give no labels.\n")


def test_an_exclusion_without_its_reason_is_said(here: Path, sqlite_store: Store) -> None:
    """Since reasons are free text; with it nothing needs to be said."""
    with sqlite_store.write() as connection:
        code = connection.scalars(select(Submission.pseudonym)).first()
        exclude(connection, "digits", str(code), "a child clicked")
    output = call("release", "digits", "--out", "r", "--licence", "MIT").output
    assert output.endswith(
        "1 exclusion by hand stands in it without a reason, since reasons are free text; --free-text includes them.\n"
    )
    assert "exclusion" not in call("release", "digits", "--out", "r", "--licence", "MIT", "--free-text").output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["release", "digits", "--out", "r"], "--licence is missing; the first version of a release needs one"),
        (["release", "digits", "--out", "r", "--licence", "WTFPL"], "--licence WTFPL: no licence with this SPDX id"),
        (["release", "digits", "--out", "no/r", "--licence", "MIT"], "--out no/r: there is no folder no"),
        (["release", "cats", "--out", "r", "--licence", "MIT"], "no study is called 'cats'"),
        (["release", "digits", "--out", "r", "--licence", "MIT", "--creator", " "], "--creator is empty"),
        (["release", "digits", "--out", "r", "--licence", "MIT", "--version", "7"], "'digits' has no version 7"),
        (["release", "digits", "--out", "r", "--release-version", "1"], "digits has no such release; there are: none"),
        (["import", "release", "nowhere", "--study", "x"], "nowhere does not exist"),
        (["import", "release", "empty", "--study", "x"], "is not a release of crowdloom (it has no SHA256SUMS)"),
    ],
)
def test_mistakes_are_one_sentence(arguments: list[str], sentence: str, here: Path) -> None:
    """And nothing is written, not even an empty store."""
    Path("empty").mkdir()
    before = sorted(here.iterdir())
    if arguments[0] == "import":
        arguments = [*arguments, "--database", "new.db"]
    with pytest.raises(CrowdloomError, match=re.escape(sentence)) as caught:
        CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert "\n" not in str(caught.value)
    assert sorted(here.iterdir()) == before
    shutil.rmtree("empty")
