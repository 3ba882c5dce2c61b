"""`crowdloom coders` and `crowdloom export --table codes`, as their users call them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from crowdloom.studies.cli import cli
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.errors import CrowdloomError
from crowdloom.studies.web import create_app
from tests.studies.coded import CODED, code_all, items
from tests.studies.studies_for_tests import DESIGN, load_small


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store with a coded study, in which commands are run; and an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_DATABASE", f"sqlite:///{tmp_path / 'store.db'}")
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    load_small(store, tmp_path, CODED)
    yield store
    store.close()


def call(*arguments: str) -> str:
    """Run a command that must succeed; what it prints."""
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_coders(here: Store) -> None:
    """Links, the same for the same name, that open the pages; then progress, agreement and what is to be decided."""
    assert "6 items to code and no coder yet" in call("coders", "small")
    said = call("coders", "small", "--add", "Ann", "--add", "Ben", "--address", "https://lab.example/")
    links = re.findall(r"^(\w+): https://lab\.example(/code/\w+)$", said, re.MULTILINE)
    assert [name for name, _ in links] == ["Ann", "Ben"]
    assert call("coders", "small", "--add", "Ann").strip() == f"Ann: http://127.0.0.1:8000{links[0][1]}"
    assert "Item 1 of 6" in create_app(here).test_client().get(links[1][1]).text
    code_all(here, {"Ann": "1122-3", "Ben": "1221--"})
    said = call("coders", "small")
    assert "Ann: 5 of 6 items coded\nBen: 4 of 6 items coded\nCohen’s kappa is 0.00" in said
    assert "2 disagreements to decide; 2 items with a final category." in said
    code_all(here, {"Cem": "122---"})
    assert re.search(r"Fleiss’ kappa is .*\n  Ann and Ben: Cohen’s", call("coders", "small"))


def test_the_table_of_codes(here: Store, tmp_path: Path) -> None:
    """CSV and Parquet have the same rows; without a code there are none."""
    assert "0 rows" in call("export", "small", "--table", "codes", "--out", "none.parquet")
    code_all(here, {"Ann": "12----", "Ben": "11----"})
    assert "Wrote 4 rows to codes.csv" in call("export", "small", "--table", "codes", "--out", "codes.csv")
    call("export", "small", "--table", "codes", "--out", "codes.parquet")
    rows = list(csv.DictReader((tmp_path / "codes.csv").read_text(encoding="utf-8").splitlines()))
    first, second = (item.key for item in items(here)[:2])
    assert [(row["item"], row["coder"], row["category"], row["note"], row["final"]) for row in rows] == [
        (first, "Ann", "C1", "", "C1"),
        (first, "Ben", "C1", "", "C1"),
        (second, "Ann", "C2", "", ""),
        (second, "Ben", "C1", "", ""),
    ]
    assert all(row["at"].endswith("+00:00") for row in rows)
    parquet = pd.read_parquet(tmp_path / "codes.parquet")
    assert list(parquet.columns) == ["item", "coder", "category", "note", "at", "final"]
    assert list(parquet["category"]) == [row["category"] for row in rows]


def test_what_cannot_be(here: Store, tmp_path: Path) -> None:
    """A study without [coding], an unknown one and an empty name are one sentence each."""
    load_small(here, tmp_path, DESIGN.replace('"small"', '"plain"'))
    for arguments, said in (
        (["coders", "plain"], r"plain is not coded: .* no \[coding\]"),
        (["coders", "plain", "--add", "Ann"], r"plain is not coded"),
        (["export", "plain", "--table", "codes", "--out", "x.csv"], "plain is not coded"),
        (["coders", "none"], "no study is called 'none'; there are: plain, small"),
        (["coders", "small", "--add", "Ann", "--add", " "], "name of the coder is empty"),
    ):
        with pytest.raises(CrowdloomError, match=said):
            CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert "no coder yet" in call("coders", "small")  # Ann was not added beside the one that failed
    assert not (tmp_path / "x.csv").exists()
