"""A session of HILL without a network: what plans and examples are tried on where no server is at hand.

All numbers are drawn by us; none is the paper's. With K classes:

    points      as equally many of each class as can be, at most 200 in all. A class's centre is standard normal in both
                coordinates, its points are normal around it with a standard deviation uniform in [0.3, 0.7]
    accuracy    after epoch e: 1 - floor - (1 - 1 / K - floor) exp(-e / pace) + 0.004 h, with floor uniform in
                [0.1, 0.25], pace uniform in [10, 18], h standard normal; macro-F1 is 0.01 below it, and a class's
                accuracy is it plus 0.05 h, each within [0, 1]. What the person does changes none of them, so a plan
                that finds a difference between strategies here finds what is not there
    predictions of a point, its class with the accuracy as the chance, else another class
    confusion   a hundred examples of each class, predicted in the same way
    training    each point goes alpha w of the way to where the person put it, w uniform in [0.4, 0.8] for each
                interaction, and 0.02 h beside it
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from crowdloom.tasks.latent_hand import shape_of
from crowdloom.tasks.latent_options import LatentOptions
from crowdloom.tasks.latent_people import arrange
from crowdloom.tasks.latent_records import Epoch, Interaction, SessionRecord

PRETRAINING = 25
MOST_POINTS = 200
_VALIDATION = 100  # examples of each class


def imagine_session(
    scenario: str,
    classes: Sequence[str],
    options: LatentOptions,
    strategy: str,
    strength: float,
    careless: bool,
    rng: random.Random,
) -> SessionRecord:
    """The record of a session in which everything was drawn; see the module. Who is careless moves nothing."""
    labels = [number % len(classes) for number in range(min(options.points, MOST_POINTS))]
    x, y = _first_points(labels, len(classes), rng)
    accuracies = _accuracies(PRETRAINING + options.interactions * options.epochs, len(classes), rng)
    interactions = []
    reached = accuracies[PRETRAINING - 1]
    by_class = _around(reached, len(classes), rng)
    predictions = [_predicted(label, len(classes), reached, rng) for label in labels]
    for number in range(1, options.interactions + 1):
        epoch = PRETRAINING + (number - 1) * options.epochs
        confusion = _confusion(len(classes), reached, rng)
        said = (labels, predictions, confusion, len(classes), rng, 0.0 if careless else strength, number)
        intended_x, intended_y, movements = arrange(strategy, x, y, *said)
        before = shape_of(x, y, labels, len(classes))
        intended = shape_of(intended_x, intended_y, labels, len(classes))
        way = options.alpha * rng.uniform(0.4, 0.8)
        x = [_round(at + way * (to - at) + 0.02 * rng.gauss(0, 1)) for at, to in zip(x, intended_x, strict=True)]
        y = [_round(at + way * (to - at) + 0.02 * rng.gauss(0, 1)) for at, to in zip(y, intended_y, strict=True)]
        reached = accuracies[epoch + options.epochs - 1]
        by_class_before, by_class = by_class, _around(reached, len(classes), rng)
        wrong_before = sum(label != predicted for label, predicted in zip(labels, predictions, strict=True))
        predictions = [_predicted(label, len(classes), reached, rng) for label in labels]
        interactions.append(
            Interaction(
                number=number,
                epoch=epoch,
                epochs=options.epochs,
                alpha=options.alpha,
                seconds=thinking_time(movements[-1].at_ms if movements else 0.0, rng),
                movements=movements,
                before=before,
                intended=intended,
                after=shape_of(x, y, labels, len(classes)),
                class_accuracy_before=by_class_before,
                class_accuracy_after=by_class,
                wrong_before=wrong_before,
                wrong_after=sum(label != predicted for label, predicted in zip(labels, predictions, strict=True)),
            )
        )
    return SessionRecord(
        scenario=scenario,
        classes=list(classes),
        seed=rng.getrandbits(31),
        points=len(labels),
        scale=options.scale,
        pretraining=PRETRAINING,
        curve=[
            Epoch(epoch=epoch, accuracy=accuracy, macro_f1=_share(accuracy - 0.01))
            for epoch, accuracy in enumerate(accuracies, 1)
        ],
        interactions=interactions,
    )


def thinking_time(moved_ms: float, rng: random.Random) -> float:
    """Seconds from the arrangement to the click: until the last movement, and log-normal around ten seconds more."""
    return round(moved_ms / 1000 + 10 * rng.lognormvariate(0, 0.5), 1)


def _first_points(labels: Sequence[int], classes: int, rng: random.Random) -> tuple[list[float], list[float]]:
    centres = [(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(classes)]
    widths = [rng.uniform(0.3, 0.7) for _ in range(classes)]
    x, y = ([_round(rng.gauss(centres[label][axis], widths[label])) for label in labels] for axis in (0, 1))
    return x, y


def _accuracies(epochs: int, classes: int, rng: random.Random) -> list[float]:
    floor, pace = rng.uniform(0.1, 0.25), rng.uniform(10, 18)
    start = 1 - 1 / classes - floor
    return [
        _share(1 - floor - start * math.exp(-epoch / pace) + 0.004 * rng.gauss(0, 1)) for epoch in range(1, epochs + 1)
    ]


def _around(accuracy: float, classes: int, rng: random.Random) -> list[float | None]:
    return [_share(accuracy + 0.05 * rng.gauss(0, 1)) for _ in range(classes)]


def _predicted(label: int, classes: int, accuracy: float, rng: random.Random) -> int:
    return label if rng.random() < accuracy else (label + rng.randrange(1, classes)) % classes


def _confusion(classes: int, accuracy: float, rng: random.Random) -> list[list[int]]:
    counts = [[0] * classes for _ in range(classes)]
    for label in range(classes):
        for _ in range(_VALIDATION):
            counts[label][_predicted(label, classes, accuracy, rng)] += 1
    return counts


def _share(value: float) -> float:
    return _round(min(max(value, 0.0), 1.0))


def _round(value: float) -> float:
    return round(value, 6)
