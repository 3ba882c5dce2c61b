"""Losses of mixed batches: hand-computed cases, an independent derivation in numpy, gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from crowdloom.models import mixing_policies
from crowdloom.models.errors import ModelError
from crowdloom.models.mixing_policies import batch_loss, draw_coefficient, entropy_weight, target_coefficient
from crowdloom.models.settings import Mixing, Settings

K = 4
STEEP = [[6.0 + i + j for j in range(K)] for i in range(K)]
MIDDLE = [[0.5 if i == j else 0.5 + 0.05 * (j - i) for j in range(K)] for i in range(K)]
POLICIES = [
    Settings(mixing=Mixing("none")),
    Settings(mixing=Mixing("none"), kappa=0.7),
    Settings(mixing=Mixing("mixup", alpha=1.0)),
    Settings(mixing=Mixing("mixup", alpha=0.2), kappa=0.6),
    Settings(mixing=Mixing("mixup", alpha=1.0, slopes=STEEP, midpoints=MIDDLE)),
    Settings(mixing=Mixing("mixup", alpha=1.0, slopes=STEEP, midpoints=MIDDLE), kappa=0.5),
    Settings(mixing=Mixing("mix-maxent", alpha=10.0)),
]


def generator(seed: int = 0) -> torch.Generator:
    """A fresh one."""
    return torch.Generator().manual_seed(seed)


def batch(n: int = 12, soft: bool = True) -> tuple[Tensor, Tensor]:
    """Pixels [n, 1, 2, 2] and targets [n, K] in float64."""
    rng = np.random.default_rng(1)
    y = rng.dirichlet(np.ones(K), n) if soft else np.eye(K)[rng.integers(K, size=n)]
    return torch.from_numpy(rng.random((n, 1, 2, 2))), torch.from_numpy(y)


class Linear(torch.nn.Module):
    """Logits that are linear in the pixels, so that numpy can follow."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        rng = np.random.default_rng(2)
        self.weight = torch.nn.Parameter(torch.from_numpy(scale * rng.normal(size=(4, K))))

    def forward(self, x: Tensor) -> Tensor:
        """[B, K]."""
        return x.flatten(1) @ self.weight


def derived(
    weight: np.ndarray, x: np.ndarray, y: np.ndarray, settings: Settings, drawn: float, partner: list[int]
) -> float:
    """The loss from the formulas of the papers, one example at a time."""
    mixing, losses, entropies, originals = settings.mixing, [], [], []

    def predict(pixels: np.ndarray) -> np.ndarray:
        powers = np.exp(pixels.reshape(-1) @ weight)
        return powers / powers.sum()

    for n, other in enumerate(partner):
        i, j = int(np.argmax(y[n])), int(np.argmax(y[other]))
        p = predict(x[n])
        originals.append(-sum(y[n][k] * math.log(p[k]) for k in range(K)))
        target = y[n]
        if mixing.policy != "none":
            p = predict(drawn * x[n] + (1 - drawn) * x[other])
            share = drawn
            if mixing.slopes is not None and mixing.midpoints is not None and i != j:
                share = 1 / (1 + math.exp(-mixing.slopes[i][j] * (drawn - mixing.midpoints[i][j])))
            target = share * y[n] + (1 - share) * y[other]
        entropy = -sum(q * math.log(q) for q in p)
        weighted = 1.0 if settings.kappa is None else max(min(math.log(2) / entropy, 1), settings.kappa)
        losses.append(-weighted * sum(target[k] * math.log(p[k]) for k in range(K)))
        if i != j:
            entropies.append(entropy)
    if mixing.policy == "mix-maxent":
        return float(np.mean(originals) - np.mean(entropies))
    return float(np.mean(losses))


@pytest.mark.parametrize("soft", [True, False])
@pytest.mark.parametrize("settings", POLICIES)
def test_equals_an_independent_derivation(settings: Settings, soft: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every policy gives the loss that its formula gives, with hard and with soft endpoints."""
    drawn, partner = 0.3, [3, 0, 7, 1, 4, 11, 10, 9, 2, 8, 5, 6]
    monkeypatch.setattr(mixing_policies, "draw_coefficient", lambda *_: torch.tensor(drawn, dtype=torch.float64))
    monkeypatch.setattr(torch, "randperm", lambda *_, **__: torch.tensor(partner))
    network, (x, y) = Linear(), batch(soft=soft)
    loss = batch_loss(network, x, y, settings, generator())
    expected = derived(network.weight.detach().numpy(), x.numpy(), y.numpy(), settings, drawn, partner)
    assert loss.shape == ()
    assert loss.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("settings", POLICIES)
def test_gradients_are_those_of_the_loss(settings: Settings) -> None:
    """Autograd agrees with finite differences, through the weight too."""
    x, y = batch(6)

    def loss(weight: Tensor) -> Tensor:
        return batch_loss(lambda pixels: pixels.flatten(1) @ weight, x, y, settings, generator())

    weight = Linear().weight.detach().requires_grad_()
    assert torch.autograd.gradcheck(loss, (weight,))


def test_mixup_of_two_by_hand() -> None:
    """With lambda_f 1/4, a uniform prediction over two classes costs log 2, whatever the target."""
    x, y = torch.zeros(2, 1, 1, 1), torch.eye(2)
    loss = batch_loss(lambda pixels: torch.zeros(len(pixels), 2), x, y, Settings(mixing=Mixing("mixup")), generator())
    assert loss.item() == pytest.approx(math.log(2))


def test_mix_maxent_by_hand() -> None:
    """Predictions (3/4, 1/4) of originals of class 0 and 1, and of their mixes: cross-entropy minus entropy."""
    logits = torch.tensor([0.75, 0.25], dtype=torch.float64).log()
    x, y = torch.zeros(2, 1, 1, 1, dtype=torch.float64), torch.eye(2, dtype=torch.float64)
    swapping = next(seed for seed in range(99) if torch.randperm(2, generator=_after_draw(seed)).tolist() == [1, 0])
    settings = Settings(mixing=Mixing("mix-maxent", alpha=10.0))
    loss = batch_loss(lambda pixels: logits.expand(len(pixels), 2), x, y, settings, generator(swapping))
    expected = -(math.log(0.75) + math.log(0.25)) / 2 + 0.75 * math.log(0.75) + 0.25 * math.log(0.25)
    assert loss.item() == pytest.approx(expected, rel=1e-12)


def _after_draw(seed: int) -> torch.Generator:
    drawn = generator(seed)
    draw_coefficient(10.0, torch.zeros((), dtype=torch.float64), drawn)
    return drawn


def test_mix_maxent_leaves_out_pairs_of_one_class() -> None:
    """Where all images are of one class there is nothing between classes, and the loss is the cross-entropy."""
    x, y = batch(5)
    y = torch.eye(K, dtype=torch.float64)[[2] * 5]
    network = Linear()
    plain = batch_loss(network, x, y, Settings(), generator())
    assert batch_loss(network, x, y, Settings(mixing=Mixing("mix-maxent", 10.0)), generator()) == plain


def test_maxent_raises_the_entropy_of_mixes() -> None:
    """A step along the gradient makes predictions at mixes less sure."""
    x, y = batch(32, soft=False)
    network = Linear(scale=3.0)
    settings = Settings(mixing=Mixing("mix-maxent", alpha=10.0))
    halves = (x + x.flip(0)) / 2

    def entropy() -> float:
        log_p = network(halves).log_softmax(1)
        return -(log_p.exp() * log_p).sum(1).mean().item()

    before = entropy()
    batch_loss(network, x, y, settings, generator()).backward()
    with torch.no_grad():
        network.weight -= 0.05 * network.weight.grad
    assert entropy() > before


@pytest.mark.parametrize("alpha", [0.2, 0.5, 1.0, 10.0])
def test_coefficients_are_beta(alpha: float) -> None:
    """Two thousand draws of lambda_f pass a Kolmogorov-Smirnov test against Beta(alpha, alpha)."""
    drawn, like = generator(5), torch.zeros((), dtype=torch.float64)
    values = np.array([draw_coefficient(alpha, like, drawn).item() for _ in range(2000)])
    assert stats.kstest(values, stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_a_coefficient_is_finite_for_every_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest and largest uniform numbers, and a small alpha, give a share and no NaN."""
    ends = torch.tensor([0.0, 2.0**-24, 0.25, 0.5, 0.75, 1 - 2.0**-24])
    for u in ends:
        for v in ends:
            pair = torch.stack([u, v])
            monkeypatch.setattr(torch, "rand", lambda *_, pair=pair, **__: pair)
            value = draw_coefficient(0.05, torch.zeros(()), generator()).item()
            assert 0 <= value <= 1


def test_a_logistic_target_depends_on_the_pair() -> None:
    """Two pairs of classes get their own lambda_g; equal classes and soft endpoints go by their arg max."""
    mixing = Mixing("mixup", slopes=[[9, 8], [8, 9]], midpoints=[[0.1, 0.4], [0.6, 0.1]])
    first = torch.tensor([[1.0, 0.0], [0.3, 0.7], [0.8, 0.2]], dtype=torch.float64)
    second = torch.tensor([[0.0, 1.0], [0.9, 0.1], [1.0, 0.0]], dtype=torch.float64)
    shares = target_coefficient(first, second, torch.tensor(0.5, dtype=torch.float64), mixing)
    expected = [1 / (1 + math.exp(-0.8)), 1 / (1 + math.exp(0.8)), 0.5]
    torch.testing.assert_close(shares.flatten(), torch.tensor(expected, dtype=torch.float64))


def test_the_weight_is_log_2_over_the_entropy_within_its_bounds() -> None:
    """Capped at 1 up to one bit, log 2 / H beyond, kappa from log 2 / kappa on; and no NaN where H is 0."""
    p = torch.tensor([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.5, 0.25, 0.25, 0], [0.25] * 4], dtype=torch.float64)
    expected = [1, 1, math.log(2) / (1.5 * math.log(2)), 0.6]
    weights = entropy_weight(p.clamp(min=1e-300).log(), 0.6)
    torch.testing.assert_close(weights, torch.tensor(expected, dtype=torch.float64))
    assert entropy_weight(torch.full((1, 4), 0.25).log(), 0.0).item() == pytest.approx(0.5)


def test_the_weight_draws_predictions_towards_softness_until_kappa() -> None:
    """The gradient through the weight raises the entropy between one bit and log 2 / kappa, and is 0 elsewhere."""
    logits = torch.tensor([[9.0, 0, 0, 0], [2.5, 1, 0, 0], [0.1, 0, 0, 0]], dtype=torch.float64, requires_grad=True)
    log_p = logits.log_softmax(1)
    entropy = -(log_p.exp() * log_p).sum(1)
    assert entropy[0] < math.log(2) < entropy[1] < math.log(2) / 0.7 < entropy[2]
    (by_weight,) = torch.autograd.grad(entropy_weight(log_p, 0.7).sum(), logits, retain_graph=True)
    (by_entropy,) = torch.autograd.grad(entropy.sum(), logits)
    assert by_weight[[0, 2]].abs().max() == 0
    assert (by_weight[1] @ by_entropy[1]) < 0


def test_a_sure_prediction_has_finite_gradients() -> None:
    """Logits a thousand apart leave the weighted loss and its gradient finite."""
    logits = torch.tensor([[1000.0, 0.0, -1000.0]], requires_grad=True)
    settings = Settings(mixing=Mixing("none"), kappa=0.7)
    batch_loss(lambda _: logits, torch.zeros(1, 1, 1, 1), torch.eye(3)[:1], settings, generator()).backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_half_precision_logits_are_scored_in_single_precision() -> None:
    """bfloat16 logits give the loss of the same numbers in float32."""
    logits = torch.tensor([[3.0, 1.0, 0.5]], dtype=torch.bfloat16)
    x, y = torch.zeros(1, 1, 1, 1), torch.eye(3)[:1]
    losses = [batch_loss(lambda _, z=z: z, x, y, Settings(), generator()) for z in (logits, logits.float())]
    assert losses[0].dtype == torch.float32
    assert losses[0] == losses[1]


def test_the_same_generator_gives_the_same_loss() -> None:
    """Chance comes from the generator alone."""
    x, y = batch()
    network, settings = Linear(), POLICIES[5]
    losses = {batch_loss(network, x, y, settings, generator(seed)).item() for seed in (1, 1, 2)}
    assert len(losses) == 2


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (Settings(mixing=Mixing("cutmix")), "'cutmix' is no policy"),  # type: ignore[arg-type]
        (Settings(mixing=Mixing("mixup", slopes=STEEP)), "both or neither"),
        (Settings(mixing=Mixing("mixup", slopes=STEEP, midpoints=MIDDLE[:3])), "4 x 4 slopes"),
        (Settings(mixing=Mixing("mix-maxent", slopes=STEEP, midpoints=MIDDLE)), "does not mix any"),
        (Settings(mixing=Mixing("mixup", alpha=0.0)), "alpha is 0.0"),
        (Settings(mixing=Mixing("mixup", alpha=math.nan)), "alpha is nan"),
        (Settings(mixing=Mixing("mix-maxent"), kappa=0.7), "takes no kappa"),
        (Settings(kappa=1.5), "kappa is 1.5"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: Settings, says: str) -> None:
    """One clear sentence for each."""
    x, y = batch()
    with pytest.raises(ModelError, match=says):
        batch_loss(Linear(), x, y, settings, generator())
