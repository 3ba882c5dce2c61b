"""One run in its folder: killed and gone on with, held by one process, read back by anybody."""

from __future__ import annotations

import errno
import json
import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from crowdloom.models.errors import ModelError
from crowdloom.models.run_folder import BusyError, RunFolder, read_tensors, write_tensors
from crowdloom.models.runs import Run, RunResult, digest_of
from crowdloom.models.saved_models import load_model
from tests.conftest import ROOT
from tests.models.small_runs import TRAINED, done, long_run, same_weights, small_images, small_run, weights

pytestmark = pytest.mark.slow

ALONE = """
import sys
from pathlib import Path
from tests.models.small_runs import done, long_run

print(done(Path(sys.argv[1]), long_run(3), tell=lambda epoch: print(epoch, flush=True)).result.state)
"""
HOLDING = """
import sys, time
from pathlib import Path
from crowdloom.models.run_folder import RunFolder

with RunFolder(Path(sys.argv[1])).held():
    print("held", flush=True)
    time.sleep(60)
"""


def stopped(folder: Path, run: Run, after: int) -> Path:
    """The folder of a run that Ctrl-C stopped after so many epochs."""

    def tell(epoch: int) -> None:
        if epoch > after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        done(folder, run, tell=tell)
    return folder / run.digest(digest_of(small_images()))


def alone(script: str, *arguments: Path) -> subprocess.Popen[str]:
    """A script in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def line(process: subprocess.Popen[str]) -> str:
    """What it prints next."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def killed(process: subprocess.Popen[str]) -> None:
    """Ended by SIGKILL, of which a process hears nothing."""
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    """SIGKILL in the middle of an epoch; what is trained in the end is what nobody interrupted."""
    process = alone(ALONE, tmp_path / "killed")
    while line(process) != "4":
        assert process.poll() is None
    time.sleep(0.03)
    killed(process)
    (place,) = (tmp_path / "killed").iterdir()
    assert (place / "state.safetensors").exists()
    assert not (place / "result.json").exists()

    went_on = done(tmp_path / "killed", long_run(3)).result
    whole = done(tmp_path / "whole", long_run(3)).result
    after = int(went_on.record["checkpoint"].removeprefix("went on after epoch "))
    assert 1 <= after < 20
    assert same_weights(weights(tmp_path / "killed", went_on), weights(tmp_path / "whole", whole))
    assert went_on.metrics == whole.metrics
    assert went_on.record["training"] == whole.record["training"]
    assert not (place / "state.safetensors").exists()


def test_a_finished_run_is_not_done_again(tmp_path: Path) -> None:
    """Its numbers are read, whoever asks."""
    first = done(tmp_path, small_run()).result
    again = done(tmp_path, small_run(), tell=lambda epoch: pytest.fail("it was trained again")).result
    assert again.metrics == first.metrics
    assert again.seconds == first.seconds
    assert first.state == "done"
    assert first.metrics["held-out"]["accuracy"] > 1 / 3


def test_the_record_says_how_a_run_ended(tmp_path: Path) -> None:
    """With when, on what, and how the loss fell."""
    result = done(tmp_path, small_run()).result
    kept = json.loads((tmp_path / result.digest / "record.json").read_text(encoding="utf-8"))
    assert kept == result.record
    assert kept["state"] == "done"
    assert kept["started"] <= kept["finished"]
    assert kept["started"].endswith("+00:00")
    assert kept["computing"]["threads"] == 1
    assert kept["computing"]["device"] == "cpu"
    assert kept["engine"] == "local"


def test_a_number_that_is_not_defined_is_read_back(tmp_path: Path) -> None:
    """JSON has no NaN, so a folder says null, and who reads it gets NaN again."""
    result = done(tmp_path, small_run()).result
    path = tmp_path / result.digest / "result.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    kept["metrics"]["held-out"]["accuracy"] = None
    path.write_text(json.dumps(kept), encoding="utf-8")
    assert np.isnan(done(tmp_path, small_run()).result.metrics["held-out"]["accuracy"])


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.path, "unpickled"))


def _torn(state: Path) -> None:
    state.write_bytes(state.read_bytes()[:-100])


def _empty(state: Path) -> None:
    state.write_bytes(b"")


def _pickled(state: Path) -> None:
    state.write_bytes(pickle.dumps(Trap(state.with_name("trap"))))


def _pickled_by_torch(state: Path) -> None:
    torch.save({"network": Trap(state.with_name("trap"))}, state)


def _of_others(state: Path) -> None:
    save_file({"weight": torch.zeros(3)}, state)


def _of_other_code(state: Path) -> None:
    tensors, values = read_tensors(state)
    values["of"]["version of crowdloom"] = "other"
    write_tensors(state, tensors, values)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_torn, "cannot be read"),
        (_empty, "cannot be read"),
        (_pickled, "cannot be read"),
        (_pickled_by_torch, "cannot be read"),
        (_of_others, "was not written by crowdloom"),
        (_of_other_code, "it was written with another version of crowdloom"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_left_aside(tmp_path: Path, spoil: Any, why: str) -> None:
    """The run begins anew, says why, unpickles nothing, and comes to what it would have come to."""
    place = stopped(tmp_path, small_run(), after=1)
    spoil(place / "state.safetensors")
    result = done(tmp_path, small_run()).result
    assert "begun anew, as the checkpoint could not be used" in result.record["checkpoint"]
    assert why in result.record["checkpoint"]
    assert not (place / "trap").exists()
    assert same_weights(weights(tmp_path, result), weights(tmp_path / "b", done(tmp_path / "b", small_run()).result))


def test_two_processes_do_not_work_in_one_folder(tmp_path: Path) -> None:
    """The second is told who is there; once that process is killed, the folder is free."""
    digest = small_run().digest(digest_of(small_images()))
    process = alone(HOLDING, tmp_path / digest)
    assert line(process) == "held"
    with pytest.raises(BusyError, match=f"is in use by process {process.pid} on "):
        done(tmp_path, small_run())
    killed(process)
    assert done(tmp_path, small_run()).result.state == "done"


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    """Half a checkpoint under its temporary name."""
    place = stopped(tmp_path, small_run(), after=1)
    (place / ".state.safetensors.1234.part").write_bytes(b"half")
    done(tmp_path, small_run())
    assert not list(place.glob(".*.part"))


def test_a_loss_that_is_not_finite_ends_a_run_for_good(tmp_path: Path) -> None:
    """With the sentence in its result and the traceback in its record."""
    outcome = done(tmp_path, small_run(rate=1e30, clip=None))
    assert outcome.result.state == "failed"
    assert not outcome.again
    assert outcome.result.metrics == {}
    assert "small, apart, small-cnn, seed 0 failed after" in (outcome.result.error or "")
    assert "not finite" in (outcome.result.error or "")
    kept = RunFolder(tmp_path / outcome.result.digest).read_record()
    assert kept["error"] == outcome.result.error
    assert "Traceback" in kept["traceback"]


def test_an_error_that_nobody_foresaw_may_be_tried_again(tmp_path: Path) -> None:
    """Its kind and words are in the sentence; after it the run goes on."""

    def tell(epoch: int) -> None:
        if epoch == 2:
            raise MemoryError("nothing left")

    outcome = done(tmp_path, small_run(), tell=tell)
    assert outcome.again
    assert (outcome.result.error or "").endswith("failed after 2 of 3 epochs: MemoryError: nothing left")
    assert done(tmp_path, small_run()).result.state == "done"


def test_a_full_disk_ends_a_run_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not tried again at once; with room, it is done by the next call."""

    def full(path: Path, content: bytes) -> int:
        if "safetensors" in path.name:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write_bytes(path, content)

    write_bytes = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", full)
    outcome = done(tmp_path, small_run())
    assert not outcome.again
    assert "there is no room for files in" in (outcome.result.error or "")
    assert "make room and call again" in (outcome.result.error or "")
    monkeypatch.undo()
    assert done(tmp_path, small_run()).result.state == "done"


def test_a_folder_that_cannot_be_made_is_the_runs_end(tmp_path: Path) -> None:
    """Nothing can be written, but the outcome says why."""
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    outcome = done(tmp_path / "file", small_run())
    assert outcome.result.state == "failed"
    assert "Not a directory" in (outcome.result.error or "")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunResult]:
    """A finished run and its folder."""
    folder = tmp_path_factory.mktemp("trained")
    result = done(folder, small_run()).result
    return folder / result.digest, result


def test_a_finished_network_is_read_back(trained: tuple[Path, RunResult]) -> None:
    """It says of the images held out what the run's numbers say."""
    folder, result = trained
    model = load_model(folder)
    assert model.classes == ("red", "green", "blue")
    assert (model.channels, model.size) == (3, (8, 8))
    pixels = torch.from_numpy(small_images()[TRAINED:]).float() / 255
    with torch.no_grad():
        said = model.network(pixels).argmax(1).numpy()
    right = float((said == np.arange(TRAINED, TRAINED + len(pixels)) % 3).mean())
    assert right == pytest.approx(result.metrics["held-out"]["accuracy"])


def test_the_model_card_says_what_a_stranger_must_know(trained: tuple[Path, RunResult]) -> None:
    """Data, classes, settings, numbers, limits, licence, and how to use it."""
    folder, result = trained
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlibrary_name: crowdloom\n")
    for said in (
        "48 images and 96 labels",
        "red, green, blue",
        "- labels: two people's",
        "| rate | 0.1 |",
        f"| held-out | accuracy | {result.metrics['held-out']['accuracy']:.4f} |",
        "what not",
        "licence",
        "load_model",
        result.digest,
    ):
        assert said in card


def _copied(folder: Path, to: Path) -> Path:
    for name in ("config.json", "model.safetensors"):
        (to / name).write_bytes((folder / name).read_bytes())
    return to


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": "other"}, "is not of the format crowdloom-model-1"),
        ({"network": "os.system"}, "os.system"),
        ({"classes": ["a", "b"]}, "holds no weights that fit"),
        ({"classes": None}, "lacks what describes a network"),
        ({"width": 10**9}, "no network is of that size"),
        ({"size": [8]}, "lacks what describes a network"),
    ],
)
def test_a_model_that_is_not_as_it_says_is_refused(
    trained: tuple[Path, RunResult], tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    """With one sentence, and without making or running what it names."""
    folder = _copied(trained[0], tmp_path)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | changed), encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        load_model(folder)


def test_weights_that_are_a_pickle_are_refused(trained: tuple[Path, RunResult], tmp_path: Path) -> None:
    """Under whatever name; nothing is unpickled."""
    folder = _copied(trained[0], tmp_path)
    _pickled(folder / "model.safetensors")
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(folder)
    assert not (folder / "trap").exists()


def test_weights_that_are_not_finite_are_refused(trained: tuple[Path, RunResult], tmp_path: Path) -> None:
    """They would give no numbers."""
    folder = _copied(trained[0], tmp_path)
    tensors = load_file(folder / "model.safetensors")
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point())
    tensors[name].view(-1)[0] = float("nan")
    write_tensors(folder / "model.safetensors", tensors, {})
    with pytest.raises(ModelError, match="not finite"):
        load_model(folder)


@pytest.mark.parametrize("content", [None, "{", "[1]"])
def test_a_folder_without_a_model_is_refused(tmp_path: Path, content: str | None) -> None:
    """The sentence says which folder is meant."""
    if content is not None:
        (tmp_path / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match="give the folder of a finished run"):
        load_model(tmp_path)


def test_ctrl_c_leaves_a_run_to_go_on_with(tmp_path: Path) -> None:
    """In this process: the checkpoint is kept, and nothing says that the run has ended."""
    place = stopped(tmp_path, small_run(), after=1)
    assert (place / "state.safetensors").exists()
    assert not (place / "result.json").exists()
    assert done(tmp_path, small_run()).result.record["checkpoint"] == "went on after epoch 1"
