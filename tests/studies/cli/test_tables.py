"""`crowdloom tables`, as its users call it: every table and figure in the reduced setting, from nobody's data."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from crowdloom.models.experiments.catalogue import EXPERIMENTS
from crowdloom.models.experiments.experiment import Experiment
from crowdloom.studies.cli import cli
from crowdloom.studies.cli.tables import NAMES
from crowdloom.studies.errors import OptionError
from tests.conftest import ROOT, missing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the first test waits for 156 runs

ALL = pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda one: one.name)


def call(*arguments: str | Path) -> Result:
    """What came of the command."""
    return CliRunner().invoke(cli, ["tables", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all tables, reduced, made by one call."""
    folder = tmp_path_factory.mktemp("whole") / "tables"
    done = call("all", "--reduced", "--out", folder, "--device", "cpu", "--workers", "1")  # a second would take longer
    assert done.exit_code == 0, done.output
    assert "No data were given: images are scikit-learn's digits, and people are simulated." in done.output
    return folder


def file_of(experiment: Experiment) -> str:
    """What its files are called, but for the suffix."""
    return experiment.called.replace(" ", "-")


@ALL
def test_a_table_has_every_row_in_every_evaluation(experiment: Experiment, whole: Path) -> None:
    """Means with intervals over two seeds, the best in bold; that all is a try, and how to make it again."""
    said = (whole / f"{file_of(experiment)}.md").read_text(encoding="utf-8")
    title, sentence, table, *_ = said.split("\n\n")
    assert title == f"# {experiment.heading}"
    assert sentence == experiment.title
    head, _, *lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.split("\n")]
    assert len(lines) == len(experiment.rows) * len(experiment.evaluated_on)
    assert {line[0] for line in lines} == set(experiment.evaluated_on)
    first = len(head) - 1 - len(experiment.metrics)
    assert [set(experiment.rows[0].columns) - set(head)] == [set()]
    for line in lines:
        assert line[-1] == "2"
        assert all(re.fullmatch(r"(\*\*)?\d+\.\d{3}(\*\*)? ± \S+", cell) for cell in line[first:-1]), line
    for column in range(first, len(head) - 1):
        assert any(line[column].startswith("**") for line in lines)
    assert "People are simulated, and images are scikit-learn's digits" in said
    assert "Its numbers say nothing about labels." in said
    assert f"instead of {experiment.settings.epochs} epochs." in said
    assert said.endswith(
        f"crowdloom tables {experiment.name} --reduced --device cpu --out {file_of(experiment)}.md\n```\n"
    )
    runs = pd.read_parquet(whole / f"{file_of(experiment)}-runs.parquet")
    assert len(runs) == len(lines) * len(experiment.networks) * 2 * len(experiment.metrics)
    assert set(runs["experiment"]) == {f"{experiment.name}, reduced"}
    assert np.isfinite(runs["value"].astype(float)).all()
    assert (whole / f"{file_of(experiment)}.svg").exists() == (experiment.kind == "figure")


@ALL
def test_a_table_of_its_own_has_the_same_bytes_and_nothing_is_done_again(
    experiment: Experiment, whole: Path, tmp_path: Path
) -> None:
    """By its name alone, with the runs that are there; it prints the table, too."""
    before = {path: path.stat().st_mtime_ns for path in (whole / "runs").glob("*/*") if path.name != "lock"}
    out = tmp_path / f"{file_of(experiment)}.md"
    done = call(experiment.name, "--reduced", "--out", out, "--runs", whole / "runs", "--device", "cpu")
    assert done.exit_code == 0, done.output
    assert "runs, all done." in done.output
    assert f"{experiment.name}, reduced, evaluated on CIFAR-10H:" in done.output
    written = sorted(tmp_path.iterdir())
    assert len(written) == (3 if experiment.kind == "figure" else 2)
    for path in written:
        assert path.read_bytes() == (whole / path.name).read_bytes()
    after = {path: path.stat().st_mtime_ns for path in (whole / "runs").glob("*/*") if path.name != "lock"}
    assert before == after


def test_all_names_are_those_of_the_experiments() -> None:
    """What `--help` says needs no PyTorch."""
    assert list(NAMES) == list(EXPERIMENTS)
    shown = " ".join(call("--help").output.split())
    assert "3.1 to 3.4, 4.1 to 4.3, 5.1, 5.2, B.1 to B.3, C.1, or a figure, 3.5, 3.6, figure-B.3; or cifar10s" in shown


def test_figure_3_6_says_how_many_images_there_were(whole: Path) -> None:
    """The reduced setting scales them, and the table has the real numbers."""
    said = (whole / "figure-3.6.md").read_text(encoding="utf-8")
    assert "| CIFAR-10H | Ours | 36 |" in said
    assert "- Rows of 250, 500, 750, 900 images have 10, 20, 30, 36." in said


def test_how_pairs_are_mixed_stands_below(whole: Path) -> None:
    """Each algorithm once."""
    said = (whole / "table-5.2.md").read_text(encoding="utf-8")
    assert said.count("with coefficients from Beta") == 3
    assert "- Ours (Ent-WC): mixup with coefficients from Beta(0.2, 0.2); loss weighted by entropy" in said
    assert "without frost" in said
    assert "targets mixed by the boundary of each pair" in (whole / "table-C.1.md").read_text(encoding="utf-8")


def test_other_files_by_their_suffix(whole: Path, tmp_path: Path) -> None:
    """Numbers as CSV and Parquet, pictures as PNG; the Markdown is always there."""
    for name, suffix in (("B.2", "csv"), ("B.2", "parquet"), ("3.6", "png"), ("3.6", "csv")):
        out = tmp_path / f"{name}.{suffix}"
        assert call(name, "--reduced", "--out", out, "--runs", whole / "runs", "--device", "cpu").exit_code == 0
    frame = pd.read_csv(tmp_path / "B.2.csv")
    assert list(frame["row"].unique()) == ["Uniform", "Semantic"]
    assert len(pd.read_parquet(tmp_path / "B.2.parquet")) == len(frame) == 12
    assert (tmp_path / "3.6.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("3.6-runs.parquet", "3.6.csv", "3.6.md", "3.6.png", "3.6.svg"),
        *("B.2-runs.parquet", "B.2.csv", "B.2.md", "B.2.parquet"),
    ]


def test_a_run_that_fails_is_named(tmp_path: Path) -> None:
    """The others go on, the table says which is missing and why, and the command ends with 1; then it tries again."""
    arguments = ["B.2", "--reduced", "--out", str(tmp_path / "table.md"), "--network", "small-cnn", "--device", "cpu"]
    arguments += ["--workers", "1"]
    assert call(*arguments).exit_code == 0
    whole_table = (tmp_path / "table.md").read_bytes()
    lost = next(path for path in sorted((tmp_path / "runs").iterdir()) if path.is_dir())
    kept = lost.rename(tmp_path / "kept")
    lost.touch()  # where its folder should be
    done = call(*arguments)
    assert done.exit_code == 1
    assert "1 run failed; the same command tries again." in done.output
    said = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "- 1 run failed: " in said
    assert "small-cnn, seed " in said
    lost.unlink()
    kept.rename(lost)
    assert call(*arguments).exit_code == 0
    assert (tmp_path / "table.md").read_bytes() == whole_table


CLUSTER = """
import os, sys

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_TMPDIR"] = sys.argv[1]
os.mkdir(sys.argv[1] + "/ray")  # where a cluster writes its address, but makes no folder for it
from ray.cluster_utils import Cluster

from crowdloom.studies.cli import cli

node = {"num_cpus": 1, "object_store_memory": 100 * 2**20, "include_dashboard": False}
cluster = Cluster(initialize_head=True, head_node_args=node | {"temp_dir": sys.argv[1]})
cluster.add_node(**node)
os.environ["RAY_ADDRESS"] = cluster.address
try:
    wanted = ["tables", "B.2", "--reduced", "--device", "cpu", "--engine", "ray", "--out", sys.argv[2]]
    cli(wanted, standalone_mode=False)
finally:
    cluster.shutdown()
"""


def test_a_cluster_makes_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    """Of two nodes, in a process of its own."""
    if importlib.util.find_spec("ray") is None:
        missing("Ray is not installed")
    # Ray has its sockets there, whose paths must be short.
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as temporary:
        done = subprocess.run(
            [sys.executable, "-c", CLUSTER, temporary, str(tmp_path / "table-B.2.md")],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "4 runs, 4 of them to be done." in done.stdout
    for name in ("table-B.2.md", "table-B.2-runs.parquet"):
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["3.7", "--reduced"], r"there is no experiment '3\.7'; choose one of 3\.1, "),
        (
            ["3.1"],
            r"table 3\.1 needs --images WHERE .*, --counts FILE\.npy .* and --study NAME .*; give that, or add",
        ),
        (["4.2", "--images", "digits", "--counts", "c.npy"], r"table 4\.2 needs --mixed NAME .*; give that, or leave"),
        (
            ["5.1", "--counts", "c.npy", "--reduced"],
            r"table 5\.1 needs --images WHERE .*; give that, or leave out",
        ),
        (
            ["B.2", "--reduced", "--out", "table.txt"],
            r"table B\.2 is written to a file that ends in \.md, \.csv",
        ),
        (
            ["B.2", "--reduced", "--out", "table.svg"],
            r"to a file that ends in \.md, \.csv, \.parquet$",
        ),
        (["3.6", "--reduced", "--out", "3.6.txt"], r"figure 3\.6 is .* \.parquet, \.svg, \.png, \.pdf$"),
        (["B.2", "--reduced", "--out", "no/table.md"], r"there is no folder no; create it first"),
        (["B.2", "--reduced", "--download"], r"--download needs --images FOLDER, into which CIFAR-10 is fetched"),
        (["B.2", "--reduced", "--device", "abacus"], r"there is no device 'abacus' here"),
        (["B.2", "B.3", "--reduced", "--out", "there.md"], r"--out there\.md is a file; several tables go to a folder"),
        (
            ["B.2", "B.3", "--reduced", "--out", "table.md"],
            r"--out table\.md names a file; several tables go to a folder",
        ),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And options are named by which it can be mended; nothing is written."""
    monkeypatch.chdir(tmp_path)
    Path("there.md").touch()
    with pytest.raises(OptionError, match=said):
        call(*arguments, *([] if "--out" in arguments else ["--out", "table.md"]))
    assert not list(tmp_path.glob("*table*"))
