"""What is said of a classifier's predictions against labels that are distributions: one function for each figure.

Everywhere N is the number of images and K that of classes; `scores` [N, K] are anything that ranks the classes
(outputs, log-probabilities or probabilities), `labels` [N, K] distributions. The true class of a label is its most
probable one, and of several that are equally probable the first in the order of classes, as with numpy's argmax; so it
is with the predicted class.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from crowdloom.analysis.labels import entropy
from crowdloom.models.errors import ModelError


def log_probabilities(outputs: Tensor) -> Tensor:
    """The logarithms of the probabilities [N, K] that a network's outputs stand for: log-softmax, in float32.

    Logarithms of probabilities that were computed first would be minus infinity where one of them underflows.

    >>> log_probabilities(torch.tensor([[0.0, 0.0], [0.0, -1000.0]])).tolist()
    [[-0.6931471824645996, -0.6931471824645996], [0.0, -1000.0]]
    """
    return outputs.float().log_softmax(1)


def cross_entropy(log_probabilities: Tensor, labels: Tensor) -> float:
    """The mean cross-entropy in nats, -1/N sum_n sum_k labels[n, k] log_probabilities[n, k].

    A class that a label gives nothing costs nothing, whatever its log-probability. Source: K. M. Collins (MPhil thesis,
    Cambridge, 2022), section 3.3.1, which leaves the minus sign out.

    By hand, with a label of a half each and predictions of 1/4 and 3/4: (log 4 + log 4/3) / 2 = 0.8370.

    >>> predicted = torch.tensor([[0.25, 0.75]]).log()
    >>> round(cross_entropy(predicted, torch.tensor([[0.5, 0.5]])), 4)
    0.837
    """
    return float(cross_entropies(log_probabilities, labels).mean())


def cross_entropies(log_probabilities: Tensor, labels: Tensor) -> Tensor:
    """The cross-entropy of each image, [N], in nats (see `cross_entropy`). Raises ModelError for unequal shapes."""
    _check(log_probabilities, labels)
    terms = torch.where(labels > 0, labels * log_probabilities, 0)  # 0 times minus infinity is 0 here
    return -terms.sum(1)


def correct(scores: Tensor, labels: Tensor) -> Tensor:
    """Which predictions are right, bool [N]: the first of the highest scores is the first most probable class.

    >>> correct(torch.tensor([[0.6, 0.4], [0.5, 0.5]]), torch.tensor([[0.9, 0.1], [0.2, 0.8]])).tolist()
    [True, False]
    """
    _check(scores, labels)
    return scores.argmax(1) == labels.argmax(1)


def accuracy(scores: Tensor, labels: Tensor) -> float:
    """The share of predictions that are right (see `correct`).

    >>> accuracy(torch.tensor([[0.6, 0.4], [0.5, 0.5]]), torch.tensor([[0.9, 0.1], [0.2, 0.8]]))
    0.5
    """
    return int(correct(scores, labels).sum()) / len(scores)  # exact: the same count is the same share


def top2_accuracy(scores: Tensor, labels: Tensor) -> float:
    """The share of images whose true class is among the two with the highest scores.

    Of equal scores those of earlier classes stand first, so that this is never below `accuracy`.

    >>> scores, label = torch.tensor([[0.5, 0.3, 0.2]]), torch.eye(3)
    >>> [top2_accuracy(scores, label[k : k + 1]) for k in range(3)]
    [1.0, 1.0, 0.0]
    """
    _check(scores, labels)
    true = labels.argmax(1, keepdim=True)
    own = scores.gather(1, true)
    earlier = torch.arange(scores.shape[1], device=scores.device) < true
    ahead = (scores > own) | ((scores == own) & earlier)
    return int((ahead.sum(1) < 2).sum()) / len(scores)


def per_class_accuracy(scores: Tensor, labels: Tensor) -> list[float | None]:
    """The share of right predictions among the images of each true class, K values; None for a class without images.

    >>> per_class_accuracy(torch.tensor([[0.6, 0.4, 0.0], [0.1, 0.9, 0.0]]), torch.tensor([[1.0, 0, 0], [1, 0, 0]]))
    [0.5, None, None]
    """
    right, classes = correct(scores, labels).cpu(), labels.shape[1]
    true = labels.argmax(1).cpu()
    images = torch.bincount(true, minlength=classes).tolist()
    hits = torch.bincount(true[right], minlength=classes).tolist()
    return [hit / count if count else None for hit, count in zip(hits, images, strict=True)]


def rms_calibration_error(confidence: Tensor, correct: Tensor, bin: int = 100) -> float:  # noqa: A002
    """The root mean square calibration error with adaptive bins, of N predictions.

    `confidence` [N] is the probability of each predicted class, `correct` [N] whether it is the true one. Predictions
    are sorted by confidence (equal ones keep their order) and cut into floor(N / bin) bins of `bin`, of which the last
    takes what remains; with fewer than `bin` predictions there is one bin. With B bins of n_b predictions each,

        error = sqrt(sum_b n_b / N (mean confidence in b - share correct in b)^2)

    Source: D. Hendrycks et al., *PixMix* (CVPR 2022), after Nguyen and O'Connor (2015). Their released code computes
    the same but leaves out the last bin, which the formula includes, and so do we. Raises ModelError where there is
    no prediction.

    By hand, with bins of two: means of 0.55 and 0.9 against shares of 1/2 and 1 make sqrt((0.05^2 + 0.1^2) / 2), or
    0.0791.

    >>> confidence, right = torch.tensor([0.9, 0.5, 0.6, 0.9]), torch.tensor([True, False, True, True])
    >>> round(rms_calibration_error(confidence, right, bin=2), 4)
    0.0791
    """
    n = len(confidence)
    if n == 0 or confidence.ndim != 1 or confidence.shape != correct.shape or bin < 1:
        raise ModelError("a calibration error needs predictions, each right or wrong, and bins of at least one")
    order = confidence.argsort(stable=True)
    gaps = confidence.float()[order] - correct.float()[order]
    whole = (max(n // bin, 1) - 1) * bin  # all but the last bin
    means = torch.cat([gaps[:whole].view(-1, bin).mean(1), gaps[whole:].mean().view(1)])
    sizes = torch.full_like(means, bin)
    sizes[-1] = n - whole
    return float((sizes / n * means.square()).sum().sqrt())


class EntropyCorrelation(NamedTuple):
    """How the entropy of predictions goes with that of labels; None where either is the same for all images."""

    pearson: float | None
    spearman: float | None


def entropy_correlation(log_probabilities: Tensor, labels: Tensor) -> EntropyCorrelation:
    """The correlation between the entropy of each prediction and that of its label, by Pearson and by Spearman.

    Whether a network is unsure where people are. Source: A. Uma et al., *A Case for Soft Loss Functions* (HCOMP 2020),
    who take Pearson's. None below four images, too.

    >>> labels = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.7, 0.3], [0.5, 0.5]])
    >>> [round(value, 3) for value in entropy_correlation(labels.log(), labels)]
    [1.0, 1.0]
    >>> entropy_correlation(labels.log(), torch.eye(2)[[0, 1, 0, 1]])
    EntropyCorrelation(pearson=None, spearman=None)
    """
    from crowdloom.analysis import correlation_tests  # loads SciPy's statistics, which takes a worker half a second

    _check(log_probabilities, labels)
    predicted, given = (tensor.detach().cpu().double().numpy() for tensor in (log_probabilities, labels))
    predicted, given = entropy(np.exp(predicted)), entropy(given)
    return EntropyCorrelation(
        correlation_tests.pearson(predicted, given).estimate, correlation_tests.spearman(predicted, given).estimate
    )


def _check(scores: Tensor, labels: Tensor) -> None:
    if scores.shape != labels.shape or scores.ndim != 2 or not len(scores):
        raise ModelError(
            f"predictions [N, K] and labels [N, K] are needed, these are {list(scores.shape)} and {list(labels.shape)}"
        )
