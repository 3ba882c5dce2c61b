"""Label sets of a study by every way to aggregate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from crowdloom.analysis.aggregate_intervals import aggregate_intervals
from crowdloom.analysis.aggregation import METHODS, aggregate
from crowdloom.analysis.elicited import Elicited
from crowdloom.analysis.label_overview import given_labels
from crowdloom.analysis.labels import build_labels, parse_variety
from crowdloom.studies.cli.aggregate import METHODS as NAMED
from crowdloom.studies.cli.labels import AGGREGATES
from crowdloom.studies.database import Store
from crowdloom.studies.errors import OptionError
from crowdloom.studies.label_recipes import Draws, Recipe
from crowdloom.studies.labelling import build_label_set, record_label_set
from crowdloom.studies.reading import read_frame
from crowdloom.studies.tables import LabelSet
from crowdloom.studies.web import create_app
from tests.studies.studies_for_tests import complete, open_small

CLASSES = list("0123456789")


@pytest.fixture
def answered(sqlite_store: Store, tmp_path: Path) -> Store:
    """A store in which three people completed the small study."""
    client = create_app(sqlite_store).test_client()
    posting = open_small(sqlite_store, tmp_path)
    for name in ("ann", "ben", "cem"):
        complete(client, posting, name)
    return sqlite_store


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_labels_are_those_of_the_frame(answered: Store, method: str, repeats: bool) -> None:
    """What comes from the store's records is what the long frame's answers give, participants being the annotators."""
    with answered.read() as connection:
        built = build_label_set(connection, "small", Recipe(aggregate=method, repeats=repeats))
        frame = read_frame(connection, "small")
    counted = frame if repeats else frame[~frame["is_repeat"]].reset_index(drop=True)
    if METHODS[method].takes == "hard":
        expected = aggregate(counted, method, task="item", worker="participant", label="top1", classes=CLASSES)
    else:
        labels, kept = build_labels(Elicited.from_frame(counted, CLASSES), parse_variety("T2-clamp"))
        assert kept.all()
        counted = counted.assign(**dict(zip(CLASSES, labels.T, strict=True)))
        expected = aggregate(counted, method, task="item", worker="participant", label=CLASSES)
    table = expected.probabilities().loc[built.table.item]
    np.testing.assert_allclose(built.table.labels, table.to_numpy(), atol=1e-9)
    assert sorted(built.table.item) == sorted(frame["item"].unique())
    assert (built.responses, built.left_out) == (len(counted), 0)


def test_an_equal_linear_pool_is_the_mean(answered: Store) -> None:
    """The streamed mean and the pool agree, item by item."""
    with answered.read() as connection:
        mean, pool = (
            build_label_set(connection, "small", Recipe(aggregate=name)).table for name in ("mean", "linear-pool")
        )
    assert mean.item == pool.item
    np.testing.assert_allclose(mean.labels, pool.labels, atol=1e-12)


@pytest.mark.parametrize("method", ["mean", *METHODS])
def test_intervals_are_those_of_the_aggregate(answered: Store, method: str) -> None:
    """A row for each item and class, in the labels' order; the same draws give the same, others do not."""

    def build(seed: int) -> pd.DataFrame:
        with answered.read() as connection:
            built = build_label_set(connection, "small", Recipe(aggregate=method, draws=Draws(40, seed)))
        assert built.intervals is not None
        np.testing.assert_allclose(built.intervals["probability"], built.table.labels.reshape(-1), atol=1e-12)
        return built.intervals

    found = build(1)
    assert found["item"].tolist()[:10:9] == [found["item"][0]] * 2
    assert found["label"].tolist()[:10] == CLASSES
    with_one = found[found["low"].notna()]
    assert 0 < len(with_one) < len(found)  # three people answered one half of the items twice, the other once
    assert (with_one["low"] <= with_one["probability"] + 1e-9).all()
    assert (with_one["high"] >= with_one["probability"] - 1e-9).all()
    pd.testing.assert_frame_equal(found, build(1))
    name = "linear-pool" if method == "mean" else method
    with answered.read() as connection:
        frame = read_frame(connection, "small")
    given = given_labels(frame.sort_values(["participant", "item"]), CLASSES)
    around = aggregate_intervals(name, given.for_method(name), np.random.default_rng(1), 40).probabilities
    place = [given.items.index(item) for item in found["item"][::10]]
    np.testing.assert_allclose(found["low"].to_numpy().reshape(-1, 10), around.low[place], atol=1e-7)
    np.testing.assert_allclose(found["high"].to_numpy().reshape(-1, 10), around.high[place], atol=1e-7)


@pytest.mark.parametrize("method", ["mean", "dawid-skene"])
def test_one_annotator_gives_no_interval(sqlite_store: Store, tmp_path: Path, method: str) -> None:
    """Nothing says how much a second one would differ, so low and high are missing; the labels are there."""
    complete(create_app(sqlite_store).test_client(), open_small(sqlite_store, tmp_path), "ann")
    with sqlite_store.read() as connection:
        found = build_label_set(connection, "small", Recipe(aggregate=method, draws=Draws(20, 0))).intervals
    assert found is not None
    assert len(found) > 0
    assert found["probability"].notna().all()
    assert found[["low", "high"]].isna().all(axis=None)


def test_a_study_without_answers_has_no_labels(sqlite_store: Store, tmp_path: Path) -> None:
    """Every way to aggregate gives an empty table."""
    open_small(sqlite_store, tmp_path)
    with sqlite_store.read() as connection:
        for method in METHODS:
            built = build_label_set(connection, "small", Recipe(aggregate=method, draws=Draws(20, 0)))
            assert built.table.labels.shape == (0, 10)
            assert built.intervals is not None
            assert len(built.intervals) == 0


def test_the_recipe_says_what_was_done(answered: Store) -> None:
    """A pool's weights and calibration are kept with the label set; classes have no variety."""
    pool, vote = Recipe(aggregate="log-pool", weights="agreement", calibrated=True), Recipe(aggregate="majority-vote")
    with answered.write() as connection:
        for recipe in (pool, vote):
            record_label_set(connection, "small", recipe, build_label_set(connection, "small", recipe))
        kept = [row.recipe for row in connection.execute(select(LabelSet.recipe).order_by(LabelSet.id))]
    assert (kept[0]["aggregate"], kept[0]["weights"], kept[0]["calibrated"]) == ("log-pool", "agreement", True)
    assert (kept[1]["aggregate"], kept[1]["variety"]) == ("majority-vote", None)


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        (Recipe(aggregate="median"), "'median' is no way to aggregate"),
        (Recipe(aggregate="mean", weights="agreement"), "--weights means something under --aggregate linear-pool or"),
        (Recipe(calibrated=True), "--calibrated means something under --aggregate linear-pool or log-pool only"),
        (Recipe(aggregate="dawid-skene", variety="T2-clamp"), "--variety means nothing under --aggregate dawid-skene"),
    ],
)
def test_recipes_that_do_not_fit_are_refused(answered: Store, recipe: Recipe, sentence: str) -> None:
    """An unknown way, and options that would do nothing."""
    with answered.read() as connection, pytest.raises(OptionError, match=sentence):
        build_label_set(connection, "small", recipe)


def test_the_commands_name_every_method() -> None:
    """Their choices are written out, so that help is quick; they are those there are."""
    assert set(NAMED) == set(METHODS)
    assert set(AGGREGATES) == {"mean", *METHODS}
