"""`crowdloom coach demo` and `crowdloom coach simulate`: what they print, what they refuse, how the demo ends.

What a run makes is in test_coach_run.py.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from crowdloom.studies.coach_designs import MNIST_5000
from tests.studies.cli.in_process import CommandLine
from tests.untrained_coach import write_untrained_coach

COMMAND = [sys.executable, "-m", "crowdloom.studies.cli", "coach"]


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of this test alone, and elsewhere those of coaches and of what steps keep."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_COACHES", str(tmp_path_factory.mktemp("coaches")))
    monkeypatch.setenv("CROWDLOOM_SCRATCH", str(tmp_path_factory.mktemp("scratch")))
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["simulate", "--participants", "1"], "--participants 1: at least 2 are needed, one for each side"),
        (["simulate", "--coach", "../x"], "--coach ../x: '../x' names no coach"),
        (["simulate", "--out", "."], "--out . has files in it already, and they stay as they are; give another folder"),
        (["demo", "--people", "31"], "--people 31: give a number from 1 to 30, so that places are left for you"),
        (["demo", "--people", "0"], "--people 0: give a number from 1 to 30, so that places are left for you"),
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
    CommandLine("coach", monkeypatch, capsys).assert_refused(arguments, said, tmp_path)


@pytest.mark.slow
def test_the_demo_leaves_a_study_open(tmp_path: Path) -> None:
    """It says what was found and prints links that lead where it says; Ctrl-C ends server and worker."""
    write_untrained_coach(Path(os.environ["CROWDLOOM_COACHES"]), MNIST_5000)
    with subprocess.Popen(
        [*COMMAND, "demo", "--people", "1", "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = ""
        try:
            for line in iter(process.stdout.readline, ""):
                said += line
                if "then, sliders" in line:
                    break
            assert "Preparing" not in said  # it was there
            assert "The recogniser of the coach mnist-5000 reads 81.2 % of its test drawings right." in said
            assert re.search(r"coached +1 +5 ", said)
            (made,) = (tmp_path / "coach-demo").iterdir()
            assert (made / "analysis" / "summary.md").is_file()
            taking, opening, sliders = re.findall(r"http://\S+/(?:join|researcher)/\S+", said)
            with httpx.Client(follow_redirects=True) as browser:
                assert "You will write five digits" in browser.get(taking).text
                assert browser.get(sliders).status_code == 403
                assert "coach-demo" in browser.get(opening).text
                assert "coach mnist-5000" in browser.get(sliders).text
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0
    assert "0 jobs done." in (made / "worker.log").read_text(encoding="utf-8")
