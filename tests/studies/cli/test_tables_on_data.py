"""`crowdloom tables` on the real crowd study: reduced, and in the full setting cut short."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest
from click.testing import CliRunner, Result

from crowdloom.models.corruptions import CORRUPTIONS
from crowdloom.studies.cli import cli
from crowdloom.studies.database import open_store
from crowdloom.studies.errors import CrowdloomError
from crowdloom.studies.importing import import_jspsych
from crowdloom.studies.training_runs import read_training_runs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def database(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the real crowd study."""
    path = tmp_path_factory.mktemp("crowd") / "store.db"
    store = open_store(str(path))
    import_jspsych(store, test_data / "cifar10s-raw.csv", task="soft-label", study="cifar10s")
    store.close()
    return path


@pytest.fixture
def data(test_data: Path, database: Path) -> list[str]:
    """The options that name the data."""
    given = {
        "--study": "cifar10s",
        "--images": test_data / "cifar10-test-subset.npz",
        "--counts": test_data / "cifar10h-counts.npy",
        "--split": test_data / "cifar10-split.npz",
        "--database": database,
        "--device": "cpu",
        "--workers": 1,
    }
    return [str(word) for pair in given.items() for word in pair]


def call(*arguments: str | Path) -> Result:
    """What came of the command."""
    return CliRunner().invoke(cli, ["tables", *map(str, arguments)], catch_exceptions=False)


def test_the_reduced_setting_takes_some_of_the_real_images(data: list[str], database: Path, tmp_path: Path) -> None:
    """The table says where they came from; runs are in the store as a try, once, however often the call is made."""
    out = tmp_path / "table.md"
    for _ in range(2):
        done = call("3.2", "--reduced", "--network", "small-cnn", "--out", out, *data)
        assert done.exit_code == 0, done.output
    said = out.read_text(encoding="utf-8")
    assert "- CIFAR-10S: 6200 first answers of 248 submissions about 1000 images, from the study 'cifar10s'." in said
    assert "- Reduced: Of all images 120 were drawn with the seed 0." in said
    assert "- small-cnn instead of resnet-34a, resnet-50, vgg-11." in said
    assert "- In the store, with the study cifar10s, as 3.2, reduced." in said
    assert "simulated" not in said
    assert str(database) not in said
    store = open_store(str(database))
    with store.read() as connection:
        kept = [run for run in read_training_runs(connection, "cifar10s") if run.experiment == "3.2, reduced"]
    store.close()
    assert sorted((run.row, run.seed, run.state) for run in kept) == [
        (row, seed, "done") for row in ("CIFAR-10H", "Ours (T2, Clamp)") for seed in (0, 1)
    ]


def test_the_full_setting_says_beforehand_how_long_it_takes(data: list[str], tmp_path: Path) -> None:
    """Measured here; whatever is not as it should be stands in the table."""
    done = call("cifar10s", "--seeds", "1", "--epochs", "1", "--out", tmp_path / "table.md", *data)
    assert done.exit_code == 0, done.output
    assert "Table cifar10s: 7 runs, 7 of them to be done." in done.output
    assert re.search(r"By a few steps, timed here, they train for about \d+ (second|minute)s?", done.output)
    said = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "- 1 instead of 60 epochs." in said
    assert "- 1 seed instead of 10." in said
    assert "One seed, so there is no interval." in said
    assert "- Trained on 900 images." in said
    assert "- Evaluated on CIFAR-10H: 533 images, calibration in bins of 100 predictions." in said
    assert "- Evaluated on CIFAR-10S: 100 images, calibration in bins of 10 predictions." in said
    assert "small-cnn, 16 channels wide at its narrowest: 1 epoch of SGD" in said


def test_stopped_it_goes_on(data: list[str], tmp_path: Path) -> None:
    """After Ctrl-C it says so, and the same command comes to the numbers of one that was left alone."""
    wanted = ["cifar10s", "--seeds", "1", "--epochs", "2", *data]
    command = [sys.executable, "-m", "crowdloom.studies.cli", "tables", *wanted, "--out", str(tmp_path / "table.md")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        end = monotonic() + 120
        while not list(tmp_path.glob("runs/*/result.json")) and monotonic() < end:
            sleep(0.05)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Stopped; what is done stays in" in said
    assert not (tmp_path / "table.md").exists()
    done = call(*wanted, "--out", tmp_path / "table.md")
    assert done.exit_code == 0
    left = re.search(r"7 runs, (\d+) of them to be done", done.output)
    assert left is not None
    assert int(left[1]) < 7
    call(*wanted, "--out", tmp_path / "alone.md", "--runs", tmp_path / "others")
    assert (tmp_path / "table.md").read_bytes() == (tmp_path / "alone.md").read_bytes()


def test_corrupted_images_of_somebody_who_has_them(data: list[str], tmp_path: Path) -> None:
    """All black here: every network says the same of all, and other things than of images that are corrupted here."""
    folder = tmp_path / "CIFAR-10-C"
    folder.mkdir()
    for name in CORRUPTIONS:  # files with holes, which take no room
        np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.uint8, (50_000, 32, 32, 3))
    wanted = ["5.1", "--reduced", "--network", "small-cnn", *data]
    taken = ["--corrupted", str(folder)]
    here, there = (
        call(*wanted, "--runs", tmp_path / "runs", "--out", tmp_path / name, *more)
        for name, more in (("here.md", []), ("there.md", taken))
    )
    assert here.exit_code == there.exit_code == 0
    assert there.output.startswith("Table 5.1: 6 runs, 6 of them to be done.")
    one, other = ((tmp_path / name).read_text(encoding="utf-8") for name in ("here.md", "there.md"))
    assert "Images are corrupted here" in one
    assert "Images are corrupted here" not in other
    (of_one, of_other) = ([line.split("|")[6] for line in said.split("\n")[6:9]] for said in (one, other))
    assert of_one != of_other


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (["--counts", "no.npy"], r"no\.npy"),
        (["--study", "unknown"], "unknown"),
        (["--corrupted", "."], r"\. has no .*\.npy; give the unpacked folder of CIFAR-10-C"),
        (["--mixed", "cifar10s"], "'cifar10s' is a study of the task 'soft-label'; name one of 'mixing-coefficient'"),
    ],
)
def test_data_that_cannot_be_used(changed: list[str], said: str, data: list[str], tmp_path: Path) -> None:
    """One sentence says what is wrong."""
    with pytest.raises(CrowdloomError, match=said):
        call("4.1" if "--mixed" in changed else "3.2", "--reduced", "--out", tmp_path / "table.md", *data, *changed)
    assert not list(tmp_path.iterdir())
