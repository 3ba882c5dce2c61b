"""Classifiers by name, with their weights, and how they see images."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision

from crowdloom.models.classifiers import classifier_of, load_classifier
from crowdloom.models.errors import ModelError
from crowdloom.models.networks import SmallCNN

THREE = ("cat", "dog", "frog")


def test_images_are_seen_as_squares() -> None:
    """The shorter side is resized and the middle cut out; grey and colour become what the network takes."""
    classifier = classifier_of(SmallCNN(3, 3), THREE, size=16)
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 200
    (seen,) = classifier.squares([wide])
    assert seen.shape == (16, 16, 3)
    assert seen[:, 2:-2].min() == 200
    assert classifier.squares([np.full((16, 16), 7, np.uint8)]).tolist() == np.full((1, 16, 16, 3), 7).tolist()


def test_what_the_network_gets_is_normalised() -> None:
    """(x / 255 - mean) / std in each channel."""
    classifier = classifier_of(SmallCNN(3, 3), THREE, size=8, mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 1.0))
    given = classifier.prepare([np.full((8, 8, 3), (51, 102, 255), np.uint8)])
    assert given.shape == (1, 3, 8, 8)
    assert given[0, :, 0, 0].tolist() == pytest.approx([0.2, 0.8, 0.7])


def test_probabilities_do_not_depend_on_the_batch() -> None:
    """Rows sum to 1, and an image alone gives what it gives among others."""
    torch.manual_seed(0)
    classifier = classifier_of(SmallCNN(1, 3), THREE, size=8, mean=(0.5,), std=(0.5,))
    images = list(np.random.default_rng(0).integers(0, 256, (70, 8, 8), dtype=np.uint8))
    told: list[tuple[int, int]] = []
    many = classifier.predict(images, lambda done, total: told.append((done, total)))
    assert many.sum(axis=1).tolist() == pytest.approx([1.0] * 70)
    assert classifier.predict(images[5:6])[0].tolist() == pytest.approx(many[5].tolist(), abs=1e-6)
    assert told[-1] == (70, 70)
    assert classifier.predict([]).shape == (0, 3)


def test_weights_are_read_from_a_file(tmp_path: Path) -> None:
    """torchvision's networks by name, others by a callable; the digest tells weights apart."""
    torch.manual_seed(1)
    network = torchvision.models.resnet18(num_classes=3)
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    loaded = load_classifier("torchvision:resnet18", weights=tmp_path / "weights.pt", classes=THREE, size=32)
    image = [np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)]
    with torch.no_grad():
        expected = network.eval()(loaded.prepare(image)).softmax(1)
    assert loaded.predict(image)[0].tolist() == pytest.approx(expected[0].tolist(), abs=1e-6)
    torch.save({"state_dict": torchvision.models.resnet18(num_classes=3).state_dict()}, tmp_path / "other.pt")
    other = load_classifier("torchvision:resnet18", weights=tmp_path / "other.pt", classes=THREE, size=32)
    assert other.digest != loaded.digest
    assert load_classifier("torchvision.models:alexnet", classes=[str(n) for n in range(1000)]).name.endswith("alexnet")


class Harmful:
    """What a stranger's file may hold."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("harm"),)  # type: ignore[return-value]


def test_a_strangers_file_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pickle that would do something when it is loaded is refused, and does nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.pt").write_bytes(pickle.dumps(Harmful()))
    torch.save({"weight": Harmful()}, tmp_path / "other.pt")
    for name in ("weights.pt", "other.pt"):
        with pytest.raises(ModelError, match="holds no weights that fit"):
            load_classifier("torchvision:resnet18", weights=tmp_path / name, classes=THREE)
    assert not (tmp_path / "harm").exists()


def test_what_names_no_classifier_is_said(tmp_path: Path) -> None:
    """One sentence for each way to go wrong."""
    wrong = tmp_path / "wrong.pt"
    torch.save(SmallCNN(3, 3).state_dict(), wrong)
    for model, weights, message in (
        ("torchvision:resnet1", None, "torchvision has no classifier 'resnet1'"),
        ("torchvision:resnet18", None, "has learned nothing without its weights"),
        ("torchvision:resnet18", tmp_path / "none.pt", "cannot be read"),
        ("torchvision:resnet18", wrong, "holds no weights that fit torchvision:resnet18"),
        ("nothing.here:network", None, "names no classifier"),
        ("small", None, "names no classifier"),
        ("collections:OrderedDict", None, "not a torch.nn.Module"),
    ):
        with pytest.raises(ModelError, match=message):
            load_classifier(model, weights=weights, classes=THREE)
    with pytest.raises(ModelError, match="does not say what its classes are called"):
        load_classifier("torchvision:resnet18")
    with pytest.raises(ModelError, match="each std above 0"):
        classifier_of(SmallCNN(1, 3), THREE, mean=(0.5,), std=(0.0,))
    with pytest.raises(ModelError, match="gives 3 outputs, but 2 classes are named"):
        classifier_of(SmallCNN(1, 3), THREE[:2], size=8, mean=(0.5,), std=(0.5,)).predict([np.zeros((8, 8), np.uint8)])
