"""What `crowdloom analyse` says of a study, it says of the study's release, read into an empty store."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from crowdloom.analysis.plan import plan_hash
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.design_file import parse_design
from crowdloom.studies.errors import ImportFileError
from crowdloom.studies.loading import load_design
from crowdloom.studies.posting import publish
from crowdloom.studies.releasing import sums
from crowdloom.studies.releasing.importing import import_release
from crowdloom.studies.releasing.opening import opened_release
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.releasing import release_study
from tests.studies.cli.test_commands import call
from tests.studies.releasing.answered import BASE, answer_all
from tests.studies.releasing.planned import STUDIES, everybody
from tests.studies.releasing.test_anonymous import everything_in

pytestmark = pytest.mark.slow

FILES = {"soft": 15, "mixes": 6, "mistakes": 8}
"""How many tables and figures a report has at least."""


Report = tuple[dict[str, bytes], list[str]]
"""The files beside a report, and its lines."""


def bring(path: Path, database: Path, study: str) -> None:
    """Import a release into a new store."""
    store = open_store(f"sqlite:///{database}")
    with opened_release(path) as release:
        import_release(store, release, study)
    store.close()


def analyse(folder: Path, store: str, study: str) -> Report:
    """The files beside the report, and the report's lines with figures left out, whose files are compared."""
    folder.mkdir()
    out = folder / "report.html"
    call("analyse", study, "--out", str(out), "--samples", "20", "--database", store)
    beside = folder / "report"
    files = {str(path.relative_to(beside)): path.read_bytes() for path in sorted(beside.rglob("*.*"))}
    text = re.sub(r"<svg.*?</svg>", "", out.read_text(encoding="utf-8"), flags=re.DOTALL)
    return files, [line.strip() for line in text.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store in which people of every standing took part in each of the studies."""
    folder = tmp_path_factory.mktemp("planned")
    store = open_store(str(folder / "store.db"))
    for name in STUDIES:
        everybody(store, folder, name)
    yield store
    store.close()


@pytest.fixture(scope="module")
def said_of(planned: Store, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Report]:
    """Gives what is said of a study itself, which is worked out once."""
    folder = tmp_path_factory.mktemp("said")
    return cache(lambda name: analyse(folder / name, planned.url, name))


def differences(before: list[str], after: list[str]) -> tuple[list[str], list[str]]:
    """The lines that one report has and the other has not."""
    return [line for line in before if line not in after], [line for line in after if line not in before]


@pytest.mark.parametrize("name", STUDIES)
def test_the_round_trip_changes_no_analysis(
    planned: Store, said_of: Callable[[str], Report], tmp_path: Path, name: str
) -> None:
    """Every table and figure is equal, byte by byte; the report differs in where the study comes from alone."""
    release_study(planned, name, tmp_path / "r", Options("CC-BY-4.0", free_text=True, images="include"))
    bring(tmp_path / "r.zip", tmp_path / "again.db", name)
    before, report = said_of(name)
    after, again = analyse(tmp_path / "after", str(tmp_path / "again.db"), name)
    assert len(before) >= FILES[name], sorted(before)
    assert list(before) == list(after)
    for file, content in before.items():
        assert after[file] == content, file
    flow = before["tables/flow.csv"].decode()
    for row in ("did not consent", "not complete", "left before", "rejected in review", "without a place", "excluded"):
        assert row in flow
    assert "comprehension" in flow
    gone, new = differences(report, again)
    of_the_study = ("frozen", "items", "came by", "began", "pay, link, version 1", "command", "design")
    assert [line.removeprefix("<dt>").partition("</dt>")[0] for line in gone] == list(of_the_study)
    plan = next(line for line in report if line.startswith("<dt>plan</dt>"))
    assert plan in again
    day = gone[0].removeprefix("<dt>frozen</dt><dd>")[:10]
    assert new[0] == f"<dt>frozen</dt><dd>{day} UTC, when this plan was first published, as the release says</dd>"
    assert f"<dt>release</dt><dd>{name}, version 1<small>which this study was read from</small></dd>" in new
    assert new[-1] == (
        "<p>What the release does not hold: times of day; the platforms that people came by; payments, so that this "
        "report does not say what people earned by the hour. All other numbers are those of the study.</p>"
    )


def test_what_a_release_leaves_out_is_said(planned: Store, said_of: Callable[[str], Report], tmp_path: Path) -> None:
    """Without free text and images: the same tables; reasons and images are missing, and the report says that."""
    release_study(planned, "soft", tmp_path / "r", Options("CC-BY-4.0"))
    for where, content in everything_in(tmp_path / "r"):
        assert b"Ann Meier" not in content, where
    bring(tmp_path / "r", tmp_path / "again.db", "theirs")
    before, report = said_of("soft")
    after, again = analyse(tmp_path / "after", str(tmp_path / "again.db"), "theirs")
    other = [file for file in before if after[file] != before[file]]
    assert "figures/labels-furthest.svg" in other
    assert all(file.startswith("figures/labels-") for file in other)
    gone, new = differences(report, again)
    assert "<p>Excluded by hand, 2: Ann Meier said that a child clicked.</p>" in gone
    assert "<p>Excluded by hand, 2: The release does not say why.</p>" in new
    assert "the reasons for which submissions were excluded by hand; the items&#39; images" in new[-1]


def test_a_plan_that_names_an_address(sqlite_store: Store, tmp_path: Path) -> None:
    """It leaves the plan, whose hash is still the one that was published, and the report says so; again and again."""
    task, rest = STUDIES["mixes"]
    source = BASE.format(name="mixes", task=task, rest=rest.replace("was mixed.", "eva@university.example mixed."))
    design = parse_design(source, "mixes.toml")
    load_design(sqlite_store, design, source, tmp_path)
    with sqlite_store.write() as connection:
        publish(connection, "mixes", "link")
    answer_all(sqlite_store, design, ("ok-1", "ok-2"))
    assert design.plan is not None
    for number, store in enumerate((sqlite_store.url, str(tmp_path / "0.db"))):
        opened = open_store(store)
        release_study(opened, "mixes", tmp_path / f"r{number}", Options("MIT"))
        opened.close()
        bring(tmp_path / f"r{number}", tmp_path / f"{number}.db", "mixes")
    _, report = analyse(tmp_path / "said", str(tmp_path / "1.db"), "mixes")
    assert not [line for line in report if "eva@university" in line or "other plans" in line]
    assert [line for line in report if line.startswith("<dt>frozen</dt>") and "as the release says" in line]
    assert [line for line in report if plan_hash(design.plan) in line and "without an address" in line]


def test_a_plan_that_was_changed_in_a_release_is_refused(planned: Store, tmp_path: Path) -> None:
    """Though all its sums are right, since the hash of the published plan is another."""
    release_study(planned, "soft", tmp_path / "r", Options("CC-BY-4.0"))
    path = tmp_path / "r" / "release.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    said["designs"][0]["values"]["plan"]["alpha"] = 0.2
    path.write_text(json.dumps(said), encoding="utf-8")
    sums.write_sums(tmp_path / "r")
    with pytest.raises(ImportFileError, match="the plan of version 1 is not the one with the SHA-256 that it gives"):
        bring(tmp_path / "r", tmp_path / "again.db", "soft")
