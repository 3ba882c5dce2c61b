"""What is said of predictions: hand-computed cases, plain numpy, and torchmetrics."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torchmetrics.functional as theirs
import torchmetrics.functional.classification as classification
from torch import Tensor

from crowdloom.analysis.labels import entropy
from crowdloom.models import metrics
from crowdloom.models.errors import ModelError

CLASSES = 10


@pytest.fixture
def outputs() -> Tensor:
    """What a network says of 357 images, [N, K]."""
    return torch.randn(357, CLASSES, generator=torch.Generator().manual_seed(1)) * 3


@pytest.fixture
def labels(test_data: Path) -> Tensor:
    """CIFAR-10H's labels of 357 images, some of which are one person's choice only and some ties."""
    counts = np.load(test_data / "cifar10h-counts.npy")
    chosen = counts[np.argsort(-entropy(counts / counts.sum(1, keepdims=True)))[:357]].astype(np.float32)
    return torch.from_numpy(chosen / chosen.sum(1, keepdims=True))


def test_cross_entropy_by_hand() -> None:
    """log 4 for a quarter where all mass is, the mean of both logs where it is halved; the mean of both images."""
    predicted = torch.tensor([[0.25, 0.75], [0.5, 0.5]]).log()
    given = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    assert metrics.cross_entropy(predicted, given) == pytest.approx((math.log(4) + math.log(2)) / 2)


def test_cross_entropy_is_that_of_others(outputs: Tensor, labels: Tensor) -> None:
    """torch's for soft targets; torchmetrics' divergence and the labels' own entropy; numpy in float64."""
    ours = metrics.cross_entropy(metrics.log_probabilities(outputs), labels)
    assert ours == pytest.approx(float(torch.nn.functional.cross_entropy(outputs, labels)), rel=1e-6)
    divergence = theirs.kl_divergence(labels, outputs.softmax(1))
    assert ours == pytest.approx(float(divergence) + entropy(labels.numpy().astype(float)).mean(), rel=1e-5)
    plain, given = outputs.numpy().astype(float), labels.numpy().astype(float)
    logs = plain - np.log(np.exp(plain).sum(1, keepdims=True))
    assert ours == pytest.approx(-(given * logs).sum(1).mean(), rel=1e-6)


def test_cross_entropy_survives_certainty() -> None:
    """A probability that underflows costs what its logarithm says, and one that no label asks for costs nothing."""
    certain = metrics.log_probabilities(torch.tensor([[0.0, -2000.0], [0.0, -math.inf]]))
    assert metrics.cross_entropy(certain[:1], torch.tensor([[0.0, 1.0]])) == 2000
    assert metrics.cross_entropy(certain, torch.tensor([[1.0, 0.0], [1.0, 0.0]])) == 0
    assert metrics.cross_entropy(certain[1:], torch.tensor([[0.5, 0.5]])) == math.inf


def test_half_precision_outputs_are_taken_to_float32(outputs: Tensor) -> None:
    """The softmax of bfloat16 outputs is computed in float32."""
    rounded = outputs.bfloat16()
    torch.testing.assert_close(metrics.log_probabilities(rounded), rounded.float().log_softmax(1), rtol=0, atol=0)


def test_accuracies_are_those_of_torchmetrics(outputs: Tensor, labels: Tensor) -> None:
    """Accuracy, among the first two, and for each class."""
    true = labels.argmax(1)
    for k, ours in ((1, metrics.accuracy(outputs, labels)), (2, metrics.top2_accuracy(outputs, labels))):
        expected = classification.multiclass_accuracy(outputs, true, CLASSES, average="micro", top_k=k)
        assert ours == pytest.approx(float(expected))
    by_class = classification.multiclass_accuracy(outputs, true, CLASSES, average="none")
    assert metrics.per_class_accuracy(outputs, labels) == pytest.approx(by_class.tolist())


def test_of_equals_the_first_counts() -> None:
    """Tied labels and tied predictions: the class that stands first, as with numpy."""
    even = torch.full((1, 4), 0.25)
    first, second, third = torch.eye(4)[:3].split(1)
    assert metrics.correct(even, first).tolist() == [True]
    assert metrics.correct(even, second).tolist() == [False]
    assert metrics.correct(first, even).tolist() == [True]
    assert [metrics.top2_accuracy(even, label) for label in (first, second, third)] == [1, 1, 0]
    assert even.numpy().argmax() == 0


def test_a_class_without_images_has_no_accuracy() -> None:
    """None, not a number that is none."""
    labels = torch.eye(3)[[0, 0, 2]]
    assert metrics.per_class_accuracy(torch.eye(3)[[0, 1, 2]], labels) == [0.5, None, 1.0]


def rms_by_loops(confidence: Tensor, correct: Tensor, size: int) -> float:
    """The calibration error as the paper states it, prediction by prediction."""
    ordered = sorted(zip(confidence.tolist(), correct.tolist(), strict=True), key=lambda pair: pair[0])
    bins: list[list[tuple[float, bool]]] = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    if len(bins) > 1 and len(bins[-1]) < size:
        bins[-2:] = [bins[-2] + bins[-1]]
    total = 0.0
    for one in bins:
        confident, right = (sum(values) / len(one) for values in zip(*one, strict=True))
        total += len(one) / len(ordered) * (confident - right) ** 2
    return math.sqrt(total)


@pytest.mark.parametrize(("n", "size"), [(357, 100), (300, 100), (100, 10), (7, 100), (1, 1), (199, 100)])
def test_calibration_error_is_the_formula(n: int, size: int) -> None:
    """The last bin takes the remainder; with fewer predictions than a bin there is one."""
    generator = torch.Generator().manual_seed(n)
    confidence = torch.rand(n, generator=generator)
    correct = torch.rand(n, generator=generator) < confidence.square()
    ours = metrics.rms_calibration_error(confidence, correct, size)
    assert ours == pytest.approx(rms_by_loops(confidence, correct, size), rel=1e-5)


def test_calibration_error_is_that_of_torchmetrics_where_bins_agree() -> None:
    """Its bins are of equal width: with ten predictions in each tenth they are ours."""
    generator = torch.Generator().manual_seed(0)
    confidence = (torch.arange(10).repeat_interleave(10) + torch.rand(100, generator=generator) * 0.98 + 0.01) / 10
    correct = torch.rand(100, generator=generator) < 0.5
    mixed = torch.randperm(100, generator=generator)
    expected = classification.binary_calibration_error(confidence, correct.long(), n_bins=10, norm="l2")
    ours = metrics.rms_calibration_error(confidence[mixed], correct[mixed], 10)
    assert ours == pytest.approx(float(expected), rel=1e-5)


def test_a_perfectly_calibrated_network_has_no_error() -> None:
    """Three of four right at a confidence of three quarters."""
    confidence = torch.full((8,), 0.75)
    correct = torch.tensor([True, True, True, False] * 2)
    assert metrics.rms_calibration_error(confidence, correct, 4) == 0


def test_entropy_correlations_are_those_of_torchmetrics(outputs: Tensor, labels: Tensor) -> None:
    """Of the entropies that torch itself computes."""
    predicted = torch.distributions.Categorical(logits=outputs.double()).entropy()
    given = torch.special.entr(labels.double()).sum(1)
    ours = metrics.entropy_correlation(metrics.log_probabilities(outputs), labels)
    assert ours.pearson == pytest.approx(float(theirs.pearson_corrcoef(predicted, given)), abs=1e-6)
    assert ours.spearman == pytest.approx(float(theirs.spearman_corrcoef(predicted, given)), abs=1e-3)  # ties differ


def test_entropy_correlations_of_any_kind_of_tensor(outputs: Tensor, labels: Tensor) -> None:
    """bfloat16, which numpy does not know, and what still has a gradient."""
    predicted = metrics.log_probabilities(outputs)
    assert metrics.entropy_correlation(predicted.clone().requires_grad_(), labels) == metrics.entropy_correlation(
        predicted, labels
    )
    half = metrics.entropy_correlation(predicted.bfloat16(), labels)
    assert half.pearson == pytest.approx(metrics.entropy_correlation(predicted, labels).pearson, abs=0.02)


def test_without_variation_there_is_no_correlation(outputs: Tensor) -> None:
    """All labels hard, or all predictions the same: None for both."""
    predicted = metrics.log_probabilities(outputs[:20])
    assert metrics.entropy_correlation(predicted, torch.eye(CLASSES).repeat(2, 1)) == (None, None)
    same = predicted[:1].expand(20, -1)
    soft = torch.rand(20, CLASSES, generator=torch.Generator().manual_seed(0)).softmax(1)
    assert metrics.entropy_correlation(same, soft) == (None, None)


def test_shares_are_exact() -> None:
    """52 of 533 right is 52/533 as Python divides it: seeds' differences are equal where the counts' are."""
    scores = torch.zeros(533, 3)
    scores[:52, 0], scores[52:, 1] = 1, 1
    labels = torch.eye(3)[:1].repeat(533, 1)
    assert metrics.accuracy(scores, labels) == 52 / 533
    scores[52:, 2] = 2
    assert metrics.top2_accuracy(scores, labels) == 52 / 533


def test_what_does_not_fit_is_refused(outputs: Tensor) -> None:
    """Other shapes, nothing at all, a bin of nothing."""
    for function in (metrics.cross_entropy, metrics.accuracy, metrics.top2_accuracy, metrics.per_class_accuracy):
        with pytest.raises(ModelError, match="are needed, these are"):
            function(outputs, outputs[:, :3])
        with pytest.raises(ModelError, match="are needed, these are"):
            function(outputs[:0], outputs[:0])
    with pytest.raises(ModelError, match="needs predictions"):
        metrics.rms_calibration_error(torch.zeros(4, 2), torch.zeros(4, 2), 2)
    with pytest.raises(ModelError, match="needs predictions"):
        metrics.rms_calibration_error(torch.zeros(0), torch.zeros(0), 10)
    with pytest.raises(ModelError, match="bins of at least one"):
        metrics.rms_calibration_error(torch.zeros(3), torch.zeros(3), 0)
