"""A rehearsal of the coach within persons: people are read by a real network, with a real worker beside the server."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from crowdloom.studies.cli import cli
from crowdloom.studies.database import open_store
from crowdloom.studies.reading import read_frame

pytestmark = pytest.mark.slow


def test_everybody_is_coached_on_half_of_the_digits(
    coaches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The coach of the digits takes the place of the one that is not prepared; what people adopt makes a difference."""
    monkeypatch.setenv("CROWDLOOM_COACHES", str(coaches))
    file, database = tmp_path / "x.toml", str(tmp_path / "x.db")
    run = CliRunner()
    assert run.invoke(cli, ["new", "coach-within", str(file)]).exit_code == 0
    design = re.sub(r"(?m)^rounds = 2", 'only = ["2", "4", "7", "9"]', file.read_text(encoding="utf-8"))
    design = re.sub(r"(?m)^size = 20", "size = 4", design)
    design = re.sub(r"(?m)^responses_per_item = \d+", "responses_per_item = 2", design)
    file.write_text(design.replace("[rehearsal]", "[rehearsal]\nbehaviour = { adopt = 1.0 }"), encoding="utf-8")
    checked = run.invoke(cli, ["validate", str(file)])
    assert checked.exit_code == 0
    assert "The coach mnist-5000 is not prepared here, and nobody can write where servers" in checked.output
    asked = ["rehearse", str(file), "--json", "--participants", "6", "--careless", "0", "--database", database]
    result = run.invoke(cli, [*asked, "--drop-out", "0"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("The coach mnist-5000 is not prepared here: the coach digits takes its place.")
    said = json.loads(result.stdout)
    assert said["places"] == {"filled": 4, "wanted": 4}
    assert said["people"]["turned_away"] == 2
    assert {one["name"] for one in said["plan"]} == {"recognised", "recognised-after", "confidence", "ink"}
    store = open_store(database, create=False)
    with store.read() as connection:
        answers = read_frame(connection, "coach-within")
    store.close()
    assert len(answers) == 16
    per_person = answers.groupby("participant")["coached"].sum()
    assert per_person.tolist() == [2] * 4
    assert answers.groupby(answers["item"].str[0])["coached"].sum().tolist() == [2] * 4
    coached, control = answers[answers["coached"] == 1], answers[answers["coached"] == 0]
    assert control["adopted"].isna().all()
    assert coached["adopted"].median() > 0.3
