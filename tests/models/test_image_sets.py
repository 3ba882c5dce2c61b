"""Sets of images: what they must fulfil, and reading them from CIFAR-10's files and from archives of arrays."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from crowdloom.models.errors import ModelError
from crowdloom.models.image_sets import ImageSet, channels_first, image_set, read_cifar10, read_images_npz
from crowdloom.models.squares import commonest_size
from crowdloom.tasks.soft_label import CIFAR10
from tests.models.cifar10_files import write_cifar10

PETS = ("cat", "dog")


def noise(*shape: int) -> Any:
    """Random pixels."""
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, dtype=np.uint8)


def pets(**changes: Any) -> ImageSet:
    """Three images, the last of an unknown class."""
    said = {"images": noise(3, 8, 6, 3), "keys": ("a", "b", "c"), "reference": np.array([1, 0, -1]), "classes": PETS}
    return ImageSet(**(said | changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"images": noise(3, 8, 6)}, r"these are uint8 \[3, 8, 6\]"),
        ({"images": noise(3, 8, 6, 2)}, "must be uint8"),
        ({"images": noise(3, 8, 6, 3) / 255}, "these are float64"),
        ({"images": noise(0, 8, 6, 3), "keys": (), "reference": np.array([], int)}, "at least one"),
        ({"keys": ("a", "b")}, "3 images have 2 keys and 3 classes"),
        ({"reference": np.array([1])}, "3 images have 3 keys and 1 classes"),
        ({"keys": ("a", "b", "a")}, "the key 'a' stands there twice"),
        ({"classes": ("cat", "cat")}, "the class 'cat' stands there twice"),
        ({"classes": ("cat",)}, "at least two classes"),
        ({"reference": np.array([0, 2, 0])}, "the image 'b' has the class number 2"),
        ({"reference": np.array([0, 0, -2])}, "the image 'c' has the class number -2"),
    ],
)
def test_what_does_not_fit_is_said(changes: dict[str, Any], said: str) -> None:
    """In one sentence that names the image."""
    with pytest.raises(ModelError, match=said):
        pets(**changes)


def test_parts_of_a_set() -> None:
    """Images go with their keys and classes."""
    images = pets()
    part = images.take([2, 0])
    assert (part.keys, part.reference.tolist(), len(part)) == (("c", "a"), [-1, 1], 2)
    assert (part.images == images.images[[2, 0]]).all()
    assert images.positions(["c", "x", "a"]).tolist() == [2, -1, 0]


def test_grey_images_in_colour() -> None:
    """Three equal channels; images in colour stay as they are."""
    grey = pets(images=noise(3, 8, 6, 1))
    colour = grey.in_colour().images
    assert colour.shape == (3, 8, 6, 3)
    assert (colour == grey.images).all()
    assert (pets().in_colour().images == pets().images).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_resizing_cuts_out_the_middle(channels: int) -> None:
    """The shorter side is resized, the longer one cut; a set that fits is left as it is."""
    wide = noise(2, 8, 16, channels)
    images = ImageSet(wide, ("a", "b"), np.array([0, 1]), PETS)
    assert (images.resized(8).images == wide[:, :, 4:12]).all()
    smaller = images.resized(4).images
    expected = Image.fromarray(wide[0].squeeze()).resize((8, 4), Image.Resampling.BILINEAR).crop((2, 0, 6, 4))
    assert smaller.shape == (2, 4, 4, channels)
    assert (smaller[0].squeeze() == np.asarray(expected)).all()
    assert images.resized(8).resized(8).images.shape == (2, 8, 8, channels)


def test_pictures_of_one_size_become_a_set() -> None:
    """Grey ones among pictures in colour become such; all grey ones keep one channel."""
    both = image_set([noise(8, 8), noise(8, 8, 3)], ["a", "b"], [0, 1], PETS)
    assert (both.images[0] == noise(8, 8)[..., None]).all()
    assert (both.images[1] == noise(8, 8, 3)).all()
    assert image_set([noise(8, 8), noise(8, 8)], ["a", "b"], [0, 1], PETS).images.shape == (2, 8, 8, 1)


def test_pictures_of_different_sizes() -> None:
    """They are named, with what to do; with a size they all get it."""
    pictures = [noise(8, 8, 3), noise(9, 12, 3), noise(20, 9)]
    with pytest.raises(ModelError, match=r"8 x 8 \(a\), 12 x 9 \(b\), 9 x 20 \(c\); give a size"):
        image_set(pictures, "abc", [0, 1, 0], PETS)
    assert commonest_size(pictures) == 9
    assert image_set(pictures, "abc", [0, 1, 0], PETS, size=9).images.shape == (3, 9, 9, 3)
    many = [noise(8 + number, 8) for number in range(7)]
    with pytest.raises(ModelError, match=r"8 x 11 \(3\) and 3 more; give"):
        image_set(many, [str(number) for number in range(7)], [0] * 7, PETS)
    with pytest.raises(ModelError, match="at least one"):
        image_set([], [], [], PETS)


def test_tensors_have_channels_first() -> None:
    """And lie in one piece."""
    tensor = torch.from_numpy(channels_first(pets().images))
    assert tensor.shape == (3, 3, 8, 6)
    assert tensor.is_contiguous()
    assert (tensor.permute(0, 2, 3, 1).numpy() == pets().images).all()


def test_cifar10_from_its_own_files(test_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pixels, classes and keys of both parts; the folder may be the one inside, too."""
    real = np.load(test_data / "cifar10-test-subset.npz")
    write_cifar10(tmp_path, real["images"], real["label"], monkeypatch)
    for folder in (tmp_path, tmp_path / "cifar-10-batches-py"):
        test = read_cifar10(folder)
        assert (test.images == real["images"]).all()
        assert (test.reference == real["label"]).all()
        assert (test.classes, test.keys[:2], test.keys[-1]) == (CIFAR10, ("0", "1"), "1532")
    train = read_cifar10(tmp_path, train=True)
    assert (train.images == real["images"][:100]).all()
    assert (train.keys[0], train.keys[-1]) == ("train-0", "train-99")


class Evil:
    """What makes a folder where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("name", ["test_batch", "batches.meta"])
def test_changed_files_are_not_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Torchvision checks the sums before: a pickle of somebody else's is refused, and does not run."""
    write_cifar10(tmp_path, noise(100, 32, 32, 3), np.arange(100) % 10, monkeypatch)
    assert len(read_cifar10(tmp_path)) == 100
    evil = pickle.dumps(Evil(tmp_path / "mark"))
    (tmp_path / "cifar-10-batches-py" / name).write_bytes(evil)
    with pytest.raises(ModelError, match="has no whole cifar-10-batches-py"):
        read_cifar10(tmp_path)
    assert not (tmp_path / "mark").exists()
    pickle.loads(evil)
    assert (tmp_path / "mark").exists()


def test_no_cifar10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it can be had, and the option that fetches it; where fetching fails, that is said."""
    with pytest.raises(ModelError, match=r"www\.cs\.toronto\.edu/~kriz/cifar\.html there, or add --download"):
        read_cifar10(tmp_path)
    monkeypatch.setattr("torchvision.datasets.CIFAR10.url", (tmp_path / "nothing.tar.gz").as_uri())
    with pytest.raises(ModelError, match="could not be downloaded into"):
        read_cifar10(tmp_path, download=True)


def test_arrays(test_data: Path) -> None:
    """The real ones, by name and by number."""
    path = test_data / "cifar10-test-subset.npz"
    real = np.load(path)
    images = read_images_npz(path, CIFAR10)
    assert (images.images == real["images"]).all()
    assert list(images.keys) == [str(index) for index in real["index"]]
    assert (images.reference == real["label"]).all()
    assert read_images_npz(path).classes == tuple("0123456789")


def test_arrays_without_labels_or_with_names(tmp_path: Path) -> None:
    """Grey images, keys from 0, classes that nobody knows; or names as labels."""
    np.savez(tmp_path / "a.npz", images=noise(2, 8, 8))
    plain = read_images_npz(tmp_path / "a.npz", PETS)
    assert (plain.images.shape, plain.keys, plain.reference.tolist()) == ((2, 8, 8, 1), ("0", "1"), [-1, -1])
    np.savez(tmp_path / "b.npz", images=noise(2, 8, 8), label=np.array(["dog", "cat"]), index=np.array(["x", "y"]))
    named = read_images_npz(tmp_path / "b.npz")
    assert (named.classes, named.reference.tolist(), named.keys) == (("cat", "dog"), [1, 0], ("x", "y"))
    assert read_images_npz(tmp_path / "b.npz", ("dog", "cat")).reference.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"image": noise(2, 8, 8)}, "needs an array `images`"),
        ({"images": noise(2, 8, 8) / 255}, "needs an array `images`"),
        ({"images": noise(2, 8, 8), "label": np.array([0.5, 1])}, "one number or name"),
        ({"images": noise(2, 8, 8), "label": np.array([0, 2])}, "a.npz: the image '1' has the class number 2"),
        ({"images": noise(2, 8, 8), "label": np.array(["cat", "cow"])}, "the label 'cow', which is none of cat, dog"),
        ({"images": noise(2, 8, 8), "index": np.array([4, 4])}, "a.npz: the key '4' stands there twice"),
        ({"images": noise(2, 8, 8, 4)}, "a.npz: images must be uint8"),
        ({"images": np.array([{}, {}])}, "cannot be read as .npz"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    """One sentence that names the file; nothing is unpickled."""
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ModelError, match=said):
        read_images_npz(tmp_path / "a.npz", PETS)


def test_no_arrays(tmp_path: Path) -> None:
    """The file is named."""
    (tmp_path / "a.npz").write_text("no archive")
    for name in ("a.npz", "b.npz"):
        with pytest.raises(ModelError, match=f"{name} cannot be read as .npz"):
            read_images_npz(tmp_path / name)
