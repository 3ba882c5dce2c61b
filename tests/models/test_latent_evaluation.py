"""How well a network does, against scikit-learn, and where it puts the points shown."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score
from torch import nn

from crowdloom.models.errors import ModelError, TrainingError
from crowdloom.models.latent_evaluation import AT_A_TIME, evaluate, shown
from crowdloom.models.latent_training import train_epochs
from tests.models.latent_loops import CLASSES, digits, loop

DATA = digits()


def test_metrics_are_those_of_scikit_learn() -> None:
    """Of a network that confuses some classes, with one class absent; the record is the curve's line."""
    model, optimizer = loop()
    train_epochs(model, optimizer, DATA, classes=CLASSES, first_epoch=1, epochs=4, seed=0, batch=64)
    kept = DATA.labels != 6
    x, labels = DATA.x[kept], DATA.labels[kept]
    found = evaluate(model, x, labels, CLASSES, epoch=4)
    predicted = model(x)[0].argmax(1)
    assert 0.3 < found.accuracy < 0.99
    assert found.accuracy == pytest.approx(accuracy_score(labels, predicted))
    assert found.macro_f1 == pytest.approx(f1_score(labels, predicted, average="macro", zero_division=0))
    confusion = confusion_matrix(labels, predicted, labels=range(CLASSES))
    assert np.array_equal(found.confusion, confusion)
    assert found.class_accuracy[6] is None
    assert found.class_accuracy[:3] == pytest.approx((confusion.diagonal() / confusion.sum(1).clip(1))[:3].tolist())
    assert found.record.model_dump() == {"epoch": 4, "accuracy": found.accuracy, "macro_f1": found.macro_f1}


def test_points_shown_are_those_of_the_model() -> None:
    """Forwarded in parts, without dropout, they lie where one forward of all puts them."""
    model, _ = loop()
    x = torch.cat([DATA.x, DATA.validation_x])
    assert len(x) > 2 * AT_A_TIME
    with torch.no_grad():
        model.scale.fill_(1.5)
        model.eval()
        logits, expected, _ = model(x)
        model.train()
    points, predictions = shown(model, x)
    assert points.dtype == np.float32
    assert np.allclose(points, expected.numpy(), atol=1e-5)
    assert np.array_equal(predictions, logits.argmax(1).numpy())
    assert model.training


def test_only_the_points_shown_are_forwarded() -> None:
    """Each once, without gradients."""
    model, _ = loop()
    seen: list[tuple[int, bool]] = []
    model.network.register_forward_hook(
        lambda module, given, output: seen.append((len(given[0]), torch.is_inference_mode_enabled()))
    )
    shown(model, DATA.x[:100])
    assert seen == [(100, True)]


def test_one_point_can_be_shown() -> None:
    """It is somewhere."""
    points, predictions = shown(loop()[0], DATA.x[:1])
    assert np.isfinite(points).all()
    assert predictions.shape == (1,)


def test_nothing_and_no_numbers_are_refused() -> None:
    """With a sentence."""
    model, _ = loop()
    with pytest.raises(ModelError, match="no points to show"):
        shown(model, DATA.x[:0])
    with pytest.raises(ModelError, match="0 examples and 0 labels"):
        evaluate(model, DATA.x[:0], DATA.labels[:0], CLASSES)
    with pytest.raises(ModelError, match="2 examples and 3 labels"):
        evaluate(model, DATA.x[:2], DATA.labels[:3], CLASSES)
    first = next(module for module in model.network.modules() if isinstance(module, nn.Conv2d))
    assert first.bias is not None
    first.bias.data.fill_(math.inf)
    with pytest.raises(TrainingError, match="outputs are not finite"):
        evaluate(model, DATA.x, DATA.labels, CLASSES)
    with pytest.raises(TrainingError, match="features are not finite"):
        shown(model, DATA.x)
