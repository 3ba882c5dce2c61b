"""A small network that learns in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from sklearn.datasets import load_digits

from crowdloom.models.errors import ModelError
from crowdloom.models.mistakes import find_mistakes
from crowdloom.models.training import train_small_cnn

DIGITS = tuple("0123456789")


def digits(count: int) -> tuple[list[npt.NDArray[np.uint8]], npt.NDArray[np.int64]]:
    """scikit-learn's first digits, dark on white, and what they are."""
    given = load_digits()
    return list((255 - given.images[:count] * (255 / 16)).round().astype(np.uint8)), given.target[:count]


def test_it_learns_digits() -> None:
    """Most digits that it has not seen are right, and a few are not: the stimuli of a study."""
    images, labels = digits(1200)
    classifier = train_small_cnn(images[:600], labels[:600], DIGITS, epochs=8)
    mistakes = find_mistakes(classifier, images[600:], labels[600:].tolist())
    assert 0.9 < mistakes.accuracy < 1


def test_it_learns_photographs(test_data: Path) -> None:
    """On real CIFAR-10 images, hard ones at that, it is far better than chance and often wrong."""
    data = np.load(test_data / "cifar10-test-subset.npz")
    images, labels = list(data["images"]), data["label"]
    classifier = train_small_cnn(images[:1000], labels[:1000], DIGITS, epochs=5)
    mistakes = find_mistakes(classifier, images[1000:], labels[1000:].tolist())
    assert 0.25 < mistakes.accuracy < 0.9


def test_the_same_seed_gives_the_same_network() -> None:
    """All chance comes from the seed; whoever calls it keeps their own."""
    images, labels = digits(200)
    torch.manual_seed(5)
    expected = torch.rand(1).item()
    torch.manual_seed(5)
    one, two, other = (train_small_cnn(images, labels, DIGITS, epochs=1, seed=seed) for seed in (1, 1, 2))
    assert torch.rand(1).item() == expected
    assert one.digest == two.digest != other.digest
    assert (one.predict(images) == two.predict(images)).all()


def test_a_label_may_be_a_distribution() -> None:
    """Half this and half that teaches both: what it then says lies between the two."""
    images, labels = digits(300)
    soft = np.zeros((300, 10))
    soft[np.arange(300), labels] = 0.5
    soft[np.arange(300), (labels + 1) % 10] = 0.5
    says = train_small_cnn(images, soft, DIGITS, epochs=10).predict(images)
    own, next_one = says[np.arange(300), labels].mean(), says[np.arange(300), (labels + 1) % 10].mean()
    assert own == pytest.approx(0.5, abs=0.15)
    assert next_one == pytest.approx(0.5, abs=0.15)


def test_progress_is_told_and_can_end_it() -> None:
    """After each epoch; what it raises ends the training."""
    images, labels = digits(100)
    told: list[tuple[int, int]] = []
    train_small_cnn(images, labels, DIGITS, epochs=3, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_small_cnn(images, labels, DIGITS, epochs=3, progress=stop)


def test_what_cannot_be_learned_is_refused() -> None:
    """One class only, or images of several sizes: one sentence each."""
    images, labels = digits(20)
    with pytest.raises(ModelError, match="all images have one class"):
        train_small_cnn(images, np.zeros(20, dtype=int), DIGITS)
    with pytest.raises(ModelError, match="square images of one size"):
        train_small_cnn([*images[:-1], np.zeros((8, 9), np.uint8)], labels, DIGITS)
