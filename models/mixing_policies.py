"""What a network's loss is on a batch: plain, on mixed examples, or weighted by how unsure the network is.

Every policy stands here and nowhere else. A batch is x [B, C, H, W] with targets y [B, K], each a distribution over
the classes, hard or soft; whoever trains calls `batch_loss` and needs not know which policy it is. Chance comes from a
generator on the batch's device, and nothing here waits for that device.

Sources: H. Zhang et al., *mixup: Beyond Empirical Risk Minimization* (2017); F. Pinto et al., *Mix-MaxEnt: Improving
Accuracy and Uncertainty Estimates of Deterministic Neural Networks* (2021); K. M. Collins, *Improving Machine Learning
Systems by Eliciting and Incorporating Additional Human Knowledge* (MPhil thesis, Cambridge, 2022): section 4.1.2 for
the notation, 5.2 and appendix C for what it adds. Labels of a finite set of mixes (its section 4.3) are plain targets
for `none`; `analysis.mixing_targets` makes them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from crowdloom.models.errors import ModelError
from crowdloom.models.metrics import cross_entropies
from crowdloom.models.settings import Mixing, Settings

Network = Callable[[Tensor], Tensor]
"""Pixels [B, C, H, W] in, logits [B, K] out."""


def batch_loss(network: Network, x: Tensor, y: Tensor, settings: Settings, generator: torch.Generator) -> Tensor:
    """The loss of a batch under the policy of `settings.mixing`, a scalar to differentiate.

    none          the mean cross-entropy of the predictions at x against y
    mixup         the same at mixes of the examples against mixes of their targets; originals are never seen
    mix-maxent    the mean cross-entropy of the originals minus the mean entropy of the predictions at mixes; pairs of
                  one class do not count, as its authors mix images of different classes only

    With `settings.kappa` each example's cross-entropy is weighted by `entropy_weight`. x [B, C, H, W] holds numbers
    from 0 to 1, y [B, K] distributions; the generator is on their device. Raises ModelError for a policy that is none
    of these, for boundaries without mixup, and for a kappa with mix-maxent, which has an entropy of its own.

    >>> settings = Settings(mixing=Mixing("none"))
    >>> x, y = torch.zeros(1, 1, 2, 2), torch.tensor([[0.75, 0.25]])
    >>> loss = batch_loss(lambda pixels: torch.zeros(len(pixels), 2), x, y, settings, torch.Generator())
    >>> round(float(loss), 4)  # log 2
    0.6931
    """
    mixing = settings.mixing
    _check(mixing, settings.kappa, y.shape[1])
    if mixing.policy == "none":
        return _weighted(_log_probabilities(network(x)), y, settings.kappa)
    coefficient = draw_coefficient(mixing.alpha, x, generator)
    partner = torch.randperm(len(x), generator=generator, device=x.device)
    mixed = mix(x, x[partner], coefficient)
    if mixing.policy == "mixup":
        target = mix(y, y[partner], target_coefficient(y, y[partner], coefficient, mixing))
        return _weighted(_log_probabilities(network(mixed)), target, settings.kappa)
    # One pass for both, so that both share the statistics by which batch normalisation normalises.
    original, synthetic = _log_probabilities(network(torch.cat([x, mixed]))).chunk(2)
    across = (y.argmax(1) != y[partner].argmax(1)).to(y.dtype)
    barrier = (across * entropies(synthetic)).sum() / across.sum().clamp(min=1)
    return cross_entropies(original, y).mean() - barrier


def draw_coefficient(alpha: float, like: Tensor, generator: torch.Generator) -> Tensor:
    """lambda_f from Beta(alpha, alpha), one number for a batch, with the device and type of `like`.

    With u and v uniform, w = u^(1/alpha) and c = cos(2 pi v),

        lambda = (1 + c sqrt(1 - w) / sqrt(w + c^2 (1 - w))) / 2

    is exactly Beta(alpha, alpha) for every alpha > 0. Source: L. Devroye, *Random variate generation in one line of
    code* (1996), by R. W. Bailey's polar form of Student's t (1994), whose fraction is multiplied here by w, so that
    nothing overflows where alpha is small.
    """
    u, v = torch.rand(2, generator=generator, device=like.device, dtype=like.dtype).unbind()
    w, c = u ** (1 / alpha), torch.cos(2 * math.pi * v)
    return (1 + c * torch.sqrt(1 - w) / torch.sqrt(w + c**2 * (1 - w))) / 2


def mix(first: Tensor, second: Tensor, coefficient: Tensor) -> Tensor:
    """coefficient first + (1 - coefficient) second (the thesis' f and g, section 4.1.2); it is broadcast."""
    return coefficient * first + (1 - coefficient) * second


def target_coefficient(first: Tensor, second: Tensor, coefficient: Tensor, mixing: Mixing) -> Tensor:
    """lambda_g, the share of the first target [B, K] in the mixed one: a scalar, or [B, 1] one for each pair.

    Without boundaries it is lambda_f. With them it is a logistic function for each pair of classes (appendix C),

        lambda_g = 1 / (1 + exp(-slope[i][j] (lambda_f - midpoint[i][j]))),

    where i and j are the classes of the two targets. The appendix needs hard endpoints to know them; a soft one goes
    by its arg max (the first of equal ones) and is mixed whole. Two targets of one class have no boundary and take
    lambda_f.
    """
    if mixing.slopes is None or mixing.midpoints is None:
        return coefficient
    i, j = first.argmax(1), second.argmax(1)
    slopes, midpoints = (
        _on_device(tuple(map(tuple, values)), first.device, first.dtype)[i, j]
        for values in (mixing.slopes, mixing.midpoints)
    )
    inferred = torch.sigmoid(slopes * (coefficient - midpoints))
    return torch.where(i == j, coefficient, inferred).unsqueeze(1)


def entropy_weight(log_p: Tensor, kappa: float) -> Tensor:
    """The clamped weight of each example, [B]: log 2 / H, at most 1 and at least kappa (section 5.2.2).

    H is the entropy in nats of the prediction, whose logarithm is `log_p` [B, K]. The gradient flows through the
    weight. The thesis does not say so, but its words leave no other reading: without a clamp the loss is an incentive
    to predict uniform labels, which a weight taken as a constant is not. So the loss pushes predictions to be softer
    while H lies between log 2 (1 bit, a mix of two classes at one half) and log 2 / kappa, and not beyond. With kappa 0
    nothing stops it.

    The entropy is clamped and not the weight, which is the same number, but has a gradient at H = 0.

    >>> two, ten = torch.tensor([[0.5, 0.5]]).log(), torch.full((1, 10), 0.1).log()
    >>> [round(entropy_weight(log_p, 0.2).item(), 3) for log_p in (two, ten)]
    [1.0, 0.301]
    >>> [round(entropy_weight(log_p, 0.7).item(), 3) for log_p in (two, ten)]
    [1.0, 0.7]
    """
    most = math.log(2) / kappa if kappa else None
    return math.log(2) / entropies(log_p).clamp(min=math.log(2), max=most)


def entropies(log_p: Tensor) -> Tensor:
    """The entropy of each prediction, -sum_k p_k log p_k in nats, [B]."""
    return -(log_p.exp() * log_p).sum(1)


def _log_probabilities(logits: Tensor) -> Tensor:
    """[B, K], in single precision where the network computed in half of it; double stays double."""
    exact = logits if logits.dtype == torch.float64 else logits.float()
    return exact.log_softmax(1)


def _weighted(log_p: Tensor, y: Tensor, kappa: float | None) -> Tensor:
    losses = cross_entropies(log_p, y)
    return (losses if kappa is None else entropy_weight(log_p, kappa) * losses).mean()


def _check(mixing: Mixing, kappa: float | None, classes: int) -> None:
    if mixing.policy not in ("none", "mixup", "mix-maxent"):
        raise ModelError(f"{mixing.policy!r} is no policy of mixing; choose none, mixup or mix-maxent")
    if (mixing.slopes is None) != (mixing.midpoints is None):
        raise ModelError("boundaries of classes need slopes and midpoints; give both or neither")
    if mixing.slopes is not None and mixing.policy != "mixup":
        raise ModelError(f"boundaries of classes say how mixup mixes targets; {mixing.policy} does not mix any")
    for values in (mixing.slopes, mixing.midpoints):
        if values is not None and [len(row) for row in values] != [classes] * classes:
            raise ModelError(f"boundaries of {classes} classes are {classes} x {classes} slopes and as many midpoints")
    if mixing.policy != "none" and not mixing.alpha > 0:
        raise ModelError(f"alpha is {mixing.alpha}; mixing needs one above 0")
    if kappa is not None and mixing.policy == "mix-maxent":
        raise ModelError("mix-maxent has an entropy of its own and takes no kappa; leave it out, or choose mixup")
    if kappa is not None and not 0 <= kappa <= 1:
        raise ModelError(f"kappa is {kappa}; the weight of an example is at most 1, so it must lie between 0 and 1")


@lru_cache(maxsize=16)  # a copy at each step would make the host wait for the device
def _on_device(values: tuple[tuple[float, ...], ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    return torch.tensor(values, device=device, dtype=dtype)
