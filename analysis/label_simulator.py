"""Soft labels simulated for images that have hard labels only, by what is known of people's soft labels.

Source: K. M. Collins (MPhil thesis, Cambridge, 2022), appendix B.5. For each simulated annotator of an image:

1. The most probable class is drawn from the image's annotator counts.
2. Its probability is drawn from a Beta distribution, fitted to the collected probabilities of most probable classes.
3. The other classes are ranked by their similarity to it (equal ones in the order of the classes), and the nearest k
   are possible; k is drawn from the histogram of how many other classes people left possible.
4. If k >= 1 the nearest gets a probability too, from a second Beta, fitted to the probabilities of second classes.
5. Where the two exceed 1 they are divided by their sum; what they leave is spread evenly over the other k - 1 possible
   classes. Where there is none to take it (k is 0 or 1), the label is divided by its sum; with k = 0 it is a hard one.

Steps 1 to 4 give an answer as a person would; step 5 is the label T2-clamp of it (see `analysis.labels`) with gamma 0.

Everything is fitted apart for images of low and of high entropy, by their annotator counts, and an image is simulated
by the fits of its own side. High is H > 0.25 nats, as in section 3.2.1: the authors chose images with H > 0.25 and some
with H <= 0.1, none between. Of the 10,000 images of CIFAR-10H 1,206 lie between; they count as low, because most have
two people of some 51 against all others (H is 0.17 or 0.19), where the low ones have one or none, and the high ones a
median of 0.46.

The Beta fits are by moments, so they keep the collected mean and standard deviation. The likelihood is not finite where
a probability is 0 or 1, and many are: 70 % (low) and 36 % (high) of the most probable classes of CIFAR-10S were given
100 %. Moving them inside, (y (n - 1) + 1/2)/n as M. Smithson and J. Verkuilen do (*A Better Lemon Squeezer?*,
Psychological Methods 11 (2006), 54-71), makes the fit depend on n, and it lies further from what was collected: the
quantiles differ by 0.013 and 0.024 (most probable class, low and high) and 0.089 and 0.043 (second class) in the mean,
against 0.006, 0.014, 0.052 and 0.024 by moments.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.elicited import Bools, Elicited, Floats, Ints
from crowdloom.analysis.files import whole_file
from crowdloom.analysis.label_pools import LabelPool, pool_by_image
from crowdloom.analysis.labels import build_labels, entropy, parse_variety
from crowdloom.analysis.similarity import check_similarity

HIGH_ENTROPY = 0.25
"""Nats of an image's annotator counts, above which it counts as ambiguous."""

FEWEST = 20
"""Answers to one side's images; with fewer, that side takes the fits to all answers."""

SMALLEST = 1e-9
"""Percent that a most probable class gets at least, so that an answer without other classes still has a label."""


@dataclass(frozen=True)
class Beta:
    """A Beta distribution by its moments; with sd 0 it is one number, with the largest sd it is 0 or 1."""

    mean: float
    sd: float

    def parameters(self) -> tuple[float, float]:
        """Its a and b; infinite where sd is 0, and 0 where it is the largest that the mean allows.

        >>> Beta(mean=0.5, sd=12**-0.5).parameters()  # every probability alike
        (1.0, 1.0)
        """
        if self.sd == 0:
            return np.inf, np.inf
        size = max(self.mean * (1 - self.mean) / self.sd**2 - 1, 0.0)
        return round(self.mean * size, 9), round((1 - self.mean) * size, 9)

    def draw(self, size: int, rng: np.random.Generator) -> Floats:
        """So many numbers from it, [size]."""
        a, b = self.parameters()
        if self.sd == 0:
            return np.full(size, self.mean)
        if min(a, b) == 0:
            return (rng.random(size) < self.mean).astype(np.float64)
        return rng.beta(a, b, size)


@dataclass(frozen=True)
class Side:
    """What people answered to images of one side.

    top1, top2    the probability of the most probable class; of the second one, where an answer has one
    possible      [K] how many answers left 0, 1, … K - 1 classes possible beside the most probable one
    answers       how many answers it was fitted on
    own           whether these were answers to that side's images; false where there were too few
    """

    top1: Beta
    top2: Beta
    possible: tuple[int, ...]
    answers: int
    own: bool

    def mean_possible(self) -> float:
        """How many classes were left possible beside the most probable one, in the mean."""
        return float(np.average(np.arange(len(self.possible)), weights=self.possible))


@dataclass(frozen=True)
class LabelSimulator:
    """What is known of people's soft labels: two sides, and how alike the K classes are.

    `similarity` [K, K] ranks the other classes (columns) for each most probable class (rows).
    """

    low: Side
    high: Side
    similarity: Floats
    threshold: float = HIGH_ENTROPY

    def __post_init__(self) -> None:
        check_similarity(self.similarity, len(self.low.possible))

    def simulate(
        self, counts: npt.NDArray[Any], annotators: int, rng: np.random.Generator, gamma: float = 0.0
    ) -> LabelPool:
        """The labels of so many simulated annotators for each of N images, by their counts [N, K].

        With a `gamma` above 0, a label whose two probabilities reach 1 keeps that mass for the other classes that are
        possible, as collected labels T2-clamp do. Raises ValueError for counts that do not fit.
        """
        answers, image = self.answers(counts, annotators, rng)
        labels, _ = build_labels(answers, parse_variety("T2-clamp"), gamma=gamma)
        return pool_by_image(labels, image, len(counts))

    def answers(self, counts: npt.NDArray[Any], annotators: int, rng: np.random.Generator) -> tuple[Elicited, Ints]:
        """Steps 1 to 4: the simulated answers [N * annotators], image by image, and the image of each.

        Raises ValueError for counts of another number of classes, negative ones, or a row of zeros.
        """
        check_counts(counts, len(self.similarity))
        images, classes = counts.shape
        image = np.repeat(np.arange(images), annotators)
        below = counts.cumsum(axis=1, dtype=np.float64)[:, np.newaxis]
        drawn = rng.random((images, annotators, 1)) * below[..., -1:]
        top1 = (drawn < below).argmax(axis=2).reshape(-1)
        high = is_ambiguous(counts, self.threshold)[image]
        p1, p2, possible = np.empty(len(image)), np.empty(len(image)), np.empty(len(image), dtype=np.intp)
        for side, rows in ((self.low, ~high), (self.high, high)):
            many = int(rows.sum())
            p1[rows], p2[rows] = side.top1.draw(many, rng), side.top2.draw(many, rng)
            possible[rows] = rng.choice(classes, many, p=np.array(side.possible) / sum(side.possible))
        order = _nearest(self.similarity)
        rank = np.argsort(order, axis=1)
        second = possible >= 1
        said = Elicited(
            top1=top1,
            top1_probability=np.maximum(p1 * 100, SMALLEST),
            top2=np.where(second, order[top1, 1], -1),
            top2_probability=np.where(second, p2 * 100, np.nan),
            impossible=rank[top1] > possible[:, np.newaxis],
        )
        return said, image

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return {
            "threshold": self.threshold,
            "low": asdict(self.low),
            "high": asdict(self.high),
            "similarity": self.similarity.tolist(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LabelSimulator:
        """From what `to_json` gave. Raises ValueError where it is something else."""
        try:
            sides = [_side(values[name]) for name in ("low", "high")]
            similarity = np.array(values["similarity"], dtype=np.float64)
            return cls(sides[0], sides[1], similarity, float(values["threshold"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"these are no values of a label simulator: {error}") from error

    def write(self, path: Path) -> None:
        """Write it to a JSON file, which appears whole."""
        with whole_file(path) as part:
            part.write_text(json.dumps(self.to_json(), allow_nan=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> LabelSimulator:
        """Read what `write` wrote. Raises ValueError, naming the file, where it is something else."""
        try:
            return cls.from_json(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise ValueError(f"{path} cannot be read as a label simulator: {error}") from error


def fit_simulator(elicited: Elicited, high_entropy: Bools, similarity: Floats) -> LabelSimulator:
    """Fit a simulator to R collected answers, of which those with `high_entropy` [R] were to ambiguous images.

    Answers without a most probable class or its probability are left out. Raises ValueError where none is left, or the
    similarity [K, K] does not fit.

    >>> said = Elicited(
    ...     top1=np.zeros(40, dtype=np.intp), top1_probability=np.tile([60.0, 100.0], 20),
    ...     top2=np.tile([1, -1], 20), top2_probability=np.tile([40.0, np.nan], 20),
    ...     impossible=np.tile([[False, False, True], [False, True, True]], (20, 1)),
    ... )
    >>> simulator = fit_simulator(said, np.ones(40, dtype=bool), np.eye(3))
    >>> simulator.high.top1.mean, simulator.high.top2, simulator.high.possible, simulator.low.own
    (0.8, Beta(mean=0.4, sd=0.0), (20, 20, 0), False)
    """
    answered = (elicited.top1 >= 0) & (elicited.top1_probability >= 0)
    if not answered.any():
        raise ValueError("no answer names a most probable class with its probability, so there is nothing to fit")
    low, high = (_fit(elicited, answered & side, answered) for side in (~high_entropy, high_entropy))
    return LabelSimulator(low, high, np.asarray(similarity, dtype=np.float64))


def is_ambiguous(counts: npt.NDArray[Any], threshold: float = HIGH_ENTROPY) -> Bools:
    """Whether the entropy of each row of annotator counts [N, K] is high, [N].

    >>> is_ambiguous(np.array([[50, 1], [30, 20]])).tolist()
    [False, True]
    """
    high: Bools = entropy(counts / counts.sum(axis=1, keepdims=True)) > threshold
    return high


def check_counts(counts: npt.NDArray[Any], classes: int) -> None:
    """Raise ValueError unless these are annotator counts [N, K], with somebody in each row."""
    if counts.ndim != 2 or counts.shape[1] != classes:
        raise ValueError(f"the counts have the shape {counts.shape}; a column is needed for each of {classes} classes")
    if not (np.isfinite(counts).all() and (counts >= 0).all()):
        raise ValueError("the counts hold a number that is negative or none at all")
    empty = np.flatnonzero(counts.sum(axis=1) == 0)
    if len(empty):
        raise ValueError(f"row {empty[0]} of the counts is all zeros, so no class can be drawn from it; leave it out")


def _fit(elicited: Elicited, wanted: Bools, answered: Bools) -> Side:
    """The side of the wanted answers, or of all that were answered, where those are too few."""
    own = int(wanted.sum()) >= FEWEST
    rows = wanted if own else answered
    others = ~elicited.impossible[rows]
    others[np.arange(len(others)), elicited.top1[rows]] = False
    possible = np.bincount(others.sum(axis=1), minlength=others.shape[1])
    named = (elicited.top2 >= 0) & (elicited.top2 != elicited.top1) & (elicited.top2_probability >= 0)
    return Side(
        top1=_moments(elicited.top1_probability[rows] / 100),
        top2=_moments(elicited.top2_probability[rows & named] / 100),
        possible=tuple(possible.tolist()),
        answers=int(rows.sum()),
        own=own,
    )


def _moments(values: Floats) -> Beta:
    """By its mean and standard deviation; always 0, where nobody named a second class."""
    if not len(values):
        return Beta(0.0, 0.0)
    if np.ptp(values) == 0:  # rounding would leave a spread where there is none
        return Beta(float(values[0]), 0.0)
    return Beta(float(values.mean()), float(values.std()))


def _nearest(similarity: Floats) -> Ints:
    """For each class the classes from the nearest to the farthest, [K, K], itself first."""
    ranked = similarity.copy()
    np.fill_diagonal(ranked, np.inf)
    return np.argsort(-ranked, axis=1, kind="stable")


def _side(values: Mapping[str, Any]) -> Side:
    return Side(
        top1=Beta(**values["top1"]),
        top2=Beta(**values["top2"]),
        possible=tuple(int(number) for number in values["possible"]),
        answers=int(values["answers"]),
        own=bool(values["own"]),
    )
