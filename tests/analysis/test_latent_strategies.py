"""The rule that says which strategy an arrangement follows."""

from __future__ import annotations

import numpy as np
import pytest

from crowdloom.analysis.latent_strategies import LEAST, Effects, approach, effects, labels
from crowdloom.tasks.latent_records import Shape
from tests.analysis.latent_sessions import arranged, session, shape_of


def test_effects_by_hand() -> None:
    """Extent 5; both spreads shrink by 1, the second centre goes 2 farther away."""
    before = Shape(centres=[(-3, 0), (3, 0)], spreads=[4, 4])
    found = effects(before, Shape(centres=[(-3, 0), (5, 0)], spreads=[3, 3]))
    assert (found.moved, found.tighter, found.farther) == pytest.approx((0.2, 0.2, 0.4))


@pytest.mark.parametrize("classes", [3, 5, 10, 13])
@pytest.mark.parametrize("strategy", ["compactness", "distance", "merge", "keep"])
def test_each_strategy_is_seen_in_random_pictures(classes: int, strategy: str) -> None:
    """However many classes there are, and at half the strength, too."""
    rng = np.random.default_rng(classes)
    for _ in range(20):
        angles = np.linspace(0, 2 * np.pi, classes, endpoint=False)
        centres = np.stack([np.cos(angles), np.sin(angles)], axis=1) * rng.uniform(0.5, 3) + rng.normal(
            0, 0.02, (classes, 2)
        )
        before = shape_of(centres, rng.uniform(0.4, 0.8, classes))
        for size in (0.5, 0.25):
            assert approach(effects(before, arranged(before, strategy, size))) == strategy


def test_two_groups_that_are_far_apart_are_merged_and_not_distant() -> None:
    """All distances between groups grow, but each class gets nearer to its neighbour."""
    before = Shape(centres=[(0, 0), (1, 0), (2, 0), (3, 0)], spreads=[0.5] * 4)
    apart = Shape(centres=[(-3, 0), (-2.9, 0), (5, 0), (5.1, 0)], spreads=[0.5] * 4)
    assert approach(effects(before, apart)) == "merge"


def test_spreading_classes_and_exchanging_them_are_none_of_the_five() -> None:
    """The first is an approach of its own, the second is none."""
    before = Shape(centres=[(0, 0), (4, 0)], spreads=[1, 1])
    spread = effects(before, Shape(centres=[(0, 0), (4, 0)], spreads=[2, 2]))
    assert approach(spread) == "spread"
    assert approach(effects(before, Shape(centres=[(4, 0), (0, 0)], spreads=[1, 1]))) is None


def test_thresholds_are_reached_or_not() -> None:
    """At LEAST itself a strategy counts; just below it everything was kept."""
    assert approach(Effects(0.0, LEAST, 0.0)) == "compactness"
    assert approach(Effects(0.0, LEAST * 0.99, 0.0)) == "keep"


def _strategies(*approaches: str) -> list[tuple[str | None, str | None]]:
    return [(one.approach, one.strategy) for one in labels(session(0, approaches).record.interactions)]


def test_a_change_is_the_opposite_of_the_last_approach() -> None:
    """Merging after distance is; compactness after distance is none; what was kept between does not count."""
    assert _strategies("distance", "merge") == [("distance", "distance"), ("merge", "change")]
    assert _strategies("distance", "keep", "merge")[-1] == ("merge", "change")
    assert _strategies("distance", "compactness", "merge")[-1] == ("merge", "merge")
    assert _strategies("keep", "distance", "distance")[-1] == ("distance", "distance")


def test_an_interaction_without_a_person_has_no_strategy() -> None:
    """Nobody arranged anything."""
    last = labels(session(0, ("distance",), without_person=1).record.interactions)[-1]
    assert (last.effects, last.approach, last.strategy) == (None, None, None)


def test_a_picture_of_one_class_or_of_none() -> None:
    """What is not defined is no strategy."""
    one = Shape(centres=[(0, 0), None], spreads=[1, None])
    assert approach(effects(one, Shape(centres=[(0, 0), None], spreads=[0.5, None]))) == "compactness"
    none = Shape(centres=[None, None], spreads=[None, None])
    assert effects(none, none) == Effects(0, 0, 0)
