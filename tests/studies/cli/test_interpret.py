"""`crowdloom interpret`: from a classifier and images to a study that can be rehearsed."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from crowdloom.models import views
from crowdloom.studies.cli import cli
from crowdloom.studies.database import Store
from crowdloom.studies.design_file import read_design
from crowdloom.studies.errors import CrowdloomError, ItemError, OptionError
from crowdloom.studies.loading import load_design

NETWORK = """
import torch
from torch import nn

class Grey(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.last = nn.Conv2d(3, 4, 3), nn.Linear(4, 7)

    def forward(self, images):
        return self.last(self.conv(images).relu().mean((2, 3)))

class Perfect(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 1, 1, bias=False)
        nn.init.constant_(self.conv.weight, 1 / 3)

    def forward(self, images):
        return -(self.conv(images).mean((1, 2, 3))[:, None] - torch.arange(7) / 6) ** 2

class Flat(nn.Module):
    def forward(self, images):
        return images.mean((1, 2, 3))[:, None] + torch.arange(7)

def broken():
    raise LookupError("no checkpoint")

def lazy():
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(7))

not_a_network = dict
number = int
"""
NAMES = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu"]
MINE = (
    "--model",
    "mynet_of_tests:Grey",
    "--classes",
    "classes.txt",
    "--images",
    "images",
    "--size",
    "32",
    "--out",
    "o",
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a network, its classes and a few images of each; masks are sought for a moment only."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more would wait for each other longer than they compute
    monkeypatch.delitem(sys.modules, "mynet_of_tests", raising=False)
    monkeypatch.setattr(views.Settings.__init__, "__defaults__", (views.AREAS, 3, "simple", 2, "float32", None))
    (tmp_path / "mynet_of_tests.py").write_text(NETWORK, encoding="utf-8")
    (tmp_path / "classes.txt").write_text("\n".join(NAMES) + "\n", encoding="utf-8")
    rng = np.random.default_rng(1)
    for name in NAMES:
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(2):
            picture = rng.integers(0, 256, (40, 50) if name == "eel" else (40, 50, 3), dtype=np.uint8)
            Image.fromarray(picture).save(tmp_path / "images" / name / f"{number}.png")
    yield tmp_path
    torch.set_num_threads(threads)


def call(*arguments: str) -> Result:
    """Run a command that must succeed."""
    result = CliRunner().invoke(cli, ["interpret", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def refused(kind: type[CrowdloomError], said: str, *arguments: str) -> None:
    """Run a command that must fail with a sentence, and write nothing."""
    with pytest.raises(kind, match=said):
        CliRunner().invoke(cli, ["interpret", *arguments], catch_exceptions=False)
    assert not Path("o").exists()


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "items.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_digits_become_a_study(here: Path, sqlite_store: Store) -> None:
    """A network trained on the spot, mistakes in the other half of the digits, and a design that can be loaded."""
    output = call("--model", "small-cnn", "--images", "digits", "--out", "o", "--count", "3").output
    assert "899 images, accuracy 9" in output
    assert "Wrote o/items.csv: 3 items with 5 views each (15 pictures, 15 made now)." in output
    assert "Wrote o/record.json" in output
    assert "Next: crowdloom rehearse o/study.toml" in output
    design, source = read_design(here / "o" / "study.toml")
    assert design.classes == tuple("0123456789")
    loaded = load_design(sqlite_store, design, source, here / "o")
    assert (loaded.items, loaded.places) == (3, 30)
    again = call("--model", "small-cnn", "--images", "digits", "--out", "o", "--count", "3").output
    assert "all were there already" in again
    assert "o/study.toml was there already and stays as it is" in again


def test_a_network_of_ones_own(here: Path) -> None:
    """Found in the folder where one works; images in folders called as its classes, grey ones among them."""
    output = call(*MINE).output
    assert "That is fewer than --count 200: all of them are taken." in output
    table = rows(here / "o")
    assert json.loads((here / "o" / "record.json").read_text())["classifier"]["name"] == "mynet_of_tests:Grey"
    assert {row["key"].split("/")[0] for row in table} == {row["reference"] for row in table}
    assert set(NAMES) >= {row["prediction"] for row in table}
    assert (here / "o" / "classes.txt").read_text().split() == NAMES


def test_arrays_and_fewer_areas(here: Path) -> None:
    """An .npz with numbers of classes and keys; the views that are asked for alone."""
    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, (14, 32, 32, 3), dtype=np.uint8)
    np.savez(here / "few.npz", images=images, label=np.arange(14) % 7, index=np.arange(14) + 100)
    call(*MINE, "--images", "few.npz", "--areas", "50,20", "--count", "2")
    table = rows(here / "o")
    assert [name for name in table[0] if name.startswith("view.")] == [
        "view.area50",
        "view.area20",
        "view.gradcam",
        "view.smoothgrad",
    ]
    assert all(NAMES[(int(row["key"]) - 100) % 7] == row["reference"] for row in table)


def test_stopped_and_gone_on(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C says how to go on; the same command then makes only what is missing."""
    make = views.Views._map

    def stop(self: views.Views, subject: views.Subject, name: str) -> None:
        if name == "smoothgrad":
            raise KeyboardInterrupt
        make(self, subject, name)

    with monkeypatch.context() as patch:
        patch.setattr(views.Views, "_map", stop)
        stopped = CliRunner().invoke(cli, ["interpret", *MINE, "--count", "2"])
    assert stopped.exit_code == 130
    assert "what is finished stays in o, and the same command goes on from there" in stopped.output
    assert not (here / "o" / "items.csv").exists()
    assert "(10 pictures, 3 made now)" in call(*MINE, "--count", "2").output


def test_an_unreadable_image(here: Path) -> None:
    """Is named; nothing is written."""
    (here / "images" / "dog" / "1.png").write_text("a dog")
    refused(ItemError, r"images/dog/1\.png is not an image that can be shown", *MINE)


@pytest.mark.parametrize(
    ("said", "changes"),
    [
        ("'nowhere:Net' names no classifier", ("--model", "nowhere:Net")),
        ("'resnet' names no classifier", ("--model", "resnet")),
        ("not_a_network gives an object of type dict, not", ("--model", "mynet_of_tests:not_a_network")),
        ("number gives an object of type int, not", ("--model", "mynet_of_tests:number")),
        (r"broken raised LookupError \(no checkpoint\)", ("--model", "mynet_of_tests:broken")),
        (r"lazy has no values in '1\.bias'", ("--model", "mynet_of_tests:lazy")),
        ("the network has no convolution, which Grad-CAM needs", ("--model", "mynet_of_tests:Flat")),
        (r"gives 7 outputs, but 8 classes are named; .* \(--classes\)$", ("--classes", "eight.txt")),
        ("torchvision has no classifier 'resnet51'", ("--model", "torchvision:resnet51")),
        (r"resnet18 has learned nothing without its weights; .* \(--weights\)$", ("--model", "torchvision:resnet18")),
        (r"missing\.pt cannot be read", ("--weights", "missing.pt")),
        (r"classes\.txt holds no weights that fit", ("--weights", "classes.txt")),
        (r"junk\.pt holds no weights that fit", ("--model", "torchvision:resnet18", "--weights", "junk.pt")),
        ("small-cnn is trained here: leave out --weights", ("--model", "small-cnn")),
        ("--areas 20,30: choose among 20, 40, 50", ("--areas", "20,30")),
        ("--areas 20,20: choose among", ("--areas", "20,20")),
        ("--mean a: write numbers with commas between them", ("--mean", "a")),
        ("--std 1,0,1: write one number, or three", ("--std", "1,0,1")),
        ("--mean nan: write one number, or three", ("--mean", "nan")),
        ("--mean 0,-inf,0: write one number, or three", ("--mean", "0,-inf,0")),
        ("--std nan: write one number, or three", ("--std", "nan")),
        ("--std 1,1,inf: write one number, or three", ("--std", "1,1,inf")),
        ("finite", ("--std", "1e300")),
        ("there is no folder absent; create it first", ("--out", "absent/o")),
    ],
)
def test_options_that_cannot_be(here: Path, said: str, changes: tuple[str, ...]) -> None:
    """One sentence each, and nothing is written."""
    (here / "junk.pt").write_bytes(b"junk")
    (here / "eight.txt").write_text("\n".join([*NAMES, "hen"]))
    refused(OptionError, said, *MINE, *changes)


def test_a_wrong_name_is_noticed_first(here: Path) -> None:
    """Before it is said that the names of its classes are missing."""
    for model in ("torchvision:nope", "nomod:gone", "silly"):
        refused(OptionError, "no classifier", "--model", model, "--images", "images", "--out", "o")
    own = ("--model", "mynet_of_tests:Grey", "--images", "images", "--out", "o")
    refused(OptionError, r"does not say what its classes are called; .* \(--classes\)$", *own)
    missing = ("--model", "torchvision:resnet18", "--weights", "none.pt")
    refused(OptionError, r"none\.pt cannot be read", *missing, "--images", "images", "--out", "o")


def test_a_used_folder(here: Path) -> None:
    """Another question is refused with what differs; the same one is answered again, with the design as edited."""
    call(*MINE, "--count", "2", "--areas", "20")
    design = here / "o" / "study.toml"
    design.write_text(design.read_text() + "# mine\n")
    before = {path: path.read_bytes() for path in (here / "o").rglob("*") if path.is_file()}
    again = (*MINE, "--count", "2", "--areas", "20")
    for changes, said in (
        (("--seed", "1"), r"o was made with seed 0 \(now 1\); give another folder \(--out\)"),
        (("--count", "3"), r"count 2 \(now 3\)"),
        (("--areas", "50"), r"areas 20 % \(now 50 %\)"),
        (("--size", "30"), "other weights or images prepared otherwise"),
    ):
        with pytest.raises(OptionError, match=said):
            CliRunner().invoke(cli, ["interpret", *again, *changes], catch_exceptions=False)
        assert {path: path.read_bytes() for path in (here / "o").rglob("*") if path.is_file()} == before
    assert "all were there already" in call(*again).output
    assert design.read_text().endswith("# mine\n")


def test_somebody_elses_table(here: Path) -> None:
    """Is not written over."""
    (here / "o").mkdir()
    (here / "o" / "items.csv").write_text("mine\n")
    with pytest.raises(OptionError, match=r"o has items\.csv already, but .* \(--out\)$"):
        CliRunner().invoke(cli, ["interpret", *MINE], catch_exceptions=False)
    assert [path.name for path in (here / "o").iterdir()] == ["items.csv"]
    assert (here / "o" / "items.csv").read_text() == "mine\n"


def test_a_label_that_is_no_class(here: Path) -> None:
    """The image is called one, though its key is a bare number."""
    images = np.zeros((14, 32, 32, 3), np.uint8)
    np.savez(here / "minus.npz", images=images, label=np.arange(14) % 7 - 1)
    refused(ItemError, r"^image 0: its class -1 is none of", *MINE, "--images", "minus.npz")


@pytest.mark.parametrize(
    ("said", "changes"),
    [
        ("--images absent: there is no such file or folder", ("--images", "absent")),
        (r"--images: classes\.txt cannot be read as \.npz", ("--images", "classes.txt")),
        (r"absent\.txt cannot be read", ("--classes", "absent.txt")),
        ("images/cat/0.png lies in no sub-folder", ("--images", "images/cat")),
        ("empty holds no images", ("--images", "empty")),
        (r"ant/0\.png: its class 'ant' is none of the 7 classes", ("--classes", "others.txt")),
        (r"twice\.txt:3: 'a' stands there twice", ("--classes", "twice.txt")),
    ],
)
def test_files_that_cannot_be_used(here: Path, said: str, changes: tuple[str, ...]) -> None:
    """One sentence each, and nothing is written."""
    (here / "empty").mkdir()
    (here / "others.txt").write_text("\n".join("abcdefg"))
    (here / "twice.txt").write_text("a\nb\na\n")
    refused(ItemError, said, *MINE, *changes)


def test_one_class_only(here: Path) -> None:
    """Neither a network to be trained nor one that is there can mistake it for another in the set."""
    for name in NAMES[1:]:
        for path in (here / "images" / name).iterdir():
            path.unlink()
    refused(OptionError, r"one class only \(ant\)", *MINE)
    refused(OptionError, "all images have one class", "--model", "small-cnn", "--images", "images", "--out", "o")


def test_too_few_classes(here: Path) -> None:
    """Five options beside the correct class need six."""
    images = np.random.default_rng(3).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    np.savez(here / "five.npz", images=images, label=np.arange(40) % 5)
    refused(OptionError, "need 6 classes, there are 5", "--model", "small-cnn", "--images", "five.npz", "--out", "o")


def test_a_perfect_classifier(here: Path) -> None:
    """Images of one brightness for each class: none is guessed wrong, and one sentence says so."""
    images = np.repeat(np.arange(14) % 7 * 42, 64).reshape(14, 8, 8).astype(np.uint8)
    np.savez(here / "easy.npz", images=images, label=np.arange(14) % 7)
    easy = ("--model", "mynet_of_tests:Perfect", "--images", "easy.npz", "--mean", "0", "--std", "1")
    refused(OptionError, "makes no mistake in 14 images", *MINE, *easy)


def test_without_torch(here: Path) -> None:
    """One sentence says what to install; nothing else is done."""
    code = (
        "import importlib.util, sys; find = importlib.util.find_spec; "
        "importlib.util.find_spec = lambda name, *more: None if name in ('torch', 'captum') else find(name, *more); "
        "from crowdloom.studies.cli import main; "
        "sys.argv = ['crowdloom', 'interpret', '--model', 'small-cnn', '--images', 'digits', '--out', 'o']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'Error: torch and captum are not installed; run: pip install "crowdloom[train]"\n'
    assert not (here / "o").exists()


def test_help_does_not_load_torch() -> None:
    """Which takes a second or more."""
    code = "import sys, crowdloom.studies.cli.interpret; print({'torch', 'numpy', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
