"""`describe` and `figures` as their users call them, on answers of simulated people to every task."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from crowdloom.analysis.describe import MEANINGS
from crowdloom.studies.cli import cli
from crowdloom.studies.database import open_store
from crowdloom.studies.design_file import parse_design
from crowdloom.studies.errors import CrowdloomError
from crowdloom.studies.loading import load_design
from crowdloom.studies.rehearsal import Habits, rehearse, serving, stand_ins
from tests.studies.cli.test_commands import call

pytestmark = pytest.mark.slow

BASE = """
name = "{name}"
title = "What is it?"
task = "{task}"
seed = 1
classes = ["ape", "bat", "cat", "dog", "elk", "fox"]
consent = "We study images."
instructions = ["One page."]
[people]
minutes = 3
hold_minutes = 10
{rest}
"""
MIXED = """
[items]
source = "arrays"
path = "images.npz"
sample = 18
[items.mixed]
pairs = 2
coefficients = [[0.25], [0.5], [0.75]]
[batches]
size = 9
responses_per_item = 2
repeats = [2]
"""
PLAIN = """
[items]
source = "arrays"
path = "images.npz"
sample = 4
[batches]
size = 4
responses_per_item = 1
"""
WRONG = """
[items]
source = "csv"
path = "not-here.csv"
sample = 4
[batches]
size = 4
responses_per_item = 1
[[conditions]]
name = "shown"
[[conditions]]
name = "hidden"
"""
STUDIES = {
    "mixes": ("mixing-coefficient", MIXED),
    "mixed-labels": ("soft-label", MIXED),
    "plain": ("soft-label", PLAIN),
    "wrong": ("wrong-label", WRONG),
}


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of rehearsed studies, and with annotator counts of the images that were mixed."""
    folder = tmp_path_factory.mktemp("described")
    images = np.random.default_rng(3).integers(0, 256, (30, 8, 8, 3), dtype=np.uint8)
    np.savez(folder / "images.npz", images=images, label=np.arange(30) % 6, index=np.arange(30))
    np.save(folder / "counts.npy", np.eye(6, dtype=int)[np.arange(30) % 6] * 50)
    np.save(folder / "few.npy", np.ones((1, 6)))
    store = open_store(str(folder / "store.db"))
    with closing(store), serving(store.url) as address:
        for name, (task, rest) in STUDIES.items():
            source = BASE.format(name=name, task=task, rest=rest)
            design = parse_design(source, name)
            made_up = stand_ins(design) if name == "wrong" else None
            load_design(store, design, source, folder, items=made_up)
            rehearse(store, name, participants=6, habits=Habits(drop_out=0), address=address)
    return folder


@pytest.fixture
def here(studies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, from which the store is found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_DATABASE", f"sqlite:///{studies / 'store.db'}")
    return tmp_path


def described(study: str, *options: str) -> dict[str, Any]:
    """What `describe --json` says."""
    found: dict[str, Any] = json.loads(call("describe", study, "--json", *options).output)
    return found


@pytest.mark.parametrize("study", STUDIES)
def test_describe_prints_every_number_with_its_meaning_and_the_tables(study: str, here: Path) -> None:
    """The lines and the JSON say the same."""
    summary = described(study)
    lines = call("describe", study).output.splitlines()
    tables = summary.pop("tables", [])
    assert summary["responses_first"] > 0
    assert [line.split()[0] for line in lines[: len(summary)]] == list(summary)
    assert all(line.endswith(MEANINGS[name]) for line, name in zip(lines, summary, strict=False))
    assert [table["title"] for table in tables] == [lines[n + 1] for n, line in enumerate(lines[:-1]) if not line]
    assert bool(tables) == (study != "plain")


def test_tables_of_wrong_labels_are_those_of_the_paper(here: Path) -> None:
    """Conditions in rows, categories and all in columns, over images and over responses."""
    over_images, over_responses = described("wrong")["tables"][:2]
    assert [row["condition"] for row in over_images["rows"]] == ["hidden", "#images, hidden", "shown", "#images, shown"]
    assert over_images["rows"][1]["Overall"] == over_responses["rows"][1]["Overall"] == 4


def test_counts_give_the_entropies_of_the_mixed_images(here: Path, studies: Path) -> None:
    """With counts on which annotators agree all endpoints are low; without counts nothing is known of them."""
    assert described("mixes")["confidence_both_low"] is None
    summary = described("mixes", "--counts", str(studies / "counts.npy"))
    assert summary["confidence_both_low"] == summary["confidence_mean"]
    assert summary["confidence_both_high"] is None
    drawn = call("figures", "mixes", "--out", "figures", "--counts", str(studies / "counts.npy")).output
    assert "Wrote figures/confidence-by-entropy.png." in drawn


@pytest.mark.parametrize(
    ("study", "written", "reason"),
    [
        ("mixes", ["boundaries", "confidence", "inferred"], "Not drawn: midpoints, since nobody was asked for"),
        ("mixed-labels", ["elsewhere-mass", "endpoint-mass", "entropy"], ""),
        ("plain", ["entropy"], "Not drawn: endpoint-mass, since no item is mixed of two images."),
        ("wrong", ["accuracy"], ""),
    ],
)
def test_figures_are_whole_files_of_which_each_is_named(
    study: str, written: list[str], reason: str, here: Path
) -> None:
    """What was written is said, and why the rest was not; nothing else lies in the folder."""
    output = call("figures", study, "--out", "figures").output
    made = sorted(path.name for path in (here / "figures").iterdir())
    assert set(written) <= {Path(name).stem for name in made}
    assert sorted(line for line in output.splitlines() if line.startswith("Wrote")) == [
        f"Wrote figures/{name}." for name in made
    ]
    assert reason in output
    for name in made:
        with Image.open(here / "figures" / name) as figure:
            assert figure.width == 1050


def test_figures_in_another_format(here: Path) -> None:
    """The suffix says it."""
    assert call("figures", "plain", "--out", "figures", "--format", "pdf").output.startswith(
        "Wrote figures/entropy.pdf."
    )
    assert [path.name for path in (here / "figures").iterdir()] == ["entropy.pdf"]


def test_a_study_without_answers_has_no_figures(here: Path) -> None:
    """The folder is not made, and every figure says why."""
    Path("empty.toml").write_text(
        BASE.format(name="empty", task="soft-label", rest='[items]\nsource = "digits"\nsample = 4\n').replace(
            '["ape", "bat", "cat", "dog", "elk", "fox"]', str([str(digit) for digit in range(10)])
        )
        + "[batches]\nsize = 4\nresponses_per_item = 1\n",
        encoding="utf-8",
    )
    call("load", "empty.toml", "--database", "own.db")
    output = call("figures", "empty", "--out", "figures", "--database", "own.db").output
    assert output.splitlines()[0] == "Not drawn: entropy, since there is no item with a label; nothing can be drawn."
    assert not (here / "figures").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["figures", "nothing", "--out", "figures"], "no study is called 'nothing'"),
        (["figures", "mixes", "--out", "no/where"], "--out no/where: there is no folder no; create it first"),
        (["describe", "mixes", "--counts", "none.npy"], "--counts: none.npy cannot be read"),
        (["describe", "plain", "--counts", "FOLDER/counts.npy"], "--counts: no item says the sources"),
        (["figures", "mixes", "--out", "f", "--counts", "FOLDER/few.npy"], "that is no row of the counts, 0 to 0"),
    ],
)
def test_mistakes_are_one_sentence(arguments: list[str], sentence: str, here: Path, studies: Path) -> None:
    """An error that is told in one line, and no file."""
    with pytest.raises(CrowdloomError, match=re.escape(sentence)) as caught:
        CliRunner().invoke(
            cli, [argument.replace("FOLDER", str(studies)) for argument in arguments], catch_exceptions=False
        )
    assert "\n" not in str(caught.value)
    assert not list(here.iterdir())
