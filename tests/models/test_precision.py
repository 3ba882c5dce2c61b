"""How a device computes, chosen and put to use."""

from __future__ import annotations

import pytest
import torch

from crowdloom.models import precision
from crowdloom.models.errors import ModelError
from crowdloom.models.normalised import Normalised, mean_and_std
from crowdloom.models.packing import best_precision
from crowdloom.models.precision import Computing, computing_of


def test_the_processor_computes_in_what_it_is_fast_in() -> None:
    """bfloat16 exactly where the instructions are there; channels last; PyTorch's threads, or as many as are named."""
    capable = best_precision("cpu") == "bfloat16"
    assert computing_of("cpu") == Computing("cpu", capable, True, torch.get_num_threads())
    assert computing_of("cpu", threads=3).threads == 3


@pytest.mark.parametrize(
    ("network", "size", "expected"),
    [("small-cnn", 8, False), ("small-cnn", 32, True), ("resnet-34a", 8, True), ("resnet-50", 32, True)],
)
def test_the_small_network_stays_in_float32_on_tiny_images(
    network: str, size: int, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There converting costs what computing saves; elsewhere a capable processor takes bfloat16."""
    monkeypatch.setattr(precision, "best_precision", lambda device: "bfloat16")
    assert computing_of("cpu", network, size=size).bf16 is expected


def test_without_a_name_the_best_device_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA before MPS before the processor; MPS computes in float32 and in the ordinary layout."""
    monkeypatch.setattr(torch, "empty", lambda *shape, device: None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    assert computing_of(threads=1) == Computing("cuda", True, True, 1, playback=True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert computing_of(threads=1) == Computing("mps", False, False, 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert computing_of().device == "cpu"


@pytest.mark.parametrize("device", ["gpu", "cuda:77", "meta"])
def test_a_device_that_cannot_be_used_is_refused(device: str) -> None:
    """No such word, no such card, or nothing that computes."""
    with pytest.raises(ModelError, match=repr(device)):
        computing_of(device)


def test_what_is_in_use_ends() -> None:
    """Threads and the choice of algorithms are as they were, also after an error."""
    before = torch.get_num_threads(), torch.backends.cudnn.deterministic
    with Computing("cpu", False, True, 3).in_use():
        assert (torch.get_num_threads(), torch.backends.cudnn.deterministic) == (3, True)
    assert (torch.get_num_threads(), torch.backends.cudnn.deterministic) == before
    with pytest.raises(ZeroDivisionError), Computing("cpu", False, True, 3).in_use():
        print(1 / 0)
    assert (torch.get_num_threads(), torch.backends.cudnn.deterministic) == before


def test_autocast_is_bfloat16_or_nothing() -> None:
    """Of what a network computes."""
    for bf16, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        with Computing("cpu", bf16, True, 1).autocast():
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


def test_mean_and_std_are_those_of_the_pixels() -> None:
    """Of each channel, as NumPy's; a channel of one value does not divide by zero."""
    torch.manual_seed(0)
    images = torch.randint(256, (50, 3, 5, 4), dtype=torch.uint8)
    images[:, 2] = 7
    mean, std = mean_and_std(images)
    pixels = images.double().numpy() / 255
    assert mean.numpy() == pytest.approx(pixels.mean((0, 2, 3)), abs=1e-7)
    assert std[:2].numpy() == pytest.approx(pixels.std((0, 2, 3))[:2], abs=1e-7)
    assert std[2].item() == pytest.approx(1e-3)


def test_normalisation_is_part_of_the_network() -> None:
    """Bytes and floats are the same; what is learned can be attacked; mean and std are saved."""
    images = torch.randint(256, (4, 2, 3, 3), dtype=torch.uint8)
    mean, std = mean_and_std(images)
    network = Normalised(torch.nn.Identity(), mean, std)
    pixels = (images / 255).requires_grad_()
    assert torch.equal(network(images), network(pixels))
    (slope,) = torch.autograd.grad(network(pixels).sum(), pixels)
    assert torch.allclose(slope[0, :, 0, 0], 1 / std)
    assert set(network.state_dict()) == {"mean", "std"}
