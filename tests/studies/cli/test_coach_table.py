"""`crowdloom coach table`: what it writes and prints, how it stops and goes on, and what it refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crowdloom.models.coach_data import digits
from crowdloom.studies.cli import main

OPTIONS = ["--networks", "2", "--epochs", "1", "--workers", "1"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """A command in this process: its exit status, and what it prints."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["crowdloom", "coach", "table", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return call


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Few digits, as somebody's own."""
    data = digits()
    path = tmp_path / "few.npz"
    rows = np.argsort(data.labels, kind="stable")[:: len(data.labels) // 40]
    np.savez(path, images=data.images[rows], label=data.labels[rows])
    return path


def test_a_table_is_stopped_and_goes_on(
    run: Callable[..., tuple[int, str, str]], pictures: Path, tmp_path: Path
) -> None:
    """After SIGTERM the same command trains the settings that are missing; once more, it only writes."""
    out = tmp_path / "table.md"
    arguments = ["--data", str(pictures), *OPTIONS, "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "crowdloom.studies.cli", "coach", "table", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    runs = tmp_path / "table-runs"
    end = time.monotonic() + 120
    while len(list(runs.glob("setting-*/result.json"))) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"what is done stays in {runs}, and the same command goes on from there" in said
    assert not out.exists()
    before = {path: path.stat().st_mtime_ns for path in runs.glob("setting-*/result.json")}
    assert 2 <= len(before) < 16

    status, printed, _ = run(*arguments)
    assert status == 0
    assert "few: 32 pictures to train on, 10 to try on; 16 settings of 2 networks, 1 epoch each" in printed
    assert "- Does accuracy rise with alpha_CL?" in printed
    assert f"Wrote {out} and {tmp_path / 'table.csv'}" in printed
    after = {path: path.stat().st_mtime_ns for path in runs.glob("setting-*/result.json")}
    assert len(after) == 16
    assert all(after[path] == written for path, written in before.items())
    assert len(pd.read_csv(tmp_path / "table.csv")) == 32
    text = out.read_text(encoding="utf-8")
    assert text.count("| All losses |") == 3

    assert run(*arguments)[0] == 0
    assert out.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--reduced", "--data", "digits", "--out", "table.md"], "--reduced chooses the data itself"),
        (["--data", "letters", "--out", "table.md"], "there is no data 'letters'"),
        (["--data", "digits", "--device", "cuda:99", "--out", "table.md"], "there is no device 'cuda:99' here"),
        (["--reduced", "--out", "missing/table.md"], "there is no folder missing; create it first"),
        (["--reduced", "--out", "table.csv"], "is the same file as --out"),
    ],
)
def test_what_it_cannot_begin_with_is_one_sentence(
    run: Callable[..., tuple[int, str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    """Before anything is trained or written."""
    monkeypatch.chdir(tmp_path)
    status, _, said = run(*arguments)
    assert status == 2
    assert message in said
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())


def test_help_loads_no_torch() -> None:
    """Nor pandas."""
    script = (
        "import sys\nfrom crowdloom.studies.cli import cli\n"
        "cli(['coach', 'table', '--help'], standalone_mode=False)\n"
        "assert not {'torch', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)
