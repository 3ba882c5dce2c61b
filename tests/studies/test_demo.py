"""The demo: what it writes, and that it can be run again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from PIL import Image

COMMAND = [sys.executable, "-m", "crowdloom.studies.cli", "demo", "--folder", "demo"]


@pytest.mark.slow
def test_the_demo_runs_twice_and_then_serves(tmp_path: Path) -> None:
    """It ends by itself with --no-serve; a second run touches nothing of the first and leaves the study open."""
    folder = tmp_path / "with a space"
    folder.mkdir()
    done = subprocess.run([*COMMAND, "--no-serve"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    completed = re.search(r"16 people came, (\d+) completed", done.stdout)
    assert completed
    (made,) = (folder / "demo").iterdir()
    labels = json.loads((made / "labels.json").read_text(encoding="utf-8"))
    assert sum(len(each) for each in labels.values()) == 10 * int(completed[1])
    first = done.stdout[done.stdout.index("Look at:") :].splitlines()[1]
    assert first.split("  ")[1] == str(Path("demo") / made.name / "report.html")
    report = (made / "report.html").read_text(encoding="utf-8")
    for name in re.findall(r'data-file="([^"]+)"', report):
        assert (made / "report" / name).is_file()
    with Image.open(made / "labels.png") as figure:
        assert min(figure.size) > 500

    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*COMMAND, "--port", "0"], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            lines = iter(process.stdout.readline, "")
            link = next(found[1] for line in lines if (found := re.search(r"take part in digits: (\S+)", line)))
            with urllib.request.urlopen(link) as page:
                assert "We study how people read handwritten digits" in page.read().decode()
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert len(list((folder / "demo").iterdir())) == 2
    assert json.loads((made / "labels.json").read_text(encoding="utf-8")) == labels
