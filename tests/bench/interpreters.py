"""The interpreters against the implementations that their users have: torchray's and Captum's.

    python -m tests.bench.interpreters [masks] [smoothgrad]

torchvision's ResNet-50 with random weights (its batch norms have seen noise, so that its outputs are of ordinary
size), one image of 224 x 224 pixels, on the processor.

The masks of three areas: torchray called once for each, unpatched, against one call of ours, which makes its fast copy
of the network in that time, too. Both make the same number of iterations, 10 for the time and 100 for what the masks
are worth: fewer than the default of 800, because each takes the same time. Masks of two runs differ pixel by pixel,
so two things are compared: how far their areas still are from those asked for (torchray counts a margin around the
image in), and the network's output for the class where just the strongest pixels of each mask are shown, as many as
were asked for. The exit status is 1 where our areas are farther off by more than 0.02, or where the mean output gained
over the blurred image is lower by more than a tenth.

SmoothGrad with 50 samples: Captum's NoiseTunnel over Saliency as it is called without further options, against ours;
1 where the correlation of the two maps is more than 0.02 below that of two runs of Captum's.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
import torchvision
from captum.attr import NoiseTunnel, Saliency
from torch import Tensor, nn

from crowdloom.models.interpreters import best_precision, extremal_perturbations, smooth_grad
from crowdloom.models.packing import Precision

AREAS = (0.2, 0.4, 0.5)
TARGET_CLASS = 7
TARGETS = {("masks", "float32"): 1.5, ("masks", "bfloat16"): 2.1, ("smoothgrad", "float32"): 2.1}
TARGETS["smoothgrad", "bfloat16"] = 4.0
TIMED, GATED = 10, 100
"""Iterations: of each timed call, and of the one whose masks are compared."""
ROUNDS = 5
AREA_OFF, REWARD_OFF, CORRELATION_OFF = 0.02, 0.1, 0.02


def network() -> nn.Module:
    """ResNet-50, in test mode."""
    torch.manual_seed(0)
    made: nn.Module = torchvision.models.resnet50()
    with torch.no_grad():
        made.train()
        for _ in range(3):
            made(torch.randn(16, 3, 224, 224))
    return made.eval()


def picture() -> Tensor:
    """Blobs of several sizes, as photographs have."""
    torch.manual_seed(1)
    parts = [
        torch.nn.functional.interpolate(torch.randn(1, 3, size, size), (224, 224), mode="bicubic")
        for size in (4, 14, 56, 224)
    ]
    return torch.stack(parts).sum(0) / 2


def theirs(model: nn.Module, image: Tensor, iterations: int) -> Tensor:
    """torchray's masks [3, H, W]: one call for each area."""
    from torchray.attribution.extremal_perturbation import extremal_perturbation

    found = [extremal_perturbation(model, image, TARGET_CLASS, areas=[area], max_iter=iterations) for area in AREAS]
    return torch.cat([mask[:, 0] for mask, _ in found])


def interleaved(runs: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """The median seconds of each; they take turns, so that a busy moment hits all."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(ROUNDS + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if turn:  # the first only warms up
                times[name].append(time.perf_counter() - start)
    return {name: median(seconds) for name, seconds in times.items()}


def correlation(first: Tensor, second: Tensor) -> float:
    """Of two maps."""
    return torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1].item()


def masks(model: nn.Module, image: Tensor, precisions: list[Precision]) -> bool:
    """Time and compare the masks; whether ours are as good."""
    label = torch.tensor([TARGET_CLASS])

    def ours(precision: Precision, iterations: int) -> Tensor:
        return extremal_perturbations(model, image, label, AREAS, iterations=iterations, precision=precision).masks[
            0, :, 0
        ]

    runs: dict[str, Callable[[], Any]] = {"torchray": lambda: theirs(model, image, TIMED)}
    for precision in precisions:
        runs[precision] = lambda precision=precision: ours(precision, TIMED)
    seconds = interleaved(runs)
    asked = torch.tensor(AREAS)
    blurred = outputs(model, image, torch.zeros(1, 224, 224))
    reference = theirs(model, image, GATED)
    their_off = (reference.mean((1, 2)) - asked).abs()
    their_gain = outputs(model, image, strongest(reference)) - blurred
    good = True
    for precision in precisions:
        ratio, target = seconds["torchray"] / seconds[precision], TARGETS["masks", precision]
        found = ours(precision, GATED)
        off = (found.mean((1, 2)) - asked).abs()
        gain = outputs(model, image, strongest(found)) - blurred
        print(
            f"masks, {precision}: 3 areas, {TIMED} iterations, torchray {seconds['torchray']:.2f} s, "
            f"ours {seconds[precision]:.2f} s, ratio {ratio:.2f} "
            f"(target {target}{'' if ratio >= target else ', missed'})"
        )
        print(
            f"  after {GATED} iterations: areas off by {listed(off)} (torchray {listed(their_off)}); "
            f"output gained by the strongest 20/40/50 %: {listed(gain)} (torchray {listed(their_gain)})"
        )
        if (off - their_off).max() > AREA_OFF or gain.mean() < their_gain.mean() * (1 - REWARD_OFF):
            print(f"  masks, {precision}: ours are worse than torchray's")
            good = False
    return good


def strongest(masks: Tensor) -> Tensor:
    """Masks that show only the strongest pixels, just the areas asked for."""
    hard = torch.zeros_like(masks).flatten(1)
    for row, mask, area in zip(hard, masks.flatten(1), AREAS, strict=True):
        row[mask.topk(round(area * len(mask))).indices] = 1
    return hard.view_as(masks)


def outputs(model: nn.Module, image: Tensor, masks: Tensor) -> Tensor:
    """What the plain network says of the image under masks, the mean of both ways round."""
    from crowdloom.models.perturbations import MAX_BLUR, _Pyramid

    shown, _ = _Pyramid(image, len(masks), MAX_BLUR).show(masks)
    with torch.no_grad():
        return (model(shown)[:, TARGET_CLASS] + model(shown.flip(3))[:, TARGET_CLASS]) / 2


def listed(values: Tensor) -> str:
    """Numbers with two decimals."""
    return "/".join(f"{value:.3f}" for value in values.tolist())


def smoothing(model: nn.Module, image: Tensor, precisions: list[Precision]) -> bool:
    """Time and compare SmoothGrad; whether ours is as good."""
    tunnel = NoiseTunnel(Saliency(model))

    def captum() -> Tensor:
        found: Tensor = tunnel.attribute(image, nt_samples=50, target=TARGET_CLASS)
        return found

    def ours(precision: Precision) -> Tensor:
        return smooth_grad(model, image, torch.tensor([TARGET_CLASS]), samples=50, deviation=1.0, precision=precision)

    runs: dict[str, Callable[[], Any]] = {"captum": captum}
    for precision in precisions:
        runs[precision] = lambda precision=precision: ours(precision)
    seconds = interleaved(runs)
    torch.manual_seed(12)  # another noise than ours
    first = captum()
    floor = correlation(first, captum())
    good = True
    for precision in precisions:
        ratio = seconds["captum"] / seconds[precision]
        target = TARGETS["smoothgrad", precision]
        found = correlation(first, ours(precision))
        print(
            f"SmoothGrad, {precision}: 50 samples, Captum {seconds['captum']:.2f} s, ours {seconds[precision]:.2f} s, "
            f"ratio {ratio:.2f} (target {target}{'' if ratio >= target else ', missed'}); "
            f"correlation {found:.3f}, of two runs of Captum {floor:.3f}"
        )
        if found < floor - CORRELATION_OFF:
            print(f"  SmoothGrad, {precision}: the maps differ more than Captum's among themselves")
            good = False
    return good


def main() -> int:
    """Print the ratios; 1 where ours is worse than what it is measured against."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="*", default=["masks", "smoothgrad"], help="masks, smoothgrad; both if left out")
    chosen = parser.parse_args().what
    warnings.filterwarnings("ignore")  # of torchray's and Captum's use of torch
    precisions: list[Precision] = ["float32"]
    if best_precision("cpu") == "bfloat16":
        precisions.append("bfloat16")
    else:
        print("interpreters: this processor computes no faster in bfloat16, so only float32 is measured")
    model, image = network(), picture()
    good = True
    if "masks" in chosen:
        good &= masks(model, image, precisions)
    if "smoothgrad" in chosen:
        good &= smoothing(model, image, precisions)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
