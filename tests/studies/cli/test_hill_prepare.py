"""`crowdloom hill` and `crowdloom hill prepare`, as their users call them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from crowdloom.models import latent_cache
from crowdloom.models.latent_items import preparation
from crowdloom.studies.cli import cli
from crowdloom.studies.cli.hill import COMMANDS
from crowdloom.studies.errors import OptionError
from crowdloom.studies.learning import extra
from tests.conftest import ROOT
from tests.models.latent_scenarios.pamap2_files import table, write

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for scenarios, and a process that knows none."""
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(tmp_path / "scenarios"))
    monkeypatch.setattr(latent_cache, "_READ", {})
    return tmp_path / "scenarios"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["hill", *arguments], catch_exceptions=False)


def test_help_lists_the_commands_without_pytorch() -> None:
    """None of them is loaded for it."""
    asked = (
        "import sys; from click.testing import CliRunner; from crowdloom.studies.cli import cli\n"
        "for words in (['hill', '--help'], ['hill', 'prepare', '--help']):\n"
        "    print(CliRunner().invoke(cli, words).output)\n"
        "print('torch' in sys.modules, 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert all(f"  {name} " in done.stdout for name in COMMANDS)
    assert "PACKAGE.MODULE:CALLABLE" in done.stdout
    assert done.stdout.endswith("False False\n")


def test_digits_are_prepared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how well the network does and where it is; the same again only says so."""
    first = call("prepare", "digits")
    assert first.exit_code == 0
    assert "digits: 1,348 training examples and 449 to validate on, 10 classes." in first.output
    assert re.search(r"After 25 epochs accuracy 8\d\.\d %, macro-F1 8\d\.\d %; \d+\.\d s\.", first.output)
    took = re.search(r"An epoch took about (\d\S*) s; participants wait for a study's epochs, ", first.output)
    assert took is not None
    assert 0.01 < float(took[1]) < 30
    assert str(preparation("digits")) in first.output
    monkeypatch.setattr("crowdloom.models.latent_pretraining.train_epochs", None)
    assert call("prepare", "digits").output.splitlines()[0] == first.output.splitlines()[0]


def test_pamap2_is_prepared_from_its_files(tmp_path: Path) -> None:
    """From the folder that has Protocol in it."""
    for subject in (101, 105):
        write(tmp_path / "PAMAP2" / "Protocol" / f"subject{subject}.dat", table(6, seed=subject))
    done = call("prepare", "pamap2", "--data", str(tmp_path / "PAMAP2"))
    assert "pamap2: 38 training examples and 38 to validate on, 13 classes.\nAfter 25 epochs" in done.output


def test_ones_own_scenario_is_prepared() -> None:
    """By the callable that gives it."""
    done = call("prepare", "tests.models.blobs:blobs")
    assert "tests.models.blobs:blobs: 90 training examples and 30 to validate on, 3 classes." in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "there is no scenario 'nothing'; choose from digits"),
        (["hapt"], "--data: hapt does not come with its data; say where it is"),
        (["digits", "--data", "."], "--data: digits has data of its own; give it none"),
        (["hapt", "--data", "nowhere.npz"], "--data: there is no nowhere.npz; say where the data of hapt is"),
        (["tests.models.blobs:failing"], "raised RuntimeError (the sensor is off)"),
    ],
)
def test_what_cannot_be_prepared(words: list[str], said: str, root: Path) -> None:
    """One sentence, and nothing is made."""
    with pytest.raises(OptionError, match=re.escape(said)):
        call("prepare", *words)
    assert not root.exists()


def test_a_spoilt_file_is_one_sentence(tmp_path: Path) -> None:
    """On standard error, with exit status 2."""
    np.savez(tmp_path / "hapt.npz", X=np.zeros((3, 6)))
    done = subprocess.run(
        [sys.executable, "-m", "crowdloom.studies.cli", "hill", "prepare", "hapt", "--data", tmp_path / "hapt.npz"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"Error: {tmp_path / 'hapt.npz'} has no array 'label'; HAPT's has X, label, subject and session\n"
    )


def test_without_pytorch_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setattr(extra, "_NEEDED", ("no_such_module",))
    with pytest.raises(OptionError, match=r"no_such_module is not installed.*crowdloom\[train\]"):
        call("prepare", "digits")


def test_ctrl_c_stops_it_with_a_sentence(root: Path) -> None:
    """And the same command goes on."""
    words = [sys.executable, "-m", "crowdloom.studies.cli", "hill", "prepare", "digits"]
    process = subprocess.Popen(words, cwd=ROOT, env=os.environ, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not list(root.glob("digits/.*.part/state.safetensors")):
        assert time.monotonic() < end, "no epoch was kept"
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert said == f"\nStopped; what is done stays in {root}, and the same command goes on from there.\n"
    assert "digits: 1,348 training examples" in call("prepare", "digits").output
