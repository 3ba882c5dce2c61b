"""How rows get their labels: each kind against its own definition, on the stand-in material."""

from __future__ import annotations

import numpy as np
import pytest

from crowdloom.analysis.elicited import Ints
from crowdloom.analysis.label_pools import LabelPool
from crowdloom.analysis.labels import build_labels, entropy, parse_variety
from crowdloom.models.experiments.labellings import (
    Counted,
    Extended,
    Hard,
    Inferred,
    Labelling,
    OfMixup,
    Random,
    Smoothed,
    Soft,
    Uniform,
    similarity_of,
)
from crowdloom.models.experiments.material import Material
from crowdloom.models.experiments.stand_in import stand_in_material


@pytest.fixture(scope="module")
def material() -> Material:
    """Simulated people's, with answers of six about each of 120 images."""
    return stand_in_material(0)


def pool(labels: Labelling, material: Material, images: Ints, seed: int = 0) -> LabelPool:
    """The labels of these images."""
    return labels.pool(material, images, np.random.default_rng(seed))


def test_hard_random_uniform_and_smoothed(material: Material) -> None:
    """One-hot of the class, of any class, all the same, and 5 % of it shared by ten classes."""
    images = material.labelled[::-1]
    hard = pool(Hard(), material, images).labels
    assert hard.argmax(1).tolist() == material.reference[images].tolist()
    assert (hard.max(1) == 1).all()
    random = pool(Random(), material, images).labels
    assert (random.max(1) == 1).all()
    assert 0 < (random.argmax(1) == material.reference[images]).mean() < 0.4
    assert not np.array_equal(random, pool(Random(), material, images, seed=1).labels)
    assert (pool(Uniform(), material, images).labels == 0.1).all()
    np.testing.assert_allclose(pool(Smoothed(0.05), material, images).labels, 0.95 * hard + 0.005)


def test_counted_labels_are_the_shares_of_people(material: Material) -> None:
    """Aggregated they are the shares; apart, one hard label a person; of M people, M of these."""
    assert material.counts is not None
    images = material.labelled
    shares = material.counts[images] / material.counts[images].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(pool(Counted(), material, images).labels, shares)
    apart = pool(Counted(apart=True), material, images)
    assert (apart.count == 51).all()
    assert (apart.labels.max(1) == 1).all()
    np.testing.assert_allclose(apart.mean(), shares)
    two = pool(Counted(apart=True, annotators=2), material, images)
    assert (two.count == 2).all()
    np.testing.assert_allclose(pool(Counted(annotators=2), material, images).labels, two.mean())


@pytest.mark.parametrize("variety", ["T1-uniform", "T1-clamp", "T2-uniform", "T2-clamp", "T2-semantic"])
def test_soft_labels_are_built_from_each_answer(material: Material, variety: str) -> None:
    """Each image's rows are the labels of its own answers; their mean is the aggregated label."""
    images = material.labelled[[5, 3, 90]]
    whole, kept = build_labels(material.soft.elicited, parse_variety(variety), 0.1, similarity_of(material))
    assert kept.all()
    apart = pool(Soft(variety, apart=True), material, images)
    assert apart.count.tolist() == [6, 6, 6]
    for place, image in enumerate(images):
        expected = whole[material.soft.item == image]
        np.testing.assert_allclose(apart.take([place]).labels, expected)
        np.testing.assert_allclose(pool(Soft(variety), material, images).labels[place], expected.mean(axis=0))


def test_fewer_people_are_among_more(material: Material) -> None:
    """With one seed, the label of one person is one of those of four."""
    images = material.labelled
    one, four = (pool(Soft(apart=True, annotators=m), material, images) for m in (1, 4))
    for place in range(len(images)):
        assert (four.take([place]).labels == one.labels[place]).all(axis=1).any()


def test_extended_labels_are_collected_and_elsewhere_simulated(material: Material) -> None:
    """Images with answers keep those, in whatever order they stand; others get six that are soft, too."""
    images = np.random.default_rng(0).permutation(material.train)[:200]
    extended = pool(Extended(), material, images)
    asked = np.isin(images, material.soft.item)
    assert 5 < asked.sum() < 100
    collected = pool(Soft(apart=True), material, images[asked])
    np.testing.assert_array_equal(extended.take(np.flatnonzero(asked)).labels, collected.labels)
    simulated = extended.take(np.flatnonzero(~asked))
    assert (simulated.count == 6).all()
    assert entropy(simulated.labels).mean() > 0.05
    right = simulated.mean().argmax(1) == material.reference[images[~asked]]
    assert right.mean() > 0.8


def test_labels_of_mixes(material: Material) -> None:
    """mixup's by lambda_f; people's mean; each answer apart; smoothed ones reach other classes."""
    mixed = material.mixed
    assert mixed is not None
    mixes = np.array([7, 2, 40])
    by_mixup = pool(OfMixup(), material, mixes)
    rows = np.arange(3)
    np.testing.assert_allclose(by_mixup.labels[rows, mixed.endpoint1[mixes]], mixed.coefficient[mixes])
    mean, apart = pool(Inferred(), material, mixes), pool(Inferred(apart=True), material, mixes)
    assert apart.count.tolist() == [2, 2, 2]
    np.testing.assert_allclose(apart.mean(), mean.labels)
    expected = [mixed.inferred[mixed.item == mix].mean() for mix in mixes]
    np.testing.assert_allclose(mean.labels[rows, mixed.endpoint1[mixes]], expected)
    assert ((mean.labels > 0).sum(axis=1) <= 2).all()
    assert (pool(Inferred(confidence=True), material, mixes).labels > 0).all()
    assert len(pool(Inferred(apart=True, confidence=True), material, mixes).labels) == 6


def test_a_labelling_is_written_as_plain_values() -> None:
    """Its kind, and what it is set to."""
    assert Soft("T1-clamp", apart=True).as_json() == {
        "kind": "soft",
        "variety": "T1-clamp",
        "apart": True,
        "annotators": None,
    }
    assert Uniform().as_json() == {"kind": "uniform"}
