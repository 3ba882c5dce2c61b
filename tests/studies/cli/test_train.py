"""`crowdloom train`, as its users call it: from a study and from files, stopped, killed, and where something fails."""

from __future__ import annotations

import errno
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from crowdloom.analysis.run_table_files import markdown
from crowdloom.analysis.run_tables import run_table
from crowdloom.models.evaluating import METRICS
from crowdloom.models.networks import NETWORKS
from crowdloom.models.sweep_book import Progress, Running
from crowdloom.models.sweeps import ENGINES
from crowdloom.studies.cli import cli, training_options
from crowdloom.studies.cli.train import command
from crowdloom.studies.database import open_store
from crowdloom.studies.errors import CrowdloomError, OptionError
from crowdloom.studies.learning.kinds import KINDS
from crowdloom.studies.training_runs import read_training_runs
from tests.studies.learning.asked import ITEMS, asked_study

pytestmark = pytest.mark.slow

KINDS_OF_TWO = ("--labels", "hard", "--labels", "aggregated", "--workers", "1")
SHORT = ("--seeds", "2", "--epochs", "2", *KINDS_OF_TWO)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that holds the study `pets`; tests only add to it."""
    folder = tmp_path_factory.mktemp("asked")
    store = open_store(str(folder / "store.db"))
    asked_study(store, folder)
    store.close()
    return folder


@pytest.fixture
def here(asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_DATABASE", str(asked / "store.db"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["train", *arguments], catch_exceptions=False)


def process(*arguments: str) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    whole = [sys.executable, "-m", "crowdloom.studies.cli", "train", *arguments]
    return subprocess.Popen(whole, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until_under_way(folder: Path) -> None:
    """Wait until a run has been written down that is not done."""
    end = time.monotonic() + 120
    while not list(folder.glob("*/state.safetensors")):
        assert time.monotonic() < end, "no run began"
        time.sleep(0.02)


def test_a_study_is_trained_on_once(here: Path) -> None:
    """Table, numbers, networks and the store; the same again does nothing anew."""
    first = call("pets", *SHORT, "--held-out", "0.25")
    assert first.exit_code == 0
    assert f"{ITEMS} images with 72 labels: for each seed 18 are trained on, and 6 others held out." in first.output
    assert re.search(r"labels +CE +Calibration +FGSM loss +Accuracy +seeds", first.output)
    assert re.search(r"hard  +\d\.\d{3} ± \d[\d.]+\*? .* 2\n", first.output)
    assert "T2-clamp aggregated" in first.output
    folder = here / "runs" / "pets"
    frame = pd.read_parquet(folder / "results.parquet")
    assert frame.groupby(["row", "seed"])["metric"].apply(list).map(sorted).tolist() == 4 * [
        ["accuracy", "calibration_error", "cross_entropy", "fgsm_loss"]
    ]
    assert (folder / "table.md").read_text(encoding="utf-8") == markdown(run_table("pets", frame))
    done = {path: path.stat().st_mtime_ns for path in folder.glob("*/result.json")}
    assert len(done) == 4
    assert all((path.parent / "model.safetensors").is_file() for path in done)
    again = call("pets", *SHORT, "--held-out", "0.25")
    assert again.output == first.output
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*/result.json")} == done
    store = open_store(None)
    with store.read() as connection:
        kept = [
            run for run in read_training_runs(connection, "pets") if run.digest in {path.parent.name for path in done}
        ]
    store.close()
    assert [run.state for run in kept] == ["done"] * 4
    assert len({run.record["origin"]["label_set"] for run in kept}) == 1


def test_a_file_of_labels(here: Path, asked: Path) -> None:
    """The same labels as the study's, so the same runs; in the store only where one is named, as nobody's."""
    assert CliRunner().invoke(cli, ["labels", "pets", "--out", "pets.csv"], catch_exceptions=False).exit_code == 0
    given = ("--seeds", "1", "--epochs", "2", *KINDS_OF_TWO, "--images", str(asked / "images"))
    assert call("pets", *given, "--out", "a").exit_code == 0
    assert call("pets.csv", *given, "--out", "b").exit_code == 0
    one, other = (pd.read_parquet(here / name / "results.parquet") for name in "ab")
    names = ["network", "seed", "evaluation", "metric", "value"]
    pd.testing.assert_frame_equal(one[names], other[names])
    assert other["row"].unique().tolist() == ["hard", "aggregated"]
    assert call("pets.csv", *given, "--out", "b", "--database", "new.db").exit_code == 0
    store = open_store("new.db")
    with store.read() as connection:
        assert len(read_training_runs(connection)) == 2
    store.close()


def test_killed_and_called_again(here: Path) -> None:
    """With SIGKILL, in the middle of a run: the same numbers in the end, to the last digit, as without."""
    long = ("pets", "--seeds", "1", "--epochs", "150", *KINDS_OF_TWO, "--labels", "de-aggregated")
    killed = process(*long, "--out", "killed")
    until_under_way(here / "killed")
    killed.kill()
    killed.communicate()
    assert not (here / "killed" / "results.parquet").exists()
    assert call(*long, "--out", "killed").exit_code == 0
    went_on = [path.parent for path in (here / "killed").glob("*/record.json") if "went on after" in path.read_text()]
    assert len(went_on) == 1
    assert call(*long, "--out", "whole").exit_code == 0
    one, other = (pd.read_parquet(here / name / "results.parquet") for name in ("killed", "whole"))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_stopped(here: Path) -> None:
    """With Ctrl-C: one sentence, no traceback, and no process is left that works on."""
    stopped = process("pets", "--epochs", "100000", "--seeds", "1", "--labels", "hard")
    until_under_way(here / "runs" / "pets")
    stopped.send_signal(signal.SIGINT)
    out, said = stopped.communicate(timeout=60)
    assert (stopped.returncode, out) == (130, "")
    assert said.strip() == "Stopped; what is done stays in runs/pets, and the same command goes on from there."
    state = next((here / "runs" / "pets").glob("*/state.safetensors"))
    written = state.stat().st_mtime_ns
    time.sleep(0.5)
    assert state.stat().st_mtime_ns == written


def test_a_run_that_fails_is_named(here: Path) -> None:
    """Where its folder cannot be made; the others are done, and the exit status is 1."""
    assert call("pets", *SHORT, "--out", "good").exit_code == 0
    lost = next(path.parent.name for path in sorted((here / "good").glob("*/result.json")))
    (here / "bad").mkdir()
    (here / "bad" / lost).write_text("in the way")
    failed = call("pets", *SHORT, "--out", "bad")
    assert failed.exit_code == 1
    assert re.search(r"1 run failed: (hard|T2-clamp aggregated), small-cnn, seed [01] \(.*File exists", failed.output)
    assert "1 of 4 runs failed; the same command tries them again." in failed.stderr
    assert "1 run failed" in (here / "bad" / "table.md").read_text(encoding="utf-8")
    (here / "bad" / lost).unlink()
    mended = call("pets", *SHORT, "--out", "bad")
    assert mended.exit_code == 0
    assert pd.read_parquet(here / "bad" / "results.parquet").equals(pd.read_parquet(here / "good" / "results.parquet"))


def test_a_disk_that_is_full_once_all_runs_are_done(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence names the file and says that the runs are kept; the same command then only writes it."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "Error writing bytes to file. Detail: [errno 28] No space left on device")

    whole = pd.DataFrame.to_parquet
    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    said = r"runs/pets/results\.parquet cannot be written \(.*No space left.*the runs are kept"
    with pytest.raises(OptionError, match=said):
        call("pets", *SHORT)
    monkeypatch.setattr(pd.DataFrame, "to_parquet", whole)
    results = sorted((here / "runs" / "pets").glob("*/result.json"))
    before = [path.stat().st_mtime_ns for path in results]
    assert len(results) == 4
    assert not list((here / "runs" / "pets").glob("*.part*"))
    assert call("pets", *SHORT).exit_code == 0
    assert [path.stat().st_mtime_ns for path in results] == before


@pytest.mark.parametrize(
    ("said", "arguments"),
    [
        ("no study is called 'nope'; there are: pets", ("nope",)),
        ("--labels: there is no 'soft'; choose from hard", ("pets", "--labels", "soft")),
        ("--metrics: there is no 'f1'", ("pets", "--metrics", "accuracy,f1")),
        ("--held-out 2: give a share", ("pets", "--held-out", "2")),
        ("--beta belongs to --labels smoothed", ("pets", "--beta", "0.1")),
        ("--beta nan: give a share from 0 to 1", ("pets", "--labels", "smoothed", "--beta", "nan")),
        ("--annotators belongs to labels of people", ("pets", "--labels", "hard", "--annotators", "2")),
        ("--annotators 99: no image of 'pets' has so many labels", ("pets", "--annotators", "99")),
        ("needs other people's choices; give them with --counts", ("pets", "--labels", "counts-aggregated")),
        ("'T3-clamp' is no variety", ("pets", "--variety", "T3-clamp")),
        ("labels.csv cannot be read", ("labels.csv", "--images", "digits")),
        ("labels.csv holds labels, but no images; say with --images", ("labels.csv",)),
        ("--gamma belongs to a study's labels", ("labels.csv", "--images", "digits", "--gamma", "0.1")),
        ("--responses belongs to a study's labels", ("labels.csv", "--images", "digits", "--responses", "all")),
        ("repeats.csv holds labels of repeats alone", ("repeats.csv", "--images", "digits")),
        ("there is no device 'gpu'", ("pets", "--device", "gpu")),
        (r"cannot be written to .*\(--out\)", ("pets", "--out", "/proc/here")),
        ("there is no such file or folder", ("pets", "--images", "nowhere")),
    ],
)
@pytest.mark.usefixtures("here")
def test_what_is_refused(said: str, arguments: tuple[str, ...]) -> None:
    """In one sentence; nothing is written."""
    row = ",".join(["0,s,p,1,1", *"0" * 9])
    Path("repeats.csv").write_text(f"item,submission,participant,repeat_index,{','.join('0123456789')}\n{row}\n")
    with pytest.raises(CrowdloomError, match=said):
        call(*arguments, *(("--seeds", "1") if "--seeds" not in arguments else ()))
    assert not Path("runs").exists()


def test_without_torch(here: Path) -> None:
    """One sentence says what to install; nothing else is done."""
    code = (
        "import importlib.util, sys; find = importlib.util.find_spec; "
        "hidden = ('torch', 'torchvision', 'safetensors'); "
        "importlib.util.find_spec = lambda name, *more: None if name in hidden else find(name, *more); "
        "from crowdloom.studies.cli import main; sys.argv = ['crowdloom', 'train', 'pets']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: torch, torchvision and safetensors are not installed, without which no network is trained; "
        'run: pip install "crowdloom[train]"\n'
    )
    assert list(here.iterdir()) == []


def test_help_does_not_load_torch() -> None:
    """Which takes a second or more; so names are written down twice, and here they are compared."""
    code = "import sys, crowdloom.studies.cli.train; print({'torch', 'numpy', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
    assert tuple(NETWORKS) == training_options.NETWORKS
    text = " ".join(call("--help").output.split())
    for name in (*NETWORKS, *METRICS, *KINDS):
        assert name in text.replace("- ", "-").replace("_ ", "_"), name
    engine = next(option for option in command.params if option.name == "engine")
    assert tuple(engine.type.choices) == ENGINES  # type: ignore[attr-defined]


def test_the_progress_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal: how many runs are done and how far the others are, and how many failed."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with training_options.training_progress() as show:
        show(Progress(0, 0, 4, ()))
        show(Progress(1, 0, 4, (Running("a", 5, 10), Running("b", 5, 10))))
        show(Progress(4, 1, 4, ()))
    said = capsys.readouterr().err
    assert "50%" in said
    assert "1 of 4 runs" in said
    assert "4 of 4 runs, 1 failed" in said
    assert np.char.count(said, "Training") > 1
