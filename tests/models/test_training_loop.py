"""The one training loop: what it computes, that it can be gone on with, and that it never waits within an epoch.

One long file: its tests all train the same small networks, with the few helpers at its top.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import safetensors.torch
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from crowdloom.analysis.label_pools import LabelPool, pool_by_image, pool_of
from crowdloom.models import metrics, training_loop
from crowdloom.models.errors import ModelError, TrainingError
from crowdloom.models.mixing_policies import batch_loss
from crowdloom.models.networks import NETWORKS
from crowdloom.models.precision import Computing
from crowdloom.models.settings import Mixing, Settings
from crowdloom.models.training_loop import TrainingState, batches, new_network, train

PLAIN = Computing("cpu", bf16=False, channels_last=False, threads=1)
FAST = Computing("cpu", bf16=True, channels_last=True, threads=1)
SMALL = Settings("small-cnn", width=4, epochs=4, milestones=(2, 3), batch=16)
CLASSES = 4


def pictures(count: int, channels: int = 3, size: int = 8) -> Tensor:
    """Noise, the same each time."""
    generator = torch.Generator().manual_seed(3)
    return torch.randint(256, (count, channels, size, size), dtype=torch.uint8, generator=generator)


def several(count: int) -> LabelPool:
    """Two to four labels of each image, soft ones."""
    rng = np.random.default_rng(4)
    image = np.concatenate([np.repeat(np.arange(count), 2), rng.integers(0, count, count)])
    return pool_by_image(rng.dirichlet(np.ones(CLASSES), len(image)), image, count)


def hard(count: int) -> LabelPool:
    """One class of each image."""
    return pool_of(np.eye(CLASSES)[np.arange(count) % CLASSES])


def trained(
    settings: Settings = SMALL,
    computing: Computing = PLAIN,
    *,
    seed: int = 0,
    count: int = 50,
    pool: LabelPool | None = None,
    **rest: Any,
) -> tuple[nn.Module, TrainingState]:
    """A network and what it came to."""
    images = pictures(count)
    network = new_network(settings, images, CLASSES, seed=seed)
    state = train(network, images, pool or several(count), settings, seed=seed, computing=computing, **rest)
    return network, state


def assert_same(one: TrainingState, other: TrainingState) -> None:
    """To the last bit."""
    assert one.values() == other.values()
    mine, theirs = one.tensors(), other.tensors()
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


# ---- What it computes.


def test_it_is_sgd_with_momentum_decay_clip_and_milestones() -> None:
    """All images in one batch: the weights are those of the loop that anybody would write."""
    count = 24
    settings = replace(SMALL, batch=count, augment=False, clip=0.05)
    images, pool = pictures(count), hard(count)
    plain = new_network(settings, images, CLASSES, seed=1)
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 3], gamma=0.1)
    expected = []
    for _ in range(settings.epochs):
        loss = nn.functional.cross_entropy(plain(images / 255), torch.from_numpy(pool.labels).float())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(plain.parameters(), 0.05)
        optimizer.step()
        schedule.step()
        expected.append(loss.item())

    network, state = trained(settings, seed=1, count=count, pool=pool)
    assert state.losses == pytest.approx(expected, abs=1e-5)
    for name, tensor in plain.state_dict().items():
        assert torch.allclose(network.state_dict()[name], tensor, atol=1e-5), name
    assert not network.training


def test_the_gradient_is_not_clipped_where_nothing_says_so() -> None:
    """Another norm, other weights; none at all, still others."""
    ends = [trained(replace(SMALL, clip=clip, epochs=1))[1].losses[-1] for clip in (None, 0.01, 100.0)]
    assert ends[0] == ends[2] != ends[1]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Tensor, Tensor]]:
    """The batches that were trained on."""
    kept: list[tuple[Tensor, Tensor]] = []

    def keep(network: nn.Module, x: Tensor, y: Tensor, *rest: Any) -> Tensor:
        kept.append((x.clone(), y.clone()))
        return batch_loss(network, x, y, *rest)

    monkeypatch.setattr(training_loop, "batch_loss", keep)
    return kept


def test_each_epoch_shows_every_image_once_in_a_new_order(seen: list[tuple[Tensor, Tensor]]) -> None:
    """Without augmentation, as its pixels in [0, 1]; the last batch is smaller."""
    trained(replace(SMALL, augment=False, epochs=2))
    assert [len(x) for x, _ in seen] == 2 * [16, 16, 16, 2]
    first, second = (torch.cat([x for x, _ in part]).flatten(1) for part in (seen[:4], seen[4:]))
    assert not torch.equal(first, second)
    expected = sorted((pictures(50) / 255).flatten(1).tolist())
    assert sorted(first.tolist()) == sorted(second.tolist()) == expected


def test_images_are_cropped_and_flipped_anew_in_each_epoch(seen: list[tuple[Tensor, Tensor]]) -> None:
    """The same image looks different from one epoch to the next, for all images or nearly all."""
    settings = replace(SMALL, epochs=2, batch=50)
    network = new_network(settings, pictures(50), 50, seed=0)
    train(network, pictures(50), pool_of(np.eye(50)), settings, seed=0, computing=PLAIN)
    (first, which), (second, other) = seen
    first, second = first[which.argmax(1).argsort()], second[other.argmax(1).argsort()]
    same = (first == second).flatten(1).all(1)
    assert same.float().mean() < 0.1
    assert first.dtype == torch.float32
    assert first.max() == 1


def test_a_target_is_one_of_the_images_labels_drawn_anew_at_each_step(seen: list[tuple[Tensor, Tensor]]) -> None:
    """Over many epochs each label of an image comes as often as the others, and never another image's."""
    count, per_image, epochs = 12, 4, 300
    # Label number j of image i has its mass at i, but for a share that tells j.
    labels = np.zeros((count * per_image, count + 1))
    image, number = np.divmod(np.arange(len(labels)), per_image)
    labels[np.arange(len(labels)), image], labels[:, count] = 1 - number / 10, number / 10
    settings = replace(SMALL, augment=False, batch=count, epochs=epochs, rate=1e-6, milestones=())
    network = new_network(settings, pictures(count), count + 1, seed=0)
    train(network, pictures(count), pool_by_image(labels, image, count), settings, seed=0, computing=PLAIN)
    drawn = torch.stack([y[y[:, :count].argmax(1).argsort()] for _, y in seen])
    assert torch.equal(drawn[:, :, :count].argmax(2), torch.arange(count).expand(epochs, -1))
    numbers = (drawn[:, :, count] * 10).round().int()
    for of_image in numbers.T:
        assert of_image.bincount(minlength=per_image).numpy() == pytest.approx(epochs / per_image, abs=40)
    together = Counter(map(tuple, numbers.tolist()))
    assert max(together.values()) == 1  # images draw apart from each other


def test_bfloat16_is_what_convolutions_compute_in_and_the_loss_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights, momentum and the loss are float32 in both; channels lie last where they should."""
    dtypes: list[tuple[torch.dtype, torch.dtype, bool]] = []

    def watch(network: nn.Module, x: Tensor, *rest: Any) -> Tensor:
        outputs = network(x)
        loss = batch_loss(network, x, *rest)
        dtypes.append((outputs.dtype, loss.dtype, x.is_contiguous(memory_format=torch.channels_last)))
        return loss

    monkeypatch.setattr(training_loop, "batch_loss", watch)
    for computing in (PLAIN, FAST):
        _, state = trained(replace(SMALL, epochs=1), computing)
        kinds = {tensor.dtype for name, tensor in state.tensors().items() if name != "chance"}
        assert kinds == {torch.float32, torch.int64}  # batch norms count in integers
    assert set(dtypes) == {(torch.float32, torch.float32, False), (torch.bfloat16, torch.float32, True)}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_learns(name: str) -> None:
    """Eight images by heart, in bfloat16."""
    settings = Settings(name, width=8, epochs=30, milestones=(20,), batch=8, augment=False, rate=0.05)
    _, state = trained(settings, FAST, count=8, pool=hard(8))
    assert state.losses[-1] < 0.8 * state.losses[0]


def test_a_last_image_is_not_left_alone() -> None:
    """Its map may be one pixel, of which batch norm could make nothing: VGG-11 on images of 8 pixels, 17 in all."""
    settings = Settings("vgg-11", width=4, epochs=1, batch=16)
    assert np.isfinite(trained(settings, count=17)[1].losses).all()
    assert [len(part) for part in batches(torch.arange(33), 16)] == [16, 17]
    assert [len(part) for part in batches(torch.arange(34), 16)] == [16, 16, 2]
    assert [len(part) for part in batches(torch.arange(1), 16)] == [1]


# ---- Chance, and going on.


@pytest.mark.parametrize("computing", [PLAIN, FAST], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("policy", ["none", "mixup"])
def test_going_on_from_any_epoch_gives_the_same_to_the_last_bit(computing: Computing, policy: Any) -> None:
    """From the bytes of a file, in a new network, whatever was drawn in between."""
    settings = replace(SMALL, mixing=Mixing(policy))
    kept: list[tuple[bytes, str]] = []

    def keep(state: TrainingState) -> None:
        kept.append((safetensors.torch.save(state.tensors()), json.dumps(state.values())))

    network, expected = trained(settings, computing, on_epoch=keep)
    assert len(kept) == settings.epochs
    for content, values in kept:
        state = TrainingState.restored(safetensors.torch.load(content), json.loads(values))
        again, found = trained(settings, computing, state=state)
        assert_same(found, expected)
        with torch.no_grad():
            assert torch.equal(again(pictures(9)), network(pictures(9)))


def test_the_seed_is_all_the_chance_there_is() -> None:
    """The same seed gives the same numbers, another one others; whoever calls keeps their own chance."""
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    (_, one), (_, two), (_, other) = (trained(seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert_same(one, two)
    assert one.losses != other.losses
    assert not torch.equal(one.network["network.0.weight"], other.network["network.0.weight"])


def test_an_interruption_leaves_a_state_to_go_on_from() -> None:
    """What on_epoch raises comes out, and the last state it saw leads to the same end."""
    kept: list[TrainingState] = []

    def stop(state: TrainingState) -> None:
        kept.append(state)
        if state.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(on_epoch=stop)
    assert [state.epoch for state in kept] == [1, 2]
    assert_same(trained(state=kept[-1])[1], trained()[1])


def test_a_state_does_not_change_when_training_goes_on() -> None:
    """Neither one that was kept on the way nor one that was gone on from."""
    kept: list[TrainingState] = []
    copies: list[dict[str, Tensor]] = []

    def keep(state: TrainingState) -> None:
        kept.append(state)
        copies.append({name: tensor.clone() for name, tensor in state.tensors().items()})

    trained(on_epoch=keep)
    trained(state=kept[0])
    for state, copied in zip(kept, copies, strict=True):
        assert all(torch.equal(tensor, copied[name]) for name, tensor in state.tensors().items())


def test_a_finished_training_is_not_done_again() -> None:
    """The network gets its weights, and no epoch is heard of."""
    _, state = trained()
    heard: list[TrainingState] = []
    network, found = trained(state=state, seed=9, on_epoch=heard.append)
    assert_same(found, state)
    assert not heard
    assert not network.training
    assert all(torch.equal(tensor, state.network[name]) for name, tensor in network.state_dict().items())


# ---- What is refused.


def test_a_loss_that_is_not_finite_ends_it_with_the_epoch() -> None:
    """A rate by which weights grow beyond all numbers; states of whole epochs before it were told."""
    heard: list[int] = []
    settings = replace(SMALL, rate=1e20, clip=None, batch=50, epochs=40, milestones=(30,))
    with pytest.raises(TrainingError, match=r"in epoch \d+ of 40; lower the learning rate, 1e\+20") as caught:
        trained(settings, on_epoch=lambda state: heard.append(state.epoch))
    assert f"epoch {len(heard) + 1} of" in str(caught.value)


def test_weights_that_are_not_finite_end_it_when_the_loss_still_is() -> None:
    """Of one step only: its loss is that of the weights before it."""
    with pytest.raises(TrainingError, match=r"the weights are not finite in epoch 1 of 1"):
        trained(replace(SMALL, rate=1e39, batch=50, epochs=1))


def test_a_label_that_is_no_number_never_enters() -> None:
    """The pool refuses it, before anything is trained."""
    labels = np.eye(CLASSES)
    labels[2, 1] = np.nan
    with pytest.raises(ValueError, match="label 2 is no distribution"):
        pool_of(labels)


def test_what_does_not_fit_is_refused() -> None:
    """Labels of other images, one image, a state of another network, a file of something else."""
    with pytest.raises(ModelError, match="there are 50 images and labels of 7"):
        trained(pool=several(7))
    with pytest.raises(ModelError, match="two or more"):
        trained(count=1, pool=hard(1))
    _, state = trained()
    with pytest.raises(ModelError, match="the state does not fit this training"):
        trained(replace(SMALL, width=5), state=state)
    with pytest.raises(ModelError, match="the state does not fit this training"):
        trained(state=replace(state, momentum={}, losses=(1.0,), epoch=1))
    with pytest.raises(ModelError, match="no state of a training"):
        TrainingState.restored({}, {"epoch": 1})


# ---- Nothing waits for the device within an epoch.


class Waits(TorchDispatchMode):
    """Counts operations whose result the host needs before it can go on."""

    NAMES = ("_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "unique_dim", "_unique2")

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func.overloadpacket.__name__ in self.NAMES
        return func(*args, **(kwargs or {}))


@contextmanager
def reading(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The methods by which Python reads a tensor's numbers, as they are called."""
    called: list[str] = []
    with monkeypatch.context() as patch:
        for name in ("item", "tolist", "cpu", "numpy", "__bool__", "__float__", "__int__", "__index__"):
            method: Callable[..., Any] = getattr(Tensor, name)

            def noted(*args: Any, _name: str = name, _method: Callable[..., Any] = method, **rest: Any) -> Any:
                called.append(_name)
                return _method(*args, **rest)

            patch.setattr(Tensor, name, noted)
        yield called


@pytest.mark.parametrize("mixing", [Mixing(), Mixing("mixup", 0.2), Mixing("mix-maxent", 10.0)], ids=lambda m: m.policy)
def test_the_host_reads_the_device_once_an_epoch(mixing: Mixing, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many steps an epoch has: its mean loss, and nothing else."""
    kappa = 0.7 if mixing.policy == "mixup" else None
    for batch in (25, 5):
        settings = replace(SMALL, batch=batch, mixing=mixing, kappa=kappa)
        images, pool = pictures(50), several(50)
        network = new_network(settings, images, CLASSES, seed=0)
        with reading(monkeypatch) as called, Waits() as waits:
            train(network, images, pool, settings, seed=0, computing=FAST)
        assert Counter(called) == {"tolist": settings.epochs}
        assert waits.count == 0


def test_what_counts_readings_sees_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is hidden in a policy, at each step, is found in both ways."""

    def read(*args: Any) -> Tensor:
        loss = batch_loss(*args)
        assert loss.item() > 0
        return loss

    monkeypatch.setattr(training_loop, "batch_loss", read)
    with reading(monkeypatch) as called, Waits() as waits:
        trained(replace(SMALL, batch=10, epochs=1))
    assert called.count("item") == waits.count == 5


# ---- bfloat16 and float32.


def digits() -> tuple[Tensor, npt.NDArray[np.intp]]:
    """scikit-learn's digits, and what they are."""
    given = load_digits()
    return torch.from_numpy((given.images * (255 / 16)).round().astype(np.uint8))[:, None], given.target


def test_bfloat16_changes_no_metric_beyond_what_seeds_do() -> None:
    """The small network on digits, six seeds in both: means differ by less than two standard errors of that."""
    images, target = digits()
    labels = np.eye(10)[target]
    settings = Settings("small-cnn", epochs=6, milestones=(4, 5), augment=False)
    found: dict[bool, list[list[float]]] = {False: [], True: []}
    for bf16, seed in [(bf16, seed) for seed in range(6) for bf16 in found]:
        network = new_network(settings, images[:400], 10, seed=seed)
        computing = replace(PLAIN, bf16=bf16)
        train(network, images[:400], pool_of(labels[:400]), settings, seed=seed, computing=computing)
        with torch.no_grad(), computing.autocast():
            log_p = network(images[400:]).float().log_softmax(1)
        y = torch.from_numpy(labels[400:]).float()
        sure, guess = log_p.exp().max(1)
        right = guess == y.argmax(1)
        found[bf16].append(
            [
                metrics.cross_entropy(log_p, y),
                metrics.accuracy(log_p, y),
                metrics.rms_calibration_error(sure, right),
            ]
        )
    exact, fast = np.array(found[False]), np.array(found[True])
    noise = np.sqrt((exact.var(0, ddof=1) + fast.var(0, ddof=1)) / len(exact))
    assert (noise > 0).all()
    assert (np.abs(exact.mean(0) - fast.mean(0)) < 2 * noise).all()
    assert exact[:, 1].min() > 0.9
