"""A copy of a network that gives the same outputs and input gradients faster.

What it does, and why: batch norms are folded into the convolutions before them (they are an affine map at
test time, yet cost a pass through memory each way); parameters need no gradients; images lie with their
channels last; and on a CPU each convolution's weights are put once, not in each call, into the order in which
oneDNN computes, for the forward and for the backward pass. In bfloat16 the convolutions compute in half the
bits; everything else stays as it was.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_weights

Precision = Literal["float32", "bfloat16"]

_ONEDNN = torch.ops.mkldnn


def best_precision(device: str) -> Precision:
    """bfloat16 where the processor or the graphics card computes in it, else float32."""
    if device == "cpu":
        capable = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    else:
        capable = device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bfloat16" if capable else "float32"


def fast_copy(network: nn.Module, example: Tensor, precision: Precision = "float32") -> nn.Module:
    """A copy for gradients with respect to the input, which computes as `network` does in test mode.

    `example` [N, C, H, W] is a batch as it will be used; other sizes work, too. The copy's outputs for its first
    image are compared with the network's, and where they do not agree (a network may use a convolution in an unusual
    way) less is changed: in the worst case the copy is an ordinary one.
    """
    image, batch = example[:1].detach(), len(example)
    packed = partial(_pack, batch=batch) if example.device.type == "cpu" else None
    attempts: list[tuple[float, list[_Change]]] = []
    if precision == "bfloat16":
        attempts.append((0.1, [_fold, partial(_to_bfloat16, batch=batch)]))
    if packed:
        attempts += [(1e-3, [_fold, packed]), (1e-3, [packed])]
    attempts += [(1e-3, [_fold]), (1e-3, [])]
    for tolerance, changes in attempts:
        fast = copy.deepcopy(network).eval().requires_grad_(False).to(memory_format=torch.channels_last)
        seen = _watch(fast, image)
        try:
            with torch.no_grad():
                for change in changes:
                    change(fast, seen)
                outputs = fast(image.contiguous(memory_format=torch.channels_last)).to(seen.outputs.dtype)
        except (RuntimeError, NotImplementedError, TypeError, AttributeError):
            continue
        off = torch.linalg.vector_norm(outputs - seen.outputs)
        if off <= tolerance * torch.linalg.vector_norm(seen.outputs):
            return fast
    return fast


@dataclass(frozen=True)
class _Seen:
    """What one image's way through a network showed."""

    outputs: Tensor
    pairs: list[tuple[str, str]]
    """Convolutions, and the batch norms that got what they made, by name."""
    sizes: dict[str, tuple[torch.Size, torch.Size]]
    """What each convolution was given, and what it made."""


_Change = Callable[[nn.Module, _Seen], None]


def _watch(network: nn.Module, image: Tensor) -> _Seen:
    made: list[tuple[Tensor, str]] = []  # the tensors are held, so that each keeps its identity
    pairs: list[tuple[str, str]] = []
    sizes: dict[str, tuple[torch.Size, torch.Size]] = {}
    calls: Counter[str] = Counter()

    def convolved(name: str, _module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        made.append((output, name))
        sizes[name] = (inputs[0].shape, output.shape)
        calls[name] += 1

    def normed(name: str, _module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        pairs.extend((conv, name) for output, conv in made if output is inputs[0])
        calls[name] += 1

    hooks = []
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(partial(convolved, name)))
        elif isinstance(module, nn.BatchNorm2d):
            hooks.append(module.register_forward_pre_hook(partial(normed, name)))
    with torch.no_grad():
        outputs = network(image)
    for hook in hooks:
        hook.remove()
    return _Seen(outputs, [pair for pair in pairs if calls[pair[0]] == calls[pair[1]] == 1], sizes)


def _fold(network: nn.Module, seen: _Seen) -> None:
    """Fold each batch norm into the convolution before it."""
    for conv_name, norm_name in seen.pairs:
        conv, norm = network.get_submodule(conv_name), network.get_submodule(norm_name)
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        if norm.running_mean is not None and norm.running_var is not None:
            conv.weight, conv.bias = fuse_conv_bn_weights(
                conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
            )
            conv.requires_grad_(False)
            _replace(network, norm_name, nn.Identity())


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, module)


def _pack(network: nn.Module, seen: _Seen, batch: int, dtype: torch.dtype = torch.float32) -> None:
    """Put packed convolutions in place of ordinary ones; depth-wise ones would gain nothing."""
    for name, (given, made) in seen.sizes.items():
        conv = network.get_submodule(name)
        assert isinstance(conv, nn.Conv2d)
        if conv.groups == 1 and conv.padding_mode == "zeros":
            _replace(network, name, PackedConvolution(conv, (batch, *given[1:]), (batch, *made[1:]), dtype))


def _to_bfloat16(network: nn.Module, seen: _Seen, batch: int) -> None:
    """Convolutions in bfloat16, linear layers as they were; each casts what it gets."""
    if seen.outputs.device.type == "cpu":
        _pack(network, seen, batch, torch.bfloat16)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.to(torch.bfloat16)
            module.register_forward_pre_hook(lambda _module, inputs: inputs[0].to(torch.bfloat16))
        elif isinstance(module, nn.Linear):
            module.register_forward_pre_hook(lambda _module, inputs: inputs[0].float())


class PackedConvolution(nn.Module):
    """A convolution whose weights lie in oneDNN's order, for both passes; no gradient reaches them.

    A subclass of torch's convolution, or one with padding in words, is taken to pad as much as its output's size
    says, with the smaller half first, as TensorFlow does.
    """

    def __init__(self, conv: nn.Conv2d, given: Sequence[int], made: Sequence[int], dtype: torch.dtype) -> None:
        super().__init__()
        weight = conv.weight.detach().to(dtype)
        self.dtype = dtype
        self.bias = None if conv.bias is None else conv.bias.detach().to(dtype)
        self.reach = [dilation * (size - 1) + 1 for dilation, size in zip(conv.dilation, conv.kernel_size, strict=True)]
        self.before = [0, 0, 0, 0]
        padding, stride, dilation = [0, 0], list(conv.stride), list(conv.dilation)
        if type(conv) is nn.Conv2d and not isinstance(conv.padding, str):
            padding = list(conv.padding)
        else:
            down, right = (max((made[2 + i] - 1) * stride[i] + self.reach[i] - given[2 + i], 0) for i in range(2))
            self.before = [right // 2, right - right // 2, down // 2, down - down // 2]
            given = (*given[:2], given[2] + down, given[3] + right)
        self.how = (padding, stride, dilation)
        self.forwards = _ONEDNN._reorder_convolution_weight(weight, padding, stride, dilation, 1, list(given))
        self.backwards = _ONEDNN._reorder_convolution_transpose_weight(
            weight, padding, self.left_over(given, made), stride, dilation, 1, list(made)
        )

    def left_over(self, given: Sequence[int], made: Sequence[int]) -> list[int]:
        """Rows and columns at the end that the strides do not reach, which the transpose must add."""
        padding, stride, _ = self.how
        return [given[2 + i] - ((made[2 + i] - 1) * stride[i] - 2 * padding[i] + self.reach[i]) for i in range(2)]

    def forward(self, images: Tensor) -> Tensor:
        """The convolution of images [N, C, H, W]."""
        images = images.to(self.dtype)
        if any(self.before):
            images = functional.pad(images, self.before)
        result: Tensor = _Packed.apply(images, self)
        return result


class _Packed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, conv: PackedConvolution) -> Tensor:
        padding, stride, dilation = conv.how
        ctx.conv, ctx.given = conv, images.shape
        result: Tensor = _ONEDNN._convolution_pointwise(
            images, conv.forwards, conv.bias, padding, stride, dilation, 1, "none", [], ""
        )
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        conv, gradient = ctx.conv, gradients[0]
        padding, stride, dilation = conv.how
        rest = conv.left_over(ctx.given, gradient.shape)
        result = _ONEDNN._convolution_transpose_pointwise(
            gradient, conv.backwards, None, padding, rest, stride, dilation, 1, "none", [], ""
        )
        return result, None
