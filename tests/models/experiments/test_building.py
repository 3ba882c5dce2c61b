"""From experiments to runs, on the stand-in material: which images, which labels, tried on what. Nothing is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from crowdloom.analysis.labels import entropy
from crowdloom.models.errors import ModelError
from crowdloom.models.experiments.answers import no_soft_answers
from crowdloom.models.experiments.building import HELD_OUT, REDUCED_IMAGES, images_of, runs_of
from crowdloom.models.experiments.catalogue import EXPERIMENTS, resolve
from crowdloom.models.experiments.experiment import Experiment
from crowdloom.models.experiments.material import Material
from crowdloom.models.experiments.stand_in import stand_in_material
from crowdloom.models.runs import Run

ALL = pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda one: one.name)


@pytest.fixture(scope="module")
def material() -> Material:
    """Simulated people's: 1,258 images to train on, of which 120 with soft answers, 539 to evaluate on, 60 mixes."""
    return stand_in_material(0)


@pytest.fixture(scope="module")
def small(material: Material) -> Material:
    """The same, reduced."""
    return material.reduced(REDUCED_IMAGES, 0)


def of(runs: Sequence[Run], row: str, seed: int = 0) -> Run:
    """The run of a row."""
    return next(run for run in runs if run.row == row and run.seed == seed)


@ALL
def test_every_row_has_a_run_for_each_seed_and_network(experiment: Experiment, small: Material) -> None:
    """Labels are distributions of images that are there; networks are narrow and train for two epochs."""
    runs = runs_of(experiment, small, reduced=True)
    asked = {(run.row, run.settings.network, run.seed) for run in runs}
    assert len(asked) == len(runs) == 2 * len(experiment.rows) * len(experiment.networks)
    for run in runs:
        assert len(run.index) == len(set(run.index.tolist())) == len(run.pool)
        assert run.index.max() < len(images_of(small))
        np.testing.assert_allclose(run.pool.labels.sum(axis=1), 1)
        assert (run.settings.epochs, run.settings.milestones) == (2, (1,))
        assert run.settings.width == (4 if run.settings.network == "resnet-34a" else 8)
        assert [one.name for one in run.evaluations] == list(experiment.evaluated_on)
        assert run.metrics == experiment.metrics


@ALL
def test_what_is_evaluated_on_is_not_trained_on_with_soft_labels(experiment: Experiment, material: Material) -> None:
    """The images kept for evaluation are never seen; the held-out ones only with their hard labels."""
    if experiment.trained_on == "asked":
        experiment = replace(experiment, rows=[replace(row, images=100) for row in experiment.rows])
    for run in runs_of(experiment, material, seeds=[0, 1], networks=["small-cnn"]):
        by_name = {one.name: one for one in run.evaluations}
        assert not np.isin(by_name["CIFAR-10H"].index, run.index).any()
        if "CIFAR-10S" in by_name:
            held = by_name["CIFAR-10S"].index
            assert np.isin(held, material.labelled).all()
            seen = run.pool.take(np.flatnonzero(np.isin(run.index, held)))
            assert len(held) == 12
            assert len(seen) == (0 if experiment.trained_on == "asked" else 12)
            assert seen.count.max(initial=1) == 1
            assert (seen.labels.argmax(1) == material.reference[run.index[np.isin(run.index, held)]]).all()
            smooth = 0.045 if run.row == "Label Smoothing" else 0.0  # 0.05 of the mass, of which a tenth comes back
            np.testing.assert_allclose(seen.labels.max(1), 1 - smooth)


def test_full_runs_have_the_settings_of_the_thesis(material: Material) -> None:
    """Five seeds, three networks of their own width; ResNet-50 begins with another rate."""
    runs = runs_of(resolve("3.1"), material)
    assert len(runs) == 75
    assert sorted({run.seed for run in runs}) == [0, 1, 2, 3, 4]
    assert {(run.settings.network, run.settings.rate) for run in runs} == {
        ("resnet-34a", 0.1),
        ("resnet-50", 0.4),
        ("vgg-11", 0.1),
    }
    assert {run.settings.width for run in runs} == {None}
    assert {run.settings.epochs for run in runs} == {65}


def test_table_3_1_trains_on_labels_of_its_row_and_hard_ones(material: Material) -> None:
    """All 1,258 images; 108 with the row's labels, and the 12 that are held out and 1,138 others with hard ones."""
    runs = runs_of(resolve("3.1"), material, seeds=[0])
    assert all(np.array_equal(np.sort(run.index), material.train) for run in runs)
    hard, uniform, ours = (of(runs, name) for name in ("Hard Labels", "Uniform Labels", "Ours (T2, Clamp)"))
    assert (hard.pool.labels.argmax(1) == material.reference[hard.index]).all()
    flat = entropy(uniform.pool.labels) > 2.3
    assert flat.sum() == 108
    assert np.isin(uniform.index[flat], material.labelled).all()
    assert (entropy(ours.pool.labels)[~flat] == 0).all()
    assert entropy(ours.pool.labels)[flat].mean() > 0.1


def test_label_smoothing_is_applied_to_all_images(material: Material) -> None:
    """In table B.1, as appendix B.2 says; the rows of people's labels leave the other images hard ones."""
    smoothed, people, ours = runs_of(resolve("B.1"), material, seeds=[0], networks=["resnet-34a"])
    hard = np.eye(10)[material.reference[smoothed.index]]
    assert np.array_equal(np.sort(smoothed.index), material.train)
    np.testing.assert_allclose(smoothed.pool.labels, 0.95 * hard + 0.005)
    for run in (people, ours):
        others = run.pool.take(np.arange(108, 1258))
        assert np.array_equal(others.labels, hard[108:])


def test_where_all_were_asked_only_those_not_held_out_are_trained_on(material: Material) -> None:
    """Evaluation images that are the rest of a subset leave 108 images."""
    subset = replace(material, train=material.labelled)
    for run in runs_of(resolve("3.2"), subset, seeds=[0], networks=["small-cnn"]):
        assert len(run.index) == 108
        assert not np.isin(run.evaluations[1].index, run.index).any()


def test_evaluation_labels_are_shares_of_people_and_our_aggregated_ones(material: Material) -> None:
    """CIFAR-10H in bins of 100 predictions; a tenth, drawn anew for each seed, with T2-clamp labels in bins of 10."""
    runs = runs_of(resolve("3.4"), material, seeds=[0, 1])
    people, ours = runs[0].evaluations
    assert material.counts is not None
    np.testing.assert_allclose(people.labels, material.counts[material.test] / 51)
    assert (people.bin, ours.bin) == (100, 10)
    assert len(ours.index) == len(material.labelled) // HELD_OUT == 12
    assert (entropy(ours.labels) > 0).all()
    assert not np.array_equal(ours.index, runs[-1].evaluations[1].index)


@pytest.mark.parametrize("name", ["3.3", "3.5", "figure-B.3"])
def test_as_many_people_as_a_row_says(name: str, material: Material) -> None:
    """M labels for each of the 108 images, one for all others."""
    for run in runs_of(resolve(name), material, seeds=[3]):
        m = run.origin["columns"]["M"]
        assert sorted(run.pool.count)[-108:] == [m] * 108
        assert (np.sort(run.pool.count)[:-108] == 1).all()


def test_figure_3_6_trains_on_so_many_images_and_nothing_else(material: Material, small: Material) -> None:
    """Ten seeds; fewer images are among more; in the reduced setting their shares of what is there."""
    experiment = resolve("3.6")
    enough = replace(experiment, rows=[replace(row, images=(row.images or 0) // 9) for row in experiment.rows])
    runs = runs_of(enough, material)
    assert len(runs) == 80
    for whose in ("CIFAR-10H", "Ours"):
        some = [of(runs, f"{whose}, {n} images").index for n in (250, 500, 750, 900)]
        assert [len(index) for index in some] == [27, 55, 83, 100]
        assert all(np.isin(one, other).all() for one, other in pairwise(some))
        assert np.isin(some[-1], material.labelled).all()
    reduced = {run.origin["columns"]["Images"]: len(run.index) for run in runs_of(experiment, small, reduced=True)}
    assert reduced == {250: 10, 500: 20, 750: 30, 900: 36}
    with pytest.raises(
        ModelError, match=r"figure 3\.6 trains on up to 900 images with soft answers, but there are 108"
    ):
        runs_of(experiment, material)


def test_chapter_4_adds_the_mixes(material: Material) -> None:
    """All images keep hard labels; 60 mixes follow with the row's; none without augmentation."""
    runs = runs_of(resolve("4.3"), material, seeds=[0])
    mixes = len(material.images) + np.arange(60)
    for run in runs:
        assert np.array_equal(run.index, np.concatenate([material.train, mixes]))
        assert (run.pool.take(np.arange(1258)).labels.argmax(1) == material.reference[material.train]).all()
    added = {run.row: run.pool.take(np.arange(1258, 1318)) for run in runs}
    assert added["Ours (Sep, λh)"].count.tolist() == [2] * 60
    assert ((added["mixup Labels"].labels > 0).sum(axis=1) == 2).all()
    assert (added["Ours (Agg, mean λh with mean ω)"].labels > 0).all()
    regular = of(runs_of(resolve("4.1"), material, seeds=[0]), "Regular (No Aug)")
    assert np.array_equal(regular.index, material.train)
    assert len(images_of(material)) == len(material.images) + 60


def test_mixes_that_nobody_answered_are_in_no_row(material: Material) -> None:
    """So that rows differ in labels only."""
    assert material.mixed is not None
    kept = material.mixed.item != 7
    of_answers = {name: getattr(material.mixed, name)[kept] for name in ("item", "annotator", "inferred", "confidence")}
    fewer = replace(material, mixed=replace(material.mixed, **of_answers))
    for run in runs_of(resolve("4.1"), fewer, seeds=[0])[1:]:
        assert len(run.index) == 1258 + 59
        assert len(material.images) + 7 not in run.index


def test_chapter_5_mixes_all_images(material: Material) -> None:
    """Hard endpoints, or our soft ones and simulated ones for all others, six for each image."""
    runs = runs_of(resolve("5.2"), material, seeds=[0])
    assert all(np.array_equal(run.index, material.train) for run in runs)
    soft = of(runs, "Ours (Ent-WC), Ours (Soft)")
    assert (soft.settings.kappa, soft.settings.mixing.policy) == (0.7, "mixup")
    assert soft.pool.count.tolist() == [6] * 1258
    assert (of(runs, "Mix-MaxEnt, Hard").pool.labels.max(1) == 1).all()


def test_table_c_1_mixes_by_fitted_boundaries(material: Material) -> None:
    """A slope and midpoint for each pair of classes; the pairs that borrowed theirs are named."""
    runs = runs_of(resolve("C.1"), material, seeds=[0])
    slopes = [run.settings.mixing.slopes for run in runs]
    assert slopes[0] is slopes[2] is None
    assert slopes[1] is not None
    assert [len(row) for row in slopes[1]] == [10] * 10
    assert min(map(min, slopes[1])) > 0
    borrowed = runs[1].origin["boundary_of_all_pairs"]
    assert 25 <= len(borrowed) <= 45  # the stand-in has mixes of 20 of the 45 pairs
    assert "boundary_of_all_pairs" not in runs[0].origin


def test_corrupted_images_are_found_by_their_numbers(material: Material, tmp_path: Path) -> None:
    """Of CIFAR-10-C those of the images for evaluation, where the table looks at them; other sets have none."""
    keys = tuple(str(9_999 - number) for number in range(len(material.keys)))
    numbered = replace(material, pictures=replace(material.pictures, keys=keys), corrupted=tmp_path)
    run = runs_of(resolve("5.1"), numbered, seeds=[0])[0]
    corrupted = run.evaluations[0].corrupted
    assert corrupted is not None
    assert corrupted.folder == tmp_path
    assert corrupted.rows.tolist() == [9_999 - number for number in material.test]
    assert runs_of(resolve("4.1"), numbered, seeds=[0])[0].evaluations[0].corrupted is None
    assert run.digest("") != runs_of(resolve("5.1"), replace(numbered, corrupted=None), seeds=[0])[0].digest("")
    with pytest.raises(ModelError, match=r"whose keys are positions in that set; 'digit-\d+' is none"):
        runs_of(resolve("5.1"), replace(material, corrupted=tmp_path), seeds=[0])


def test_rows_that_ask_for_the_same_are_one_run(material: Material) -> None:
    """Figure B.3 has the runs of figure 3.5, and table B.1 those of table 3.2; seeds differ."""
    one, other = ({run.digest("") for run in runs_of(resolve(name), material)} for name in ("3.5", "figure-B.3"))
    assert len(one) == 65
    assert one == other
    table, smoothing = ({run.digest("") for run in runs_of(resolve(name), material)} for name in ("3.2", "B.1"))
    assert table < smoothing
    again = {run.digest("") for run in runs_of(resolve("3.2"), stand_in_material(0))}
    assert again == table


def test_seeds_and_networks_can_be_chosen(small: Material) -> None:
    """Also a network that the thesis has not."""
    runs = runs_of(resolve("3.1"), small, reduced=True, seeds=[7, 8, 9], networks=["small-cnn"])
    assert len(runs) == 15
    assert {(run.settings.network, run.seed) for run in runs} == {("small-cnn", seed) for seed in (7, 8, 9)}


@pytest.mark.parametrize(
    ("name", "lacking", "says"),
    [
        ("3.1", {"counts": None}, r"table 3\.1 needs how many people chose each class"),
        ("3.4", {"soft": no_soft_answers(10)}, r"table 3\.4 needs answers to the task soft-label"),
        ("4.2", {"mixed": None}, r"table 4\.2 needs mixed images with answers"),
        ("C.1", {"mixed": None, "counts": None}, r"table C\.1 needs how many .* and mixed images"),
        ("3.5", {"test": np.empty(0, dtype=np.intp)}, r"figure 3\.5 needs images that are kept for evaluation"),
    ],
)
def test_a_missing_part_is_named(name: str, lacking: dict[str, object], says: str, small: Material) -> None:
    """One clear sentence for each."""
    with pytest.raises(ModelError, match=says):
        runs_of(resolve(name), replace(small, **lacking), reduced=True)


def test_only_the_parts_that_are_needed_are_asked_for(small: Material) -> None:
    """Table 5.1 mixes hard labels and needs counts alone; figure 3.6 needs no mixes."""
    poor = replace(small, soft=no_soft_answers(10), mixed=None)
    assert len(runs_of(resolve("5.1"), poor, reduced=True)) == 6
    assert len(runs_of(resolve("3.6"), replace(small, mixed=None), reduced=True)) == 16


def test_images_of_unknown_class_get_no_hard_label(material: Material) -> None:
    """They are left out where they would need one."""
    pictures = material.pictures
    reference = pictures.reference.copy()
    unknown = material.others[:5]
    reference[unknown] = -1
    partly = replace(material, pictures=replace(pictures, reference=reference))
    for run in runs_of(resolve("3.2"), partly, seeds=[0], networks=["small-cnn"]):
        assert np.array_equal(np.sort(run.index), np.setdiff1d(material.train, unknown))


def test_what_cannot_be_labelled_is_said_in_one_sentence(material: Material) -> None:
    """An asked image without a class or a usable answer is named by its key; mixes that fit no boundary are told."""
    first = int(material.labelled[0])
    reference = material.reference.copy()
    reference[first] = -1
    unknown = replace(material, pictures=replace(material.pictures, reference=reference))
    said = rf"table 3\.1: the image '{material.keys[first]}' has no class, so it gets no hard label; leave it out"
    with pytest.raises(ModelError, match=said):
        runs_of(resolve("3.1"), unknown)
    elicited = material.soft.elicited
    silent = np.where(material.soft.item == first, np.nan, elicited.top1_probability)
    mute = replace(material, soft=replace(material.soft, elicited=replace(elicited, top1_probability=silent)))
    said = rf"table 5\.2: no answer about the image '{material.keys[first]}' gives a label; leave it out"
    with pytest.raises(ModelError, match=said):
        runs_of(resolve("5.2"), mute, seeds=[0])
    assert material.mixed is not None
    level = replace(material, mixed=replace(material.mixed, inferred=np.full(len(material.mixed.item), 0.5)))
    with pytest.raises(ModelError, match=r"table C\.1: no category boundary can be fitted to 120 answers"):
        runs_of(resolve("C.1"), level, seeds=[0])
