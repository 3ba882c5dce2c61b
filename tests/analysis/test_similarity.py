"""How alike classes are by the second choices of people."""

from __future__ import annotations

import numpy as np
import pytest

from crowdloom.analysis.elicited import Elicited
from crowdloom.analysis.labels import build_labels, parse_variety
from crowdloom.analysis.similarity import second_choice_counts, second_choice_similarity, similarity_of_counts

NAN = float("nan")
SAID = Elicited(
    top1=np.array([0, 0, 0, 1, 2, -1, 1, 0]),
    top1_probability=np.array([60.0, 60, 60, 60, 60, NAN, 50, 60]),
    top2=np.array([2, 2, 1, 0, -1, 1, 1, 3]),
    top2_probability=np.array([40.0, NAN, 40, 40, NAN, NAN, 40, 0]),
    impossible=np.zeros((8, 4), dtype=np.bool_),
)


def test_second_choices_are_counted_by_the_class_that_came_first() -> None:
    """Whatever the second class was given; the same class twice, or a first one missing, does not count."""
    counts = second_choice_counts(SAID, 4)
    assert counts.tolist() == [[0, 1, 2, 1], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    found = second_choice_similarity(SAID, 4)
    assert found.tolist() == [[1, 0.25, 0.5, 0.25], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert similarity_of_counts(counts * 3).tolist() == found.tolist()


def test_semantic_labels_can_be_built_by_it() -> None:
    """The rest goes to the other classes in proportion to how often they were named; evenly where nobody named one."""
    one = Elicited(
        np.array([0, 2]), np.array([60.0, 70.0]), np.array([-1, -1]), np.array([NAN, NAN]), np.zeros((2, 4), np.bool_)
    )
    labels, _ = build_labels(one, parse_variety("T1-semantic"), similarity=second_choice_similarity(SAID, 4))
    np.testing.assert_allclose(labels, [[0.6, 0.1, 0.2, 0.1], [0.1, 0.1, 0.7, 0.1]])


def test_answers_without_any_second_class_say_nothing() -> None:
    """In one sentence."""
    nothing = Elicited(np.array([1]), np.array([9.0]), np.array([-1]), np.array([NAN]), np.zeros((1, 4), np.bool_))
    with pytest.raises(ValueError, match="no answer names a second class"):
        second_choice_similarity(nothing, 4)
