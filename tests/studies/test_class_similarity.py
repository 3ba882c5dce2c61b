"""Semantic labels of a study by the second choices of its answers, or by word vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.errors import OptionError
from crowdloom.studies.label_recipes import Recipe
from crowdloom.studies.labelling import build_label_set, record_label_set
from crowdloom.studies.tables import LabelSet
from crowdloom.studies.web import create_app
from tests.studies.studies_for_tests import answer, begin, complete, open_small, trial_id

SEMANTIC = Recipe(variety="T1-semantic")


@pytest.fixture
def answered(store: Store, tmp_path: Path) -> Store:
    """A store in which people said 3 at 80 %, then 8 in first answers and 5 in repeats, one of them 2 at first."""
    client = create_app(store).test_client()
    posting = open_small(store, tmp_path)
    for name, first in (("ann", "8"), ("ben", "8"), ("cem", "8"), ("dan", "2")):
        base = begin(client, posting, name)
        for second in (first, first, first, "5"):  # the fourth is the repeat
            assert trial_id(client, base)
            assert answer(client, base, top2=second, top2_probability="10") == 303
    return store


def test_second_choices_of_first_answers_are_the_default(answered: Store) -> None:
    """Repeats do not count; matrix and origin stand in the label set's recipe."""
    with answered.write() as connection:
        built = build_label_set(connection, "small", SEMANTIC)
        record_label_set(connection, "small", SEMANTIC, built)
        recipe = connection.execute(select(LabelSet.recipe)).scalar_one()
    expected = np.zeros(10)
    expected[[3, 8, 2]] = 0.8, 0.15, 0.05
    np.testing.assert_allclose(built.table.labels, np.tile(expected, (16, 1)))
    assert recipe["similarity"][3] == [0, 0, 0.25, 1, 0, 0, 0, 0, 0.75, 0]
    assert recipe["similarity_from"] == "the second choices of the study's first answers"


def test_word_vectors_say_it_where_they_are_given(answered: Store, tmp_path: Path) -> None:
    """Each other class takes its share by the cosine to 3, negative ones none."""
    vectors = dict.fromkeys("0123456789", (0, 1)) | {"3": (1, 0), "8": (3, 4), "5": (4, 3), "1": (-1, 1)}
    path = tmp_path / "glove.txt"
    path.write_text("".join(f"{name} {x} {y}\n" for name, (x, y) in vectors.items()))
    with answered.read() as connection:
        built = build_label_set(connection, "small", Recipe(variety="T1-semantic", vectors=path, aggregate="mean"))
    expected = np.zeros(10)
    expected[[3, 8, 5]] = 0.8, 0.2 * 0.6 / 1.4, 0.2 * 0.8 / 1.4
    np.testing.assert_allclose(built.table.labels, np.tile(expected, (6, 1)))
    assert built.settings["similarity_from"] == "the word vectors glove.txt"


def test_answers_that_name_no_second_class_do_not_say_it(sqlite_store: Store, tmp_path: Path) -> None:
    """What to do is said; other varieties need none."""
    posting = open_small(sqlite_store, tmp_path)
    complete(create_app(sqlite_store).test_client(), posting, "ann")
    with sqlite_store.read() as connection:
        with pytest.raises(OptionError, match=r"no answer names a second class.*give --similarity or --vectors"):
            build_label_set(connection, "small", SEMANTIC)
        assert build_label_set(connection, "small", Recipe()).settings["similarity_from"] is None
