"""`crowdloom plan` as its users call it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crowdloom.analysis.plan import plan_hash
from crowdloom.studies.cli import cli
from crowdloom.studies.design_file import read_design
from tests.studies.cli.test_commands import call, call_process
from tests.studies.studies_for_tests import DESIGN

AWAY = DESIGN.replace('source = "digits"', 'source = "folder"\npath = "not-here"')
PLAN = """
[plan]
stopping = "Once all places are filled."
[[plan.hypotheses]]
name = "sure"
claim = "People are sure of digits."
outcome = "top1_probability"
test = "one-sample"
against = 10
"""
IMPOSSIBLE = """
[[plan.hypotheses]]
name = "quick"
claim = "Threes are quicker than fours."
outcome = "seconds"
test = "welch"
by = "reference"
levels = ["3", "four"]
"""
COLOUR = """
[[plan.hypotheses]]
name = "red"
claim = "Red digits are quicker."
outcome = "seconds"
test = "welch"
by = "colour"
levels = ["red", "blue"]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with designs: with a plan, with none, with hypotheses that no answer can decide, and without items."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_DATABASE", f"sqlite:///{tmp_path / 'store.db'}")
    for name, text in {
        "planned": DESIGN + PLAN,
        "plain": DESIGN,
        "odd": AWAY + PLAN + IMPOSSIBLE + COLOUR,
        "away": AWAY + PLAN,
        "real": DESIGN + PLAN + IMPOSSIBLE,
    }.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def found(*arguments: str) -> dict[str, Any]:
    """What `plan --json` says."""
    said: dict[str, Any] = json.loads(call("plan", *arguments, "--json").stdout)
    return said


def test_what_a_plan_finds(here: Path) -> None:
    """Its hash, and for each hypothesis both shares with their intervals; the JSON has the same numbers."""
    lines = call("plan", "planned.toml", "--runs", "5").output
    said = found("planned.toml", "--runs", "5")
    plan = read_design(here / "planned.toml")[0].plan
    assert plan is not None
    assert said["plan"] == plan_hash(plan)
    assert f"plan {plan_hash(plan)}" in lines
    [one] = said["hypotheses"]
    assert (one["name"], one["found"], one["found_share"], one["untested"]) == ("sure", 5, 1, 0)
    assert "sure: People are sure of digits.\n  Outcome: probability given to the most probable class (%)" in lines
    assert "Compared: all answers with the number 10. Test: t-test of the mean against a number." in lines
    assert "correction: Holm's correction over 1 p value; alpha is 0.05\nleft out: nothing\n" in lines
    assert re.search(r"found in 5 of 5 .*\(100%, 57% to 100%\)", lines)
    assert one["found_without"] is None
    assert "not tried without it: from a comparison with a number nothing can be taken out" in lines
    assert not list(here.glob("*.db")), "the study is tried in a store of its own"


def test_the_seed_decides(here: Path) -> None:
    """The same command says the same; more people come where more are asked for."""
    assert found("planned.toml", "--runs", "2") == found("planned.toml", "--runs", "2", "--seed", "0")
    assert found("odd.toml", "--runs", "1", "--participants", "1")["runs"] == 1


def test_what_cannot_be_decided_says_why(here: Path) -> None:
    """A side that no made-up item has, and an attribute; without any stated behaviour, in a single run."""
    lines = call("plan", "odd.toml", "--runs", "1").output
    said = {one["name"]: one for one in found("odd.toml", "--runs", "1")["hypotheses"]}
    assert [said[name]["untested"] for name in ("sure", "quick", "red")] == [0, 1, 1]
    assert "has no answer that counts" in said["quick"]["problem"]
    assert "no item has the attribute 'colour'" in said["red"]["problem"]
    assert lines.count("could not be tested") == 2
    assert "nan" not in lines.lower()


def test_made_up_items_take_the_place_of_absent_ones(here: Path) -> None:
    """And it is said, beside the JSON and not in it."""
    said = "not-here is not here: made-up items take its place."
    assert said in call("plan", "away.toml", "--runs", "1").output
    result = call_process("plan", "away.toml", "--runs", "1", "--json")
    assert said in result.stderr
    assert json.loads(result.stdout)["runs"] == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["plain.toml"], "plain.toml has no plan; add [plan] with its hypotheses"),
        (["planned.toml", "--runs", "0"], "--runs 0: at least one is needed"),
        (["planned.toml", "--participants", "0"], "--participants 0: at least one is needed"),
        (["nothing.toml"], "nothing.toml"),
        (["real.toml"], "plan.hypotheses.2.levels: no item's reference is '3'; there are: 0, 1, 7, 2, 9"),
    ],
)
def test_mistakes_are_one_sentence(arguments: list[str], sentence: str, here: Path) -> None:
    """Before anything is imagined."""
    result = CliRunner().invoke(cli, ["plan", *arguments])
    assert result.exit_code != 0
    assert sentence in str(result.exception)
    assert "\n" not in str(result.exception)
