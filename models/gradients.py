"""Grad-CAM, and SmoothGrad in less time than its reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from crowdloom.models.errors import ModelError
from crowdloom.models.packing import Precision, fast_copy
from crowdloom.models.perturbations import blurred

_LAYER = (nn.Conv2d, nn.BatchNorm2d, nn.GroupNorm, nn.ReLU, nn.ReLU6, nn.SiLU, nn.GELU, nn.Hardswish, nn.LeakyReLU)
"""What a convolutional layer is made of."""
SAMPLES = 50
NOISE = 0.15
"""Standard deviation of SmoothGrad's noise, as a share of the image's range (Smilkov et al. use 0.1 to 0.2)."""
_AT_ONCE = 10  # noisy images in a batch: more do not fit a processor's cache


def grad_cam(model: nn.Module, images: Tensor, targets: Tensor, layer: str | None = None) -> Tensor:
    """Grad-CAM maps [N, 1, H, W], at least 0, of the class `targets[n]` in image n (Selvaraju et al. 2017).

    The activations of the last convolutional layer (see `last_convolution`), weighted by the mean gradient of the
    class in each channel, summed, cut at 0 and enlarged to the image bilinearly; by Captum. `layer` names another.
    Raises ModelError where the network has no such layer.
    """
    from captum.attr import LayerAttribution, LayerGradCam

    where = named_layer(model, layer) if layer else last_convolution(model, images[:1])
    with torch.enable_grad():
        maps = LayerGradCam(model, where).attribute(images, target=targets, relu_attributions=True)
    enlarged: Tensor = LayerAttribution.interpolate(maps, images.shape[2:], "bilinear")
    return enlarged.detach()


def last_convolution(model: nn.Module, image: Tensor) -> nn.Module:
    """The convolutional layer that a network computes last: with the norm and the activation that follow it directly.

    Before its norm a convolution's output says nothing of where 0 is, and many a map of it is empty. Modules that are
    called more than once are passed over, as it could not be said which call is meant. Raises ModelError where the
    network has no convolution.
    """
    calls: list[tuple[nn.Module, Tensor, Tensor]] = []  # tensors are held, so that each keeps its identity

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        calls.append((module, inputs[0], output))

    hooks = [module.register_forward_hook(note) for module in model.modules() if isinstance(module, _LAYER)]
    with torch.no_grad():
        model(image)
    for hook in hooks:
        hook.remove()
    times = Counter(module for module, _, _ in calls)
    last = next((n for n in reversed(range(len(calls))) if isinstance(calls[n][0], nn.Conv2d)), None)
    if last is None:
        raise ModelError("the network has no convolution, which Grad-CAM needs; use another classifier")
    layer, _, output = calls[last]
    for module, given, made in calls[last + 1 :]:
        if given is not output or times[module] > 1:
            break
        layer, output = module, made
    return layer


def named_layer(model: nn.Module, name: str) -> nn.Module:
    """The layer of this name. Raises ModelError where the network has none."""
    try:
        return model.get_submodule(name)
    except AttributeError as error:
        raise ModelError(f"the network has no layer {name!r}; name one of model.named_modules()") from error


def draw_noise(images: Tensor, samples: int, seed: int) -> Tensor:
    """Standard normal noise [N, samples, C, H, W], the same for the same seed and image shape, whatever N."""
    shape = (samples, *images.shape[1:])
    return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for _ in images])


def smooth_grad(
    model: nn.Module,
    images: Tensor,
    targets: Tensor,
    *,
    samples: int = SAMPLES,
    deviation: float | None = None,
    noise: Tensor | None = None,
    seed: int = 0,
    precision: Precision = "float32",
    fast: nn.Module | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """SmoothGrad [N, C, H, W]: the mean absolute gradient of class `targets[n]` around image n (Smilkov et al. 2017).

    M(x) = mean over `samples` of |d y / d x (x + e)|, e normal with standard deviation `deviation`; without it,
    0.15 of the image's range. The expectation is that of Captum's NoiseTunnel over Saliency. `noise` is standard
    normal [N, samples, C, H, W], drawn from `seed` where none is given; `fast` as in `extremal_perturbations`.
    """
    if noise is None:
        noise = draw_noise(images, samples, seed)
    samples = noise.shape[1]
    if fast is None:
        fast = fast_copy(model, images[:1].expand(min(samples, _AT_ONCE), -1, -1, -1), precision)
    sums = torch.zeros_like(images)
    for number, image in enumerate(images):
        spread = deviation if deviation is not None else NOISE * float(image.max() - image.min())
        target = int(targets[number])
        for start in range(0, samples, _AT_ONCE):
            part = noise[number, start : start + _AT_ONCE].to(image.device)
            batch = torch.add(image, part, alpha=spread).contiguous(memory_format=torch.channels_last).requires_grad_()
            with torch.enable_grad():
                (gradient,) = torch.autograd.grad(fast(batch)[:, target].sum(), batch)
            sums[number] += gradient.abs_().sum(0)
            if progress:
                progress(number * samples + start + len(part), len(images) * samples)
    return sums.div_(samples)


def heat(gradients: Tensor, blur: float = 0.0) -> Tensor:
    """A map [N, 1, H, W] in 0..1 for the eye: the channels' maximum, the highest 1 % of pixels cut to 1.

    (Smilkov et al. 2017, section 4, cut at the 99th percentile.)
    """
    maps = blurred(gradients.amax(1, keepdim=True), blur)
    flat = maps.flatten(1)
    top = torch.quantile(flat, 0.99, dim=1).clamp(min=1e-12)
    return (maps / top.view(-1, 1, 1, 1)).clamp(0, 1)


def normed(maps: Tensor) -> Tensor:
    """Maps [N, 1, H, W] that are at least 0, divided by their highest value; a map of zeros stays one."""
    return maps / functional.relu(maps).amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
