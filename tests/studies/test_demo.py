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

from crowdloom.analysis.run_results import results_frame
from crowdloom.analysis.run_tables import cell_text, run_table
from crowdloom.studies.database import open_store
from crowdloom.studies.training_runs import read_training_runs

COMMAND = [sys.executable, "-m", "crowdloom.studies.cli", "demo", "--folder", "demo"]
WITHOUT_TORCH = (
    "import importlib.util, sys; find = importlib.util.find_spec; "
    "importlib.util.find_spec = lambda name, *more: None if name == 'torch' else find(name, *more); "
    "from crowdloom.studies.cli import main; main()"
)


@pytest.mark.slow
def test_the_demo_runs_twice_and_then_serves(tmp_path: Path) -> None:
    """It ends by itself with --no-serve; a second run touches nothing of the first and leaves the study open.

    The first has networks learn from its labels, and shows what comes of it in the report; the second, without PyTorch,
    says what it leaves out.
    """
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

    check_networks(made, done.stdout, report)

    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", WITHOUT_TORCH, *COMMAND[3:], "--port", "0"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            lines = iter(process.stdout.readline, "")
            left_out = next(line for line in lines if line.startswith("No network learned"))
            assert 'torch is not installed: pip install "crowdloom[train]", then run the demo again' in left_out
            assert next(lines).startswith("  crowdloom train digits --images digits --database demo/")
            link = next(found[1] for line in lines if (found := re.search(r"take part in digits: (\S+)", line)))
            with urllib.request.urlopen(link) as page:
                assert "We study how people read handwritten digits" in page.read().decode()
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert len(list((folder / "demo").iterdir())) == 2
    assert json.loads((made / "labels.json").read_text(encoding="utf-8")) == labels


def check_networks(made: Path, said: str, report: str) -> None:
    """Hard labels against soft ones with three seeds: all done, in the store, printed, and in the report."""
    store = open_store(str(made / "demo.db"), create=False)
    with store.read() as connection:
        runs = read_training_runs(connection, "digits")
    store.close()
    rows = ["hard", "T2-clamp aggregated", "T2-clamp de-aggregated"]
    assert [(run.row, run.seed, run.state) for run in runs] == [
        (row, seed, "done") for seed in range(3) for row in rows
    ]
    table = run_table("digits", results_frame(runs))
    for evaluation in ("held-out images", "other images, by reference"):
        for row in rows:
            cell = cell_text(table.averages[evaluation, row, "cross_entropy"])
            assert f"    {row:22}  {cell}" in said
            assert cell.replace(" ", "\N{NO-BREAK SPACE}") in report
    assert ">Models" in report
    assert len(list((made / "models").glob("*/model.safetensors"))) == 9
