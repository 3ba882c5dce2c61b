"""Krippendorff's alpha against the published worked example and the library `krippendorff` on the same numbers."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest

from crowdloom.analysis.alpha import Level, alpha_problem, alphas, krippendorff_alpha, pairable
from crowdloom.analysis.elicited import Floats, Ints

LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval")


def long(table: Floats) -> tuple[Ints, Floats]:
    """Item and value of each cell of a table [people, items]."""
    return np.tile(np.arange(table.shape[1]), len(table)), table.reshape(-1)


def random_table(seed: int, people: int = 7, items: int = 50) -> Floats:
    """Answers that follow the item half the time; a third of them are missing, and some items have one or none."""
    rng = np.random.default_rng(seed)
    hidden = rng.integers(1, 6, items)
    table = np.where(rng.random((people, items)) < 0.5, hidden, rng.integers(1, 6, (people, items))).astype(float)
    table[rng.random(table.shape) < 0.3] = np.nan
    table[1:, 0] = np.nan
    table[:, 1] = np.nan
    return table


@pytest.mark.parametrize(("level", "expected"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_the_published_example(level: Level, expected: float) -> None:
    """Krippendorff (2011), section C to E: four observers, twelve units, some data missing."""
    gap = np.nan
    table = np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, gap, gap, gap],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, gap, 3],
            [gap, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, gap],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, gap],
        ]
    )
    assert krippendorff_alpha(*long(table), level) == pytest.approx(expected, abs=0.0005)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", range(5))
def test_alpha_is_the_librarys(level: Level, seed: int) -> None:
    """With missing answers, and with values that are no whole numbers."""
    for table in (random_table(seed), random_table(seed) ** 1.7 - 3):
        theirs = krippendorff.alpha(table, level_of_measurement=level)
        assert krippendorff_alpha(*long(table), level) == pytest.approx(float(theirs), abs=1e-12)


@pytest.mark.parametrize("level", LEVELS)
def test_a_resample_is_the_alpha_of_the_items_that_were_drawn(level: Level) -> None:
    """Weights say how often each item stands there."""
    table = random_table(3)
    answers = pairable(*long(table))
    rng = np.random.default_rng(0)
    weights = rng.multinomial(len(answers.items), np.full(len(answers.items), 1 / len(answers.items)), 4).astype(float)
    expected = [
        krippendorff.alpha(np.repeat(table[:, answers.items], counts.astype(int), axis=1), level_of_measurement=level)
        for counts in weights
    ]
    assert alphas(answers, level, weights).tolist() == pytest.approx(expected, abs=1e-12)


def test_what_is_undefined_is_said() -> None:
    """No item with two answers, or no difference between any two: None and a sentence."""
    alone, same = np.array([0, 1, 2]), np.array([0, 0, 1, 1])
    assert krippendorff_alpha(alone, [1.0, 2.0, 3.0]) is None
    assert krippendorff_alpha(same, [4.0] * 4, "interval") is None
    assert krippendorff_alpha(np.empty(0, dtype=int), []) is None
    assert "No item has two answers" in str(alpha_problem(pairable(alone, [1.0, 2.0, 3.0])))
    assert "All answers are the same" in str(alpha_problem(pairable(same, [4.0] * 4)))
    assert np.isnan(alphas(pairable(same, [1.0, 1.0, 2.0, 2.0]), "ordinal", np.array([[2.0, 0.0]]))).all()
