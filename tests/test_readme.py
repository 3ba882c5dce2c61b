"""The README's examples are run as they stand, in an empty folder, in order.

Commands are forked from a process that has loaded what takes long; those that serve come from a shell.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crowdloom.studies.cli import COMMANDS
from tests.conftest import ROOT
from tests.loaded import Loaded, loaded

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(console|console serve|console data|python|toml [\w.-]+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def run(command: list[str], folder: Path) -> None:
    """Run one example; its output is shown where it fails."""
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def run_line(line: str, folder: Path, commands: Loaded) -> None:
    """Run one line of a console."""
    words = shlex.split(line)
    if words[0] != "crowdloom" or set(line) & set("|&;<>()$`\\*?#~"):
        run(["bash", "-c", line], folder)
        return
    status, said = commands.run(words[1:], folder, environment(folder))
    assert status == 0, f"{line}\n{said}"


def environment(folder: Path) -> dict[str, str]:
    """An environment in which `crowdloom` is this one and the store is in the folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "CROWDLOOM_DATABASE": f"sqlite:///{folder / 'readme.db'}"}


def start_and_stop(command: str, folder: Path) -> None:
    """Run a command that stays until Ctrl-C: it says something, and then ends well when asked to."""
    with subprocess.Popen(
        ["bash", "-c", f"exec {command}"], cwd=folder, env=environment(folder), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def run_blocks(folder: Path, request: pytest.FixtureRequest, commands: Loaded) -> None:
    """Run all blocks in this folder."""
    for kind, block in BLOCK.findall(README):
        if kind.startswith("toml "):
            with (folder / kind.removeprefix("toml ")).open("a", encoding="utf-8") as file:
                file.write(f"\n{block}")
            continue
        if kind == "python":
            run([sys.executable, "-c", block], folder)
            continue
        if kind == "console data":
            shutil.copy(request.getfixturevalue("test_data") / "cifar10s-raw.csv", folder)
        for line in block.splitlines():
            if kind == "console serve":
                start_and_stop(line.removeprefix("$ "), folder)
            else:
                run_line(line.removeprefix("$ "), folder, commands)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_examples_run(
    tmp_path: Path, request: pytest.FixtureRequest, coaches: Path, scenarios: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every console and Python block of the README does what it says; a block of TOML goes to the end of its file."""
    monkeypatch.setenv("CROWDLOOM_COACHES", str(coaches))
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(scenarios))
    with loaded() as commands:
        run_blocks(tmp_path, request, commands)


def test_every_command_stands_in_the_readme() -> None:
    """No command is missing from the table, and the table names none that does not exist."""
    named = set(re.findall(r"^\| `crowdloom (\w[\w-]*)", README, re.MULTILINE))
    assert named == set(COMMANDS)


def test_links_lead_somewhere() -> None:
    """Every relative link of the README is a file."""
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert all((ROOT / link).is_file() for link in links)
