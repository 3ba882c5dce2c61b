"""The images of a study's items, from the store: as they came, wherever they are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from crowdloom.models.image_sets import ImageSet
from crowdloom.studies.database import Store
from crowdloom.studies.errors import ItemError, StudyError
from crowdloom.studies.learning.study_images import study_images
from tests.studies.designs import CLASSES, load, make_design, make_images
from tests.studies.test_importing_mixed import INFER, A, bring, infer
from tests.studies.test_media import bucket, s3_server  # noqa: F401 - fixtures


def files(folder: Path) -> dict[str, Any]:
    """The pixels of the images in the folder of a design, by key."""
    root = folder / "images"
    return {path.relative_to(root).as_posix(): np.asarray(Image.open(path)) for path in root.rglob("*.png")}


def check(images: ImageSet, folder: Path) -> None:
    """Pixels, keys and classes are those of the files."""
    assert images.classes == CLASSES
    assert sorted(images.keys) == sorted(files(folder))
    for key, pixels, reference in zip(images.keys, images.images, images.reference, strict=True):
        assert (pixels == files(folder)[key]).all()
        assert CLASSES[reference] == key.split("/")[0]


def test_images_are_as_they_came(store: Store, tmp_path: Path) -> None:
    """Eight pixels wide, though pages show them enlarged; in the order in which they were loaded."""
    make_images(tmp_path, 6)
    load(store, tmp_path)
    images = study_images(store, "pets")
    assert images.images.shape == (6, 8, 8, 3)
    check(images, tmp_path)


@pytest.mark.usefixtures("bucket")
def test_images_in_a_bucket(sqlite_store: Store, tmp_path: Path) -> None:
    """The same from a server that speaks S3."""
    make_images(tmp_path, 4)
    load(sqlite_store, tmp_path, bucket="s3://stimuli")
    check(study_images(sqlite_store, "pets"), tmp_path)


def test_only_items_in_batches_count_and_of_them_the_newest(sqlite_store: Store, tmp_path: Path) -> None:
    """A version's own images where it is named; else each item's newest."""
    make_images(tmp_path, 4)
    load(sqlite_store, tmp_path, make_design(items={"source": "folder", "path": "images", "sample": 2}))
    assert len(study_images(sqlite_store, "pets")) == 2
    make_images(tmp_path, 2, (12, 12))
    load(sqlite_store, tmp_path, make_design(title="Another"))
    newest = study_images(sqlite_store, "pets", size=12)
    assert len(newest) == 4
    changed = newest.images[newest.positions(["cat/0.png"])[0]]
    assert (changed == files(tmp_path)["cat/0.png"]).all()
    assert study_images(sqlite_store, "pets", version=1).images.shape[1:] == (8, 8, 3)


def test_images_of_different_sizes(sqlite_store: Store, tmp_path: Path) -> None:
    """They become squares of the commonest size, or of the size asked for."""
    make_images(tmp_path, 4, (10, 8))
    make_images(tmp_path, 1, (30, 20))
    load(sqlite_store, tmp_path)
    images = study_images(sqlite_store, "pets")
    assert images.images.shape == (4, 8, 8, 3)
    small = images.images[images.positions(["dog/1.png"])[0]]
    assert (small == files(tmp_path)["dog/1.png"][:, 1:9]).all()
    assert study_images(sqlite_store, "pets", size=16).images.shape == (4, 16, 16, 3)


def test_grey_images(sqlite_store: Store, tmp_path: Path) -> None:
    """One channel, which makes three equal ones in colour; a reference is not needed."""
    path = tmp_path / "images"
    path.mkdir()
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(grey).save(path / "a.png")
    Image.fromarray(grey.T).save(path / "b.png")
    load(sqlite_store, tmp_path)
    images = study_images(sqlite_store, "pets")
    assert (images.images.shape, images.reference.tolist()) == ((2, 8, 8, 1), [-1, -1])
    assert (images.in_colour().images[0, ..., 1] == grey).all()


def test_items_without_images_are_named(sqlite_store: Store, tmp_path: Path) -> None:
    """As those of imported answers; and a study must be there."""
    bring(sqlite_store, tmp_path, infer("ann", [(A, 1, 2)]), INFER, "hmix-infer")
    with pytest.raises(ItemError, match=rf"the item 'mixed_{A}\.png' of 's' has no image in the store.*--images"):
        study_images(sqlite_store, "s")
    with pytest.raises(StudyError, match="nothing"):
        study_images(sqlite_store, "nothing")
