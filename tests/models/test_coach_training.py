"""Training coaches as a stack: the same as one by one, step by step, and after a stop."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from crowdloom.models.coach_data import CoachData, digits
from crowdloom.models.coach_loss import Alphas
from crowdloom.models.coach_networks import Classifier, single
from crowdloom.models.coach_training import (
    BATCH,
    CoachState,
    new_coaches,
    new_discriminators,
    train_classifier,
    train_coaches,
)
from crowdloom.models.errors import ModelError, TrainingError
from tests.models.plain_coach import PlainTraining

ALL = Alphas(classification=0.1, efficiency=4.0, discriminator=0.1)


@pytest.fixture(scope="module")
def data() -> CoachData:
    """Few digits: twelve steps of eight, and one of four."""
    return digits().first(100, 20)


@pytest.fixture(scope="module")
def classifier(data: CoachData) -> Classifier:
    """One that has learned a little."""
    return train_classifier(data, seed=0, epochs=2, rate=1e-3)


@pytest.fixture
def double() -> Iterator[None]:
    """All computes in float64: Adam makes steps of the rate of the smallest gradients, and so of their rounding."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("double")
def test_a_stack_learns_what_its_networks_learn_one_by_one(data: CoachData, classifier: Classifier) -> None:
    """With all losses, over an epoch: weights of coaches and discriminators."""
    reader = deepcopy(classifier).double()
    together, states = train_coaches(data, reader, ALL, seeds=[3, 4, 5], epochs=1)
    for n, seed in enumerate([3, 4, 5]):
        alone, state = train_coaches(data, reader, ALL, seeds=[seed], epochs=1)
        begun = new_coaches(10, [seed]).state_dict()
        for name, tensor in single(together, n).state_dict().items():
            torch.testing.assert_close(tensor, alone.state_dict()[name], atol=1e-9, rtol=0)
            assert float((tensor - begun[name]).abs().max()) > 1e-4
        for name, tensor in state.networks.items():
            if name.startswith("discriminator"):
                torch.testing.assert_close(states.networks[name].chunk(3)[n], tensor, atol=1e-9, rtol=0)


def test_a_stack_proposes_what_its_networks_propose(data: CoachData, classifier: Classifier) -> None:
    """In float32, as it is trained: the same pictures to a thousandth of full ink."""
    pictures = torch.from_numpy(data.test_images)[:, None].float() / 255
    asked = torch.from_numpy(data.test_labels)[:, None]
    together, _ = train_coaches(data, classifier, ALL, seeds=[3, 4], epochs=1)
    found = together(pictures.expand(-1, 2, -1, -1), asked.expand(-1, 2)).detach()
    for n, seed in enumerate([3, 4]):
        alone, _ = train_coaches(data, classifier, ALL, seeds=[seed], epochs=1)
        assert float(found[:, n].max()) > 0.05
        torch.testing.assert_close(found[:, n : n + 1], alone(pictures, asked).detach(), atol=1e-3, rtol=0)


@pytest.mark.usefixtures("double")
def test_a_step_is_the_papers(data: CoachData, classifier: Classifier) -> None:
    """Against coach and discriminator that step in turn, each with its own Adam, in the same order of examples."""
    seed, classifier = 3, deepcopy(classifier).double()
    found, state = train_coaches(data, classifier, ALL, seeds=[seed], epochs=1)
    coach, discriminator = new_coaches(10, [seed]), new_discriminators([seed])
    plain = PlainTraining(coach, discriminator, classifier, (0.1, 4.0, 0.1))
    order = torch.from_numpy(np.random.default_rng([seed, 0]).permutation(len(data.images)))
    for rows in order.split(BATCH):
        plain.step(torch.from_numpy(data.images)[rows][:, None].double() / 255, torch.from_numpy(data.labels)[rows])
    for name, tensor in coach.state_dict().items():
        torch.testing.assert_close(found.state_dict()[name], tensor, atol=1e-9, rtol=0)
    for name, tensor in discriminator.state_dict().items():
        torch.testing.assert_close(state.networks[f"discriminator.{name}"], tensor, atol=1e-9, rtol=0)


def test_going_on_from_an_epoch_gives_the_same_to_the_last_bit(data: CoachData, classifier: Classifier) -> None:
    """Through the tensors that are written down."""
    kept: list[CoachState] = []
    _, expected = train_coaches(data, classifier, ALL, seeds=[0, 1], epochs=2, on_epoch=kept.append)
    assert [state.epoch for state in kept] == [1, 2]
    from_file = CoachState.restored(
        {name: tensor.clone() for name, tensor in kept[0].tensors().items()}, kept[0].losses
    )
    _, found = train_coaches(data, classifier, ALL, seeds=[0, 1], epochs=2, state=from_file)
    assert found.losses == expected.losses
    assert found.tensors().keys() == expected.tensors().keys()
    assert all(torch.equal(tensor, expected.tensors()[name]) for name, tensor in found.tensors().items())


def test_a_state_of_other_networks_is_refused(data: CoachData, classifier: Classifier) -> None:
    """Of another number, or without a discriminator."""
    small = data.first(8, 1)
    _, state = train_coaches(small, classifier, ALL, seeds=[0], epochs=1)
    with pytest.raises(ModelError, match="does not fit"):
        train_coaches(small, classifier, ALL, seeds=[0, 1], epochs=2, state=state)
    with pytest.raises(ModelError, match="does not fit"):
        train_coaches(small, classifier, Alphas(), seeds=[0], epochs=2, state=state)


def test_the_recogniser_stays_as_it_is(data: CoachData, classifier: Classifier) -> None:
    """It is given, as a person's reader is."""
    before = {name: tensor.clone() for name, tensor in classifier.state_dict().items()}
    train_coaches(data.first(16, 1), classifier, ALL, seeds=[0], epochs=1)
    assert all(torch.equal(tensor, before[name]) for name, tensor in classifier.state_dict().items())


def test_a_recogniser_learns(data: CoachData) -> None:
    """The same from the same seed."""
    one, other = (train_classifier(data, seed=1, epochs=4, rate=1e-3) for _ in range(2))
    assert all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in one.state_dict().items())
    read = one(torch.from_numpy(data.images)[:, None].float() / 255).argmax(1)
    assert float((read == torch.from_numpy(data.labels)).float().mean()) > 0.6


def test_every_coach_learns_to_repeat(data: CoachData) -> None:
    """Within few epochs its proposals are nearer to the drawings than a blank picture."""
    more = digits().first(400, 20)
    coach, state = train_coaches(more, Classifier(10), Alphas(), seeds=range(4), epochs=2)
    pictures = torch.from_numpy(more.test_images)[:, None].float().expand(-1, 4, -1, -1) / 255
    with torch.no_grad():
        proposals = coach(pictures, torch.from_numpy(more.test_labels)[:, None].expand(-1, 4))
    changed = (pictures - proposals).abs().sum((0, 2, 3)) / pictures.sum((0, 2, 3))
    assert float(changed.max()) < 0.9
    assert state.losses[1] < state.losses[0]


def test_numbers_that_are_not_finite_are_told(data: CoachData) -> None:
    """With the epoch."""
    broken = Classifier(10)
    with torch.no_grad():
        broken.linear.bias.fill_(float("nan"))
    with pytest.raises(TrainingError, match="in epoch 1 of 1"):
        train_coaches(data.first(8, 1), broken, replace(ALL, discriminator=0.0), seeds=[0], epochs=1)
