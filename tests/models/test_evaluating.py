"""All metrics of a network in one call: against each of them computed plainly, or with torchattacks."""

from __future__ import annotations

import copy
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torchattacks
from torch import Tensor, nn

from crowdloom.models import evaluating, metrics
from crowdloom.models.attacks import EPSILON
from crowdloom.models.corruptions import corrupted
from crowdloom.models.errors import ModelError, TrainingError
from crowdloom.models.evaluating import METRICS, evaluate
from crowdloom.models.networks import SmallCNN
from crowdloom.models.precision import Computing

CPU = Computing("cpu", bf16=False, channels_last=True, threads=1)
BF16 = Computing("cpu", bf16=True, channels_last=True, threads=1)
CLASSES = ("plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@pytest.fixture(scope="module")
def data(test_data: Path) -> tuple[Tensor, npt.NDArray[np.float64]]:
    """300 real images and their CIFAR-10H labels."""
    subset = np.load(test_data / "cifar10-test-subset.npz")
    counts = np.load(test_data / "cifar10h-counts.npy")[subset["index"][:300]]
    images = torch.from_numpy(subset["images"][:300]).permute(0, 3, 1, 2).contiguous()
    return images, counts / counts.sum(1, keepdims=True)


@pytest.fixture(scope="module")
def network(data: tuple[Tensor, npt.NDArray[np.float64]]) -> nn.Module:
    """A small one, trained a little on the very images, so that its predictions are not all alike."""
    images, labels = data
    pixels, targets = images.float() / 255, torch.from_numpy(labels).float()
    torch.manual_seed(0)
    made = SmallCNN(3, 10)
    optimizer = torch.optim.Adam(made.parameters(), 0.01)
    for _ in range(10):
        for x, y in zip(pixels.split(50), targets.split(50), strict=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(made(x), y).backward()
            optimizer.step()
    optimizer.zero_grad()
    return made.eval()


Data = tuple[Tensor, npt.NDArray[np.float64]]


def test_every_metric_is_what_it_says(network: nn.Module, data: Data) -> None:
    """Each column equals its function on the network's plain outputs."""
    images, labels = data
    found = evaluate(network, images, labels, bin=100, metrics=METRICS, computing=CPU, seed=5, classes=CLASSES)
    pixels, targets = images.float() / 255, torch.from_numpy(labels).float()
    with torch.no_grad():
        says = metrics.log_probabilities(network(pixels))
        under = [
            metrics.cross_entropy(metrics.log_probabilities(network(changed.float() / 255)), targets)
            for _, changed in corrupted(images, 5)
        ]
    expected = {
        "cross_entropy": metrics.cross_entropy(says, targets),
        "calibration_error": metrics.rms_calibration_error(says.amax(1).exp(), metrics.correct(says, targets), 100),
        "corruption_cross_entropy": fmean(under),
        "accuracy": metrics.accuracy(says, targets),
        "top2_accuracy": metrics.top2_accuracy(says, targets),
        "entropy_correlation": metrics.entropy_correlation(says, targets).pearson,
        "entropy_rank_correlation": metrics.entropy_correlation(says, targets).spearman,
    }
    shares = metrics.per_class_accuracy(says, targets)
    expected |= {f"accuracy_{name}": share for name, share in zip(CLASSES, shares, strict=True)}
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-4), name
    assert set(found) - set(expected) == {"fgsm_loss", "pgd_loss"}
    assert found["cross_entropy"] < found["fgsm_loss"] < found["pgd_loss"]
    assert found["cross_entropy"] < found["corruption_cross_entropy"]
    assert all(type(value) is float for value in found.values())


def test_losses_after_attacks_are_those_of_torchattacks(network: nn.Module, data: Data) -> None:
    """With hard labels; PGD from starts of its own, so nearly."""
    images, labels = data
    hard = torch.from_numpy(labels.argmax(1))
    found = evaluate(
        network, images, np.eye(10)[hard], bin=100, metrics=["fgsm_loss", "pgd_loss"], computing=CPU, seed=1
    )
    pixels = images.float() / 255
    attacks = {
        "fgsm_loss": torchattacks.FGSM(network, eps=EPSILON),
        "pgd_loss": torchattacks.PGD(network, eps=EPSILON, alpha=EPSILON / 4, steps=10),
    }
    for name, attack in attacks.items():
        expected = nn.functional.cross_entropy(network(attack(pixels, hard)), hard).detach()
        assert found[name] == pytest.approx(float(expected), rel=0.01 if name == "pgd_loss" else 1e-4), name


def test_batches_change_nothing(network: nn.Module, data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many images are computed at once, also where the last batch is smaller."""
    images, labels = data
    whole = evaluate(network, images, labels, bin=100, metrics=METRICS, computing=CPU, seed=2)
    monkeypatch.setitem(evaluating._BATCH, "cpu", 77)
    parts = evaluate(network, images, labels, bin=100, metrics=METRICS, computing=CPU, seed=2)
    assert parts == pytest.approx(whole, rel=1e-3)
    assert list(parts) == list(whole)


def test_the_same_seed_gives_the_same_numbers(network: nn.Module, data: Data) -> None:
    """To the last digit; another seed changes what has chance in it, and nothing else."""
    images, labels = data[0][:60], data[1][:60]
    wanted = ("cross_entropy", "fgsm_loss", "pgd_loss", "corruption_cross_entropy")
    one, two, other = (
        evaluate(network, images, labels, bin=10, metrics=wanted, computing=CPU, seed=seed) for seed in (3, 3, 4)
    )
    assert one == two
    assert [one[name] == other[name] for name in wanted] == [True, True, False, False]


def test_bfloat16_changes_little(network: nn.Module, data: Data) -> None:
    """Metrics within a hundredth or two of those in float32."""
    images, labels = data
    exact, fast = (
        evaluate(network, images, labels, bin=100, metrics=METRICS, computing=computing) for computing in (CPU, BF16)
    )
    for name in ("cross_entropy", "fgsm_loss", "pgd_loss", "corruption_cross_entropy"):
        assert fast[name] == pytest.approx(exact[name], rel=0.01), name
    for name in ("accuracy", "top2_accuracy", "calibration_error", "entropy_correlation"):
        assert fast[name] == pytest.approx(exact[name], abs=0.02), name


def test_the_network_is_left_as_it_was(network: nn.Module, data: Data) -> None:
    """Its mode, its parameters and statistics; and nobody's chance is used."""
    images, labels = data[0][:20], data[1][:20]
    network.train()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    torch.manual_seed(1)
    evaluate(network, images, labels, bin=10, metrics=METRICS, computing=CPU)
    drawn = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), drawn)
    assert all(module.training for module in network.modules())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    network.eval()


def test_corruptions_of_ones_own(network: nn.Module, data: Data) -> None:
    """Images that were corrupted elsewhere take the place of ours."""
    images, labels = data
    dark, light = images // 2, 255 - images // 2
    wanted = ["corruption_cross_entropy"]
    found = evaluate(
        network, images, labels, bin=100, metrics=wanted, computing=CPU, corruptions={"dark": dark, "light": light}
    )
    each = [
        evaluate(network, one, labels, bin=100, metrics=["cross_entropy"], computing=CPU)["cross_entropy"]
        for one in (dark, light)
    ]
    assert found["corruption_cross_entropy"] == pytest.approx(fmean(each), rel=1e-6)


def test_what_is_not_defined_has_no_column(network: nn.Module, data: Data) -> None:
    """A class without images, correlations where all labels are hard."""
    images = data[0][:20]
    hard = np.eye(10)[[0, 1] * 10]
    wanted = ["accuracy", "entropy_correlation", "entropy_rank_correlation", "class_accuracy"]
    found = evaluate(network, images, hard, bin=10, metrics=wanted, computing=CPU, classes=CLASSES)
    assert list(found) == ["accuracy", "accuracy_plane", "accuracy_car"]
    counted = evaluate(network, images, hard, bin=10, metrics=["class_accuracy"], computing=CPU)
    assert list(counted) == ["accuracy_0", "accuracy_1"]


@pytest.mark.parametrize("metric", [name for name in METRICS if name != "corruption_cross_entropy"])
def test_outputs_that_are_no_numbers_end_it(network: nn.Module, data: Data, metric: str) -> None:
    """They are neither right nor wrong: as ranks they would have each true class among the two highest."""
    broken = copy.deepcopy(network)
    with torch.no_grad():
        broken[-1].bias[3] = torch.nan
    with pytest.raises(TrainingError, match="outputs are not all numbers for 20 of 20 images"):
        evaluate(broken, data[0][:20], data[1][:20], bin=10, metrics=[metric], computing=CPU)


def test_what_cannot_be_evaluated_is_refused(network: nn.Module, data: Data) -> None:
    """A metric that is none, no images, labels of other images or classes."""
    images, labels = data
    with pytest.raises(ModelError, match="'f1' is no metric; choose from cross_entropy, calibration_error"):
        evaluate(network, images, labels, bin=100, metrics=["f1"], computing=CPU)
    with pytest.raises(ModelError, match="0 images cannot be evaluated"):
        evaluate(network, images[:0], labels[:0], bin=100, metrics=["accuracy"], computing=CPU)
    with pytest.raises(ModelError, match=r"300 images cannot be evaluated against labels of shape \[299, 10\]"):
        evaluate(network, images, labels[1:], bin=100, metrics=["accuracy"], computing=CPU)
    with pytest.raises(ModelError, match=r"these are \[300, 10\] and \[300, 9\]"):
        evaluate(network, images, labels[:, 1:], bin=100, metrics=["accuracy"], computing=CPU)
