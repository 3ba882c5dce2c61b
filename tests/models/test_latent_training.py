"""The loop of the latent loop: what it computes, that it can be gone on with, and what it leaves alone."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from crowdloom.models import latent_training
from crowdloom.models.errors import ModelError, TrainingError
from crowdloom.models.latent import LatentModel, Targets, human_loss, new_model, targets_of
from crowdloom.models.latent_evaluation import Evaluation, shown
from crowdloom.models.latent_networks import Cifar10Network
from crowdloom.models.latent_plane import ClassPlane
from crowdloom.models.latent_training import LatentState, new_optimizer, train_epochs
from crowdloom.models.run_folder import read_tensors, write_tensors
from crowdloom.tasks.latent_records import Epoch
from tests.models.latent_loops import CLASSES, Digits, digits, loop

DATA = digits()


def trained(
    model: LatentModel,
    optimizer: torch.optim.Adam,
    first: int = 1,
    epochs: int = 1,
    *,
    seed: int = 7,
    data: Digits = DATA,
    **settings: object,
) -> list[Epoch]:
    """Some epochs in batches of 64."""
    return train_epochs(
        model,
        optimizer,
        data,
        classes=CLASSES,
        first_epoch=first,
        epochs=epochs,
        seed=seed,
        **({"batch": 64} | settings),  # type: ignore[arg-type]
    )


def ring() -> Targets:
    """Classes on a ring, small and far apart."""
    angle = torch.arange(CLASSES) * 2 * math.pi / CLASSES
    return Targets(2 * torch.stack([angle.cos(), angle.sin()], 1), torch.full((CLASSES,), 0.2))


def same(one: LatentModel, other: LatentModel) -> bool:
    """All tensors, to the last bit."""
    return all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in one.state_dict().items())


def test_a_step_is_what_the_paper_says() -> None:
    """One batch of all examples: the loss of section 3.2, and Adam with weight decay, computed here in another way."""
    model, optimizer = loop()
    with torch.no_grad():
        model.scale.fill_(1.2)
    other = LatentModel(model.network, model.projection.in_features)
    other.load_state_dict(model.state_dict())
    before = {name: parameter.detach().clone() for name, parameter in model.network.named_parameters()}
    targets = ring()

    # ---- By hand: the gradient, then Adam's first step, which is the sign of it but for epsilon.
    model.train()
    order_seed, dropout_seed = latent_training.seeds(7, 2)
    rows = torch.randperm(len(DATA.x), generator=torch.Generator().manual_seed(order_seed))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(dropout_seed)
        logits, points, _ = model(DATA.x[rows])
    loss = 0.7 * functional.cross_entropy(logits, DATA.labels[rows])
    loss = loss + 0.3 * human_loss(points, DATA.labels[rows], *targets) + 0.2 * (1 - model.scale).abs()
    parameters = [*model.network.parameters(), model.scale]
    gradients = torch.autograd.grad(loss, parameters)
    expected = {
        name: before[name] - 1e-3 * g / (g.abs() + 1e-8)
        for name, gradient in zip(before, gradients[:-1], strict=True)
        for g in [gradient + 1e-5 * before[name]]
    }
    scale = 1.2 - 1e-3 * math.copysign(1, gradients[-1].item())

    trained(model, optimizer, 2, batch=len(DATA.x), targets=targets, alpha=0.3, scale_weight=0.2)
    for name, parameter in model.network.named_parameters():
        sure = (expected[name] - before[name]).abs() > 0.99e-3  # where the gradient is not nearly 0
        assert sure.float().mean() > 0.5 or not gradients[list(before).index(name)].any(), name
        assert torch.allclose(parameter[sure], expected[name][sure], atol=1e-6), name
    assert model.scale.item() == pytest.approx(scale, abs=1e-6)


def test_the_loop_goes_on_from_any_epoch(tmp_path: Path) -> None:
    """The same weights to the last bit as without the interruption, through a file."""
    whole, optimizer = loop()
    curve = trained(whole, optimizer, 1, 3)
    curve += trained(whole, optimizer, 4, 2, targets=ring())
    for stop in (1, 2, 4):
        model, optimizer = loop()
        done = trained(model, optimizer, 1, min(stop, 3))
        if stop == 4:
            done += trained(model, optimizer, 4, 1, targets=ring())
        state = LatentState.of(model, optimizer, done)
        write_tensors(tmp_path / "state.safetensors", state.tensors(), state.values())
        state = LatentState.restored(*read_tensors(tmp_path / "state.safetensors"))
        assert state.epoch == stop
        fresh, optimizer = loop(seed=99)
        state.put_into(fresh, optimizer)
        if stop < 3:
            done += trained(fresh, optimizer, stop + 1, 3 - stop)
        done += trained(fresh, optimizer, max(stop, 3) + 1, 5 - max(stop, 3), targets=ring())
        assert done == curve
        assert same(fresh, whole)


def test_the_loop_goes_on_with_weights_in_another_layout() -> None:
    """The network for images lays its channels last; what a file gives does not, and comes to the same numbers."""
    generator = torch.Generator().manual_seed(0)
    x, labels = torch.randn(96, 3, 32, 32, generator=generator), torch.arange(96) % CLASSES
    data = Digits(x, labels, x[:32], labels[:32])

    def fresh() -> tuple[LatentModel, torch.optim.Adam]:
        model = new_model(lambda: Cifar10Network(width=4), x[:2], CLASSES, seed=0)
        return model, new_optimizer(model, rate=1e-2)

    whole, optimizer = fresh()
    curve = trained(whole, optimizer, data=data)
    state = LatentState.of(whole, optimizer, curve)
    assert all(tensor.is_contiguous() for tensor in state.tensors().values())
    trained(whole, optimizer, 2, data=data)
    model, optimizer = fresh()
    LatentState.restored(state.tensors(), state.values()).put_into(model, optimizer)
    trained(model, optimizer, 2, data=data)
    assert same(model, whole)


def test_trainings_in_one_process_do_not_disturb_each_other() -> None:
    """One runs between the epochs of another, with draws of its own, and the process's generator is as it was."""
    alone, optimizer = loop()
    expected = trained(alone, optimizer, 1, 3)
    model, optimizer = loop()
    second, second_optimizer = loop(seed=5)

    def meanwhile(evaluation: Evaluation) -> None:
        torch.rand(17)
        trained(second, second_optimizer, evaluation.epoch, 1, seed=8)

    assert trained(model, optimizer, 1, 3, on_epoch=meanwhile) == expected
    assert same(model, alone)
    before = torch.random.get_rng_state()
    trained(model, optimizer, 4)
    assert torch.equal(before, torch.random.get_rng_state())


def test_another_seed_is_another_training() -> None:
    """In its order and its dropout, from the same weights."""
    one, other = loop(), loop()
    trained(*one, seed=1)
    trained(*other, seed=2)
    assert not same(one[0], other[0])


def test_without_the_person_is_alpha_0() -> None:
    """Targets that count nothing change no number."""
    one, other = loop(), loop()
    assert trained(*one, 1, 2, targets=ring(), alpha=0) == trained(*other, 1, 2)
    assert same(one[0], other[0])


def test_training_comes_nearer_to_what_the_person_wants() -> None:
    """Classes gathered to a third and moved apart by half: the points come near that; without the person not."""
    left = []
    for alpha in (0.8, 0):
        model, optimizer = loop()
        trained(model, optimizer, 1, 4)
        points = torch.from_numpy(shown(model, DATA.x[:200])[0])
        centres, spreads = targets_of(points, DATA.labels[:200], CLASSES)
        wanted = Targets(points.mean(0) + 1.5 * (centres - points.mean(0)), spreads / 3)
        trained(model, optimizer, 5, 8, targets=wanted, alpha=alpha)
        points = torch.from_numpy(shown(model, DATA.x[:200])[0])
        left.append(human_loss(points, DATA.labels[:200], *wanted).item())
    assert left[0] < 0.5 * left[1]


def test_the_published_scale_changes_nothing_else() -> None:
    """It falls by the rate in each step, whatever the weight of its term, and the network is the same without it."""
    one, other = loop(scale="as-published"), loop(scale="as-published")
    steps = []
    trained(*one, 1, 2, targets=ring(), on_step=lambda epoch, step, of: steps.append((epoch, step, of)))
    trained(*other, 1, 2, targets=ring(), scale_weight=0)
    assert steps == [(epoch, step, 10) for epoch in (1, 2) for step in range(1, 11)]
    assert one[0].scale.item() == pytest.approx(10 - 1e-3 * 20, abs=1e-4)
    assert other[0].scale.item() == 10
    assert all(
        torch.equal(a, b) for a, b in zip(one[0].network.parameters(), other[0].network.parameters(), strict=True)
    )


def test_without_the_person_the_learned_scale_stays_at_1() -> None:
    """Nothing pulls it away, so a pretrained network fits either kind of scale."""
    model, optimizer = loop()
    trained(model, optimizer, 1, 2)
    assert model.scale.item() == 1


def test_the_projection_learns_in_the_first_epoch_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its points show the classes better than those of a projection by chance, and the network learns the same."""

    def apart(points: Tensor) -> float:
        centres, _ = targets_of(points, DATA.labels, CLASSES)
        return float((torch.cdist(points, centres).argmin(1) == DATA.labels).float().mean())

    model, optimizer = loop()
    before = model.projection.weight.clone()
    trained(model, optimizer, 1, 1)
    after = model.projection.weight.clone()
    assert not torch.equal(before, after)
    trained(model, optimizer, 2, 8)
    assert torch.equal(model.projection.weight, after)
    monkeypatch.setattr(ClassPlane, "finish", lambda self: None)
    other, optimizer = loop()
    trained(other, optimizer, 1, 9)
    assert all(torch.equal(a, b) for a, b in zip(model.network.parameters(), other.network.parameters(), strict=True))
    assert torch.equal(other.projection.weight, before)
    assert apart(torch.from_numpy(shown(model, DATA.x)[0])) > 1.2 * apart(torch.from_numpy(shown(other, DATA.x)[0]))


def test_numbers_that_are_none_end_the_training() -> None:
    """In the loss or in the weights, and the last state can be put back."""
    model, optimizer = loop()
    curve = trained(model, optimizer)
    state = LatentState.of(model, optimizer, curve)
    broken = Digits(DATA.x.clone(), DATA.labels, DATA.validation_x, DATA.validation_labels)
    broken.x[100] = math.nan
    with pytest.raises(TrainingError, match="the loss is not finite in epoch 2"):
        trained(model, optimizer, 2, data=broken)
    with pytest.raises(TrainingError, match="not finite"):
        trained(model, new_optimizer(model, rate=1e38), 2)
    state.put_into(model, optimizer)
    fresh, fresh_optimizer = loop()
    trained(fresh, fresh_optimizer)
    assert trained(model, optimizer, 2) == trained(fresh, fresh_optimizer, 2)
    assert same(model, fresh)


def test_what_a_listener_raises_ends_the_training() -> None:
    """At once, and the threads and the process's generator are as they were."""

    class Stopped(Exception):  # noqa: N818
        pass

    def stop(epoch: int, step: int, steps: int) -> None:
        if step == 3:
            raise Stopped

    model, optimizer = loop()
    threads, before = torch.get_num_threads(), torch.random.get_rng_state()
    torch.set_num_threads(2)
    try:
        with pytest.raises(Stopped):
            trained(model, optimizer, on_step=stop)
        assert torch.get_num_threads() == 2
        assert torch.equal(before, torch.random.get_rng_state())
    finally:
        torch.set_num_threads(threads)


def test_a_state_of_another_network_is_refused() -> None:
    """Before anything is changed."""
    model, optimizer = loop()
    curve = trained(model, optimizer)
    state = LatentState.of(model, optimizer, curve)
    kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    moments = dict(state.adam)
    name = next(iter(moments))
    for wrong in (
        LatentState({name: tensor[:1] for name, tensor in state.model.items() if tensor.ndim}, state.adam, state.curve),
        LatentState(state.model, moments | {"exp_avg.elsewhere": torch.zeros(3)}, state.curve),
        LatentState(state.model, moments | {name: torch.zeros(3, 3, 3)}, state.curve),
    ):
        with pytest.raises(ModelError, match="does not fit this network"):
            wrong.put_into(model, optimizer)
    assert all(torch.equal(kept[name], tensor) for name, tensor in model.state_dict().items())
    with pytest.raises(ModelError, match="no state of a latent loop"):
        LatentState.restored(state.tensors(), {})


def test_a_training_can_be_ended_while_it_is_looked_at() -> None:
    """What `on_part` raises ends it before the epoch counts: many validation examples take long."""
    counted: list[Evaluation] = []

    def end() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        trained(*loop(), on_part=end, on_epoch=counted.append)
    assert counted == []
