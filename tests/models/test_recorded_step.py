"""Steps that are played back, with a stand-in for the card's recorder; on a card see test_training_gpu.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from crowdloom.analysis.label_pools import pool_of
from crowdloom.models import recorded_step
from crowdloom.models.precision import Computing
from crowdloom.models.recorded_step import FIRST, RecordedStep
from crowdloom.models.settings import Settings
from crowdloom.models.training_loop import new_network, train


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """The positions of each recording; a playback does the step with what they hold then, as a graph would."""
    made: list[Tensor] = []

    def record(step: Callable[[Tensor], None], positions: Tensor, chance: torch.Generator) -> Callable[[], None]:
        made.append(positions)
        return lambda: step(positions)

    monkeypatch.setattr(recorded_step, "recorded", record)
    return made


def test_first_steps_and_other_sizes_are_done_as_usual(recordings: list[Tensor]) -> None:
    """Then one is recorded, and each later one of its size plays it back with its own positions."""
    done: list[list[int]] = []
    step = RecordedStep(lambda positions: done.append(positions.tolist()), 2, torch.Generator())
    given = [[i, i + 1] for i in range(FIRST)] + [[9], [5, 6], [7, 8], [3]]
    for positions in given:
        step(torch.tensor(positions))
    assert done == given
    assert len(recordings) == 1
    step.forget()
    step(torch.tensor([1, 2]))
    assert done[-1] == [1, 2]
    assert [id(positions) for positions in recordings] == [id(recordings[0])] * 2


def test_the_loop_records_once_for_each_rate_and_learns_the_same(recordings: list[Tensor]) -> None:
    """Weights and losses are those without it, also where an epoch ends with a smaller batch."""
    images = torch.randint(256, (30, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    pool = pool_of(torch.eye(3).repeat(10, 1).double().numpy())
    settings = Settings("small-cnn", width=4, epochs=5, milestones=(2, 4), batch=8)
    states = []
    for playback in (False, True):
        network = new_network(settings, images, 3, seed=1)
        computing = Computing("cpu", False, True, 1, playback)
        states.append(train(network, images, pool, settings, seed=1, computing=computing))
    plain, played = states
    assert len(recordings) == 3
    assert played.losses == plain.losses
    assert all(torch.equal(tensor, plain.tensors()[key]) for key, tensor in played.tensors().items())
