"""PyTorch data sets as a scenario's data."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch.utils.data import IterableDataset, TensorDataset

from crowdloom.models.errors import ModelError
from crowdloom.models.latent_scenarios import Scenario
from crowdloom.models.latent_scenarios.datasets import data_of
from crowdloom.models.latent_scenarios.scenario import check_data


def scenario(kind: str, names: tuple[str, ...] = ()) -> Scenario:
    """A scenario of two classes."""
    return Scenario("own", "Own", kind, ("a", "b"), torch.nn.Identity, data_of, names=names, hertz=50.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", [1, 3])
def test_images(channels: int) -> None:
    """Examples and labels in order; people see them from black to white, three channels in colour."""
    x, labels = torch.randn(8, channels, 5, 6), torch.arange(8) % 2
    data = data_of(TensorDataset(x, labels), TensorDataset(x[:4], labels[:4]))
    check_data(scenario("image"), data)
    assert torch.equal(data.x, x)
    assert torch.equal(data.labels, labels)
    assert torch.equal(data.validation_x, x[:4])
    assert data.items.shape == ((8, 5, 6) if channels == 1 else (8, 5, 6, 3))
    assert all((picture.min(), picture.max()) == (0, 255) for picture in data.items)


def test_signals_and_items_of_ones_own() -> None:
    """A signal is shown as it is; `item` makes something else of it."""
    x, labels = torch.randn(6, 2, 30), torch.arange(6) % 2
    examples = TensorDataset(x, labels)
    data = data_of(examples, examples)
    check_data(scenario("signal", ("x", "y")), data)
    assert np.array_equal(data.items, x.numpy())
    assert np.array_equal(data_of(examples, examples, lambda one: one[:, ::2]).items, x.numpy()[:, :, ::2])


class Endless(IterableDataset[int]):
    """Nobody knows how long it is."""

    def __iter__(self) -> Iterator[int]:
        return itertools.count()


def test_what_cannot_be_is_one_sentence() -> None:
    """The message names the data set and the example."""
    good = TensorDataset(torch.rand(4, 3), torch.arange(4) % 2)
    several: list[tuple[object, str]] = [
        ([], "the training data set is empty or has no length"),
        (Endless(), "the training data set is empty or has no length"),
        ([(torch.rand(3), 0), torch.rand(3, 1)], "example 1 of the training data set is no pair"),
        ([(torch.rand(3), 0), (torch.rand(4), 1)], "example 1 of the training data set is [4], the first one is [3]"),
        (good, "of a training example of [3] no item can be made"),
    ]
    for training, message in several:
        with pytest.raises(ModelError) as caught:
            data_of(training, good)  # type: ignore[arg-type]
        assert str(caught.value).startswith(message)
        assert "; give" in str(caught.value)
