"""Splits: nobody on both sides, the same for the same seed, and what is left of the authors' where images lack."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crowdloom.models.errors import ModelError
from crowdloom.models.splits import Split, authors_split, held_out, seeded_split


def test_the_authors_split(test_data: Path) -> None:
    """Each of the 10,000 test images is on one side; all that we have pictures of are trained on."""
    split = authors_split(test_data / "cifar10-split.npz")
    assert (len(split.train), len(split.test)) == (7000, 3000)
    assert sorted([*split.train, *split.test]) == list(range(10_000))
    index = np.load(test_data / "cifar10-test-subset.npz")["index"]
    there = split.present(index)
    assert (there.train.tolist(), len(there.test)) == (list(range(1533)), 0)


def test_what_is_present_of_a_split() -> None:
    """Positions among the images that are there; those that the split does not name are on no side."""
    there = Split(np.array([1, 4, 9]), np.array([2, 3])).present([3, 9, 7, 1])
    assert (there.train.tolist(), there.test.tolist()) == ([1, 3], [0])


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"train": np.array([1, 2])}, "holds no split"),
        ({"train": np.array([1, 2]), "test": np.array([0.5])}, "must hold the numbers"),
        ({"train": np.array([[1, 2]]), "test": np.array([0])}, "must hold the numbers"),
        ({"train": np.array([1, 2]), "test": np.array([2, 3])}, "split.npz: the image 2 stands in a split twice"),
        ({"train": np.array([-1, 2]), "test": np.array([3])}, "split.npz: a split counts images from 0, but holds -1"),
        ({"train": np.array([{}]), "test": np.array([3])}, "cannot be read as .npz"),
    ],
)
def test_a_file_without_a_split(tmp_path: Path, arrays: dict[str, np.ndarray], said: str) -> None:
    """One sentence that names the file; nothing is unpickled."""
    np.savez(tmp_path / "split.npz", **arrays)
    with pytest.raises(ModelError, match=said):
        authors_split(tmp_path / "split.npz")


def test_no_file(tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(ModelError, match=r"nothing\.npz cannot be read"):
        authors_split(tmp_path / "nothing.npz")


def test_a_hundred_are_held_out_anew_for_each_seed() -> None:
    """900 are left; the same seed holds out the same, in whatever order the images come."""
    images = np.random.default_rng(0).choice(10_000, 1000, replace=False)
    one, again, other = held_out(images, 100, 1), held_out(images[::-1], 100, 1), held_out(images, 100, 2)
    assert (len(one.train), len(one.test)) == (900, 100)
    assert sorted([*one.train, *one.test]) == sorted(images)
    assert one.test.tolist() == again.test.tolist()
    assert len(np.intersect1d(one.test, other.test)) < 30  # 10 are expected
    often = np.bincount(np.concatenate([held_out(range(20), 5, seed).test for seed in range(400)]), minlength=20)
    assert often.min() > 60  # 100 are expected of each


@pytest.mark.parametrize("count", [5, -1])
def test_something_must_be_left(count: int) -> None:
    """Not all can be held out."""
    with pytest.raises(ModelError, match="cannot be held out of 5"):
        held_out(range(5), count, 0)


def test_each_class_gives_its_share() -> None:
    """As near to it as whole images allow, and small classes keep one on each side."""
    classes = np.random.default_rng(0).permutation(np.repeat([0, 1, 2, 3, -1], [500, 300, 33, 2, 1]))
    split = seeded_split(836, 0.3, 4, by=classes)
    assert sorted([*split.train, *split.test]) == list(range(836))
    counts = {name: int((classes[split.test] == name).sum()) for name in (0, 1, 2, 3, -1)}
    assert counts[0] == pytest.approx(150, abs=1)
    assert counts[1] == pytest.approx(90, abs=1)
    assert counts[2] == pytest.approx(10, abs=1)
    assert counts[3] == 1
    assert counts[-1] == 0  # an only image is trained on
    again, other = seeded_split(836, 0.3, 4, by=classes), seeded_split(836, 0.3, 5, by=classes)
    assert split.test.tolist() == again.test.tolist() != other.test.tolist()


def test_many_classes_of_one_image_take_nothing_from_another() -> None:
    """Each is trained on; the large class gives its own share."""
    split = seeded_split(120, 0.3, 0, by=[*range(100), *[100] * 20])
    assert len(split.test) in (6, 7)


@pytest.mark.parametrize(
    ("n", "share", "by", "said"),
    [
        (10, 0.0, None, "must lie between 0 and 1"),
        (10, float("nan"), None, "must lie between 0 and 1"),
        (1, 0.3, None, "too few"),
        (2, 0.3, [0, 1], "too few"),
        (3, 0.3, [0, 1], "the class of each of the 3 images, got 2"),
    ],
)
def test_what_cannot_be_split(n: int, share: float, by: list[int] | None, said: str) -> None:
    """One sentence says why."""
    with pytest.raises(ModelError, match=said):
        seeded_split(n, share, 0, by=by)
