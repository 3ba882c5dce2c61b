"""The three metrics of a latent space: by hand, and against an independent form that goes through points and pairs."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest

from crowdloom.analysis.latent_metrics import Followed, change, followed, geometry
from crowdloom.tasks.latent_records import Shape

SQUARE = Shape(centres=[(0, 0), (4, 0), (4, 3)], spreads=[1, 2, 0.5])


def test_separation_by_hand() -> None:
    """Distances 4, 5 and 3 less both spreads: gaps 1, 3.5 and 0.5; a class has the mean of its two."""
    assert geometry(SQUARE).separation.tolist() == pytest.approx([2.25, 0.75, 2.0])


def test_changes_by_hand() -> None:
    """The third class goes from (4, 3) to (1, 7), 5 away, and doubles its spread."""
    found = change(SQUARE, Shape(centres=[(0, 0), (4, 0), (1, 7)], spreads=[1, 2, 1]))
    assert found.centre_movement.tolist() == [0, 0, 5]
    assert found.spread_change.tolist() == [0, 0, 0.5]
    far, near = math.sqrt(50) - 2, math.sqrt(58) - 3
    after = [(1 + far) / 2, (1 + near) / 2, (far + near) / 2]
    assert found.separation_change == pytest.approx(np.array(after) - [2.25, 0.75, 2.0])
    assert found.overall() == pytest.approx(
        {
            "centre_movement": 5 / 3,
            "spread_change": 0.5 / 3,
            "separation_change": float(np.mean(after)) - 5 / 3,
        }
    )


def test_extent_by_hand() -> None:
    """Centres at 3 to either side of their middle, spreads 4: sqrt(9 + 16)."""
    assert geometry(Shape(centres=[(-3, 1), (3, 1)], spreads=[4, 4])).extent == pytest.approx(5)
    assert geometry(Shape(centres=[None, None], spreads=[None, None])).extent is None


def test_a_class_without_points_has_no_metrics_and_changes_no_other() -> None:
    """As if it were not there."""
    first = Shape(centres=[*SQUARE.centres, None], spreads=[*SQUARE.spreads, None])
    second = Shape(centres=[(1, 0), (4, 1), (4, 4), None], spreads=[1, 1, 1, None])
    found = change(first, second)
    alone = change(SQUARE, Shape(centres=second.centres[:3], spreads=second.spreads[:3]))
    for name in ("centre_movement", "spread_change", "separation_change"):
        values = getattr(found, name)
        assert math.isnan(values[3])
        assert values[:3].tolist() == getattr(alone, name).tolist()
    assert found.overall() == alone.overall()


def test_a_single_class_is_separated_from_nothing() -> None:
    """Its separation is not defined, and neither is its change."""
    one = Shape(centres=[(1, 2), None], spreads=[1, None])
    assert change(one, one).overall() == {"centre_movement": 0, "spread_change": 0, "separation_change": None}


def _slowly(points: list[tuple[float, float]], labels: list[int], classes: int) -> list[tuple[float, ...] | None]:
    """Of each class the centre, the spread and the separation, from its points and pair by pair."""
    shapes: list[tuple[float, float, float] | None] = []
    for c in range(classes):
        own = [point for point, label in zip(points, labels, strict=True) if label == c]
        if not own:
            shapes.append(None)
            continue
        x, y = (sum(point[axis] for point in own) / len(own) for axis in (0, 1))
        shapes.append((x, y, sum(math.dist((x, y), point) for point in own) / len(own)))
    gaps: dict[int, list[float]] = {c: [] for c in range(classes)}
    for c, d in permutations(range(classes), 2):
        one, other = shapes[c], shapes[d]
        if one is not None and other is not None:
            gaps[c].append(math.dist(one[:2], other[:2]) - one[2] - other[2])
    return [
        None if shape is None else (*shape, sum(gaps[c]) / len(gaps[c]) if gaps[c] else math.nan)
        for c, shape in enumerate(shapes)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_the_metrics_are_those_of_a_slow_form(seed: int) -> None:
    """On random points of up to 8 classes, some of which have none or one."""
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(2, 9))
    labels = rng.integers(0, classes, rng.integers(2, 30)).tolist()
    slow, shapes = [], []
    for _ in range(2):
        told = _slowly([tuple(point) for point in rng.normal(0, 2, (len(labels), 2))], labels, classes)
        slow.append(told)
        shapes.append(
            Shape(
                centres=[None if one is None else (one[0], one[1]) for one in told],
                spreads=[None if one is None else one[2] for one in told],
            )
        )
    found = change(*shapes)
    for c, (one, other) in enumerate(zip(*slow, strict=True)):
        if one is None or other is None:
            assert math.isnan(found.centre_movement[c])
            continue
        assert found.centre_movement[c] == pytest.approx(math.dist(one[:2], other[:2]))
        assert found.spread_change[c] == pytest.approx(other[2] - one[2])
        assert found.separation_change[c] == pytest.approx(other[3] - one[3], nan_ok=True)


def test_followed_is_the_share_of_what_was_asked() -> None:
    """All of it, half of it, the other way; None where nothing was asked."""
    wanted = Shape(centres=[(1, 0), (4, 2), (4, 3)], spreads=[1, 1, 0.5])
    assert followed(SQUARE, wanted, wanted) == Followed(1, 1, pytest.approx(1))
    half = Shape(centres=[(0.5, 0), (4, 1), (4, 3)], spreads=[1, 1.5, 0.5])
    assert followed(SQUARE, wanted, half).centres == pytest.approx(0.5)
    assert followed(SQUARE, wanted, half).spreads == pytest.approx(0.5)
    assert followed(SQUARE, wanted, Shape(centres=[(-1, 0), (4, -2), (4, 3)], spreads=[1, 3, 0.5])).centres == -1
    assert followed(SQUARE, SQUARE, wanted) == Followed(None, None, None)
