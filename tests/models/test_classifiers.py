"""Classifiers by name, with their weights, and how they see images."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from crowdloom.models.classifiers import classifier_of, load_classifier
from crowdloom.models.errors import ArgumentError, ModelError
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


@pytest.mark.parametrize("content", [b"junk", b"", b"PK\x03\x04aaaa", b"\x80\x02}.", b"\x1f\x8b", b"a text\n"])
def test_a_broken_file_of_weights(tmp_path: Path, content: bytes) -> None:
    """Whatever torch trips over, one sentence says that these are no weights."""
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(ModelError, match=r"w\.pt holds no weights that fit .* \(it is no file of tensors") as caught:
        load_classifier("torchvision:resnet18", weights=tmp_path / "w.pt", classes=THREE)
    assert "\n" not in str(caught.value)


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    """The first tensor that is missing, left over, or of another shape; and a list, which has no names."""
    right = torchvision.models.resnet18(num_classes=3).state_dict()
    wrapped = {f"module.{name}": tensor for name, tensor in right.items()}
    more = right | {"more.weight": torch.zeros(2)}
    for state, said in (
        (torchvision.models.resnet18(num_classes=5).state_dict(), r"its 'fc\.weight' is \[5, 512\], not \[3, 512\]"),
        ({name: tensor for name, tensor in right.items() if name != "fc.bias"}, r"it has no 'fc\.bias'\)"),
        (wrapped, r"it has no 'conv1\.weight', but 'module\.conv1\.weight'"),
        (more, r"the network has no 'more\.weight'"),
        ([right], r"a list"),
        (right | {"fc.bias": 3}, r"fc\.bias"),
    ):
        torch.save(state, tmp_path / "w.pt")
        with pytest.raises(ModelError, match=f"fit torchvision:resnet18 with 3 classes .*{said}") as caught:
            load_classifier("torchvision:resnet18", weights=tmp_path / "w.pt", classes=THREE)
        assert "\n" not in str(caught.value)
        assert "Error(s)" not in str(caught.value)


def lazy() -> nn.Module:
    """A network whose last layer waits for its first image."""
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(3))


def broken() -> nn.Module:
    """Fails when it is called."""
    raise KeyError("no such\ncheckpoint")


def test_a_network_with_lazy_layers(tmp_path: Path) -> None:
    """Has no weights to speak of, unless a file gives them."""
    here = f"{__name__}:lazy"
    with pytest.raises(ModelError, match=r"lazy has no values in '3\.bias' .*weights$"):
        load_classifier(here, classes=THREE)
    seen = lazy()
    seen(torch.zeros(1, 3, 8, 8))
    torch.save(seen.state_dict(), tmp_path / "w.pt")
    assert load_classifier(here, weights=tmp_path / "w.pt", classes=THREE).name == here


def test_a_callable_that_raises() -> None:
    """Is named with what it raised, in one line."""
    with pytest.raises(ModelError, match=r"broken raised KeyError \(") as caught:
        load_classifier(f"{__name__}:broken", classes=THREE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), r"fails on images of 1 × 8 × 8 \("),
        (nn.Conv2d(1, 3, 3), r"gives outputs of the shape \[2, 3, 6, 6\]"),
        (SmallCNN(1, 3).bfloat16(), "fails on images"),
        (nn.LSTM(8, 3), "fails on images"),
    ],
)
def test_a_network_that_cannot_take_the_images(network: nn.Module, said: str) -> None:
    """Of another size, of another kind of number, or no classifier: one sentence."""
    classifier = classifier_of(network, THREE, size=8, mean=(0.5,), std=(0.5,))
    with pytest.raises(ModelError, match=said):
        classifier.predict([np.zeros((8, 8), np.uint8)] * 2)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e300, -float("inf")])
def test_only_numbers_of_the_networks_kind(number: float) -> None:
    """What is not finite in float32 makes every image the same."""
    with pytest.raises(ModelError, match="finite"):
        classifier_of(SmallCNN(1, 3), THREE, mean=(number,), std=(1.0,))
    with pytest.raises(ModelError, match="finite"):
        classifier_of(SmallCNN(1, 3), THREE, mean=(0.5,), std=(number,))


def test_a_wrong_name_is_said_first(tmp_path: Path) -> None:
    """Then missing weights, then missing classes; the last two say which argument would mend it."""
    for model in ("torchvision:nope", "nomod:gone", "silly"):
        with pytest.raises(ModelError, match="no classifier"):
            load_classifier(model)
    with pytest.raises(ModelError, match="cannot be read"):
        load_classifier("torchvision:resnet18", weights=tmp_path / "none.pt")
    with pytest.raises(ArgumentError, match="has learned nothing") as caught:
        load_classifier("torchvision:resnet18")
    assert caught.value.argument == "weights"
    torch.save({}, tmp_path / "w.pt")
    with pytest.raises(ArgumentError, match="does not say what its classes are called") as caught:
        load_classifier("torchvision:resnet18", weights=tmp_path / "w.pt")
    assert caught.value.argument == "classes"


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
        ("collections:OrderedDict", None, "gives an object of type OrderedDict, not a torch.nn.Module"),
    ):
        with pytest.raises(ModelError, match=message):
            load_classifier(model, weights=weights, classes=THREE)
    with pytest.raises(ModelError, match="each std above 0"):
        classifier_of(SmallCNN(1, 3), THREE, mean=(0.5,), std=(0.0,))
    with pytest.raises(ModelError, match="gives 3 outputs, but 2 classes are named"):
        classifier_of(SmallCNN(1, 3), THREE[:2], size=8, mean=(0.5,), std=(0.5,)).predict([np.zeros((8, 8), np.uint8)])
