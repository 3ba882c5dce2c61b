"""How simulated people rearrange points: as their strategy says, which the analysis then finds by its rule."""

from __future__ import annotations

import math
import random

import pytest

from crowdloom.analysis.latent_strategies import approach, effects
from crowdloom.tasks.latent_hand import shape_of
from crowdloom.tasks.latent_people import CHANGES, STRATEGIES, arrange

Points = tuple[list[float], list[float], list[int], list[int], list[list[int]]]


def picture(seed: int, classes: int = 8, each: int = 20) -> Points:
    """Overlapping classes, a fifth of whose points are taken for others, and near ones more often for each other.

    Returns x, y, labels, predictions and confusion.
    """
    rng = random.Random(seed)
    centres = [(rng.gauss(0, 1), rng.gauss(0, 1)) for _ in range(classes)]
    labels = [number % classes for number in range(classes * each)]
    x, y = ([rng.gauss(centres[label][axis], 0.5) for label in labels] for axis in (0, 1))
    predictions = [rng.randrange(classes) if rng.random() < 0.2 else label for label in labels]
    confusion = [[round(20 * math.exp(-math.dist(one, other))) for other in centres] for one in centres]
    return x, y, labels, predictions, confusion


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("strategy", ["compactness", "distance", "merge", "keep"])
def test_the_rule_finds_the_strategy(strategy: str, seed: int) -> None:
    """What people do by a strategy is what the analysis calls by its name."""
    x, y, labels, predictions, confusion = picture(seed)
    to_x, to_y, _ = arrange(strategy, x, y, labels, predictions, confusion, 8, random.Random(seed), 0.6)
    found = effects(shape_of(x, y, labels, 8), shape_of(to_x, to_y, labels, 8))
    assert approach(found) == strategy


def test_who_changes_does_something_else_each_time() -> None:
    """Moving classes apart is followed by its inversion."""
    x, y, labels, predictions, confusion = picture(1)
    for number, done in enumerate([*CHANGES, CHANGES[0]], 1):
        said = (x, y, labels, predictions, confusion, 8)
        assert arrange("change", *said, random.Random(4), 0.6, number) == arrange(done, *said, random.Random(4), 0.6)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_movements_lead_to_the_arrangement(strategy: str) -> None:
    """Done again one by one they give the same points; their times rise, and without strength nothing moves."""
    x, y, labels, predictions, confusion = picture(3)
    said = (x, y, labels, predictions, confusion, 8)
    to_x, to_y, movements = arrange(strategy, *said, random.Random(3), 0.6)
    at_x, at_y = list(x), list(y)
    for move in movements:
        if move.kind == "point":
            assert move.point is not None
            points = [move.point]
        else:
            points = [point for point, label in enumerate(labels) if label == move.label]
        assert move.points == len(points)
        centre = [sum(values[point] for point in points) / len(points) for values in (at_x, at_y)]
        for point in points:
            for axis, values in enumerate((at_x, at_y)):
                if move.factor is not None:
                    values[point] = centre[axis] + move.factor * (values[point] - centre[axis])
                values[point] += (move.dx, move.dy)[axis]
    assert at_x == pytest.approx(to_x)
    assert at_y == pytest.approx(to_y)
    times = [move.at_ms for move in movements]
    assert movements
    assert times == sorted(set(times))
    assert arrange(strategy, *said, random.Random(3), 0.0) == (x, y, [])


def test_classes_are_pushed_apart_until_they_do_not_overlap() -> None:
    """At full strength, from one place, too."""
    labels = [number % 3 for number in range(30)]
    x, y = [0.1 * (number % 2) for number in range(30)], [0.0] * 30
    for seed in range(5):
        to_x, to_y, _ = arrange("distance", x, y, labels, labels, [[1] * 3] * 3, 3, random.Random(seed), 1.0)
        shape = shape_of(to_x, to_y, labels, 3)
        for one in range(3):
            for other in range(one):
                apart = math.dist(shape.centres[one] or (), shape.centres[other] or ())
                assert apart > (shape.spreads[one] or 0) + (shape.spreads[other] or 0)


def test_those_are_merged_that_are_confused_most() -> None:
    """At most three together; a class that is taken for no other stays."""
    x, y, labels, predictions, _ = picture(2, classes=7)
    confusion = [[0] * 7 for _ in range(7)]
    confusion[1][4], confusion[4][2], confusion[2][3], confusion[5][0] = 9, 8, 3, 1
    said = (x, y, labels, predictions, confusion, 7)
    to_x, to_y, movements = arrange("merge", *said, random.Random(1), 0.5)
    assert sorted(move.label or 0 for move in movements) == [0, 1, 2, 4, 5]
    before, after = (shape_of(*where, labels, 7).centres for where in ((x, y), (to_x, to_y)))
    for one, other in ((1, 4), (0, 5)):
        assert math.dist(after[one] or (), after[other] or ()) < 0.8 * math.dist(before[one] or (), before[other] or ())


def test_little_is_moved_where_the_arrangement_is_kept() -> None:
    """A few points of one class; none where none is misclassified."""
    x, y, labels, predictions, confusion = picture(6)
    _, _, movements = arrange("keep", x, y, labels, predictions, confusion, 8, random.Random(1), 0.5)
    assert [move.kind for move in movements] == ["point"] * 3
    assert len({move.label for move in movements}) == 1
    assert arrange("keep", x, y, labels, labels, confusion, 8, random.Random(1), 0.5) == (x, y, [])


def test_a_class_without_points_is_left_alone() -> None:
    """Three classes, of which the points shown have two."""
    for strategy in STRATEGIES:
        _, _, movements = arrange(
            strategy, [0, 1, 2, 3], [0, 0, 1, 1], [0, 0, 2, 2], [2, 0, 2, 2], [[5, 9, 1]] * 3, 3, random.Random(1), 0.5
        )
        assert {move.label for move in movements} <= {0, 2}
