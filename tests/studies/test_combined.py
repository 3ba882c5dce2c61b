"""Soft labels of combined images: what participants are told, and the command that exports the items."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from crowdloom.studies.cli import cli
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.design_file import parse_design
from crowdloom.studies.errors import ItemError
from crowdloom.studies.self_contained import question_for_batch
from crowdloom.studies.tables import Batch
from crowdloom.studies.web import create_app
from tests.studies.studies_for_tests import DESIGN, begin, complete, open_small

TOLD = "This image was formed by <strong>combining other images</strong>."
MIXED = """
[items.mixed]
pairs = 1
coefficients = [[0.5], [0.25, 0.75]]
keep = [0.25, 0.5]
"""
COMBINED = DESIGN + MIXED + "[options]\ncombined = true\n"


@pytest.mark.parametrize(("design", "told"), [(COMBINED, True), (DESIGN, False)])
def test_participants_are_told_that_images_are_combined(store: Store, tmp_path: Path, design: str, told: bool) -> None:
    """Thesis, section 5.1.1: of mixed images only; on our pages and in a question that the marketplace shows alone."""
    client = create_app(store).test_client()
    base = begin(client, open_small(store, tmp_path, design), "ann")
    assert (TOLD in client.get(base).text) == told
    with store.read() as connection:
        batch = connection.scalars(select(Batch.id)).first()
    document = question_for_batch(
        store, parse_design(design, "small.toml"), int(batch or 0), {"submit_to": ["https://market.example"]}
    )
    assert (TOLD in document) == told


def call(*arguments: str) -> Result:
    """Run a command that must succeed."""
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def test_a_study_of_combined_images_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Validate, load, publish; people answer; the items are exported with what they are mixed of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_DATABASE", f"sqlite:///{tmp_path / 'store.db'}")
    Path("small.toml").write_text(COMBINED, encoding="utf-8")
    assert "small" in call("validate", "small.toml").output
    assert "6 items in 2 batches" in call("load", "small.toml").output
    posting = call("publish", "small").output.splitlines()[-1].rsplit("/", 1)[1]
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    complete(create_app(store).test_client(), posting, "ann")
    store.close()
    assert "Wrote 6 rows to items.csv" in call("export", "small", "--table", "items", "--out", "items.csv").output
    call("export", "small", "--table", "items", "--out", "items.parquet")
    rows = list(csv.DictReader(Path("items.csv").read_text(encoding="utf-8").splitlines()))
    for row in rows:
        assert row["item"] == f"{row['source1']}+{row['source2']}@{row['coefficient']}"
        assert row["endpoint1"] < row["endpoint2"]
        assert (row["reference"], row["difficulty"]) == ("", "")
        assert row["coefficient"] in ("0.5", "0.25")
    parquet = pd.read_parquet("items.parquet")
    assert parquet["item"].tolist() == [row["item"] for row in rows]
    assert parquet["coefficient"].tolist() == [float(row["coefficient"]) for row in rows]


def test_items_that_cannot_be_mixed_are_told_with_their_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File, line and field, as for everything else in a design."""
    monkeypatch.chdir(tmp_path)
    design = COMBINED.replace("pairs = 1", "pairs = 100000")
    Path("small.toml").write_text(design, encoding="utf-8")
    line = design.splitlines().index("pairs = 100000") + 1
    with pytest.raises(
        ItemError, match=rf"^small\.toml:{line}: items\.mixed\.pairs: 100000 different pairs of '0' and"
    ):
        CliRunner().invoke(cli, ["validate", "small.toml"], catch_exceptions=False)
    assert [path.name for path in tmp_path.iterdir()] == ["small.toml"]
