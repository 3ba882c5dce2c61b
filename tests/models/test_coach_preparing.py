"""Coaches that are prepared once: what is kept, who waits, what happens to a preparation that is stopped."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from crowdloom.models import coach_folder, coach_preparing
from crowdloom.models.coach_data import CoachData, digits
from crowdloom.models.coach_figures import networks_of
from crowdloom.models.coach_folder import PreparedCoach, Weights, is_ready, preparation, prepared_coach
from crowdloom.models.coach_preparing import Recipe, prepare, ready_coach, recipe_for
from crowdloom.models.errors import ArgumentError, ModelError
from crowdloom.tasks.coach_drawing import render, similarity
from tests.conftest import ROOT

SHORT = Recipe(recogniser_epochs=2, coach_epochs=2, tried=10)


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for coaches, and of the digits only some, on which two epochs are learned."""
    at(tmp_path / "coaches", monkeypatch)
    return tmp_path / "coaches"


def at(coaches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROWDLOOM_COACHES", str(coaches))
    monkeypatch.setattr(coach_preparing, "coach_data", few)
    monkeypatch.setattr(coach_preparing, "recipe_for", lambda name, pictures: SHORT)
    monkeypatch.setattr(coach_preparing, "LOOKED_AT", 2)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of coaches with one that was prepared without a stop."""
    coaches = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as monkeypatch:
        at(coaches, monkeypatch)
        prepare("digits")
    return coaches


@pytest.fixture
def prepared(whole: Path, monkeypatch: pytest.MonkeyPatch) -> PreparedCoach:
    """That one."""
    monkeypatch.setenv("CROWDLOOM_COACHES", str(whole))
    return prepared_coach("digits")


@cache
def all_digits() -> CoachData:
    return digits()


def few(data: str = "digits", *, download: bool = False) -> CoachData:
    return all_digits().first(96, 40)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def same(one: PreparedCoach, other: PreparedCoach) -> bool:
    """To the last bit."""
    return one.tradeoffs == other.tradeoffs and all(
        np.array_equal(array, other.arrays[name]) for name, array in one.arrays.items()
    )


def test_what_a_preparation_keeps(whole: Path, prepared: PreparedCoach) -> None:
    """The networks, how they do, drawings that look like the test pictures, and samples of these."""
    made = prepared
    assert files(whole / "digits") == {
        *("lock", "current.json"),
        *(f"{made.digest}/{name}" for name in ("coach.json", "networks.npz", "drawings.json", "samples.json")),
    }
    data = few()
    pairs = list(zip(data.test_images, data.test_labels, strict=True))
    pictures = {image.tobytes(): data.classes[label] for image, label in pairs}
    assert all(pictures[sample.picture] == sample.label for sample in made.samples)
    assert len(made.samples) == len(set(made.samples)) > 30
    read = [made.read(image.tobytes()) == data.classes[label] for image, label in pairs]
    assert made.accuracy == pytest.approx(np.mean(read))
    for class_ in data.classes:
        of_class = [picture for picture, label in pictures.items() if label == class_]
        for strokes in made.drawings(class_):
            assert max(similarity(render(strokes), picture) for picture in of_class) >= coach_preparing.LEAST_SIMILAR
    assert sum(len(made.drawings(class_)) for class_ in data.classes) > 10
    assert {one.best for one in made.tradeoffs} == {True, False}
    said = json.loads((whole / "digits" / made.digest / "coach.json").read_text())
    assert said["examples"] == 96
    assert {name: len(losses) for name, losses in said["curve"].items()} == {"recogniser": 2, "coach": 2}


def test_it_proposes_what_the_network_does(prepared: PreparedCoach) -> None:
    """The numbers of the trade-off are those of the proposals that a page gets, byte for byte but for rounding."""
    made = prepared
    classifier, coach = networks_of(made)
    data = few()
    picture = torch.from_numpy(data.test_images[:1])[:, None].float() / 255
    for weights in (Weights(0, 0, 0), Weights(1, 4, 0.5)):
        inputs = coach_preparing.coach_conditioned.inputs_of(torch.tensor([weights]))[:, None]
        proposed = (255 * coach(picture, torch.tensor([[3]]), inputs).clamp(max=1)).round()[0, 0].numpy()
        got = np.frombuffer(made.propose(data.test_images[0].tobytes(), "3", weights), np.uint8).reshape(28, 28)
        assert np.abs(got - proposed).max() <= 1
    assert classifier(picture).softmax(1)[0].tolist() == pytest.approx(
        made.probabilities(data.test_images[0].tobytes()), abs=1e-5
    )


def test_it_is_done_once(prepared: PreparedCoach, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked again, nothing is trained."""
    made = prepared
    monkeypatch.setattr(coach_preparing, "_make", None)
    assert ready_coach("digits") is made
    assert prepare("digits").digest == made.digest


def test_only_what_needs_no_data_prepares_itself() -> None:
    """The others say which command does."""
    with pytest.raises(ModelError, match="run: crowdloom coach prepare mnist-5000"):
        ready_coach("mnist-5000")


def stopping(after: str, share: float) -> Callable[[float, str], None]:
    """A listener that has enough when it hears this, so far on."""

    def hear(done: float, said: str) -> None:
        if said == after and done >= share:
            raise KeyboardInterrupt

    return hear


@pytest.mark.parametrize(
    ("after", "share"),
    [("the recogniser learns", 0.3), ("the coach learns", 0.7), ("the trade-off", 0.96)],
)
def test_a_stopped_preparation_goes_on(
    root: Path, whole: Path, monkeypatch: pytest.MonkeyPatch, after: str, share: float
) -> None:
    """To the same numbers; until then nothing is there under its name."""
    with pytest.raises(KeyboardInterrupt):
        prepare("digits", progress=stopping(after, share))
    assert not is_ready("digits")
    assert not [path for path in files(root / "digits") if not path.startswith(".") and path != "lock"]
    shares: list[float] = []
    made = prepare("digits", progress=lambda done, said: shares.append(done) if said.endswith("learns") else None)
    # What was learned is not learned again, but for the epoch in which it was stopped.
    assert min(shares, default=1.0) > {"the recogniser learns": 0.25, "the coach learns": 0.6}.get(after, 0.9)
    assert not [path for path in files(root / "digits") if path.startswith(".")]
    monkeypatch.setenv("CROWDLOOM_COACHES", str(whole))
    assert same(made, prepared_coach("digits"))


def test_a_preparation_of_which_a_file_is_gone_is_made_anew(root: Path, whole: Path) -> None:
    """By the next command."""
    shutil.copytree(whole, root)
    made = prepared_coach("digits")
    place = preparation("digits")
    (place / "networks.npz").unlink()
    coach_folder._opened.cache_clear()
    with pytest.raises(ModelError, match="remove it and run: crowdloom coach prepare digits"):
        prepared_coach("digits")
    assert same(prepare("digits"), made)


def test_data_that_is_given_or_not() -> None:
    """Each sentence names the option."""
    with pytest.raises(ArgumentError, match="digits has data of its own; give it none"):
        prepare("digits", Path("x.npz"))
    with pytest.raises(ArgumentError, match="mine does not come with its data; say where its pictures are"):
        prepare("mine")
    with pytest.raises(ModelError, match="names no coach"):
        prepare("../x")


def test_pictures_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From an .npz, with its names of classes."""
    monkeypatch.undo()
    monkeypatch.setenv("CROWDLOOM_COACHES", str(tmp_path / "coaches"))
    data, path = all_digits(), tmp_path / "mine.npz"
    some = data.labels < 3
    names = np.array(["nought", "one", "two"])[data.labels[some]]
    np.savez(path, images=data.images[some][:90], label=names[:90])
    made = prepare("mine", path, recipe=SHORT)
    assert made.classes == ("nought", "one", "two")
    assert len(made.propose(bytes(784), "two", Weights(0.1, 1, 0.1))) == 784
    assert prepare("mine") == made  # once it is there, nothing need be given
    np.savez(path, images=data.images[some][:90], label=data.labels[some][:90])
    with pytest.raises(ModelError, match="already and reads nought, one, two, not 0, 1, 2; studies may"):
        prepare("mine", path, recipe=SHORT)
    assert prepared_coach("mine").classes == made.classes


def test_pictures_that_no_pen_could_draw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are refused before anything is learned, with their class, as nobody could answer by keyboard."""
    monkeypatch.undo()
    monkeypatch.setenv("CROWDLOOM_COACHES", str(tmp_path / "coaches"))
    data, path = all_digits(), tmp_path / "mine.npz"
    images, labels = data.images[:90].copy(), np.arange(90) % 2
    images[labels == 1] = np.random.default_rng(0).integers(0, 60, (45, 28, 28), dtype=np.uint8)
    np.savez(path, images=images, label=np.array(["digit", "snow"])[labels])
    shown: list[str] = []
    with pytest.raises(ModelError, match="pictures of 'snow' looked at in mine could be drawn with a pen"):
        prepare("mine", path, recipe=SHORT, progress=lambda share, said: shown.append(said))
    assert not [said for said in shown if "learns" in said]
    assert not is_ready("mine")


def test_recipes() -> None:
    """About as many pictures are gone through whatever the data; fewer where somebody waits."""
    assert recipe_for("mine", 300).coach_epochs * 300 == pytest.approx(120_000, rel=0.01)
    assert recipe_for("digits", 1437).coach_epochs * 1437 < 20_000


@pytest.mark.slow
def test_two_processes_prepare_it_once() -> None:
    """This one does, while the other one waits; both have the same."""
    asked = (
        "from crowdloom.models.coach_preparing import ready_coach\n"
        "p = ready_coach('digits', progress=lambda share, said: print(said, flush=True))\n"
        "print(p.digest)"
    )
    others: list[subprocess.Popen[str]] = []

    def hear(share: float, said: str) -> None:
        if said == "the recogniser learns" and not others:
            others.append(subprocess.Popen([sys.executable, "-c", asked], cwd=ROOT, stdout=subprocess.PIPE, text=True))
            assert others[0].stdout is not None
            assert others[0].stdout.readline() == "waiting for another process that prepares it\n"

    made = ready_coach("digits", hear)
    (other,) = others
    *heard, last = other.communicate(timeout=120)[0].splitlines()
    assert other.returncode == 0
    assert last == made.digest
    assert set(heard) <= {"waiting for another process that prepares it"}
