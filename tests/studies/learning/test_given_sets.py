"""Images given to a command: the kinds of source, each told by its own look."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crowdloom.studies.errors import ItemError
from crowdloom.studies.learning.given_sets import read_image_folder, read_source
from crowdloom.tasks.soft_label import CIFAR10
from tests.models.cifar10_files import write_cifar10
from tests.studies.designs import CLASSES, make_images


def test_a_folder_with_a_sub_folder_for_each_class(tmp_path: Path) -> None:
    """Keys are paths; classes are the sub-folders, or those given, in their order."""
    make_images(tmp_path, 5)
    read = read_source(str(tmp_path / "images"))
    assert read.pictures.classes == CLASSES
    assert read.pictures.images.shape == (5, 8, 8, 3)
    assert read.origin == "Images of the folder images."
    assert read.pictures.keys[0] == "cat/0.png"
    turned = read_image_folder(tmp_path / "images", classes=CLASSES[::-1])
    assert turned.reference.tolist() == (2 - read.pictures.reference).tolist()
    with pytest.raises(ItemError, match="its class 'frog' is none of"):
        read_image_folder(tmp_path / "images", classes=("cat", "dog"))


def test_images_of_different_sizes_and_no_images(tmp_path: Path) -> None:
    """They are named, or all get the size asked for; a file that is no image is named, too."""
    make_images(tmp_path, 4)
    make_images(tmp_path, 1, (12, 9))
    with pytest.raises(ItemError, match=r"images: the images have different sizes, 12 x 9 \(cat/0.png\), 8 x 8"):
        read_image_folder(tmp_path / "images")
    assert read_image_folder(tmp_path / "images", size=9).images.shape == (4, 9, 9, 3)
    (tmp_path / "images" / "dog" / "x.png").write_text("none")
    with pytest.raises(ItemError, match=r"x\.png is not an image"):
        read_image_folder(tmp_path / "images")


def test_grey_files_keep_one_channel(tmp_path: Path) -> None:
    """Until they are wanted in colour."""
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        Image.fromarray(np.eye(8, dtype=np.uint8)).save(tmp_path / name / "a.png")
    assert read_image_folder(tmp_path).images.shape == (2, 8, 8, 1)


def test_other_sources(test_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Digits, an archive of arrays, and CIFAR-10's own files."""
    digits = read_source("digits", size=32)
    assert digits.pictures.images.shape == (1797, 32, 32, 1)
    assert digits.pictures.classes == tuple("0123456789")
    path = test_data / "cifar10-test-subset.npz"
    arrays = read_source(str(path), classes=CIFAR10, size=16)
    assert arrays.pictures.images.shape == (1533, 16, 16, 3)
    assert arrays.origin == "Images of the file cifar10-test-subset.npz."
    real = np.load(path)
    write_cifar10(tmp_path, real["images"], real["label"], monkeypatch)
    for folder in (tmp_path, tmp_path / "cifar-10-batches-py"):
        cifar10 = read_source(str(folder))
        assert (cifar10.pictures.images == real["images"]).all()
        assert "CIFAR-10" in cifar10.origin


def test_sources_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence for each."""
    with pytest.raises(ItemError, match=r"nothing\.npz: there is no such file or folder"):
        read_source(str(tmp_path / "nothing.npz"))
    with pytest.raises(ItemError, match="holds no images"):
        read_source(str(tmp_path))
    (tmp_path / "cifar-10-batches-py").mkdir()
    with pytest.raises(ItemError, match=r"has no whole cifar-10-batches-py.*--download"):
        read_source(str(tmp_path))
    monkeypatch.setattr("torchvision.datasets.CIFAR10.url", (tmp_path / "nothing.tar.gz").as_uri())
    with pytest.raises(ItemError, match="could not be downloaded"):
        read_source(str(tmp_path / "new"), download=True)
