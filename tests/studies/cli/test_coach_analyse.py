"""`crowdloom coach analyse` as its users call it, of writings that nobody read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from crowdloom.studies.database import open_store
from crowdloom.studies.errors import CrowdloomError
from tests.studies.analysing.odd import Odd
from tests.studies.cli.test_commands import call
from tests.studies.coach_studies import finished, open_writings


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a store: six people's writings; and two more studies."""
    folder = tmp_path_factory.mktemp("writings")
    store = open_store(str(folder / "store.db"))
    finished(store, folder, 6)
    Odd(store, "labels", "soft")
    open_writings(store, folder, name="empty")
    yield folder
    store.close()


@pytest.fixture
def here(stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, from which the store is found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_DATABASE", f"sqlite:///{stored / 'store.db'}")
    return tmp_path


def test_everything_that_can_be_said_is_written(here: Path) -> None:
    """Frames, tables, figures as PNG and SVG, and a summary that shows all of them."""
    result = call("coach", "analyse", "writing", "--out", "out")
    assert result.output.startswith("Between 3 coached and 3 control people, recognised: from first to second")
    said = re.search(r"Wrote out/summary.md and beside it (\d+) tables and figures", result.output)
    assert said is not None
    assert int(said[1]) == sum(path.is_file() for path in (here / "out").rglob("*")) - 1
    assert not list(here.glob(".*part"))
    summary = (here / "out" / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("# Coaching in writing\n\n48 trials by 6 people\n")
    shown = re.findall(r"\]\(([^)]+)\)", summary)
    assert {f"figures/coach-{name}.svg" for name in ("recognised", "ink", "adopted", "learning", "transfer")} < set(
        shown
    )
    for file in shown:
        assert (here / "out" / file).stat().st_size
    assert (here / "out" / "figures" / "coach-confidence.png").stat().st_size
    trials, attempts = (pd.read_csv(here / "out" / "data" / f"{name}.csv") for name in ("trials", "attempts"))
    assert (len(trials), len(attempts)) == (48, 96)
    assert trials.groupby("participant")["order"].apply(list).tolist() == [list(range(8))] * 6
    table = pd.read_csv(here / "out" / "tables" / "coaching-between-people.csv", index_col=0)
    change = trials[~trials["never_coached"]].groupby(["arm", "participant"])["ink_change"].mean()
    assert table.loc["ink (pixels)", "coached"] == pytest.approx(change["coached"].mean())
    assert table.loc["ink (pixels)", "difference"] == pytest.approx(change["coached"].mean() - change["control"].mean())


def test_where_nothing_counts_it_says_why(here: Path) -> None:
    """And for a study of another task there is nothing to analyse."""
    result = call("coach", "analyse", "empty", "--out", "none")
    assert result.output.splitlines()[0] == "No answer counts: nobody has begun yet."
    assert "beside it 2 tables." in result.output
    with pytest.raises(CrowdloomError, match="labels is a study of the task soft-label; only coach has writings"):
        call("coach", "analyse", "labels", "--out", "out")
    assert not (here / "out").exists()


@pytest.mark.parametrize("table", ["writings", "writing-attempts", "writing-points"])
def test_tables_of_writings_are_exported(here: Path, table: str) -> None:
    """As CSV and as Parquet."""
    result = call("export", "writing", "--table", table, "--out", "t.csv")
    frame = pd.read_csv("t.csv")
    assert f"Wrote {len(frame):,} rows to t.csv" in result.output
    call("export", "writing", "--table", table, "--out", "t.parquet")
    assert len(pd.read_parquet("t.parquet")) == len(frame) >= 48
