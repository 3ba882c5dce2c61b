"""A classifier's mistakes become a folder of stimuli, without doing anything twice."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from crowdloom.models.classifiers import Classifier, classifier_of
from crowdloom.models.errors import ArgumentError, MistakesError, ModelError
from crowdloom.models.interpreting import Interpreted, Settings, interpret
from crowdloom.models.networks import SmallCNN

CLASSES = tuple("abcdefgh")
SETTINGS = Settings(iterations=4, samples=2)
VIEWS = ["area20", "area40", "area50", "gradcam", "smoothgrad"]
IMAGES = list(np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8))
KEYS = [f"k/{number}.png" for number in range(40)]


class Counted(nn.Module):
    """A small untrained network, and how many images went through it and its copies."""

    calls = 0

    def __init__(self, classes: int = len(CLASSES)) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.inside = SmallCNN(3, classes, width=4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        Counted.calls += len(images)
        result: torch.Tensor = self.inside(images)
        return result


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """For images this small, threads wait for each other longer than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def classifier() -> Classifier:
    """Of eight classes, none of which it always predicts."""
    network = Counted()
    made = classifier_of(network, CLASSES, size=16, mean=(0.5,) * 3, std=(0.25,) * 3, name="counted")
    with torch.no_grad():
        network.inside[-1].bias -= network(made.prepare(IMAGES)).mean(0)
    return classifier_of(network, CLASSES, size=16, mean=made.mean, std=made.std, name="counted")


@pytest.fixture
def labels(classifier: Classifier) -> list[int]:
    """Right for every second image."""
    predicted = classifier.predict(IMAGES).argmax(1).tolist()
    Counted.calls = 0
    return [(said + number % 2) % len(CLASSES) for number, said in enumerate(predicted)]


def run(classifier: Classifier, labels: list[int], out: Path, **changes: Any) -> Interpreted:
    return interpret(classifier, IMAGES, labels, KEYS, out, **({"count": 6, "settings": SETTINGS} | changes))


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "items.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def pictures(out: Path) -> dict[str, tuple[int, bytes]]:
    """Each picture's time of writing and content, by name."""
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in (out / "pictures").iterdir()}


def opened(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes()))


def test_what_is_written(classifier: Classifier, labels: list[int], tmp_path: Path) -> None:
    """A table of mistakes with their options and views, the classes, and a record."""
    done = run(classifier, labels, tmp_path / "out")
    assert (done.mistakes.accuracy, len(done.mistakes.positions), done.computed) == (0.5, 20, 30)
    table = rows(tmp_path / "out")
    assert len(table) == 6
    named = ["key", "image", "reference", "prediction", *(f"option{n}" for n in range(1, 6))]
    assert list(table[0]) == [*named, *(f"view.{name}" for name in VIEWS)]
    predicted = classifier.predict(IMAGES).argmax(1)
    for row in table:
        position = KEYS.index(row["key"])
        assert CLASSES[labels[position]] == row["reference"] != row["prediction"] == CLASSES[predicted[position]]
        options = {row[f"option{number}"] for number in range(1, 6)}
        assert row["prediction"] in options <= set(CLASSES) - {row["reference"]}
        assert len(options) == 5
        shown = [opened(tmp_path / "out" / row[name]) for name in ("image", *(f"view.{name}" for name in VIEWS))]
        assert {picture.height for picture in shown} == {240}
        assert (np.asarray(shown[0])[::15, ::15] == IMAGES[position]).all()
    assert (tmp_path / "out" / "classes.txt").read_text() == "".join(f"{name}\n" for name in CLASSES)
    record = json.loads((tmp_path / "out" / "record.json").read_text())
    assert record["settings"] == {"areas": [0.2, 0.4, 0.5], "iterations": 4, "reward": "simple", "samples": 2} | {
        "precision": "float32",
        "layer": None,
        "count": 6,
        "seed": 0,
    }
    assert record["versions"]["torch"] == torch.__version__.split("+")[0]
    assert record["classifier"]["sha256"] == classifier.digest
    assert {key: list(reached) for key, reached in record["reached"].items()} == {
        row["key"]: ["area20", "area40", "area50"] for row in table
    }
    assert 0 < record["reached"][table[0]["key"]]["area20"]["area"] <= 1
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_second_run_computes_nothing(classifier: Classifier, labels: list[int], tmp_path: Path) -> None:
    """The network is not called once, and no picture is written again."""
    run(classifier, labels, tmp_path)
    before, Counted.calls = pictures(tmp_path), 0
    table = (tmp_path / "items.csv").read_bytes()
    seen: list[tuple[int, int]] = []
    done = run(classifier, labels, tmp_path, progress=lambda *said: seen.append(said))
    assert (done.computed, Counted.calls, seen) == (0, 0, [(30, 30)])
    assert pictures(tmp_path) == before
    assert (tmp_path / "items.csv").read_bytes() == table


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"samples": 3}, {"smoothgrad"}),
        ({"iterations": 5}, {"area20", "area40", "area50"}),
        ({"layer": "inside.4"}, {"gradcam"}),
    ],
)
def test_only_the_interpreter_that_changed(
    classifier: Classifier, labels: list[int], tmp_path: Path, change: dict[str, Any], again: set[str]
) -> None:
    """All other views stay, and those of the earlier settings go."""
    run(classifier, labels, tmp_path)
    before = pictures(tmp_path)
    done = run(classifier, labels, tmp_path, settings=replace(SETTINGS, **change))
    after = pictures(tmp_path)
    new = {name for name in after if after[name] != before.get(name)}
    assert {name.split(".")[1] for name in new} == again
    assert done.computed == len(new) == 6 * len(again)
    named = {Path(cell).name for row in rows(tmp_path) for cell in row.values() if cell.startswith("pictures/")}
    assert set(after) == named


def everything(out: Path) -> dict[str, tuple[int, bytes]]:
    """Each file's time of writing and content, by path."""
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in out.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 1}, r"was made with seed 0 \(now 1\); give another folder"),
        ({"count": 7}, r"count 6 \(now 7\)"),
        ({"settings": replace(SETTINGS, areas=(0.2, 0.5))}, r"areas 20, 40, 50 % \(now 20, 50 %\)"),
        ({"seed": 2, "count": 5}, r"count 6 \(now 5\) and seed 0 \(now 2\);"),
        ({"images": IMAGES[::-1]}, "with other images or labels;"),
        ({"keys": KEYS[::-1]}, "with other images or labels;"),
        ({"labels": [0, 1] * 20}, "with other images or labels;"),
        ({"name": "other"}, r"model counted \(now other\);"),
        ({"classes": CLASSES[::-1]}, "with other names of classes;"),
        ({"std": (0.5,) * 3}, "with other weights or images prepared otherwise;"),
        ({"images": IMAGES[:-1], "labels": [0, 1] * 19 + [2], "keys": KEYS[:-1]}, "with other images or labels;"),
    ],
)
def test_another_question_in_a_used_folder(
    classifier: Classifier, labels: list[int], tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    """What differs is said, and nothing is changed, whether the first run came to its end or not."""
    run(classifier, labels, tmp_path)
    call: dict[str, Any] = {"images": IMAGES, "labels": labels, "keys": KEYS, "count": 6, "settings": SETTINGS}
    other = replace(classifier, **{name: change[name] for name in ("name", "classes") if name in change})
    if "std" in change:
        other = classifier_of(classifier.network, CLASSES, size=16, mean=(0.5,) * 3, std=change["std"], name="counted")
    call |= {name: value for name, value in change.items() if name in (*call, "seed")}
    for _ in range(2):
        before = everything(tmp_path)
        with pytest.raises(ArgumentError, match=said) as caught:
            interpret(other, out=tmp_path, **call)
        assert (caught.value.argument, everything(tmp_path)) == ("out", before)
        for name in ("items.csv", "record.json"):  # as if it had been killed
            (tmp_path / name).unlink(missing_ok=True)
    assert run(classifier, labels, tmp_path).computed == 0


@pytest.mark.parametrize("name", ["items.csv", "classes.txt", "record.json", "mistakes.json", "pictures/mine.png"])
def test_a_folder_of_somebody_elses(classifier: Classifier, labels: list[int], tmp_path: Path, name: str) -> None:
    """What is called as our files is not written over."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / name).write_text("mine")
    Counted.calls = 0
    with pytest.raises(ArgumentError, match=f"has {Path(name).parts[0]} already, but no mistakes.json that says"):
        run(classifier, labels, tmp_path)
    assert ((tmp_path / name).read_text(), Counted.calls) == ("mine", 0)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / name]


def test_a_folder_with_other_files(classifier: Classifier, labels: list[int], tmp_path: Path) -> None:
    """That are not called as ours: they stay, as does a folder for pictures in which there are none."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    assert run(classifier, labels, tmp_path).computed == 30
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("at", [1, 8, 19, 25])
def test_an_interruption_loses_only_what_was_under_way(
    classifier: Classifier, labels: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Stopped in the middle, no table appears; the next run makes what is missing, and all is as without it."""
    monkeypatch.setattr("crowdloom.models.views._AT_ONCE", 2)
    run(classifier, labels, tmp_path / "whole")

    def stop(done: int, _total: int) -> None:
        if done >= at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(classifier, labels, tmp_path / "cut", progress=stop)
    assert not (tmp_path / "cut" / "items.csv").exists()
    assert not list((tmp_path / "cut").rglob("*.part"))
    finished = pictures(tmp_path / "cut")
    views = len(finished) - 6
    assert views <= at
    done = run(classifier, labels, tmp_path / "cut")
    assert done.computed == 30 - views
    for path in (tmp_path / "whole").rglob("*.*"):
        assert (tmp_path / "cut" / path.relative_to(tmp_path / "whole")).read_bytes() == path.read_bytes()
    assert {name: said for name, said in pictures(tmp_path / "cut").items() if name in finished} == finished


def test_an_interruption_of_a_rerun_leaves_the_table_whole(
    classifier: Classifier, labels: list[int], tmp_path: Path
) -> None:
    """The earlier table and all pictures that it names stay until the new one is there."""
    run(classifier, labels, tmp_path)
    before = (tmp_path / "items.csv").read_bytes()

    def stop(done: int, _total: int) -> None:
        if done >= 27:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(classifier, labels, tmp_path, settings=replace(SETTINGS, samples=3), progress=stop)
    assert (tmp_path / "items.csv").read_bytes() == before
    for row in rows(tmp_path):
        assert all((tmp_path / row[f"view.{name}"]).is_file() for name in VIEWS)


def test_progress_only_grows(classifier: Classifier, labels: list[int], tmp_path: Path) -> None:
    """From nothing to all views, with a total that stays; before that, every image is looked at."""
    looked: list[tuple[int, int]] = []
    made: list[tuple[int, int]] = []
    run(
        classifier,
        labels,
        tmp_path,
        searching=lambda *said: looked.append(said),
        progress=lambda *said: made.append(said),
    )
    assert looked == [(32, 40), (40, 40)]
    assert made == sorted(made)
    assert (made[0], made[-1]) == ((0, 30), (30, 30))


def test_fewer_mistakes_than_asked_for(classifier: Classifier, labels: list[int], tmp_path: Path) -> None:
    """All of them are taken."""
    done = run(classifier, labels, tmp_path, count=21, settings=replace(SETTINGS, iterations=1))
    assert len(done.stimuli) == len(rows(tmp_path)) == 20


def test_photographs_keep_their_detail(tmp_path: Path) -> None:
    """A network of many pixels sees a part of a photograph; people are shown that part as sharp as it is."""
    network = classifier_of(Counted(), CLASSES, size=128)
    photograph = np.random.default_rng(4).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    images = [photograph, photograph[::-1]]
    wrong = [(int(said) + 1 + number) % 8 for number, said in enumerate(network.predict(images).argmax(1))]
    settings = replace(SETTINGS, iterations=1, samples=1)
    interpret(network, images, wrong, ["a", "b"], tmp_path, settings=settings)
    for row, image in zip(rows(tmp_path), images, strict=True):
        shown = np.asarray(opened(tmp_path / row["image"]))
        assert (shown == image[:, 50:350]).all()
        assert {opened(tmp_path / row[f"view.{name}"]).height for name in VIEWS} == {300}


def test_a_perfect_classifier(classifier: Classifier, tmp_path: Path) -> None:
    """Has nothing to guess; nothing is written."""
    right = classifier.predict(IMAGES).argmax(1).tolist()
    assert len(set(right)) > 1
    with pytest.raises(MistakesError, match="makes no mistake in 40 images"):
        run(classifier, right, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_one_class_only(classifier: Classifier, tmp_path: Path) -> None:
    """Cannot be confused with another in the same images."""
    with pytest.raises(MistakesError, match=r"one class only \(c\)"):
        run(classifier, [2] * 40, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_fewer_classes_than_options(tmp_path: Path) -> None:
    """Five options and the correct class are six."""
    few = classifier_of(Counted(5), CLASSES[:5], size=16)
    with pytest.raises(MistakesError, match="need 6 classes, there are 5"):
        run(few, [0, 1] * 20, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_network_without_convolutions(tmp_path: Path) -> None:
    """Has nothing that Grad-CAM could look at; one sentence says so, before anything is computed or written."""
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 8))
    looked: list[tuple[int, int]] = []
    with pytest.raises(ModelError, match="has no convolution"):
        run(
            classifier_of(flat, CLASSES, size=16),
            [0, 1] * 20,
            tmp_path / "out",
            searching=lambda *said: looked.append(said),
        )
    assert (looked, (tmp_path / "out").exists()) == ([], False)


def test_a_layer_that_is_not_there(classifier: Classifier, labels: list[int], tmp_path: Path) -> None:
    """Is named before anything is computed or written, in a used folder too."""
    for out in (tmp_path / "new", tmp_path / "used"):
        if out.name == "used":
            run(classifier, labels, out)
        before = everything(out)
        with pytest.raises(ModelError, match="has no layer 'middle'"):
            run(classifier, labels, out, settings=replace(SETTINGS, layer="middle"))
        assert everything(out) == before
    assert not (tmp_path / "new").exists()
