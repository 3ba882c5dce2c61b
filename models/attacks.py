"""Small changes of images that raise a classifier's loss, against labels that are distributions.

Images are float [N, C, H, W] in 0..1 and the network takes them so, normalisation included: the bound epsilon then is
one of pixels. A network is attacked in test mode and is left as it was: no parameter gets a gradient, and each of its
modules is in the mode it was in. An image's attack does not depend on the images beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from crowdloom.models.metrics import cross_entropies, log_probabilities

EPSILON = 4 / 255
"""Of J. C. Peterson et al. (ICCV 2019), whom K. M. Collins (MPhil thesis, Cambridge, 2022), section 3.3.1, follows."""
STEP = EPSILON / 4
STEPS = 10


def fgsm(network: nn.Module, images: Tensor, labels: Tensor, epsilon: float = EPSILON) -> Tensor:
    """Images after the fast gradient sign method: x' = clip(x + epsilon sign(d loss / d x), 0, 1), [N, C, H, W].

    The loss is the mean cross-entropy against `labels` [N, K]. Source: I. Goodfellow et al., *Explaining and Harnessing
    Adversarial Examples* (2014).

    The network below has the outputs (x, 0), so its loss against the first class falls with x:

    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(1, 2, bias=False))
    >>> _ = network[1].load_state_dict({"weight": torch.tensor([[1.0], [0.0]])})
    >>> first = torch.tensor([[1.0, 0.0]])
    >>> round(fgsm(network, torch.full((1, 1, 1, 1), 0.5), first, epsilon=0.1).item(), 3)
    0.4
    """
    with _as_for_tests(network):
        return (images + epsilon * _ascent(network, images, labels)).clamp_(0, 1)


def pgd(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float = EPSILON,
    step: float = STEP,
    steps: int = STEPS,
    start: Tensor | None = None,
) -> Tensor:
    """Images after projected gradient descent within `epsilon` of each pixel, [N, C, H, W].

    `steps` times x <- clip(P(x + step sign(d loss / d x)), 0, 1), where P brings each pixel back to within epsilon of
    the original. It begins at the images plus `start` [N, C, H, W] (see `random_start`), or at the images themselves.
    Source: A. Madry et al., *Towards Deep Learning Models Resistant to Adversarial Attacks* (2018), with ten steps of a
    quarter of epsilon.

    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(1, 2, bias=False))
    >>> _ = network[1].load_state_dict({"weight": torch.tensor([[1.0], [0.0]])})
    >>> image, first = torch.full((1, 1, 1, 1), 0.5), torch.tensor([[1.0, 0.0]])
    >>> [round(pgd(network, image, first, epsilon=0.1, step=0.04, steps=n).item(), 3) for n in (1, 2, 3)]
    [0.46, 0.42, 0.4]
    """
    low, high = (images - epsilon).clamp_(min=0), (images + epsilon).clamp_(max=1)
    found = images if start is None else (images + start).clamp_(0, 1)
    with _as_for_tests(network):
        for _ in range(steps):
            found = (found + step * _ascent(network, found, labels)).clamp_(low, high)
    return found


def random_start(shape: Sequence[int], seed: int, epsilon: float = EPSILON) -> Tensor:
    """Where `pgd` may begin: offsets of each pixel, uniform within epsilon, on the CPU whatever the device."""
    generator = torch.Generator().manual_seed(seed)
    return torch.empty(tuple(shape)).uniform_(-epsilon, epsilon, generator=generator)


def _ascent(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """The sign of the loss' gradient, [N, C, H, W]."""
    seen = images.detach().requires_grad_()
    with torch.enable_grad():
        # The sum has the mean's signs, and a gradient that does not shrink with the batch.
        loss = cross_entropies(log_probabilities(network(seen)), labels).sum()
        (gradient,) = torch.autograd.grad(loss, seen)
    return gradient.sign_()


@contextmanager
def _as_for_tests(network: nn.Module) -> Iterator[None]:
    """The network in test mode meanwhile, then each of its modules in the mode it was in."""
    before = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training
