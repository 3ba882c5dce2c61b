"""`crowdloom labels --intervals`, as its users call it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from crowdloom.studies.cli import cli
from crowdloom.studies.database import open_store
from crowdloom.studies.errors import OptionError
from crowdloom.studies.web import create_app
from tests.studies.studies_for_tests import complete, open_small


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a store in which three people completed the small study, one half of it twice, the other once."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'store.db'}"
    monkeypatch.setenv("CROWDLOOM_DATABASE", url)
    store = open_store(url)
    posting = open_small(store, tmp_path)
    client = create_app(store).test_client()
    for name in ("ann", "ben", "cem"):
        complete(client, posting, name)
    store.close()
    return tmp_path


def call(*arguments: str) -> str:
    """What the command prints."""
    return CliRunner().invoke(cli, ["labels", "small", *arguments], catch_exceptions=False).output


def test_intervals_stand_in_a_file_of_their_own(here: Path) -> None:
    """A row for each item and class, the same from the same seed; empty where one person answered, which is said."""
    arguments = ["--aggregate", "mean", "--intervals", "i.csv", "--samples", "30", "--seed", "4"]
    said = call("--out", "labels.npz", *arguments)
    call("--out", "plain.npz", "--aggregate", "mean")
    assert (here / "plain.npz").read_bytes() == (here / "labels.npz").read_bytes()
    found = pd.read_csv("i.csv", dtype={"item": str, "label": str})
    assert list(found.columns) == ["item", "label", "probability", "low", "high"]
    assert len(found) == 10 * found["item"].nunique()
    with_one = found[found["low"].notna()]
    assert with_one["item"].nunique() == found["item"].nunique() / 2
    assert (
        "Wrote the 95 % intervals to i.csv: 3 of 6 items have one; for those that one person answered, low and high "
        "are empty.\n"
    ) in said
    assert with_one["probability"].between(with_one["low"] - 1e-9, with_one["high"] + 1e-9).all()
    first = (here / "i.csv").read_bytes()
    call("--out", "labels.npz", *arguments)
    assert (here / "i.csv").read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--intervals", "i.csv"], "--intervals belongs to --aggregate"),
        (["--aggregate", "mean", "--samples", "9"], "--samples and --seed belong to --intervals"),
        (["--aggregate", "mean", "--intervals", "i.json"], "--intervals i.json: its name must end in .csv or .parquet"),
        (["--aggregate", "mean", "--intervals", "no/i.csv"], "--intervals no/i.csv"),
        (
            ["--aggregate", "mean", "--out", "i.csv", "--intervals", "./i.csv"],
            r"--intervals i\.csv is the same file as --out",
        ),
        (["--out", "same.csv", "--similarity", "same.csv"], r"--out same\.csv is the same file as --similarity"),
    ],
)
def test_what_does_not_fit_is_refused(here: Path, arguments: list[str], sentence: str) -> None:
    """In one sentence, before anything is written."""
    with pytest.raises(OptionError, match=sentence):
        call("--out", "labels.json", *arguments)
    assert not (here / "labels.json").exists()
    assert not (here / "i.csv").exists()
