"""Scenarios that are prepared once: what is kept, who waits, what happens to a preparation that is stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from crowdloom.models import latent_cache
from crowdloom.models.errors import ArgumentError, ModelError, TrainingError
from crowdloom.models.latent import new_model
from crowdloom.models.latent_cache import Prepared, prepare, prepared
from crowdloom.models.latent_evaluation import evaluate
from crowdloom.models.latent_items import item
from crowdloom.models.latent_preparing import held
from crowdloom.models.latent_scenarios import scenario
from crowdloom.models.latent_training import LatentState, new_optimizer, train_epochs
from tests.conftest import ROOT
from tests.models.blobs import Small, blobs, data, with_data

OWN = "tests.models.blobs:blobs"


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for scenarios, and a process that knows none."""
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(tmp_path / "scenarios"))
    monkeypatch.setattr(latent_cache, "_READ", {})
    return tmp_path / "scenarios"


def same(one: LatentState, other: LatentState) -> bool:
    """To the last bit."""
    mine, others = one.tensors(), other.tensors()
    return one.curve == other.curve and list(mine) == list(others) and all(mine[n].equal(others[n]) for n in mine)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_preparation_is_what_training_by_hand_gives(root: Path) -> None:
    """The same network from the same seed, in the loop of the sessions; and the data as it was loaded."""
    made = prepare(blobs())
    model, _ = made.model()
    torch.manual_seed(99)  # whatever chance does elsewhere
    by_hand = new_model(Small, data().x[:2], 3, seed=0)
    curve = train_epochs(
        by_hand,
        new_optimizer(by_hand, rate=0.02, weight_decay=1e-5),
        data(),
        classes=3,
        first_epoch=1,
        epochs=6,
        seed=0,
        batch=16,
    )
    assert tuple(curve) == made.curve
    assert all(tensor.equal(model.state_dict()[name]) for name, tensor in by_hand.state_dict().items())
    assert made.data.x.equal(data().x)
    assert made.data.validation_labels.equal(data().validation_labels)
    assert np.array_equal(made.data.items, data().items)
    assert evaluate(model, made.data.validation_x, made.data.validation_labels, 3).accuracy == curve[-1].accuracy
    assert files(root / "own") == {
        *("lock", "current.json"),
        *(f"{made.digest}/{name}.npy" for name in ("items", "labels", "x", "validation_x", "validation_labels")),
        *(f"{made.digest}/{name}" for name in ("pretrained.safetensors", "scenario.json")),
    }


def test_models_are_copies() -> None:
    """What a session does to one changes no other; the scale begins where its kind does."""
    made = prepare(blobs())
    first, optimizer = made.model("as-published")
    assert (first.scale.item(), first.scaling) == (10.0, "as-published")
    train_epochs(first, optimizer, made.data, classes=3, first_epoch=7, epochs=1, seed=1, batch=16)
    second, _ = made.model()
    assert second.scale.item() == 1.0
    assert second.network.head.weight.equal(made.state.model["network.head.weight"])
    assert not first.network.head.weight.equal(second.network.head.weight)


def test_it_is_done_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one process the same object; in the next one it is read, and nothing is trained."""
    made = prepared(OWN)
    assert prepared(OWN) is made
    assert prepared(OWN, made.digest) is made
    monkeypatch.setattr(latent_cache, "_READ", {})
    monkeypatch.setattr("crowdloom.models.latent_pretraining.train_epochs", None)
    again = prepared(OWN)
    assert again is not made
    assert same(again.state, made.state)
    assert again.scenario == made.scenario
    assert prepare(scenario(OWN)).folder == made.folder


def test_items_and_points_are_those_of_the_training_examples() -> None:
    """The same for everybody who is shown the scenario."""
    made = prepare(blobs())
    shown = made.shown(9)
    assert np.bincount(made.data.labels.numpy()[shown]).tolist() == [3, 3, 3]
    assert made.item(4) == item(made.folder, 4)
    assert made.item(4).label == int(data().labels[4])


def test_other_settings_are_prepared_beside(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts then is the new one; who began with the old one goes on with it."""
    old = prepared(OWN)
    monkeypatch.setattr("tests.models.blobs.blobs", lambda: replace(old.scenario, pretraining=2, load=data))
    new = prepared(OWN)
    assert (len(old.curve), len(new.curve)) == (6, 2)
    assert new.digest != old.digest
    assert new.curve == old.curve[:2]
    monkeypatch.setattr(latent_cache, "_READ", {})
    before = prepared(OWN, old.digest)
    assert same(before.state, old.state)
    assert before.scenario.pretraining == 6


def test_settings_that_the_data_need() -> None:
    """They are kept, and do not make it another scenario."""
    few = with_data(settings={"batch": 8, "rate": 0.05})
    made = prepare(few)
    assert (made.scenario.batch, made.scenario.rate) == (8, 0.05)
    assert made.curve != prepare(blobs()).curve
    assert prepare(few).folder == made.folder


def stopping(after: str, how: type[BaseException]) -> Callable[[float, str], None]:
    """A listener that has enough when it hears this."""

    def hear(share: float, said: str) -> None:
        if said.startswith(after):
            raise how

    return hear


@pytest.mark.parametrize("after", ["reading", "epoch 1 ", "epoch 4 "])
def test_a_stopped_preparation_goes_on(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: str) -> None:
    """After the last whole epoch, to the same numbers; until then nothing is there under its name."""
    with pytest.raises(KeyboardInterrupt):
        prepared(OWN, progress=stopping(after, KeyboardInterrupt))
    folder = root / OWN.replace(":", "-")
    assert not [path for path in files(folder) if not path.startswith(".") and path != "lock"]
    epochs: list[int] = []
    made = prepared(OWN, progress=lambda share, said: epochs.append(int(said.split()[1]) if "epoch" in said else 0))
    assert min(epoch for epoch in epochs if epoch) == (4 if after == "epoch 4 " else 1)
    assert not [path for path in files(folder) if path.startswith(".")]
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(tmp_path / "others"))
    assert same(made.state, prepared(OWN).state)


@pytest.mark.parametrize("spoilt", [b"", b"no tensors at all"])
def test_a_spoilt_checkpoint_is_left_aside(root: Path, spoilt: bytes) -> None:
    """The preparation begins anew."""
    whole = prepare(replace(blobs(), name="whole")).state
    with pytest.raises(KeyboardInterrupt):
        prepare(blobs(), progress=stopping("epoch 4 ", KeyboardInterrupt))
    (checkpoint,) = root.glob("own/.*.part/state.safetensors")
    checkpoint.write_bytes(spoilt)
    assert same(prepare(blobs()).state, whole)


def test_a_checkpoint_of_other_versions_is_left_aside(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its numbers would be such as nothing can make again."""
    with pytest.raises(KeyboardInterrupt):
        prepare(blobs(), progress=stopping("epoch 4 ", KeyboardInterrupt))
    monkeypatch.setattr("crowdloom.models.latent_pretraining.version", lambda name: "0")
    heard: list[str] = []
    prepare(blobs(), progress=lambda share, said: heard.append(said))
    assert any(said.startswith("epoch 1 ") for said in heard)


def test_a_preparation_of_which_a_file_is_gone_is_made_anew(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is asked for by its digest, once it was."""
    made = prepared(OWN)
    for name in ("x.npy", "pretrained.safetensors"):
        (made.folder / name).unlink()
        monkeypatch.setattr(latent_cache, "_READ", {})
        with pytest.raises(ModelError, match=r"holds no whole prepared scenario|cannot be read"):
            prepared(OWN, made.digest)
        again = prepared(OWN)
        assert again.folder == made.folder
        assert same(again.state, made.state)


@pytest.mark.slow
def test_two_processes_prepare_it_once() -> None:
    """This one does, while the other one waits; both have the same."""
    asked = (
        "from crowdloom.models.latent_cache import prepared\n"
        f"p = prepared({OWN!r}, progress=lambda share, said: print(said, flush=True))\n"
        "print(p.digest, [e.accuracy for e in p.curve])"
    )
    others: list[subprocess.Popen[str]] = []

    def hear(share: float, said: str) -> None:
        if said == "reading the data":
            others.append(subprocess.Popen([sys.executable, "-c", asked], cwd=ROOT, stdout=subprocess.PIPE, text=True))
        if said.startswith("epoch 3 "):
            assert others[0].stdout is not None
            assert others[0].stdout.readline() == "waiting for another process that prepares it\n"

    made = prepared(OWN, progress=hear)
    (other,) = others
    *heard, last = other.communicate(timeout=120)[0].splitlines()
    assert other.returncode == 0
    assert last == f"{made.digest} {[one.accuracy for one in made.curve]}"
    assert not any("epoch" in said for said in heard)


def test_who_waits_can_be_stopped(root: Path) -> None:
    """The one who works is not disturbed."""
    with held("own", lambda share, said: None), pytest.raises(TimeoutError):
        prepare(blobs(), progress=stopping("waiting for another process", TimeoutError))
    assert prepare(blobs()).curve


@pytest.mark.slow
def test_a_killed_preparation_goes_on(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock ends with its process."""
    slow = (
        "import time\n"
        "from crowdloom.models.latent_cache import prepared\n"
        f"prepared({OWN!r}, progress=lambda share, said: time.sleep(30 if said.startswith('epoch 3') else 0))"
    )
    process = subprocess.Popen([sys.executable, "-c", slow], cwd=ROOT)
    end = time.monotonic() + 60
    while not any(b'\\"epoch\\": 2' in path.read_bytes() for path in root.glob("*/.*.part/state.safetensors")):
        assert time.monotonic() < end, "no epoch was kept"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    heard: list[str] = []
    made = prepared(OWN, progress=lambda share, said: heard.append(said))
    assert next(said for said in heard if "epoch" in said).startswith("epoch 3 ")
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(tmp_path / "others"))
    assert same(made.state, prepared(OWN).state)


class Logits(Small):
    """A network that gives no features."""

    def forward(self, x: torch.Tensor) -> Any:
        return super().forward(x)[0]


class Lost(Small):
    """A network that learns nothing but numbers that are none."""

    def forward(self, x: torch.Tensor) -> Any:
        logits, features = super().forward(x)
        return logits * (torch.nan if self.training else 1), features


def no_network() -> nn.Module:
    raise OSError("there is no weights.pt")


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"network": Logits}, ModelError, r"own: a network for the latent loop gives logits \[B, 3\] and features"),
        ({"network": no_network}, ModelError, r"own: its network cannot be made, OSError \(there is no weights.pt\)"),
        ({"classes": ("a", "b", "c", "d")}, ModelError, r"own: a network for the latent loop gives logits \[B, 4\]"),
        (
            {"network": Lost},
            TrainingError,
            "own cannot be prepared with a learning rate of 0.02: the loss is not finite in epoch 1, step 1",
        ),
        ({"load": lambda path: {}["x"]}, ModelError, r"own: its data cannot be read, KeyError \('x'\); mend it"),
        ({"load": with_data(labels=torch.ones(90).long()).load}, ModelError, "has one class alone, b"),
        ({"load": with_data(x=torch.full((90, 4), torch.nan)).load}, ModelError, "numbers that are not finite"),
        ({"batch": 0}, ModelError, "needs batches of 2 or more"),
        ({"needs_data": True}, ArgumentError, "own does not come with its data; say where it is"),
    ],
)
def test_what_cannot_be_prepared(root: Path, changes: dict[str, Any], error: type[Exception], said: str) -> None:
    """One sentence, and nothing counts as prepared; afterwards the scenario can be prepared once it is mended."""
    with pytest.raises(error, match=said):
        prepare(replace(blobs(), **changes))
    assert not (root / "own" / "current.json").exists()
    assert len(prepare(blobs()).curve) == 6


def test_data_where_none_belongs(tmp_path: Path) -> None:
    """And a path that leads nowhere."""
    with pytest.raises(ArgumentError, match="own has data of its own; give it none"):
        prepare(blobs(), tmp_path)
    with pytest.raises(ArgumentError, match=r"there is no .*; say where the data of own is"):
        prepare(replace(blobs(), needs_data=True), tmp_path / "nowhere")


def test_one_with_data_is_prepared_by_hand(tmp_path: Path) -> None:
    """The sentence has the command."""
    with pytest.raises(ModelError, match=r"the scenario hapt is not prepared in .*; run: crowdloom hill prepare hapt"):
        prepared("hapt")


def test_a_full_disk_leaves_nothing_half_written(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next call goes on."""
    real = np.save

    def full(file: Any, array: Any, **options: Any) -> None:
        if array.shape == data().items.shape:
            file.write(b"half")
            raise OSError(28, "No space left on device")
        real(file, array, **options)

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError, match="No space left"):
        prepare(blobs())
    assert {Path(path).name for path in files(root)} == {
        *("lock", "x.npy", "labels.npy", "validation_x.npy", "validation_labels.npy")
    }
    monkeypatch.setattr(np, "save", real)
    assert isinstance(prepare(blobs()), Prepared)


def test_what_is_written_names_no_path(root: Path) -> None:
    """A preparation can be copied to another machine."""
    made = prepare(blobs())
    said = json.loads((made.folder / "scenario.json").read_text())
    assert said["classes"] == ["a", "b", "c"]
    assert (said["examples"], said["validation"], len(said["curve"])) == (90, 30, 6)
    assert str(root) not in json.dumps(said)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "low", "high"), [("digits", 0.75, 0.92), ("signals", 0.65, 0.82)])
def test_the_scenarios_without_data_leave_room(name: str, low: float, high: float) -> None:
    """They are prepared in seconds when they are first asked for, and people can still make them better."""
    made = prepared(name)
    assert len(made.curve) == 25
    assert low < made.curve[-1].accuracy < high
    shown = made.shown(100)
    assert np.bincount(made.data.labels.numpy()[shown]).min() >= 10
    assert made.item(int(shown[0])).kind == made.scenario.kind
