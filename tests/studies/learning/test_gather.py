"""The material of the tables from files and from the store: keys, classes, counts and splits that fit, and do not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crowdloom.analysis.similarity import read_similarity
from crowdloom.models.image_sets import image_set
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.errors import CrowdloomError, ItemError, OptionError
from crowdloom.studies.importing import import_jspsych
from crowdloom.studies.items.pixels import mix_images
from crowdloom.studies.learning.gather import gather
from crowdloom.studies.learning.given_sets import Source, read_source
from crowdloom.studies.participation import Designs, read_progress, save_answer
from crowdloom.studies.posting import publish
from crowdloom.tasks.soft_label import CIFAR10
from tests.studies.designs import CLASSES, load, make_design, make_images
from tests.studies.takers import ANSWER, Study
from tests.studies.test_importing_mixed import CHOOSE, INFER, bring, choose, infer

AIRPLANE, FROG, DOG = 0, 6, 5
FIRST, SECOND = "0.1_Airplane_4126_Frog_5936", "0.75_Dog_2205_Frog_4127"


@pytest.fixture(scope="module")
def crowd(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with the real crowd study; tests only read it."""
    store = open_store(str(tmp_path_factory.mktemp("crowd") / "store.db"))
    import_jspsych(store, test_data / "cifar10s-raw.csv", task="soft-label", study="cifar10s")
    yield store
    store.close()


def real(test_data: Path, **changes: Any) -> dict[str, Any]:
    """What `gather` is given for the real data."""
    images = read_source(str(test_data / "cifar10-test-subset.npz"), classes=CIFAR10)
    said = {
        "images": images,
        "soft_study": "cifar10s",
        "counts": test_data / "cifar10h-counts.npy",
        "split": test_data / "cifar10-split.npz",
    }
    return said | changes


def test_the_real_crowd_study(crowd: Store, test_data: Path) -> None:
    """1,000 images with six people's answers to train on, the 533 others for evaluation, each with its own counts."""
    material = gather(crowd, **real(test_data))
    assert (len(material.labelled), len(material.others), len(material.test)) == (1000, 0, 533)
    assert (len(material.soft), len(np.unique(material.soft.annotator))) == (6200, 248)
    answers = np.bincount(material.soft.item, minlength=1533)
    assert answers[material.test].max() == 0
    assert set(answers[material.train]) <= {6, 7}
    counts = np.load(test_data / "cifar10h-counts.npy")
    assert material.counts is not None
    assert (material.counts == counts[np.load(test_data / "cifar10-test-subset.npz")["index"]]).all()
    assert (material.soft.elicited.top1 == material.reference[material.soft.item]).mean() > 0.6  # chance: 0.1
    assert (material.counts.argmax(axis=1) == material.reference).mean() > 0.9
    assert "none is there: the 1000 with soft answers" in material.origins["split"]
    assert material.similarity is not None
    assert material.similarity[3].argsort()[-2] == DOG  # of cats people say dog second


def test_a_similarity_of_ones_own(crowd: Store, test_data: Path, tmp_path: Path) -> None:
    """A file comes before the second choices."""
    path = tmp_path / "similarity.csv"
    path.write_text(",".join(["", *CIFAR10]) + "\n" + "".join(f"{name}{',0.5' * 10}\n" for name in CIFAR10))
    material = gather(crowd, **real(test_data, similarity=path))
    assert material.similarity is not None
    assert (material.similarity == read_similarity(path, CIFAR10)).all()
    assert material.origins["similarity"] == "By the file similarity.csv."


def test_without_the_authors_split_the_seed_draws_one(crowd: Store, test_data: Path) -> None:
    """30 % of each class."""
    one, other = (gather(crowd, **real(test_data, split=None, seed=seed)) for seed in (1, 2))
    assert (len(one.train), len(one.test)) == (1073, 460)
    assert one.test.tolist() != other.test.tolist()
    assert one.origins["split"] == "30 % of each class for evaluation, drawn with the seed 1."


def test_a_split_whose_evaluation_is_there(crowd: Store, test_data: Path, tmp_path: Path) -> None:
    """Then it is taken as it is, by the images' numbers."""
    index = np.load(test_data / "cifar10-test-subset.npz")["index"]
    np.savez(tmp_path / "split.npz", train=index[100:], test=index[:100])
    material = gather(crowd, **real(test_data, split=tmp_path / "split.npz"))
    assert material.test.tolist() == list(range(100))
    assert material.train.tolist() == list(range(100, 1533))
    assert 0 < len(material.labelled) < 1000


def test_what_does_not_fit(crowd: Store, test_data: Path, tmp_path: Path) -> None:
    """One sentence says what, and what to do."""
    whole = read_source(str(test_data / "cifar10-test-subset.npz"), classes=CIFAR10)
    few = whole._replace(pictures=whole.pictures.take(np.arange(700)))
    turned = read_source(str(test_data / "cifar10-test-subset.npz"), classes=CIFAR10[::-1])
    renamed = Source(image_set(list(np.zeros((2, 8, 8), np.uint8)), ["x", "y"], [0, 1], CIFAR10), "")
    np.save(tmp_path / "narrow.npy", np.ones((10_000, 3)))
    np.save(tmp_path / "short.npy", np.ones((10, 10)))
    np.save(tmp_path / "half.npy", np.full((10_000, 10), 0.5))
    np.savez(tmp_path / "elsewhere.npz", train=[70_000], test=[70_001])
    wrong: list[tuple[dict[str, Any], type[CrowdloomError], str]] = [
        ({"images": None, "soft_study": None}, OptionError, "nothing to learn from"),
        ({"images": None}, ItemError, "the item '1128' .and 999 more. of 'cifar10s' has no image"),
        ({"images": few}, ItemError, "of 'cifar10s' is none of the 700 images given"),
        ({"images": turned}, OptionError, "the same ones in the same order"),
        ({"images": renamed}, ItemError, "is none of the 2 images given"),
        ({"images": renamed, "soft_study": None}, ItemError, "has 10000 rows, neither those of the 2 images"),
        ({"images": renamed, "soft_study": None, "counts": None}, ItemError, "names none of the images to train on"),
        ({"soft_study": None}, ItemError, "none of the images that .* keeps for evaluation is there"),
        ({"soft_study": None, "similarity": tmp_path / "s.csv"}, OptionError, "of use for a study of soft labels"),
        ({"counts": tmp_path / "narrow.npy"}, OptionError, "counts of 3 classes, the images have 10"),
        ({"counts": tmp_path / "short.npy"}, ItemError, "has 10 rows"),
        ({"counts": tmp_path / "half.npy"}, OptionError, "no whole numbers"),
        ({"counts": tmp_path / "none.npy"}, OptionError, "cannot be read as an .npy array"),
        ({"split": tmp_path / "elsewhere.npz"}, ItemError, "names none of the images to train on"),
        ({"split": tmp_path / "none.npz"}, ItemError, "cannot be read as .npz"),
        ({"corrupted": tmp_path / "none"}, OptionError, "is no folder; give the one with CIFAR-10-C"),
        ({"mixed_study": "cifar10s"}, OptionError, "of the task 'soft-label'; name one of 'mixing-coefficient'"),
    ]
    for changes, kind, said in wrong:
        with pytest.raises(kind, match=said):
            gather(crowd, **real(test_data, **changes))


def test_a_users_own_study(store: Store, tmp_path: Path) -> None:
    """Images, classes and answers all come from the store; counts are in the images' order; repeats do not count."""
    batches = {"size": 12, "responses_per_item": 2, "repeats": [2]}
    study = Study(store, tmp_path, items=12, batches=batches)
    for person in ("ann", "ben"):
        study.answer(study.arrive(person))
    counts = np.arange(36).reshape(12, 3) + 1
    np.save(tmp_path / "counts.npy", counts)
    material = gather(store, soft_study="pets", counts=tmp_path / "counts.npy", similarity=_flat(tmp_path))
    assert (material.classes, material.images.shape) == (CLASSES, (12, 8, 8, 3))
    assert (len(material.soft), len(np.unique(material.soft.annotator))) == (24, 2)
    assert (np.bincount(material.soft.item) == 2).all()
    assert (material.soft.elicited.top1 == CLASSES.index(ANSWER["top1"])).all()
    assert material.counts is not None
    assert (material.counts == counts).all()
    assert (len(material.train), len(material.test)) == (8, 4)
    assert material.origins["images"] == "The items of the study 'pets'."


def _flat(folder: Path) -> Path:
    """A similarity of the small study's classes, whose people name no second ones."""
    path = folder / "similarity.csv"
    path.write_text(",".join(["", *CLASSES]) + "\n" + "".join(f"{name},1,1,1\n" for name in CLASSES))
    return path


def test_a_study_without_answers(sqlite_store: Store, tmp_path: Path) -> None:
    """It is said; and so is that nobody named a second class."""
    study = Study(sqlite_store, tmp_path, items=4, batches={"size": 4, "responses_per_item": 2})
    with pytest.raises(OptionError, match="'pets' has no accepted answers"):
        gather(sqlite_store, soft_study="pets")
    study.answer(study.arrive("ann"))
    with pytest.raises(OptionError, match="no answer names a second class"):
        gather(sqlite_store, soft_study="pets")


def sources(*keys: str) -> Source:
    """Images of noise with these keys."""
    pictures = np.random.default_rng(1).integers(0, 256, (len(keys), 8, 8, 3), dtype=np.uint8)
    return Source(image_set(list(pictures), keys, np.arange(len(keys)) % 2, CIFAR10), "Noise.")


def test_imported_mixes_are_mixed_again(store: Store, tmp_path: Path) -> None:
    """From their two sources, which are found by their keys; with people's coefficients, not those of repeats."""
    rows = infer("ann", [(FIRST, 100, 90), (SECOND, 0, 50)]) + infer("ben", [(FIRST, 80, 0), (SECOND, 33, 7)])
    rows[2]["responses"] = rows[2]["responses"].replace("100", "60")  # ann's second look at the first mix
    bring(store, tmp_path, rows, INFER, "hmix-infer")
    images = sources("5936", "4127", "2205", "4126")
    mixed = gather(store, images=images, mixed_study="s").mixed
    assert mixed is not None
    assert mixed.endpoint1.tolist() == [AIRPLANE, DOG]
    assert mixed.endpoint2.tolist() == [FROG, FROG]
    assert mixed.coefficient.tolist() == [0.1, 0.75]
    order = np.lexsort([mixed.annotator, mixed.item])
    assert mixed.item[order].tolist() == [0, 0, 1, 1]
    assert mixed.inferred[order].round(6).tolist() == [0, 0.2, 1, 0.67]
    assert mixed.confidence[order].tolist() == [0.9, 0, 0.5, 0.07]
    assert mixed.annotator[order].tolist() == [0, 1, 0, 1]
    pixels = images.pictures.images
    expected = mix_images(pixels[[3, 2]], pixels[[0, 1]], np.array([100, 750]))
    assert (mixed.images == expected).all()
    with pytest.raises(ItemError, match="and its two sources are not among the images given"):
        gather(store, images=sources("5936", "4127", "2205"), mixed_study="s")


def test_no_image_for_evaluation_is_part_of_a_mix(sqlite_store: Store, tmp_path: Path) -> None:
    """A split that is drawn keeps mixes' images for training; with one that is given, such mixes are left out."""
    bring(sqlite_store, tmp_path, infer("ann", [(FIRST, 100, 90), (SECOND, 33, 7)]), INFER, "hmix-infer")
    parts = ("5936", "4127", "2205", "4126")
    images = sources(*parts, *map(str, range(40)))
    for seed in range(5):
        material = gather(sqlite_store, images=images, mixed_study="s", seed=seed)
        assert material.mixed is not None
        assert len(material.mixed.images) == 2
        assert not np.isin(range(4), material.test).any()
        assert 8 <= len(material.test) <= 13
        assert np.array_equal(np.sort([*material.train, *material.test]), np.arange(44))
        assert material.origins["split"].endswith("; images that mixes are made of are all trained on.")
    np.savez(tmp_path / "split.npz", train=[*range(30), 5936, 4127, 2205], test=[*range(30, 40), 4126])
    material = gather(sqlite_store, images=images, mixed_study="s", split=tmp_path / "split.npz")
    assert material.mixed is not None
    assert material.mixed.endpoint1.tolist() == [DOG]
    assert material.mixed.inferred.round(6).tolist() == [0.67]
    assert material.origins["mixed"].endswith("; 1 mix of an image that is kept for evaluation is left out.")
    np.savez(tmp_path / "split.npz", train=range(30), test=[4126, 2205])
    with pytest.raises(ItemError, match="every mix of 's' is made of an image that is kept for evaluation; give"):
        gather(sqlite_store, images=images, mixed_study="s", split=tmp_path / "split.npz")


def test_a_study_of_midpoints_gives_no_coefficients(sqlite_store: Store, tmp_path: Path) -> None:
    """It is said."""
    rows = choose("ann", [("Airplane_2589_Cat_6202", "0.3")])
    bring(sqlite_store, tmp_path, rows, CHOOSE, "hmix-choose")
    with pytest.raises(OptionError, match="no accepted answers that say a mixing coefficient"):
        gather(sqlite_store, images=sources("1", "2", "3", "4"), mixed_study="s")


class MixedStudy(Study):
    """A study of twelve mixes of nine images, published by the direct link."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        items = {"source": "folder", "path": "images", "mixed": {"pairs": 2, "coefficients": [[0.5], [0.25]]}}
        batches = {"size": 12, "responses_per_item": 1}
        self.design = make_design(task="mixing-coefficient", items=items, batches=batches)
        make_images(folder, 9)
        load(store, folder, self.design)
        with store.write() as connection:
            self.posting = publish(connection, self.design.name, "link").token


@pytest.mark.parametrize("size", [8, 16])
def test_mixes_of_a_study_of_ones_own(sqlite_store: Store, tmp_path: Path, size: int) -> None:
    """Their pictures are those that people saw, as they came, resized as the images are."""
    token = MixedStudy(sqlite_store, tmp_path).arrive("ann")
    with sqlite_store.write() as connection:
        for position in range(12):
            progress = read_progress(connection, token)
            said = {"first": "cat", "second": "dog", "flipped": 0, "percent": 30, "inferred": 0.7, "confidence": 40}
            save_answer(connection, Designs(sqlite_store), progress, position, said, rt_ms=1, timing=None)
    images = read_source(str(tmp_path / "images"), size=size)
    mixed = gather(sqlite_store, images=images, mixed_study="pets").mixed
    assert mixed is not None
    assert mixed.images.shape == (12, size, size, 3)
    assert sorted(mixed.item) == list(range(12))
    assert set(mixed.coefficient) == {0.25, 0.5}
    assert set(zip(mixed.endpoint1.tolist(), mixed.endpoint2.tolist(), strict=True)) == {(0, 1), (0, 2), (1, 2)}
    if size == 8:
        pixels = images.pictures.images[images.pictures.reference == mixed.endpoint1[0]]
        others = images.pictures.images[images.pictures.reference == mixed.endpoint2[0]]
        share = np.array([round(1000 * mixed.coefficient[0])])
        made = [mix_images(one[None], other[None], share)[0] for one in pixels for other in others]
        assert any((one == mixed.images[0]).all() for one in made)
