"""The fast copy of a network computes what the network does."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from crowdloom.models.packing import PackedConvolution, best_precision, fast_copy


def network() -> nn.Sequential:
    """Strides, dilation, groups, batch norms that have seen something."""
    torch.manual_seed(0)
    made = nn.Sequential(
        nn.Conv2d(3, 16, 7, stride=2, padding=3, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(inplace=True),
        nn.Conv2d(16, 16, 3, padding=1, groups=16),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 24, (3, 2), stride=(2, 1), dilation=2),
        nn.Conv2d(24, 8, 1, stride=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )
    made(torch.randn(8, 3, 40, 41))
    return made.eval()


def gradient(module: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs, and the derivative of their weighted sum."""
    images = images.clone().requires_grad_()
    outputs = module(images)
    weights = torch.arange(1.0, 1 + outputs.shape[1])
    return outputs.detach(), torch.autograd.grad((outputs.float() * weights).sum(), images)[0]


@pytest.mark.parametrize("size", [(4, 3, 40, 41), (1, 3, 40, 41), (3, 3, 57, 38)])
def test_outputs_and_gradients_are_the_same(size: tuple[int, ...]) -> None:
    """For the batch that it was made for, another size of batch, and another size of image."""
    plain = network()
    fast = fast_copy(plain, torch.randn(4, 3, 40, 41))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fast.modules())
    if torch.backends.mkldnn.is_available():
        assert sum(isinstance(module, PackedConvolution) for module in fast.modules()) == 3
    images = torch.randn(size)
    for expected, got in zip(gradient(plain, images), gradient(fast, images), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_the_network_itself_is_left_alone() -> None:
    """Neither its layers, nor its weights, nor whether they learn, change."""
    plain = network().train()
    before = {name: value.clone() for name, value in plain.state_dict().items()}
    fast_copy(plain, torch.randn(2, 3, 40, 41))
    assert plain.training
    assert all(parameter.requires_grad for parameter in plain.parameters())
    assert all(torch.equal(value, before[name]) for name, value in plain.state_dict().items())


def test_a_norm_that_is_used_twice_is_not_folded() -> None:
    """What cannot be folded stays, and the outputs stay the same."""

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.norm = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)

        def forward(self, images: Tensor) -> Tensor:
            result: Tensor = self.norm(self.two(self.norm(self.one(images)))).mean((2, 3))
            return result

    module = Twice().train()
    module(torch.randn(8, 3, 12, 12))
    module.eval()
    images = torch.randn(2, 3, 12, 12)
    fast = fast_copy(module, images)
    assert any(isinstance(part, nn.BatchNorm2d) for part in fast.modules())
    torch.testing.assert_close(fast(images), module(images), rtol=1e-4, atol=1e-5)


def test_a_convolution_whose_output_is_used_elsewhere_keeps_its_meaning() -> None:
    """Folding would change what the other user gets; the comparison of outputs notices."""

    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

        def forward(self, images: Tensor) -> Tensor:
            found = self.conv(images)
            result: Tensor = (found * self.norm(found)).mean((2, 3))
            return result

    module = Shared().train()
    module(3 + torch.randn(8, 3, 12, 12))
    module.eval()
    images = torch.randn(2, 3, 12, 12)
    torch.testing.assert_close(fast_copy(module, images)(images), module(images), rtol=1e-4, atol=1e-5)


def test_bfloat16_is_near() -> None:
    """In half the bits, outputs and gradients agree to about two digits; a processor without them loses nothing."""
    plain = network()
    images = torch.randn(4, 3, 40, 41)
    fast = fast_copy(plain, images, "bfloat16")
    convolutions = [module for module in fast.modules() if isinstance(module, PackedConvolution)]
    if best_precision("cpu") == "bfloat16":
        assert convolutions
        assert all(module.dtype == torch.bfloat16 for module in convolutions)
    for expected, got in zip(gradient(plain, images), gradient(fast, images), strict=True):
        assert torch.linalg.vector_norm(got - expected) < 0.05 * torch.linalg.vector_norm(expected)
