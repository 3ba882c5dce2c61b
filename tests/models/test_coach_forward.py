"""The networks for one picture without PyTorch: the same numbers, in a few milliseconds."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from crowdloom.models.coach_conditioned import HIGHEST, LOWEST, drawn_weights, inputs_of
from crowdloom.models.coach_forward import as_inputs, logits, picture_of, pixels_of, probabilities, proposal
from crowdloom.models.coach_networks import Classifier, Coach


def networks(seed: int, classes: int = 10) -> tuple[Classifier, Coach, dict[str, np.ndarray]]:
    """Untrained ones, and their weights as a prepared coach has them."""
    torch.manual_seed(seed)
    classifier, coach = Classifier(classes), Coach(classes, 1, 3)
    states = {"classifier": classifier.state_dict(), "coach": coach.state_dict()}
    arrays = {f"{part}.{name}": one.numpy() for part, state in states.items() for name, one in state.items()}
    return classifier, coach, arrays


@pytest.mark.parametrize(("seed", "classes"), [(0, 10), (1, 10), (2, 4)])
def test_numbers_are_those_of_pytorch(seed: int, classes: int) -> None:
    """Within 1e-5, at the edges too, for any class and weights."""
    classifier, coach, arrays = networks(seed, classes)
    coach.decoder3.bias.data.fill_(0.2)  # so that no proposal is blank
    chance = np.random.default_rng(seed)
    for _ in range(5):
        pixels = chance.integers(0, 256, 784, dtype=np.uint8).tobytes()
        picture = torch.frombuffer(bytearray(pixels), dtype=torch.uint8).view(1, 1, 28, 28) / 255
        asked, weights = int(chance.integers(classes)), chance.uniform(0, 1, 3).astype(np.float32)
        with torch.no_grad():
            read = classifier(picture)[0].numpy()
            made = coach(picture, torch.tensor([[asked]]), torch.from_numpy(weights)[None, None])[0].numpy()
        condition = np.concatenate([np.eye(classes, dtype=np.float32)[asked], weights])
        assert made.max() > 0.1
        assert np.abs(logits(arrays, picture_of(pixels)) - read).max() < 1e-5
        assert np.abs(proposal(arrays, picture_of(pixels), condition) - made).max() < 1e-5
        shares = torch.from_numpy(read).softmax(0).numpy()
        assert np.abs(probabilities(arrays, picture_of(pixels)) - shares).max() < 1e-5


def test_weights_are_given_as_in_training() -> None:
    """From 0 to 1 by their logarithms."""
    for weights in drawn_weights(20, torch.Generator().manual_seed(0)):
        one = as_inputs(weights.tolist(), LOWEST, HIGHEST)
        assert np.abs(one - inputs_of(weights[None])[0].numpy()).max() < 1e-6
    assert as_inputs((0, 0, 0), LOWEST, HIGHEST).tolist() == [0, 0, 0]
    assert as_inputs(HIGHEST, LOWEST, HIGHEST).tolist() == [1, 1, 1]


def test_a_picture_is_its_bytes() -> None:
    """There and back."""
    pixels = bytes(range(256)) * 3 + bytes(16)
    assert pixels_of(picture_of(pixels)) == pixels
    assert picture_of(pixels).shape == (1, 28, 28)


def test_a_reading_with_its_proposal_takes_milliseconds() -> None:
    """Under 5 ms of one processor for the drawing's reading, the proposal and the proposal's reading."""
    _, _, arrays = networks(0)
    picture, condition = picture_of(bytes(range(196)) * 4), np.eye(13, dtype=np.float32)[3]
    took = []
    with threadpool_limits(1, user_api="blas"):  # as in the web server
        for _ in range(20):
            began = time.process_time()
            probabilities(arrays, picture)
            probabilities(arrays, proposal(arrays, picture, condition))
            took.append(time.process_time() - began)
    assert np.median(took) < 0.005
