"""`crowdloom coach prepare` and `crowdloom coach figures`, as their users call them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from crowdloom.models import coach_data, coach_figures, coach_preparing
from crowdloom.models.coach_data import CoachData, digits
from crowdloom.models.coach_folder import prepared_coach
from crowdloom.models.coach_pareto import COMPARED, GRID
from crowdloom.models.coach_preparing import Recipe
from crowdloom.models.coach_table import TableTerms
from crowdloom.studies.cli import cli
from crowdloom.studies.errors import OptionError

USUAL = r"\(with a design's usual weights: classification \S+, efficiency \S+, discriminator \S+\)"


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for coaches, which learn from few digits, and not for long."""
    monkeypatch.setenv("CROWDLOOM_COACHES", str(tmp_path / "coaches"))
    monkeypatch.setattr(coach_preparing, "coach_data", few)
    monkeypatch.setattr(coach_data, "default_data", few)
    monkeypatch.setattr(coach_preparing, "recipe_for", lambda name, pictures: Recipe(1, 1, tried=10))
    monkeypatch.setattr(coach_preparing, "LOOKED_AT", 2)
    return tmp_path / "coaches"


all_digits = cache(digits)


def few(data: str = "digits", *, download: bool = False) -> CoachData:
    return all_digits().first(48, 40)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["coach", *arguments], catch_exceptions=False)


def test_a_coach_is_prepared_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how well recogniser and coach do and where it is; the same again only says so."""
    first = call("prepare", "digits")
    assert first.exit_code == 0
    made = prepared_coach("digits")
    assert f"digits: the recogniser reads {100 * made.accuracy:.1f} % of the test pictures rightly," in first.output
    assert re.search(USUAL, first.output)
    assert str(root / "digits" / made.digest) in first.output
    monkeypatch.setattr(coach_preparing, "_make", None)
    assert call("prepare", "digits").output.splitlines()[0] == first.output.splitlines()[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["../x"], "'../x' names no coach"),
        (["mine"], "--data: mine does not come with its data; say where its pictures are, an .npz"),
        (["digits", "--data", "."], "--data: digits has data of its own; give it none"),
    ],
)
def test_what_cannot_be_prepared(words: list[str], said: str, root: Path) -> None:
    """One sentence, and nothing is made."""
    with pytest.raises(OptionError, match=re.escape(said)):
        call("prepare", *words)
    assert not root.exists()


def test_pictures_that_are_no_drawings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """The sentence names the file."""
    monkeypatch.undo()
    monkeypatch.setenv("CROWDLOOM_COACHES", str(root))
    np.savez(tmp_path / "large.npz", images=np.zeros((4, 32, 32), np.uint8), label=np.array([0, 0, 1, 1]))
    with pytest.raises(OptionError, match=r"large.npz has images .*; a coach takes grey ones of 28 x 28 pixels"):
        call("prepare", "large", "--data", str(tmp_path / "large.npz"))
    assert not root.exists()


def test_ctrl_c_stops_it_with_a_sentence(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the same command goes on."""

    def interrupted(*given: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(coach_preparing, "train_conditioned", interrupted)
    stopped = call("prepare", "digits")
    assert stopped.exit_code == 130
    assert stopped.stderr == f"\nStopped; what is done stays in {root}, and the same command goes on from there.\n"
    assert list(root.glob("digits/.*.part/recogniser.safetensors"))


@pytest.mark.slow
def test_figures_of_the_settings_and_of_the_trade_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, with the numbers."""
    monkeypatch.setattr(coach_figures, "TableTerms", lambda networks=5: TableTerms(networks, epochs=1))
    out = tmp_path / "figures"
    done = call("figures", "--out", str(out), "--workers", "1")
    assert done.exit_code == 0
    names = [f"{name}.{suffix}" for name in ("figure-4", "figure-5", "pareto") for suffix in ("png", "svg")]
    assert sorted(path.name for path in out.iterdir()) == sorted([*names, "pareto.csv", "runs"])
    frame = pd.read_csv(out / "pareto.csv")
    assert (frame["trained"] == "once").sum() == len({*GRID, *COMPARED})
    assert (frame["trained"] == "separately").sum() == len(COMPARED)
    assert done.output.count("one that was trained at these weights alone has") == len(COMPARED)
