"""`crowdloom hill compare`, as its users call it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crowdloom.analysis.latent_comparison import FILES
from crowdloom.studies.cli import main
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

BLOBS = "tests.models.blobs:blobs"
COMMAND = [sys.executable, "-m", "crowdloom.studies.cli", "hill", "compare"]


@pytest.fixture(autouse=True)
def scenarios(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of this test alone for prepared scenarios."""
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(tmp_path_factory.mktemp("scenarios")))


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """The command in this process, which has PyTorch already."""
    monkeypatch.setattr(sys, "argv", ["crowdloom", "hill", "compare", *arguments])
    main()


def test_stopped_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C is one sentence, what is done stays, and no process is left; the same again prints and writes all."""
    out = tmp_path / "compared"
    words = ["--scenario", BLOBS, "--strategy", "keep", "--seeds", "6", "--points", "20", "--out", str(out)]
    process = subprocess.Popen([*COMMAND, *words], cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    end = time.monotonic() + 120
    while not list(out.glob("runs/*.json")):
        assert time.monotonic() < end, "no training was kept"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert said == (
        f"Stopped before the end; what ran is ended, and what is done stays in {out}, and the same command goes on "
        "from there.\n"
    )
    kept = {path: path.stat().st_mtime_ns for path in out.glob("runs/*.json")}
    assert 0 < len(kept) < 12
    with pytest.raises(SystemExit) as ended:
        call(monkeypatch, *words, "--workers", "1")  # which changes nothing, but that PyTorch is there already
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(list(out.glob("runs/*.json"))) == 12
    assert f"| {BLOBS} | keep | 6 |" in printed
    assert printed.startswith((out / "table.md").read_text(encoding="utf-8"))
    assert f"Wrote {', '.join(FILES)} to {out}." in printed
    assert all((out / name).stat().st_size for name in FILES)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scenario", "hapt"], "the scenario hapt is not prepared in"),
        (["--scenario", "nothing"], "there is no scenario 'nothing'; choose from digits"),
        (["--strategy", "pull"], "'pull' is not one of 'compactness', 'distance', 'merge', 'keep', 'change'"),
        (["--alpha", "2"], "2.0 is not in the range 0<=x<=1"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    """And nothing is made."""
    with pytest.raises(SystemExit) as ended:
        call(monkeypatch, *arguments, "--out", str(tmp_path / "compared"))
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
