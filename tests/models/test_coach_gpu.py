"""Coaches on a graphics card: the same steps as on the processor, a stack in about the time of one.

    PYTHONPATH=.src python tests/models/test_coach_gpu.py

runs each test and says how it went, also where there is no more than Python, NumPy and PyTorch: so nothing else is
imported here, and tests/conftest.py knows these tests by the end of the file's name.
"""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import torch

from crowdloom.models.coach_data import CoachData
from crowdloom.models.coach_loss import Alphas
from crowdloom.models.coach_networks import Classifier
from crowdloom.models.coach_training import CoachState, drawn, train_coaches

ALL = Alphas(classification=0.1, efficiency=4.0, discriminator=0.1)
MOST = 1.8
"""How many times as long as one network five may take; the first step sets all up."""


def bars(count: int) -> CoachData:
    """A bar at a place of its own for each of ten classes."""
    labels = np.arange(count) % 10
    images = np.zeros((count, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[3 + label : 8 + label, 4:24] = 200
    return CoachData(images, labels, images[:10], labels[:10], tuple("0123456789"), "bars")


def trained(device: str, data: CoachData, seeds: range = range(3), **rest: object) -> CoachState:
    """The state after an epoch, with all losses."""
    reader = drawn(lambda: Classifier(10), 0)
    return train_coaches(data, reader, ALL, seeds=seeds, device=device, **({"epochs": 1} | rest))[1]  # type: ignore[arg-type]


def test_steps_are_those_of_the_processor() -> None:
    """In float64, as Adam makes steps of the rate of the smallest gradients, and so of their rounding."""
    torch.set_default_dtype(torch.float64)
    try:
        here, there = trained("cpu", bars(40)), trained("cuda", bars(40))
    finally:
        torch.set_default_dtype(torch.float32)
    assert {tensor.device.type for tensor in there.networks.values()} == {"cuda"}
    for name, tensor in here.networks.items():
        torch.testing.assert_close(there.networks[name].cpu(), tensor, atol=1e-8, rtol=0)


def test_going_on_gives_the_same_to_the_last_bit() -> None:
    """From the state after the first epoch, with tensors that were on the host."""
    kept: list[CoachState] = []
    expected = trained("cuda", bars(40), epochs=2, on_epoch=kept.append)
    state = CoachState.restored({name: tensor.cpu() for name, tensor in kept[0].tensors().items()}, kept[0].losses)
    found = trained("cuda", bars(40), epochs=2, state=state)
    assert found.losses == expected.losses
    assert all(torch.equal(tensor, expected.networks[name]) for name, tensor in found.networks.items())


def test_a_stack_takes_about_as_long_as_one() -> None:
    """Medians of five epochs of fifty steps each, after one that warms up."""
    data = bars(400)
    seconds: dict[int, list[float]] = {1: [], 5: []}
    for turn in range(6):
        for networks, taken in seconds.items():
            torch.cuda.synchronize()
            start = time.perf_counter()
            trained("cuda", data, range(networks))
            torch.cuda.synchronize()
            if turn:
                taken.append(time.perf_counter() - start)
    one, five = median(seconds[1]), median(seconds[5])
    print(f"50 steps: one network {one:.3f} s, five {five:.3f} s, ratio {five / one:.2f}")
    assert five < MOST * one


def main() -> int:
    """Run all tests; 1 where one fails."""
    import traceback

    failed = 0
    for name, test in sorted(globals().items()):
        if not name.startswith("test_"):
            continue
        start = time.perf_counter()
        try:
            test()
            print(f"ok      {name} ({time.perf_counter() - start:.1f} s)", flush=True)
        except Exception:  # noqa: BLE001  # the others go on
            failed += 1
            print(f"FAILED  {name}\n{traceback.format_exc()}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
