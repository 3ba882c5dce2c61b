"""Scenarios by name, and what a scenario must be."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from crowdloom.models.errors import ModelError
from crowdloom.models.latent_scenarios import SCENARIOS, Scenario, scenario
from crowdloom.models.latent_scenarios.classes import CLASSES
from crowdloom.models.latent_scenarios.scenario import check_data, check_scenario
from tests.models import blobs

X = blobs.data().x


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_is_one(name: str) -> None:
    """It is called as it is asked for, and its settings can be."""
    found = scenario(name)
    assert found.name == name
    assert found.classes == CLASSES[name]
    check_scenario(found)


@pytest.mark.parametrize("name", ["digits", "signals"])
def test_those_without_data_have_their_own(name: str) -> None:
    """Their data is fit to learn from, the same each time, and has every class on both sides."""
    found = scenario(name)
    first, again = found.load(None), found.load(None)
    check_data(found, first)
    assert torch.equal(first.x, again.x)
    assert np.array_equal(first.items, again.items)
    for labels in (first.labels, first.validation_labels):
        assert labels.unique().tolist() == list(range(len(found.classes)))


def test_ones_own_is_called_as_it_was_named() -> None:
    """Whatever its own name is."""
    found = scenario("tests.models.blobs:blobs")
    assert (found.name, found.title) == ("tests.models.blobs:blobs", "Blobs")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("digit", "there is no scenario 'digit'; choose from digits, signals"),
        ("no.such:thing", "'no.such:thing' names no scenario (No module named 'no')"),
        ("tests.models.blobs:nothing", "names no scenario (module 'tests.models.blobs' has no attribute 'nothing')"),
        ("tests.models.blobs:failing", "raised RuntimeError (the sensor is off); name a callable"),
        ("tests.models.blobs:number", "gives an object of type int, not a Scenario"),
        ("../x:y", "names no scenario"),
    ],
)
def test_a_name_that_names_none(name: str, said: str) -> None:
    """One sentence says what would."""
    with pytest.raises(ModelError, match=re.escape(said)):
        scenario(name)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"classes": ("a", "a")}, "needs two classes or more, each with another name"),
        ({"kind": "sound"}, "say image or signal"),
        ({"kind": "signal"}, "needs the names of their channels"),
        ({"batch": 1}, "needs batches of 2 or more"),
        ({"pretraining": 0}, "one epoch of pretraining or more"),
        ({"seed": -1}, "a seed from 0 on"),
        ({"rate": float("nan")}, "a learning rate above 0"),
        ({"weight_decay": -1.0}, "give 0 or more"),
    ],
)
def test_settings_that_cannot_be(changes: dict[str, object], said: str) -> None:
    """One sentence says which."""
    with pytest.raises(ModelError, match=said):
        check_scenario(replace(blobs.blobs(), **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (blobs.with_data(x=torch.where(X > 0.8, torch.nan, X)), "to train on has numbers that are not finite"),
        (
            blobs.with_data(validation_x=torch.full((30, 4), torch.inf)),
            "to validate on has numbers that are not finite",
        ),
        (blobs.with_data(labels=torch.ones(90).long()), "has one class alone, b; nothing can be told apart"),
        (
            blobs.with_data(x=X[:3], labels=torch.arange(3), items=blobs.data().items[:3]),
            "has two training examples and a validation example of 0 of its 3 classes; at least two classes need them",
        ),
        (
            blobs.with_data(validation_labels=torch.ones(30).long()),
            "has two training examples and a validation example of 1 of its 3 classes",
        ),
        (blobs.with_data(labels=torch.full((90,), 3)), "has labels from 3 to 3; the 3 classes are counted from 0"),
        (blobs.with_data(labels=torch.zeros(90)), "must be float32 [N, ...] with int64 labels [N]"),
        (blobs.with_data(labels=torch.zeros(89).long()), "has 90 examples and 89 labels"),
        (blobs.with_data(validation_x=torch.zeros(0, 4), validation_labels=torch.zeros(0).long()), "has 0 examples"),
        (blobs.with_data(validation_x=torch.zeros(30, 5)), "of [4] to train on and of [5] to validate on"),
        (blobs.with_data(items=np.zeros((89, 2, 2), np.uint8)), "has items of uint8 [89, 2, 2] for 90 training"),
        (blobs.with_data(items=np.zeros((90, 2, 2))), "has items of float64"),
        (blobs.with_data(settings={"seed": 3}), "wants another 'seed'; data can only change rate"),
        (
            replace(
                blobs.with_data(items=np.full((90, 1, 9), np.nan, np.float32)), kind="signal", names=("x",), hertz=50.0
            ),
            "has items with numbers that are not finite",
        ),
        (replace(blobs.blobs(), load=lambda path: 7), "is a int; what loads it must give a ScenarioData"),
    ],
)
def test_data_that_cannot_be_learned_from(of: Scenario, said: str) -> None:
    """One sentence says what is wrong with it."""
    with pytest.raises(ModelError, match=re.escape(said)):
        check_data(of, of.load(None))


def test_names_are_known_without_pytorch() -> None:
    """The command line lists them quickly."""
    asked = "import sys, crowdloom.models.latent_scenarios as s; assert s.SCENARIOS; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
