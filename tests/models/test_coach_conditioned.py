"""One coach for all weights, and the distorted pictures that it and its recogniser learn from."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from annotated_types import Ge, Le

from crowdloom.models import coach_conditioned
from crowdloom.models.coach_conditioned import (
    CHANGE,
    COMING_IN,
    HIGHEST,
    LOWEST,
    NONE_SHARE,
    drawn_weights,
    inputs_of,
    train_conditioned,
)
from crowdloom.models.coach_data import CoachData, digits
from crowdloom.models.coach_distortions import distorted, hazed
from crowdloom.models.coach_folder import Weights
from crowdloom.models.coach_loss import change, misreading
from crowdloom.models.coach_networks import Coach
from crowdloom.models.coach_pareto import GRID, USUAL
from crowdloom.models.coach_recogniser import train_recogniser
from crowdloom.models.coach_training import train_classifier
from crowdloom.models.errors import TrainingError
from crowdloom.tasks.coach_options import CoachOptions


@cache
def data() -> CoachData:
    return digits().first(160, 60)


def chance() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def on_no_step(done: int, of: int) -> None:
    """Nobody listens."""


def test_weights_are_drawn_from_all_that_a_design_can_say() -> None:
    """Some are 0, the others evenly by their logarithm; no design can ask for others."""
    drawn = drawn_weights(20_000, chance()).numpy()
    for column, (name, lowest, highest) in enumerate(zip(Weights._fields, LOWEST, HIGHEST, strict=True)):
        values = drawn[:, column]
        some = values[values > 0]
        assert (values == 0).mean() == pytest.approx(NONE_SHARE, abs=0.01)
        assert some.min() >= lowest * 0.999
        assert some.max() <= highest * 1.001
        assert np.median(some) == pytest.approx(np.sqrt(lowest * highest), rel=0.05)
        bounds = CoachOptions.model_fields[name].metadata
        assert next(one.ge for one in bounds if isinstance(one, Ge)) == 0
        assert next(one.le for one in bounds if isinstance(one, Le)) == highest
    assert inputs_of(torch.tensor([HIGHEST]))[0].tolist() == pytest.approx([1, 1, 1])


def test_the_grid_has_the_usual_weights_and_stays_within_the_trained_ones() -> None:
    """A design that says nothing finds its weights among those that were measured."""
    assert USUAL in GRID
    assert len(set(GRID)) == len(GRID)
    assert all(0 <= value <= highest for one in GRID for value, highest in zip(one, HIGHEST, strict=True))


def test_distortions_keep_pictures_what_they_are() -> None:
    """Every one differs, none leaves the paper, and ink stays within 0 and 1; without strength nothing is done."""
    pictures = torch.from_numpy(data().images[:64])[:, None].float() / 255
    other = distorted(pictures, 1.0, chance())
    assert other.shape == pictures.shape
    assert 0 <= other.min() <= other.max() <= 1
    assert (other - pictures).abs().sum((1, 2, 3)).min() > 1
    assert (other.sum((1, 2, 3)) / pictures.sum((1, 2, 3))).min() > 0.5
    assert torch.allclose(distorted(pictures, 0.0, chance()), pictures, atol=1e-5)


def test_haze_is_never_darker_than_asked() -> None:
    """And lies beside the ink; about half of the pictures stay as they are."""
    blank = torch.zeros(400, 1, 28, 28)
    haze = hazed(blank, 0.6, chance())
    assert 0.3 < haze.max() <= 0.6
    assert (haze.amax((1, 2, 3)) == 0).float().mean() == pytest.approx(0.5, abs=0.1)
    assert hazed(torch.ones(4, 1, 28, 28), 0.6, chance()).min() == 1


def test_a_recogniser_that_was_misled_is_harder_to_mislead(tmp_path: Path) -> None:
    """By the step that changes each pixel a little, against one that was trained plainly and reads as well."""
    plain = train_classifier(data(), seed=0, epochs=12, rate=1e-3)
    made = train_recogniser(
        data(), epochs=40, misleading=0.2, seed=0, file=tmp_path / "state", versions={}, on_step=on_no_step
    )
    pictures = torch.from_numpy(data().test_images)[:, None].float() / 255
    labels = torch.from_numpy(data().test_labels)
    right = {}
    for name, network in (("plain", plain), ("made", made)):
        near = pictures.clone().requires_grad_()
        (uphill,) = torch.autograd.grad(torch.nn.functional.cross_entropy(network(near), labels), near)
        with torch.no_grad():
            right[name] = [
                float((network(shown).argmax(1) == labels).float().mean())
                for shown in (pictures, (pictures + 0.15 * uphill.sign()).clamp(0, 1))
            ]
    assert right["made"][0] > 0.6
    assert right["made"][1] / right["made"][0] > right["plain"][1] / right["plain"][0] + 0.1


def test_pictures_are_weighed_as_equation_1_has_it() -> None:
    """Whatever a picture's say in its batch: its terms stand to its change as its weights to 32, once all came in."""
    weights = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.5], [0.1, 8.0, 0.0]])
    terms = ("classification", "efficiency", "discriminator")
    for done, share in ((0.0, 0.0), (COMING_IN / 2, 0.5), (COMING_IN, 1.0), (0.9, 1.0)):
        alphas = coach_conditioned._alphas(weights, done)
        for column, name in enumerate(terms):
            assert (CHANGE * getattr(alphas, name) / alphas.change)[:, 0].tolist() == pytest.approx(
                (share * weights[:, column]).tolist()
            )
    assert torch.as_tensor(alphas.change)[0] == CHANGE


def test_one_coach_makes_of_weights_what_they_say(tmp_path: Path) -> None:
    """After some epochs: with more classification more ink is changed, and what is proposed is read more surely."""
    classifier = train_classifier(data(), seed=0, epochs=12, rate=1e-3)
    coach = train_conditioned(
        data(), classifier, epochs=24, seed=2, file=tmp_path / "state", versions={}, on_step=on_no_step
    )
    pictures = torch.from_numpy(data().images)[:, None].float() / 255
    asked = torch.from_numpy(data().labels)[:, None]
    misread, changed = [], []
    for weights in (Weights(0, 0, 0), Weights(1, 0, 0)):
        inputs = inputs_of(torch.tensor([weights]))[:, None].expand(len(asked), 1, -1)
        proposals = coach(pictures, asked, inputs)
        misread.append(float(misreading(classifier, proposals, asked).mean()))
        changed.append(float(change(pictures, proposals).mean()))
    assert misread[1] < 0.8 * misread[0]
    assert changed[0] < changed[1]


def test_a_coach_that_proposes_blank_paper_comes_back() -> None:
    """Its own gradient would be 0 forever."""
    torch.manual_seed(0)
    coach = Coach(10, 1, 3)
    coach.decoder3.bias.data.fill_(-1.0)
    pictures, asked = torch.rand(4, 1, 28, 28), torch.zeros(4, 1, dtype=torch.int64)
    before = coach.before_relu(pictures, asked, torch.zeros(4, 1, 3))
    assert before.max() < 0
    (pictures - coach_conditioned._Reviving.apply(before)).abs().sum().backward()
    assert coach.decoder3.bias.grad is not None
    assert coach.decoder3.bias.grad < 0  # so that the bias rises


def test_numbers_that_are_not_finite_end_it(tmp_path: Path) -> None:
    """With a sentence, and no state that one could go on from."""
    classifier = train_classifier(data(), seed=0, epochs=0)
    classifier.linear.bias.data.fill_(float("nan"))
    with pytest.raises(TrainingError, match="the loss is not finite in epoch 1 of 1"):
        train_conditioned(
            data().first(16, 1), classifier, epochs=1, seed=0, file=tmp_path / "s", versions={},
            on_step=on_no_step,
        )  # fmt: skip
    assert not (tmp_path / "s").exists()
