"""`crowdloom hill demo` and `crowdloom hill simulate`: how they begin and end.

What `simulate` makes and prints is in test_hill_run.py.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from crowdloom.studies.cli.hill_simulate import gain_lines
from crowdloom.studies.database import open_store
from crowdloom.studies.rehearsal import rehearse
from crowdloom.studies.whole_run import FAITHFUL
from tests.studies.cli.in_process import CommandLine

COMMAND = [sys.executable, "-m", "crowdloom.studies.cli", "hill"]
WITHOUT_TORCH = (
    "import importlib.util, sys; find = importlib.util.find_spec; "
    "importlib.util.find_spec = lambda name, *more: None if name == 'torch' else find(name, *more); "
    "from crowdloom.studies.cli import main; main()"
)


@pytest.fixture(autouse=True)
def folders(
    scenarios: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of this test alone, and one for its sessions' files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(scenarios))
    monkeypatch.setenv("CROWDLOOM_SCRATCH", str(tmp_path_factory.mktemp("scratch")))
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")


def test_gains_are_printed_in_points() -> None:
    """With signs; without an interval where few sessions say hardly anything of it."""
    nothing = float("nan")
    frame = pd.DataFrame(
        {"n": [3, 2, 0], "gain": [0.0123, -0.2, nothing], "low": [-0.01, -3, nothing], "high": [0.0346, 3, nothing]},
        index=["merge", "keep", "all"],
    )
    assert gain_lines(frame) == [
        "strategy                   n    gain  interval",
        "Merge similar classes      3    +1.2  -1.0 to +3.5",
        "Keep the arrangement       2   -20.0  -",
        "all                        0       -  -",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["simulate", "--scenario", "numbers"], "--scenario numbers: there is no scenario 'numbers'"),
        (["simulate", "--participants", "0"], "--participants 0: at least one is needed"),
        (["simulate", "--out", "."], "--out . has files in it already, and they stay as they are; give another folder"),
        (["demo", "--people", "8"], "--people 8: give a number from 1 to 7, so that a place is left for you"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    """And nothing is left behind."""
    CommandLine("hill", monkeypatch, capsys).assert_refused(arguments, said, tmp_path)


@pytest.mark.parametrize("name", ["demo", "simulate"])
def test_without_pytorch_both_say_what_to_install(tmp_path: Path, name: str) -> None:
    """At once, in one sentence."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, "hill", name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert 'torch is not installed, without which no network is trained; run: pip install "crowdloom[train]"' in (
        done.stderr
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_can_be_stopped(tmp_path: Path, number: signal.Signals) -> None:
    """While people take part: server and worker are ended, and a sentence says what is left."""
    with subprocess.Popen(
        [*COMMAND, "simulate", "--out", "stopped"],
        env=os.environ | {"CROWDLOOM_TEST_MARK": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while "Simulated people take part" not in process.stdout.readline():
            assert process.poll() is None
        eventually(lambda: len(marked_processes(tmp_path)) > 2, 60)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "Stopped before the end; what ran is ended, and what was done stays in stopped."
    eventually(lambda: not marked_processes(tmp_path), 20)
    assert (tmp_path / "stopped" / "study.db").is_file()


def marked_processes(folder: Path) -> list[int]:
    """The processes that have a folder's mark in their environment: the command, and all that it started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"CROWDLOOM_TEST_MARK={folder}".encode() in entry.read_bytes().split(b"\0"):
                found.append(int(entry.parent.name))
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


def eventually(what: Callable[[], bool], seconds: float) -> None:
    """Wait until it is true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.1)


@pytest.mark.slow
def test_the_demo_leaves_a_study_open_with_a_worker(tmp_path: Path) -> None:
    """It says each step; the link leads to a page whose steps are trained; Ctrl-C ends server and worker."""
    with subprocess.Popen(
        [*COMMAND, "demo", "--people", "1", "--port", "0"],
        env=os.environ | {"CROWDLOOM_TEST_MARK": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = ""
        try:
            for line in iter(process.stdout.readline, ""):
                said += line
                if "for you, once and within an hour" in line:
                    break
            for step in ("Preparing digits", "Preparing signals", "Simulated people take part", "Look at:"):
                assert step in said
            link = re.search(r"take part in hill-demo: (\S+)", said)
            assert link is not None
            (made,) = (tmp_path / "hill-demo").iterdir()
            with closing(open_store(str(made / "study.db"), create=False)) as store:
                # Somebody comes to the server that was left open; the worker beside it trains for them.
                came = rehearse(
                    store, "hill-demo", participants=1, habits=FAITHFUL, address=link[1].partition("/join/")[0]
                )
            assert came.people["completed"] == 1
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0
    assert {path.name for path in made.iterdir()} >= {"study.db", "analysis", "worker.log"}
    assert "Working on the queue" in (made / "worker.log").read_text(encoding="utf-8")
    assert "8 jobs done." in (made / "worker.log").read_text(
        encoding="utf-8"
    )  # two sessions: open, and three trainings
    assert not marked_processes(tmp_path)
