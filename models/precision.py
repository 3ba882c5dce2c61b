"""How a device computes: in which numbers, in which layout, with how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from crowdloom.models.errors import ModelError
from crowdloom.models.packing import best_precision

SMALL = 16
"""Images of the small network from which bfloat16 gains more than its conversions cost, in pixels."""


@dataclass(frozen=True)
class Computing:
    """What a run's numbers depend on beside its seed; it stands in every run's record.

    device          `cpu`, `cuda`, `cuda:1`, `mps` …
    bf16            convolutions and linear layers compute in bfloat16; weights, gradients and the loss stay float32
    channels_last   images and weights lie with their channels last
    threads         of the processor
    playback        a step is recorded once and played back (see `recorded_step`); on CUDA
    """

    device: str
    bf16: bool
    channels_last: bool
    threads: int
    playback: bool = False

    @property
    def memory_format(self) -> torch.memory_format:
        """How images and weights lie."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def autocast(self) -> torch.autocast:
        """The context in which a network computes."""
        return torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.bf16)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """While it lasts, so many threads are used, and a graphics card convolves in a way that repeats its numbers."""
        threads, cudnn = torch.get_num_threads(), torch.backends.cudnn
        before = cudnn.deterministic, cudnn.benchmark
        torch.set_num_threads(self.threads)
        cudnn.deterministic, cudnn.benchmark = True, False
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            cudnn.deterministic, cudnn.benchmark = before


def computing_of(
    device: str | None = None, network: str = "resnet-34a", *, size: int = 32, threads: int | None = None
) -> Computing:
    """How a device computes a network for images of so many pixels fastest.

    The device is the named one, or else a CUDA card, an Apple processor's (MPS), or the processor. bfloat16 is chosen
    where the processor (AVX512-BF16, AMX) or the card computes in it, except for the small network on images below 16
    pixels, whose conversions cost as much as they gain; channels last on both. MPS computes in float32. `threads` are
    PyTorch's where not given. Raises ModelError for a device that is not there.
    """
    name = device or _best_device()
    kind = _kind(name)
    return Computing(
        device=name,
        bf16=best_precision(name) == "bfloat16" and (network != "small-cnn" or size >= SMALL),
        channels_last=kind != "mps",
        threads=threads or torch.get_num_threads(),
        playback=kind == "cuda",
    )


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _kind(name: str) -> str:
    """The device's type. Raises ModelError where it is none, or is not there."""
    try:
        kind = torch.device(name).type
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # each kind of device has its own
        raise ModelError(f"there is no device {name!r} here; name another, such as cpu, or none") from error
    if kind not in ("cpu", "cuda", "mps"):
        raise ModelError(f"networks are not trained on {name!r}; name cpu, cuda or mps")
    return kind
