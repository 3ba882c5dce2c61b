"""`crowdloom hill analyse` as its users call it, of sessions whose networks are not here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from crowdloom.studies.coding import add_coder, read_scheme, save_code
from crowdloom.studies.database import open_store
from crowdloom.studies.errors import CrowdloomError
from crowdloom.studies.tables import Response
from tests.studies.analysing.odd import Odd
from tests.studies.cli.test_commands import call
from tests.studies.latent_studies import open_loops, rows


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a store: three people's sessions in two scenarios, some of them coded; and another study."""
    folder = tmp_path_factory.mktemp("loops")
    store = open_store(str(folder / "store.db"))
    loops = open_loops(store, folder)
    for seed, (person, strategy) in enumerate((("ann", "compactness"), ("ben", "distance"), ("cem", "merge"))):
        submission = loops.arrive(person)
        for scenario in range(2):
            loops.answer(submission, strategy, 10 * seed + scenario)
    with store.write() as connection:
        for name in ("Dee", "Eli"):
            coder, scheme = add_coder(connection, "loops", name), read_scheme(connection, "loops")
            for item in scheme.items[:5]:
                save_code(connection, scheme, coder, item, "compactness")
    Odd(store, "labels", "soft")
    open_loops(store, folder, name="empty")
    yield folder
    store.close()


@pytest.fixture
def here(stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, from which the store is found; no scenario is prepared."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_DATABASE", f"sqlite:///{stored / 'store.db'}")
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(tmp_path / "scenarios"))
    monkeypatch.setattr("crowdloom.studies.hill_baselines.lacking", lambda: "torch is not installed")
    return tmp_path


def test_everything_that_can_be_said_is_written(here: Path) -> None:
    """Frames, tables, figures as PNG and SVG, and a summary that shows all of them; what is missing is one sentence."""
    result = call("hill", "analyse", "loops", "--out", "out")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[0] == (
        '6 trainings without a person are missing, for torch is not installed; run: pip install "crowdloom[train]".'
    )
    summary = (here / "out" / "summary.md").read_text(encoding="utf-8")
    shown = re.findall(r"\]\(([^)]+)\)", summary)
    assert "figures/learning.svg" in shown
    for file in shown:
        assert (here / "out" / file).stat().st_size
    assert (here / "out" / "figures" / "learning.png").stat().st_size
    assert summary.startswith("# Sessions of loops\n\n6 sessions by 3 people\n")
    assert "Of the interactions that people coded" in summary
    data = {path.stem: pd.read_csv(path) for path in (here / "out" / "data").iterdir()}
    assert set(data) == {"sessions", "curves", "gains", "interactions", "steps", "classes", "shapes", "movements"}
    assert "There is no figure of an interaction in digits, signals (figure 4 of the paper)" in summary
    assert data["sessions"]["replaced"].tolist() == [False] * 6
    assert len(data["interactions"]) == 12
    assert data["interactions"]["strategy_code"].value_counts().to_dict() == {"compactness": 5}
    assert data["gains"]["gain_accuracy"].isna().all()
    assert data["curves"]["source"].unique().tolist() == ["person"]
    assert not list(here.glob(".*part"))


def test_a_page_that_sent_something_else_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the terminal, in the summary and in the table of sessions; the server's numbers are in all of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_DATABASE", f"sqlite:///{tmp_path / 'store.db'}")
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(tmp_path / "scenarios"))
    monkeypatch.setattr("crowdloom.studies.hill_baselines.lacking", lambda: "torch is not installed")
    store = open_store(str(tmp_path / "store.db"))
    loops = open_loops(store, tmp_path)
    ann = loops.arrive("ann")
    for seed in range(2):
        loops.answer(ann, seed=seed)
    for number, one in enumerate(rows(store, Response)):
        session = one.answer["session"]
        last = session["curve"][-1] | ({"accuracy": 0.125} if number else {})
        loops.trained(one, session | {"curve": [*session["curve"][:-1], last]})
    store.close()
    result = call("hill", "analyse", "loops", "--out", "out")
    sentence = "Of 1 session the page sent something else than the server's own record, which counts: "
    assert f"{sentence}{ann.pseudonym} in " in result.output
    assert f"{sentence}{ann.pseudonym} in " in (tmp_path / "out" / "summary.md").read_text(encoding="utf-8")
    data = {name: pd.read_csv(tmp_path / "out" / "data" / f"{name}.csv") for name in ("sessions", "gains")}
    assert data["sessions"]["replaced"].tolist() == [False, True]
    assert data["gains"]["accuracy"].tolist()[1] == 0.125
    assert sentence in call("export", "loops", "--table", "session-curves", "--out", "curves.csv").output


def test_tables_of_sessions_are_exported(here: Path) -> None:
    """They are those of the analysis, as CSV and as Parquet; other studies have none."""
    call("hill", "analyse", "loops", "--out", "out")
    for table, name in (
        ("sessions", "sessions"),
        ("session-curves", "curves"),
        ("session-interactions", "interactions"),
        ("session-classes", "shapes"),
        ("session-movements", "movements"),
    ):
        result = call("export", "loops", "--table", table, "--out", f"{table}.csv")
        assert (here / f"{table}.csv").read_bytes() == (here / "out" / "data" / f"{name}.csv").read_bytes()
        frame = pd.read_csv(f"{table}.csv")
        assert f"Wrote {len(frame):,} rows to {table}.csv" in result.output
        call("export", "loops", "--table", table, "--out", f"{table}.parquet")
        assert len(pd.read_parquet(f"{table}.parquet")) == len(frame) > 0
    assert pd.read_parquet("sessions.parquet")["classes"][0].tolist() == ["zero", "one", "two", "three"]
    assert pd.read_csv("sessions.csv")["words"][0].startswith("I pulled the points")
    with pytest.raises(CrowdloomError, match="only latent-session has sessions"):
        call("export", "labels", "--table", "sessions", "--out", "none.csv")


def test_again_it_replaces_what_it_wrote_and_nothing_else(here: Path) -> None:
    """A table that the last summary showed and this one has not is gone; a file of somebody else stays."""
    assert call("hill", "analyse", "loops", "--out", "out").exit_code == 0
    out = here / "out"
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    (out / "tables" / "old.csv").write_text("x\n", encoding="utf-8")
    (out / "notes.txt").write_text("mine\n", encoding="utf-8")
    with (out / "summary.md").open("a", encoding="utf-8") as file:
        file.write("[old.csv](tables/old.csv)\n")
    assert call("hill", "analyse", "loops", "--out", "out").exit_code == 0
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before | {
        out / "notes.txt": b"mine\n"
    }


def test_a_study_without_sessions(here: Path) -> None:
    """Nobody has come yet: a summary that says so, and frames without rows."""
    result = call("hill", "analyse", "empty", "--out", "out")
    assert result.exit_code == 0, result.output
    sentence = "No session counts: nobody has begun yet."
    assert result.output.splitlines() == [sentence, "Wrote out/summary.md and beside it 8 tables."]
    assert sentence in (here / "out" / "summary.md").read_text(encoding="utf-8")
    assert not len(pd.read_csv(here / "out" / "data" / "shapes.csv"))


def test_why_no_session_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody began; no work of theirs is complete, or there is no answer at all."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_DATABASE", f"sqlite:///{tmp_path / 'store.db'}")
    store = open_store(str(tmp_path / "store.db"))
    open_loops(store, tmp_path).arrive("ann")
    store.close()
    first, _ = call("hill", "analyse", "loops", "--out", "out").output.splitlines()
    assert first == "No session counts: 1 participation began, and none is complete and accepted."
    first, _ = call("hill", "analyse", "loops", "--out", "out", "--responses", "all").output.splitlines()
    assert first == "No session counts: 1 participation began, and none has answered yet."


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("labels", "--out", "out"), "labels is a study of the task soft-label; only latent-session has sessions"),
        (("nothing", "--out", "out"), "nothing"),
        (("loops", "--out", "no/such/folder"), "there is no folder no/such; create it first"),
        (("loops", "--out", "out", "--version", "7"), "has no version 7"),
    ],
)
def test_what_cannot_be_analysed_is_said(here: Path, arguments: tuple[str, ...], why: str) -> None:
    """In one sentence, and nothing is written."""
    with pytest.raises(CrowdloomError, match=why):
        call("hill", "analyse", *arguments)
    assert not (here / "out").exists()


def test_the_general_commands_know_sessions(here: Path) -> None:
    """describe, figures and analyse, whose report has the sections on sessions."""
    described = call("describe", "loops")
    assert described.exit_code == 0, described.output
    assert "improvement_mean" in described.output
    assert "Sessions by scenario" in described.output
    assert call("figures", "loops", "--out", "figures").exit_code == 0
    assert [path.name for path in (here / "figures").iterdir()] == ["improvement.png"]
    report = call("analyse", "loops", "--out", "report.html", "--samples", "20")
    assert report.exit_code == 0, report.output
    page = (here / "report.html").read_text(encoding="utf-8")
    for title in ("Sessions and the same training without a person", "Strategies"):
        assert f">{title}" in page
    assert "6 sessions could not be compared with the same training without a person" in page
    assert "Agreement between people" not in page
