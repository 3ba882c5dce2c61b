"""A classifier's mistakes, and what is drawn from them."""

from __future__ import annotations

import numpy as np
import pytest
from torch import Tensor, nn

from crowdloom.models.classifiers import Classifier, classifier_of
from crowdloom.models.errors import MistakesError
from crowdloom.models.mistakes import Mistakes, draw_stimuli, find_mistakes

CLASSES = tuple("abcdefgh")


class Brightness(nn.Module):
    """Says the class whose number the first pixel holds."""

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.one_hot((images[:, 0, 0, 0] * 255).round().long(), len(CLASSES)).float()


@pytest.fixture
def classifier() -> Classifier:
    """A classifier that is told what to say."""
    return classifier_of(Brightness(), CLASSES, size=2, mean=(0.0,), std=(1.0,))


def images(*said: int) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    """Images that it takes for these classes."""
    return [np.full((2, 2), number, np.uint8) for number in said]


def some(count: int) -> Mistakes:
    """So many mistakes: a class that was taken for the next but one."""
    return Mistakes(
        0.5, 2 * count, list(range(count)), [n % 8 for n in range(count)], [(n + 2) % 8 for n in range(count)]
    )


def test_what_it_gets_wrong_is_found(classifier: Classifier) -> None:
    """Positions, correct classes and what it saw instead."""
    found = find_mistakes(classifier, images(0, 1, 2, 3, 7), [0, 2, 2, 4, 7])
    assert found == Mistakes(0.6, 5, positions=[1, 3], references=[2, 4], predictions=[1, 3])


@pytest.mark.parametrize("seed", range(20))
def test_options_are_one_prediction_and_four_distractors(seed: int) -> None:
    """Five different classes with the prediction and without the correct one."""
    for stimulus in draw_stimuli(some(40), len(CLASSES), 40, seed):
        assert stimulus.reference != stimulus.prediction
        assert stimulus.prediction in stimulus.options
        assert stimulus.reference not in stimulus.options
        assert len(set(stimulus.options)) == 5
        assert all(0 <= option < len(CLASSES) for option in stimulus.options)


def test_nothing_gives_the_prediction_away() -> None:
    """It stands at each place as often as at any other, and every other class serves as a distractor."""
    drawn = draw_stimuli(some(4000), len(CLASSES), 4000, seed=3)
    places = np.bincount([stimulus.options.index(stimulus.prediction) for stimulus in drawn], minlength=5)
    assert places.min() > 700
    taken = {(s.reference, s.prediction, o) for s in drawn for o in s.options if o != s.prediction}
    assert len(taken) == 8 * (8 - 2)


def test_drawing_is_reproducible() -> None:
    """The seed fixes which and in what order; what an image gets does not depend on how many are drawn."""
    few, again, many = (draw_stimuli(some(30), len(CLASSES), count, seed=1) for count in (10, 10, 30))
    assert few == again
    assert set(few) <= set(many)
    assert few != draw_stimuli(some(30), len(CLASSES), 10, seed=2)
    assert [s.position for s in few] == sorted(s.position for s in few)


def test_what_gives_no_stimuli_is_said(classifier: Classifier) -> None:
    """One class only, no mistake, fewer mistakes than asked for, fewer labels than options need."""
    with pytest.raises(MistakesError, match=r"one class only \(c\)"):
        find_mistakes(classifier, images(1, 2), [2, 2])
    with pytest.raises(MistakesError, match="one class only"):
        find_mistakes(classifier, [], [])
    perfect = find_mistakes(classifier, images(0, 1), [0, 1])
    with pytest.raises(MistakesError, match="makes no mistake in 2 images"):
        draw_stimuli(perfect, len(CLASSES), 1, seed=0)
    with pytest.raises(MistakesError, match="5 images are asked for, but the classifier makes only 3 mistakes"):
        draw_stimuli(some(3), len(CLASSES), 5, seed=0)
    with pytest.raises(MistakesError, match="need 6 classes, there are 5"):
        draw_stimuli(some(3), 5, 3, seed=0)
