"""The material of the tables: what fits together, a few images of each kind, and the stand-in for real data."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crowdloom.analysis.labels import build_labels, entropy, parse_variety
from crowdloom.models.errors import ModelError
from crowdloom.models.experiments.answers import Mixed, SoftAnswers, no_soft_answers
from crowdloom.models.experiments.material import Material
from crowdloom.models.experiments.stand_in import stand_in_material
from crowdloom.models.image_sets import ImageSet


@pytest.fixture(scope="module")
def material() -> Material:
    """The stand-in; tests only read it."""
    return stand_in_material(0)


def test_the_stand_in_has_all_kinds_of_material(material: Material) -> None:
    """Digits in colour, 51 people's counts, soft answers of six people for 120 images, 60 mixes with two answers."""
    assert material.images.shape == (1797, 32, 32, 3)
    assert (material.images[..., 0] == material.images[..., 2]).all()
    assert material.counts is not None
    assert (material.counts.sum(axis=1) == 51).all()
    assert (len(material.labelled), len(material.soft)) == (120, 720)
    assert (np.bincount(material.soft.item)[material.labelled] == 6).all()
    assert sorted([*material.labelled, *material.others]) == material.train.tolist()
    assert sorted([*material.train, *material.test]) == list(range(1797))
    assert material.mixed is not None
    assert (len(material.mixed.images), len(material.mixed.item)) == (60, 120)
    assert set(material.origins) == {"images", "counts", "soft", "mixed", "split", "similarity"}
    assert all("simulated" in material.origins[name] for name in ("counts", "soft", "mixed"))


def test_its_people_know_what_they_say(material: Material) -> None:
    """Their answers agree with the images, not always, and are surer where images are clearer; all give labels."""
    assert material.counts is not None
    assert material.mixed is not None
    soft, mixed = material.soft, material.mixed
    right = soft.elicited.top1 == material.reference[soft.item]
    assert 0.7 < right.mean() < 0.97
    unsure = entropy(material.counts / material.counts.sum(axis=1, keepdims=True))
    assert 30 < (unsure[material.labelled] >= 0.5).sum() < 90  # both kinds of images, for a simulator of labels
    assert np.corrcoef(unsure[soft.item], soft.elicited.top1_probability)[0, 1] < -0.2
    assert np.corrcoef(mixed.inferred, mixed.coefficient[mixed.item])[0, 1] > 0.7
    assert (mixed.endpoint1 < mixed.endpoint2).all()
    assert set(mixed.coefficient) == {0.1, 0.25, 0.5, 0.75, 0.9}
    assert material.similarity is not None
    labels, kept = build_labels(soft.elicited, parse_variety("T2-semantic"), similarity=material.similarity)
    assert kept.mean() > 0.99
    assert labels[kept].sum(axis=1) == pytest.approx(1)


def test_mixes_lie_between_their_images(material: Material) -> None:
    """With 0.9 of the first digit the ink of a mix is mostly that of some image of its class."""
    assert material.mixed is not None
    assert material.mixed.images.dtype == np.uint8
    strong = np.flatnonzero(material.mixed.coefficient == 0.9)[0]
    of_class = material.images[material.reference == material.mixed.endpoint1[strong]].astype(int)
    off = np.abs(of_class - material.mixed.images[strong].astype(int)).mean(axis=(1, 2, 3))
    assert off.min() < 15
    assert off.mean() > 2 * off.min()


def test_the_seed_decides(material: Material) -> None:
    """The same seed gives the same material, another one another."""
    again, other = stand_in_material(0), stand_in_material(1)
    for name in ("counts", "train", "similarity"):
        assert (getattr(material, name) == getattr(again, name)).all()
    for field in fields(Mixed):
        assert np.array_equal(getattr(material.mixed, field.name), getattr(again.mixed, field.name))
    assert np.array_equal(material.soft.elicited.top1_probability, again.soft.elicited.top1_probability)
    assert not np.array_equal(material.soft.item, other.soft.item)


def test_a_few_images_of_each_kind(material: Material) -> None:
    """A third each; pixels, counts and answers stay with their images, and mixes with their answers."""
    few = material.reduced(60, seed=3)
    assert (len(few.labelled), len(few.others), len(few.test), len(few.pictures)) == (20, 20, 20, 60)
    assert (np.bincount(few.reference) == 6).all()
    old = material.pictures.positions(few.keys)
    assert (np.diff(old) > 0).all()
    assert (few.images == material.images[old]).all()
    assert material.counts is not None
    assert few.counts is not None
    assert (few.counts == material.counts[old]).all()
    assert set(old[few.train]) <= set(material.train)
    assert set(old[few.test]) <= set(material.test)
    for place in few.labelled:
        now = few.soft.elicited.top1_probability[few.soft.item == place]
        before = material.soft.elicited.top1_probability[material.soft.item == old[place]]
        assert now.tolist() == before.tolist()
    assert few.mixed is not None
    assert (len(few.mixed.images), len(few.mixed.item)) == (20, 40)
    assert "60 were drawn with the seed 3" in few.origins["reduced"]
    assert few.keys == material.reduced(60, seed=3).keys != material.reduced(60, seed=4).keys


def test_kinds_that_are_small_or_missing(material: Material) -> None:
    """What one kind lacks the others give; nothing is invented."""
    assert len(material.reduced(600, seed=0).labelled) == 120
    assert len(material.reduced(600, seed=0).pictures) == 600
    assert len(material.reduced(10**6, seed=0).pictures) == 1797
    plain = replace(material, soft=no_soft_answers(10), mixed=None, counts=None)
    few = plain.reduced(20, seed=0)
    assert (len(few.labelled), len(few.others), len(few.test), few.mixed, few.counts) == (0, 10, 10, None, None)


def small(**changes: Any) -> Material:
    """Three images, one of them with an answer, one mix."""
    pictures = ImageSet(np.zeros((3, 8, 8, 3), np.uint8), ("a", "b", "c"), np.array([0, 1, 1]), ("cat", "dog"))
    soft = no_soft_answers(2)
    said: dict[str, Any] = {
        "pictures": pictures, "counts": np.ones((3, 2), int), "soft": soft, "train": np.array([0, 1]),
        "test": np.array([2]), "mixed": mix(), "similarity": np.eye(2)
    }  # fmt: skip
    return Material(**(said | changes))


def mix(**changes: Any) -> Mixed:
    """One mix with one answer."""
    said: dict[str, Any] = {
        "images": np.zeros((1, 8, 8, 3), np.uint8), "endpoint1": np.array([0]), "endpoint2": np.array([1]),
        "coefficient": np.array([0.5]), "item": np.array([0]), "annotator": np.array([0]),
        "inferred": np.array([0.4]), "confidence": np.array([np.nan])
    }  # fmt: skip
    return Mixed(**(said | changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"counts": np.ones((2, 2), int)}, "a row for each of 3 images"),
        ({"counts": np.array([[1, 0], [0, 0], [1, 1]])}, "the image 'b' are negative or all 0"),
        ({"soft": no_soft_answers(3)}, "speak of 3 classes, not of 2"),
        ({"train": np.array([0, 3])}, "a split names an image that is not there"),
        ({"test": np.array([1, 2])}, "both trained on and kept"),
        ({"similarity": np.eye(3)}, "the similarity of 2 classes"),
        (
            {"mixed": mix(images=np.zeros((1, 8, 9, 3), np.uint8))},
            "mixes are 9 x 8 pixels with 3 channels, images 8",
        ),
        ({"mixed": mix(endpoint2=np.array([2]))}, "an endpoint that is none"),
    ],
)
def test_parts_that_do_not_fit(changes: dict[str, Any], said: str) -> None:
    """One sentence says which."""
    assert len(small().pictures) == 3
    with pytest.raises(ModelError, match=said):
        small(**changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"endpoint1": np.array([0, 1])}, "1 mixes need two endpoints"),
        ({"annotator": np.array([0, 1])}, "1 answers about mixes need"),
        ({"inferred": np.array([40.0])}, "must lie between 0 and 1"),
        ({"inferred": np.array([np.nan])}, "must lie between 0 and 1"),
        ({"confidence": np.array([80.0])}, "must lie between 0 and 1"),
        ({"item": np.array([1])}, "a mix that is not there"),
    ],
)
def test_mixes_that_do_not_fit(changes: dict[str, Any], said: str) -> None:
    """One sentence says why."""
    with pytest.raises(ModelError, match=said):
        mix(**changes)


def test_answers_that_do_not_fit(material: Material) -> None:
    """Each needs an image and an annotator; of images that are not there nobody speaks."""
    with pytest.raises(ModelError, match="720 soft answers need"):
        SoftAnswers(material.soft.item[1:], material.soft.annotator, material.soft.elicited)
    with pytest.raises(ModelError, match="a soft answer names an image that is not there"):
        replace(material, soft=replace(material.soft, item=material.soft.item + 1797))


def test_a_folder_of_corruptions_is_kept(material: Material, tmp_path: Path) -> None:
    """It goes along with fewer images."""
    assert replace(material, corrupted=tmp_path).reduced(30, seed=0).corrupted == tmp_path
