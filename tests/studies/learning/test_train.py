"""What networks are trained on, and tried on, for collected labels; that they learn is tested with the command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from crowdloom.analysis.export import LabelTable, write_labels
from crowdloom.models.image_sets import UNKNOWN
from crowdloom.models.runs import Run
from crowdloom.studies.database import Store
from crowdloom.studies.errors import CrowdloomError, ItemError, OptionError, StudyError
from crowdloom.studies.label_recipes import Recipe
from crowdloom.studies.learning.kinds import KINDS
from crowdloom.studies.learning.labelled import Images, Labelled, labelled_by_file, labelled_by_study
from crowdloom.studies.learning.train import Training, runs_of, settings_of
from crowdloom.studies.tables import LabelSet
from tests.studies.designs import CLASSES, load, make_design
from tests.studies.learning.asked import ITEMS, asked_study

T2 = Recipe(variety="T2-none")
EYE = np.eye(3)


@pytest.fixture
def asked(sqlite_store: Store, tmp_path: Path) -> Store:
    """A store with the study `pets`."""
    asked_study(sqlite_store, tmp_path)
    return sqlite_store


@pytest.fixture
def pets(asked: Store) -> Labelled:
    """Its labels."""
    return labelled_by_study(asked, "pets", T2)


def said_by_people(reference: int) -> list[list[float]]:
    """The labels of the three people, of an image of this class."""
    one, two, three = (EYE[(reference + further) % 3] for further in range(3))
    return [one.tolist(), (0.6 * one + 0.4 * two).tolist(), (0.6 * two + 0.4 * three).tolist()]


def runs(labelled: Labelled, *kinds: str, **changes: Any) -> list[Run]:
    return runs_of(labelled, Training(kinds=kinds, **{"seeds": 1, **changes}))


def digits(folder: Path, items: int, name: str = "labels.csv", people: int = 2) -> Path:
    """A file with two people's labels of the first digits: the right one, and the right one and the next."""
    right = np.eye(10)[np.load(folder / "digits.npz")["label"][:items]]
    rows = np.concatenate([right, 0.5 * right + 0.5 * np.roll(right, 1, axis=1)])[: items * people]
    keys = [f"digit-{number:04d}" for number in range(items)] * people
    whose = [str(number) for number in range(len(rows))]
    table = LabelTable(rows, keys, tuple("0123456789"), whose, whose, [0] * len(rows))
    write_labels(table, folder / name)
    return folder / name


@pytest.fixture
def digit_file(tmp_path: Path) -> Path:
    """Labels of 40 digits."""
    from sklearn.datasets import load_digits

    np.savez(tmp_path / "digits.npz", label=load_digits().target)
    return digits(tmp_path, 40)


def test_labels_of_a_study_are_those_of_its_first_answers(pets: Labelled) -> None:
    """Each person's apart, without the repeats, by the images of the items."""
    assert (len(pets.pictures), len(pets.asked), pets.variety, pets.study) == (ITEMS, ITEMS, "T2-none", "pets")
    assert pets.pool.count.tolist() == [3] * ITEMS
    for place, position in enumerate(pets.asked):
        rows = sorted(pets.pool.take([place]).labels.tolist())
        assert np.array(rows) == pytest.approx(np.array(sorted(said_by_people(pets.pictures.reference[position]))))


def test_the_label_set_is_recorded_once(asked: Store, pets: Labelled) -> None:
    """Whoever trains again on the same labels trains on the same label set; other labels are another one."""
    again, other = labelled_by_study(asked, "pets", T2), labelled_by_study(asked, "pets", Recipe(variety="T1-uniform"))
    with asked.read() as connection:
        tokens = connection.scalars(select(LabelSet.token).order_by(LabelSet.id)).all()
    assert [pets.origin["label_set"], other.origin["label_set"]] == list(tokens)
    assert again.origin == pets.origin


def test_each_kind_of_labels(pets: Labelled) -> None:
    """By hand, for the images that one seed trains on; all kinds have the same images."""
    counts = np.tile([3, 1, 0], (ITEMS, 1))
    found = {run.origin["labels"]: run for run in runs(replace(pets, counts=counts), *KINDS, beta=0.3)}
    assert list(found) == list(KINDS)
    index = found["hard"].index
    right = EYE[pets.pictures.reference[index]]
    assert all((run.index == index).all() for run in found.values())
    labels = {kind: run.pool.labels for kind, run in found.items()}
    assert (labels["hard"] == right).all()
    assert labels["smoothed"] == pytest.approx(0.7 * right + 0.1)
    assert labels["uniform"] == pytest.approx(np.full((len(index), 3), 1 / 3))
    assert (labels["random"].max(axis=1) == 1).all()
    assert 0 < (labels["random"] == right).all(axis=1).mean() < 1
    mean = [np.mean(said_by_people(number), axis=0) for number in pets.pictures.reference[index]]
    assert labels["aggregated"] == pytest.approx(np.array(mean))
    assert found["de-aggregated"].pool.count.tolist() == [3] * len(index)
    assert found["de-aggregated"].pool.mean() == pytest.approx(np.array(mean))
    assert labels["counts-aggregated"] == pytest.approx(np.tile([0.75, 0.25, 0], (len(index), 1)))
    assert found["counts-de-aggregated"].pool.count.tolist() == [4] * len(index)
    rows = [run.row for run in found.values()]
    assert rows[:6] == [
        "hard",
        "random",
        "uniform",
        "smoothed, beta 0.3",
        "T2-none aggregated",
        "T2-none de-aggregated",
    ]


def test_some_annotators(pets: Labelled) -> None:
    """So many people's labels of each image, drawn anew for each seed, in every kind that is made of people's."""
    one, other, mean = (
        runs(pets, "de-aggregated", seeds=2, annotators=2)[0],
        runs(pets, "de-aggregated", seeds=2, annotators=2)[1],
        runs(pets, "aggregated", annotators=1)[0],
    )
    assert one.pool.count.tolist() == [2] * len(one.index)
    assert (one.row, mean.row) == ("T2-none de-aggregated, 2 annotators", "T2-none aggregated, 1 annotator")
    drawn = [
        {tuple(row) for row in run.pool.take([place]).labels.round(3).tolist()}
        for run in (one, other)
        for place in np.flatnonzero(np.isin(run.index, np.intersect1d(one.index, other.index)))
    ]
    assert drawn[: len(drawn) // 2] != drawn[len(drawn) // 2 :]
    assert len(np.unique(mean.pool.labels.round(3), axis=0)) > 3  # means of all would be three labels


def test_held_out_images(pets: Labelled) -> None:
    """Of each class alike, others for each seed, never trained on, against the labels of all people."""
    found = runs(pets, "hard", "aggregated", seeds=3, held_out=0.25, annotators=1)
    assert [(run.seed, run.row.split()[0]) for run in found][:3] == [(0, "hard"), (0, "T2-none"), (1, "hard")]
    held_out = []
    for run in found:
        (tried,) = run.evaluations
        assert (tried.name, tried.bin, len(run.index)) == ("held-out images", 10, 18)
        assert sorted([*run.index, *tried.index]) == list(range(ITEMS))
        assert np.bincount(pets.pictures.reference[tried.index]).tolist() == [2, 2, 2]
        assert tried.labels == pytest.approx(
            np.array([np.mean(said_by_people(number), axis=0) for number in pets.pictures.reference[tried.index]])
        )
        held_out.append(tried.index.tolist())
    assert held_out[0] == held_out[1]
    assert len({tuple(one) for one in held_out}) == 3


def test_images_that_nobody_was_asked_about(digit_file: Path) -> None:
    """They are tried against their references, 1,757 of them in bins of 100; with counts against these."""
    labelled = labelled_by_file(digit_file, Images("digits"))
    assert (labelled.name, labelled.variety, labelled.study, labelled.several) == ("labels", None, None, True)
    held_out, others = runs(labelled)[0].evaluations
    assert (others.name, others.bin, len(others.index)) == ("other images, by reference", 100, 1757)
    assert (others.labels.argmax(axis=1) == labelled.pictures.reference[others.index]).all()
    counts = np.ones((1797, 10), dtype=int)
    first, second, third = runs(replace(labelled, counts=counts))[0].evaluations
    assert [first.name, second.name, third.name] == [
        "held-out images",
        "held-out images, by counts",
        "other images, by counts",
    ]
    assert first.index.tolist() == second.index.tolist() == held_out.index.tolist()
    assert (second.labels == 0.1).all()


def test_without_a_reference_the_hard_label_is_the_likeliest(pets: Labelled) -> None:
    """Of an image whose reference is known it is that, whatever people say."""
    reference = pets.pictures.reference.copy()
    changed = (reference + 2) % 3
    changed[::2] = UNKNOWN
    other = replace(pets, pictures=replace(pets.pictures, reference=changed))
    assert other.without_reference == ITEMS // 2
    assert (other.hard[::2] == reference[::2]).all()  # the first and the second person are right
    assert (other.hard[1::2] == changed[1::2]).all()


def test_what_is_trained_where_nobody_says(pets: Labelled, digit_file: Path) -> None:
    """Hard labels and all people's that there are; kept apart only where an image has several."""
    labels = [run.origin["labels"] for run in runs(pets)]
    assert labels == ["hard", "aggregated", "de-aggregated"]
    one = labelled_by_file(digits(digit_file.parent, 40, "one.csv", people=1), Images("digits"))
    assert [run.origin["labels"] for run in runs(one)] == ["hard", "aggregated"]
    counted = replace(pets, counts=np.ones((ITEMS, 3), dtype=int))
    assert [run.origin["labels"] for run in runs(counted)][3:] == ["counts-aggregated"]


def test_settings(pets: Labelled) -> None:
    """Networks in turn, each with its rate; few images take more epochs; crops and flips only where asked for."""
    small, large = runs(pets, "hard", networks=("small-cnn", "resnet-50"), epochs=2, augment=True)
    assert (small.settings.network, small.settings.rate, small.settings.milestones) == ("small-cnn", 0.1, (1,))
    assert (large.settings.network, large.settings.rate, large.settings.augment) == ("resnet-50", 0.4, True)
    assert settings_of("small-cnn", 64, Training()).epochs == 150
    assert settings_of("small-cnn", 5000, Training()).milestones == (30, 35)
    assert settings_of("small-cnn", 5000, Training(epochs=1)).milestones == ()


def test_a_file_gives_the_labels_of_the_study(asked: Store, pets: Labelled, tmp_path: Path) -> None:
    """Whatever its format, and by the order of the classes of the images."""
    order = [2, 0, 1]
    images = Images(str(tmp_path / "images"))
    table = LabelTable(
        pets.pool.labels[:, order],
        [pets.pictures.keys[position] for position in np.repeat(pets.asked, 3)],
        [CLASSES[number] for number in order],
        *[[str(number) for number in range(3 * ITEMS)]] * 2,
        [0] * (3 * ITEMS),
    )
    for name in ("l.csv", "l.parquet", "l.npz"):
        write_labels(table, tmp_path / name)
        read = labelled_by_file(tmp_path / name, images)
        for place, position in enumerate(read.asked):
            where = pets.pictures.positions([read.pictures.keys[position]])
            wanted = pets.pool.take(np.flatnonzero(pets.asked == where)).labels
            names = [read.pictures.classes.index(name) for name in CLASSES]
            assert read.pool.take([place]).labels[:, names] == pytest.approx(wanted)


def test_items_without_an_image_are_left_out(digit_file: Path) -> None:
    """As of labels that were simulated for more images than one has; where none is left that is an error."""
    few = digit_file.parent / "few.npz"
    images = np.arange(30 * 64).reshape(30, 8, 8).astype(np.uint8)
    keys = np.array([f"digit-{number:04d}" for number in range(30)])
    np.savez(few, images=images, label=np.load(digit_file.parent / "digits.npz")["label"][:30], index=keys)
    labelled = labelled_by_file(digit_file, Images(str(few)))
    assert (len(labelled.asked), labelled.left_out) == (30, 10)


def wrong(folder: Path) -> dict[str, tuple[type[CrowdloomError], str, Callable[[], Any]]]:
    """What is refused, how and by what sentence."""
    labels, where = folder / "labels.csv", Images("digits")
    elsewhere, tiny = (Images(str(folder / name)) for name in ("elsewhere.npz", "tiny.npz"))
    np.savez(folder / "elsewhere.npz", images=np.zeros((3, 8, 8), np.uint8), label=[0, 1, 9])
    np.savez(folder / "tiny.npz", images=np.zeros((3, 4, 6), np.uint8), label=[0, 1, 9])
    np.save(folder / "narrow.npy", np.ones((1797, 3)))
    np.save(folder / "nobody.npy", np.zeros((1797, 10)))
    (folder / "none.csv").write_text("item,0,1\n")
    (folder / "torn.json").write_text('{"a": [0.5')
    same = folder / "same.csv"
    same.write_text("item,3,9\n" + "".join(f"digit-{number:04d},0,1\n" for number in (3, 13, 23)))
    few = folder / "few.csv"
    few.write_text(
        "item," + ",".join("0123456789") + "\ndigit-0000,1" + ",0" * 9 + "\ndigit-0001,0,1" + ",0" * 8 + "\n"
    )
    return {
        "no images": (
            OptionError,
            "labels.csv holds labels, but no images",
            lambda: labelled_by_file(labels, Images()),
        ),
        "no file": (OptionError, "x.csv cannot be read", lambda: labelled_by_file(folder / "x.csv", where)),
        "torn": (OptionError, "torn.json cannot be read", lambda: labelled_by_file(folder / "torn.json", where)),
        "no labels": (OptionError, "none.csv holds no labels", lambda: _of(folder / "none.csv", where)),
        "classes": (ItemError, "its class 2 is none of the 2 classes", lambda: _of(same, where)),
        "other keys": (
            ItemError,
            "none of the 40 items of 'labels', such as 'digit-0000', is one of the 3 images, whose keys are such as",
            lambda: _of(labels, elsewhere),
        ),
        "tiny": (
            ItemError,
            "6 x 4 pixels, and networks need 8 x 8",
            lambda: _of(labels, tiny),
        ),
        "narrow": (OptionError, "counts of 3 classes", lambda: _of(labels, where, folder / "narrow.npy")),
        "nobody": (ItemError, "nobody chose a class", lambda: _of(labels, where, folder / "nobody.npy")),
        "too few": (ItemError, "2 images of 2 classes are too few", lambda: runs(_of(few, where))),
        "kind": (
            OptionError,
            "--labels: there is no 'soft'; choose from hard",
            lambda: Training(kinds=["soft"]),
        ),
        "metric": (OptionError, "--metrics: there is no 'f1'", lambda: Training(metrics=["f1"])),
        "share": (OptionError, "--held-out 1: give a share", lambda: Training(held_out=1)),
        "counts": (OptionError, "needs other people's choices", lambda: runs(_of(labels, where), "counts-aggregated")),
        "apart": (
            OptionError,
            "'one' has one label for each image",
            lambda: runs(_of(digits(folder, 40, "one.csv", people=1), where), "de-aggregated"),
        ),
    }


def _of(path: Path, images: Images, counts: Path | None = None) -> Labelled:
    return labelled_by_file(path, images, counts)


@pytest.mark.usefixtures("digit_file")
def test_what_does_not_fit(tmp_path: Path) -> None:
    """One sentence says what, and what to do."""
    for kind, said, call in wrong(tmp_path).values():
        with pytest.raises(kind, match=said):
            call()


def test_studies_that_give_no_labels(asked: Store, pets: Labelled, tmp_path: Path) -> None:
    """An unknown one, one without answers that count, images of other classes, and all images of one class."""
    load(asked, tmp_path, make_design(name="empty"))
    for said, kind, study, images in (
        ("no study is called 'nope'", StudyError, "nope", None),
        ("'empty' has no answers that count", OptionError, "empty", None),
        ("both need the same ones in the same order|none of the 3 classes", CrowdloomError, "pets", Images("digits")),
    ):
        with pytest.raises(kind, match=said):
            labelled_by_study(asked, study, T2, images)
    cats = replace(pets.pictures, reference=np.zeros(ITEMS, dtype=np.intp))
    with pytest.raises(OptionError, match="all images of 'pets' have one class"):
        runs(replace(pets, pictures=cats))
