"""Training on a graphics card: the same loop as on the processor. Needs CUDA; left out where there is none.

    PYTHONPATH=.src python tests/models/test_training_gpu.py

runs each test and says how it went, also where there is no more than Python, NumPy and PyTorch: so nothing else is
imported here, and tests/conftest.py knows these tests by the end of the file's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from crowdloom.analysis.label_pools import LabelPool, pool_by_image, pool_of
from crowdloom.models import training_loop
from crowdloom.models.networks import NETWORKS
from crowdloom.models.precision import Computing, computing_of
from crowdloom.models.settings import Mixing, Settings
from crowdloom.models.training_loop import TrainingState, new_network, train

CLASSES = 10
SLOPES = MIDPOINTS = tuple((0.5,) * CLASSES for _ in range(CLASSES))
POLICIES = {
    "none": Mixing(),
    "mixup": Mixing("mixup", 0.2),
    "boundaries": Mixing("mixup", 0.2, SLOPES, MIDPOINTS),
    "mix-maxent": Mixing("mix-maxent", 10.0),
}


def data(count: int = 128) -> tuple[Tensor, LabelPool]:
    """Noise, brighter from class to class, with one to three soft labels of each image."""
    generator = torch.Generator().manual_seed(0)
    target = np.arange(count) % CLASSES
    images = torch.randint(64, (count, 3, 32, 32), generator=generator)
    images += 20 * torch.from_numpy(target).view(-1, 1, 1, 1)
    image = np.concatenate([np.arange(count), np.arange(0, count, 2), np.arange(0, count, 2)])
    noise = np.random.default_rng(0).dirichlet(np.ones(CLASSES), len(image))
    return images.to(torch.uint8), pool_by_image(0.8 * np.eye(CLASSES)[target[image]] + 0.2 * noise, image, count)


def trained(settings: Settings, computing: Computing, **rest: Any) -> TrainingState:
    """What a network came to."""
    images, pool = data()
    network = new_network(settings, images, CLASSES, seed=0)
    return train(network, images, pool, settings, seed=0, computing=computing, **rest)


def test_bfloat16_and_channels_last_are_chosen() -> None:
    """On any card that computes in it; no device needs to be named."""
    chosen = computing_of()
    assert chosen.device == "cuda"
    assert chosen.channels_last
    assert chosen.bf16 is torch.cuda.is_bf16_supported(including_emulation=False)


@contextmanager
def no_waiting_but_at_the_end() -> Iterator[None]:
    """From the end of the first epoch on, what waits for the device raises, but for the end of each epoch."""
    at_the_end: Callable[..., float] = training_loop._finite_mean

    def waiting(*args: Any) -> float:
        torch.cuda.set_sync_debug_mode("default")
        mean = at_the_end(*args)
        torch.cuda.set_sync_debug_mode("error")
        return mean

    training_loop._finite_mean = waiting
    try:
        yield
    finally:
        training_loop._finite_mean = at_the_end  # type: ignore[assignment]
        torch.cuda.set_sync_debug_mode("default")


def test_nothing_waits_for_the_device_within_an_epoch() -> None:
    """With every policy of mixing, fresh crops, a clipped gradient, and several labels an image."""
    for name, mixing in POLICIES.items():
        kappa = 0.7 if name == "mixup" else None
        settings = Settings("resnet-34a", epochs=3, milestones=(1, 2), mixing=mixing, kappa=kappa)
        with no_waiting_but_at_the_end():
            assert trained(settings, computing_of()).epoch == 3, name


def test_what_waits_is_found() -> None:
    """The check above would see a policy that reads its loss at each step."""
    batch_loss = training_loop.batch_loss

    def read(*args: Any) -> Tensor:
        loss = batch_loss(*args)
        loss.item()
        return loss

    training_loop.batch_loss = read
    said = ""
    try:
        with no_waiting_but_at_the_end():
            trained(Settings("small-cnn", epochs=2), replace(computing_of(), playback=False))
    except RuntimeError as error:
        said = str(error)
    finally:
        training_loop.batch_loss = batch_loss
    assert "synchroniz" in said


def test_data_and_weights_lie_on_the_device() -> None:
    """What a step is given, and what it keeps: all of it resident, images with their channels last."""
    seen: list[tuple[str, str, bool]] = []
    batch_loss = training_loop.batch_loss

    def watch(network: Any, x: Tensor, y: Tensor, *rest: Any) -> Tensor:
        seen.append((x.device.type, y.device.type, x.is_contiguous(memory_format=torch.channels_last)))
        return batch_loss(network, x, y, *rest)

    training_loop.batch_loss = watch
    try:
        state = trained(Settings("resnet-34a", epochs=1), computing_of())
    finally:
        training_loop.batch_loss = batch_loss
    assert set(seen) == {("cuda", "cuda", True)}
    assert {tensor.device.type for tensor in [*state.network.values(), *state.momentum.values()]} == {"cuda"}


def test_going_on_and_starting_again_give_the_same_to_the_last_bit() -> None:
    """Same seed, same numbers on one device; from the first epoch's state, and with tensors that were on the host."""
    for name in NETWORKS:
        settings = Settings(name, width=16, epochs=3, milestones=(2,), mixing=Mixing("mixup"))
        kept: list[TrainingState] = []
        expected = trained(settings, computing_of(), on_epoch=kept.append)
        read = {key: tensor.cpu() for key, tensor in kept[0].tensors().items()}
        from_file = TrainingState.restored(read, kept[0].values())
        for found in (trained(settings, computing_of()), trained(settings, computing_of(), state=from_file)):
            assert found.losses == expected.losses, name
            same = [torch.equal(tensor, expected.tensors()[key]) for key, tensor in found.tensors().items()]
            assert all(same), name


def test_losses_are_near_the_processors() -> None:
    """All images in one batch, one epoch, so that another order of them changes nothing; bfloat16 rounds a little."""
    images, several = data()
    pool = pool_of(several.mean())
    for name in NETWORKS:
        settings = Settings(name, width=16, epochs=1, batch=128, augment=False)
        losses = []
        for computing in (Computing("cpu", False, False, 2), Computing("cuda", False, True, 1), computing_of()):
            network = new_network(settings, images, CLASSES, seed=0)
            losses += train(network, images, pool, settings, seed=0, computing=computing).losses
        expected, exact, chosen = losses
        assert abs(exact / expected - 1) < 5e-3, (name, losses)
        assert abs(chosen / expected - 1) < 2e-2, (name, losses)


def test_what_is_learned_is_as_good_as_on_the_processor() -> None:
    """After a few epochs of the small network, in a mean over seeds."""
    settings = Settings("small-cnn", epochs=8, milestones=(6,), augment=False)
    images, pool = data()
    ends = {}
    for computing in (computing_of(), Computing("cpu", False, True, 2)):
        found = []
        for seed in range(5):
            network = new_network(settings, images, CLASSES, seed=seed)
            found.append(train(network, images, pool, settings, seed=seed, computing=computing).losses[-1])
        ends[computing.device] = np.array(found)
    noise = np.sqrt((ends["cuda"].var(ddof=1) + ends["cpu"].var(ddof=1)) / 5)
    assert abs(ends["cuda"].mean() - ends["cpu"].mean()) < 3 * noise + 0.02


def test_what_is_played_back_is_what_would_have_been_done() -> None:
    """With every policy, a rate that falls, and a last batch of another size: the same weights to the last bit."""
    images, pool = data(120)
    for name, mixing in POLICIES.items():
        settings = Settings("resnet-34a", epochs=4, milestones=(2, 3), mixing=mixing)
        states = []
        for computing in (computing_of(), replace(computing_of(), playback=False)):
            network = new_network(settings, images, CLASSES, seed=0)
            states.append(train(network, images, pool, settings, seed=0, computing=computing))
        one, other = states
        assert one.losses == other.losses, name
        assert all(torch.equal(tensor, other.tensors()[key]) for key, tensor in one.tensors().items()), name


def test_the_callers_chance_is_left_alone() -> None:
    """On the device and on the host."""
    torch.manual_seed(5)
    expected = torch.rand(2), torch.rand(2, device="cuda")
    torch.manual_seed(5)
    trained(replace(Settings("small-cnn"), epochs=1, milestones=()), computing_of())
    assert torch.equal(torch.rand(2), expected[0])
    assert torch.equal(torch.rand(2, device="cuda"), expected[1])


def main() -> int:
    """Run all tests; 1 where one fails."""
    import time
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
