"""The experiments by name, and that they say what the thesis says."""

from __future__ import annotations

import math

import pytest

from crowdloom.models.errors import ModelError
from crowdloom.models.evaluating import METRICS
from crowdloom.models.experiments.catalogue import EXPERIMENTS, OWN, resolve
from crowdloom.models.experiments.experiment import Experiment
from crowdloom.models.networks import NETWORKS

NAMES = [
    *("3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "4.1", "4.2", "4.3", "5.1", "5.2"),
    *("B.1", "B.2", "B.3", "figure-B.3", "C.1"),
    "cifar10s",
]


def test_every_table_and_figure_is_there() -> None:
    """Thirteen tables and three figures of the thesis, and one table of our own."""
    assert list(EXPERIMENTS) == NAMES
    assert [*OWN] == NAMES[-1:]
    assert [one.name for one in EXPERIMENTS.values() if one.kind == "figure"] == ["3.5", "3.6", "figure-B.3"]


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda one: one.name)
def test_an_experiment_is_whole(experiment: Experiment) -> None:
    """Its rows have names of their own, its networks and metrics exist, and it is found by what it is called."""
    names = [row.name for row in experiment.rows]
    assert len(set(names)) == len(names) > 1
    assert set(experiment.networks) <= set(NETWORKS)
    assert set(experiment.metrics) <= set(METRICS)
    assert experiment.title.endswith(".")
    assert resolve(experiment.called) is resolve(experiment.name) is experiment
    assert len({tuple(row.columns) for row in experiment.rows}) == 1


@pytest.mark.parametrize(
    ("said", "called"),
    [
        ("3.1", "table 3.1"),
        ("Table 3.1", "table 3.1"),
        ("table-3.1", "table 3.1"),
        ("figure 3.5", "figure 3.5"),
        ("3.5", "figure 3.5"),
        ("Fig. 3.6", "figure 3.6"),
        ("figure-B.3", "figure B.3"),
        ("figure b.3", "figure B.3"),
        ("B.3", "table B.3"),
        ("table b.3", "table B.3"),
        (" c.1 ", "table C.1"),
        ("CIFAR10S", "table cifar10s"),
    ],
)
def test_names_are_understood(said: str, called: str) -> None:
    """As people write them; B.3 alone is the table."""
    assert resolve(said).called == called


@pytest.mark.parametrize("said", ["3.7", "table 3.5", "figure 3.1", "", "figure", "31"])
def test_an_unknown_name_is_told_the_choices(said: str) -> None:
    """Also a table that is a figure."""
    with pytest.raises(ModelError, match=r"choose one of 3\.1, 3\.2"):
        resolve(said)


def test_chapter_3_trains_as_the_thesis_says() -> None:
    """Three networks where it has three, 65 epochs, rates falling at 50 and 55, five seeds or ten."""
    three = {name for name, one in EXPERIMENTS.items() if len(one.networks) == 3}
    assert three == {"3.1", "3.2", "B.1"}
    assert {name for name, one in EXPERIMENTS.items() if one.seeds == 10} == {"3.6", "cifar10s"}
    assert {one.seeds for one in EXPERIMENTS.values()} == {5, 10}
    for name in ("3.1", "3.6", "B.3"):
        settings = EXPERIMENTS[name].settings
        assert (settings.epochs, settings.milestones, settings.batch, settings.augment) == (65, (50, 55), 32, True)


def test_our_own_table_has_one_small_network_and_the_labels_of_both() -> None:
    """The images with soft labels alone; hard, random and uniform labels, and people's both ways."""
    one = EXPERIMENTS["cifar10s"]
    assert (one.networks, one.trained_on, one.settings.network) == (("small-cnn",), "asked", "small-cnn")
    apart = [getattr(row.labels, "apart", None) for row in one.rows]
    assert apart == [None, None, None, False, True, False, True]
    assert "the choice favours no soft label" in one.note


def test_chapters_4_and_5_train_as_mixup_does() -> None:
    """200 epochs, rates falling at 100 and 150, no augmentation, one PreAct ResNet."""
    for name, network in {"4.1": "18", "4.2": "18", "4.3": "18", "5.1": "34", "5.2": "34", "C.1": "34"}.items():
        one = EXPERIMENTS[name]
        assert one.networks == (f"preact-resnet-{network}",)
        assert (one.settings.epochs, one.settings.milestones, one.settings.augment) == (200, (100, 150), False)
        assert one.evaluated_on == ("CIFAR-10H",)
        assert ("corruption_cross_entropy" in one.metrics) == (name in {"5.1", "5.2"})


def test_times_are_those_of_the_thesis() -> None:
    """12.8 to 32 seconds for the parts of an answer; 2.5 seconds a person of CIFAR-10H and 32 one of ours."""
    assert [row.columns["Time (s)"] for row in EXPERIMENTS["3.4"].rows] == [12.8, 19.2, 25.6, 32.0]
    points = [(row.columns["M"], row.columns["Time (s)"]) for row in EXPERIMENTS["3.5"].rows]
    people = [m for m, _ in points]
    assert people == [1, 2, 4, 8, 16, 32, 51, 1, 2, 3, 4, 5, 6]
    assert [seconds for _, seconds in points] == [2.5 * m for m in people[:7]] + [32 * m for m in people[7:]]
    assert EXPERIMENTS["figure-B.3"].rows == EXPERIMENTS["3.5"].rows


def test_chapter_5_mixes_as_the_thesis_says() -> None:
    """alpha 10 for Mix-MaxEnt; alpha 0.2 and kappa 0.7 for ours; each with hard and soft endpoints."""
    said = {(row.mixing.policy, row.mixing.alpha, row.kappa) for row in EXPERIMENTS["5.2"].rows}
    assert said == {("mixup", 0.2, None), ("mix-maxent", 10.0, None), ("mixup", 0.2, 0.7)}
    assert len(EXPERIMENTS["5.2"].rows) == 6
    assert [row.by_pair for row in EXPERIMENTS["C.1"].rows] == [False, True, False, True]
    assert all(math.isclose(row.mixing.alpha, 0.2) for row in EXPERIMENTS["C.1"].rows)
