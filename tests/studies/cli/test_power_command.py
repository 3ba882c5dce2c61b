"""`crowdloom power` as its users call it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crowdloom.studies import power as simulating
from crowdloom.studies.cli import cli
from crowdloom.studies.database import open_store
from crowdloom.studies.web import create_app
from tests.studies.cli.test_commands import call, call_process
from tests.studies.studies_for_tests import DESIGN, answer, begin, trial_id

TWO = (
    DESIGN.replace('name = "small"', 'name = "two"')
    + '[[conditions]]\nname = "plain"\n[[conditions]]\nname = "example"\n'
)
QUICK = ("--simulations", "20")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a design of two conditions, one of one, and a store of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_DATABASE", f"sqlite:///{tmp_path / 'store.db'}")
    (tmp_path / "two.toml").write_text(TWO, encoding="utf-8")
    (tmp_path / "small.toml").write_text(DESIGN, encoding="utf-8")
    return tmp_path


def refused(*arguments: str) -> str:
    """What a command says that does nothing."""
    result: Result = CliRunner().invoke(cli, ["power", *arguments])
    assert result.exit_code != 0, result.output
    assert result.exception is not None
    return result.output + str(result.exception)


def test_table_needs_and_figure(here: Path) -> None:
    """What is compared, a line for each number of responses with its cost, what is needed, and the file."""
    out = call("power", "two.toml", "--effect", "0.4,0.9", "--responses", "4,8", "--out", "curve.svg", *QUICK).output
    assert "plain 0.4 against example 0.9; paired t-test over items, alpha 0.05; 20 simulations each, seed 0." in out
    assert "Standard deviations: 0.5 between people and 1 between items, in log-odds." in out
    assert re.search(r"^2 \* +6 +24 +8 +\S+ %.* %  +12\.00 USD$", out, re.MULTILINE)
    assert re.search(r"^8 +6 +96 +32 .*48\.00 USD$", out, re.MULTILINE)
    assert "For 80 %: " in out
    assert "Wrote curve.svg." in out
    assert (here / "curve.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert call("power", "two.toml", "--effect", "0.4,0.9", "--responses", "4,8", *QUICK).output in out


def test_the_cost_is_that_of_the_command(here: Path) -> None:
    """What `crowdloom cost` says of the loaded design is what the design's own line says, on every platform."""
    call("load", "two.toml")
    for cost in json.loads(call("cost", "two", "--json").output):
        said = json.loads(
            call("power", "two.toml", "--effect", "0.4,0.9", "--on", cost["platform"], "--json", *QUICK).output
        )
        own = [point for point in said["points"] if point["design"]]
        assert [(point["cost"], point["submissions"]) for point in own] == [(cost["total"], cost["places"])]


def test_json_is_reproducible(here: Path) -> None:
    """The same seed gives the same text, another one another; a number's effect says its parts."""
    asked = (
        "power",
        "two.toml",
        "--effect",
        "0.1",
        "--spread",
        "0.3",
        "--participant-sd",
        "0.1",
        "--items",
        "12",
        "--json",
    )
    first = call(*asked, "--simulations", "50").output
    assert call(*asked, "--simulations", "50", "--seed", "0").output == first
    assert call(*asked, "--simulations", "50", "--seed", "1").output != first
    said = json.loads(first)
    assert said["effect"]["participant_sd"] == 0.1
    assert said["effect"]["scale"] == "outcome"
    assert [point["items"] for point in said["points"]] == [6, 12]
    assert {one["over"] for one in said["needed"]} == {"items"}


def test_variances_like_those_of_a_study(here: Path) -> None:
    """They are read from the store; given ones go before."""
    call("load", "small.toml")
    posting = call("publish", "small").output.splitlines()[-1].rsplit("/", 1)[1]
    store = open_store(f"sqlite:///{here / 'store.db'}")
    client = create_app(store).test_client()
    for number, name in enumerate(("ann", "ben", "cem", "dan")):
        base, said = begin(client, posting, name), 0
        while trial_id(client, base):
            assert answer(client, base, top1_probability=str(40 + 9 * number + said)) == 303
            said += 1
    store.close()
    like = ("--like", "small", "--outcome", "top1_probability", "--json", *QUICK)
    found = json.loads(call("power", "two.toml", "--effect", "8", *like).output)["effect"]
    assert 5 < found["participant_sd"] < found["spread"] < 15
    given = json.loads(call("power", "two.toml", "--effect", "8", "--spread", "20", "--item-sd", "3", *like).output)
    assert given["effect"] | {"spread": 20, "item_sd": 3} == given["effect"]
    assert given["effect"]["participant_sd"] == found["participant_sd"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("small.toml", "--effect", "0.4,0.9"), "small has one condition, and power is that of a difference"),
        (("two.toml", "--effect", "0.4,1.9"), "a share of right answers lies between 0 and 1, got 1.9"),
        (("two.toml", "--effect", "0.4,0.9", "--test", "anova"), "no test of two conditions is called 'anova'"),
        (("two.toml", "--effect", "0.4,0.9", "--responses", "2"), "nothing varies, since the design has 2 responses"),
        (("two.toml", "--effect", "0.4,0.9", "--responses", "2,x"), "expected whole numbers such as 3,5,7, got 'x'"),
        (("two.toml", "--effect", "0.4,0.9", "--items", "0"), "--items: expected numbers from 1"),
        (("two.toml", "--effect", "0.4"), "give --spread, or --like"),
        (("two.toml", "--effect", "0.4,0.9", "--spread", "1"), "--spread: belongs to a difference of means"),
        (("two.toml", "--effect", "0.4,0.9", "--outcome", "seconds"), "--outcome: belongs to --like"),
        (("two.toml", "--effect", "0.4,0.9", "--conditions", "plain"), "expected two names with a comma"),
        (("two.toml", "--effect", "0.4,0.9", "--out", "no/curve.svg"), "there is no folder no"),
        (("two.toml", "--effect", "0.4,0.9", "--out", "curve.txt"), "a figure is drawn as .svg, .pdf or .png"),
        (("two.toml", "--effect", "0.4,0.9", "--alpha", "2"), "alpha lies between 0 and 1, got 2"),
        (("none.toml", "--effect", "0.4,0.9"), "cannot be read"),
    ],
)
def test_mistakes(here: Path, arguments: tuple[str, ...], said: str) -> None:
    """One sentence each, and nothing is written."""
    assert said in refused(*arguments)
    assert not (here / "curve.svg").exists()


def test_a_mistake_is_one_line_on_standard_error(here: Path) -> None:
    """With exit status 2, as everywhere."""
    result = call_process("power", "two.toml", "--effect", "2,3")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.splitlines() == ["Error: --effect: a share of right answers lies between 0 and 1, got 2"]


def test_it_can_be_interrupted(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle: a sentence, status 130, no file."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(simulating, "power_of", interrupted)
    result = CliRunner().invoke(cli, ["power", "two.toml", "--effect", "0.4,0.9", "--out", "curve.svg"])
    assert result.exit_code == 130
    assert "nothing was written" in result.output
    assert not (here / "curve.svg").exists()
