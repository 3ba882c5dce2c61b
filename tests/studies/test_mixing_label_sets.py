"""Label sets of inferred mixing coefficients, from answers in the store."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from crowdloom.analysis.export import LabelTable
from crowdloom.studies.database import Store
from crowdloom.studies.errors import OptionError
from crowdloom.studies.label_recipes import BuiltLabels, Recipe
from crowdloom.studies.labelling import build_label_set, record_label_set
from crowdloom.studies.tables import LabelSet
from tests.studies.test_importing_mixed import CHOOSE, INFER, A, B, C, bring, choose, infer

AIRPLANE, BIRD, DEER, DOG, FROG = 0, 2, 4, 5, 6


@pytest.fixture
def study(store: Store, tmp_path: Path) -> Store:
    """Two people's answers to three mixes, the first mix twice; the slider runs from all of the first to none."""
    rows = infer("ann", [(A, 100, 100), (B, 0, 95), (C, 26, 50)]) + infer("ben", [(C, 74, 0), (A, 90, 20), (B, 33, 7)])
    rows[3]["responses"] = rows[3]["responses"].replace("100", "60")  # ann's second look at the first mix
    bring(store, tmp_path, rows, INFER, "hmix-infer")
    return store


def build(store: Store, **recipe: object) -> BuiltLabels:
    """A label set of the study."""
    with store.read() as connection:
        return build_label_set(connection, "s", Recipe(**recipe))  # type: ignore[arg-type]


def label(table: LabelTable, item: str) -> list[float]:
    """The label of an item in a table with one for each."""
    return [float(value) for value in table.labels[list(table.item).index(f"mixed_{item}.png")].round(6)]


def test_each_response_gives_a_two_hot_label(study: Store) -> None:
    """lambda_h at the first endpoint and the rest at the second, repeats too, each with whose it is."""
    built = build(study)
    assert (built.responses, built.left_out) == (8, 0)
    of_a = built.table.labels[[item == f"mixed_{A}.png" for item in built.table.item]]
    assert of_a[:, [AIRPLANE, FROG]].round(6).tolist() == [[0, 1], [0.4, 0.6], [0.1, 0.9]]
    assert built.table.labels.sum(axis=1).tolist() == pytest.approx([1.0] * 8)
    assert built.table.repeat_index is not None
    assert sum(int(index) for index in built.table.repeat_index) == 2
    assert built.settings == {"variety": "two-hot", "gamma": None, "similarity": None}


def test_means_are_those_of_first_responses(study: Store) -> None:
    """The mean coefficient of an item's people; repeats count only where they are asked for."""
    first = build(study, aggregate="mean")
    assert (len(first.table.item), first.responses) == (3, 6)
    assert label(first.table, A)[AIRPLANE] == pytest.approx((0 + 0.1) / 2)
    assert label(first.table, B)[BIRD] == pytest.approx((1 + 0.67) / 2)
    both = build(study, aggregate="mean", repeats=True)
    assert both.responses == 8
    assert label(both.table, A)[AIRPLANE] == pytest.approx((0 + 0.4 + 0.1) / 3, abs=1e-6)


def test_confidence_smooths(study: Store) -> None:
    """Without any confidence the label is uniform; of means the mean confidence counts."""
    each = build(study, variety="two-hot-confidence")
    ben = each.table.labels[[item == f"mixed_{C}.png" for item in each.table.item]]
    assert [0.1] * 10 in ben.round(9).tolist()
    mean = build(study, variety="two-hot-confidence", aggregate="mean", gamma=0.01)
    weight = 0.01**0.6  # of the confidences 100 and 20
    assert label(mean.table, A)[FROG] == pytest.approx((1 - weight) * 0.95 + weight / 10, abs=1e-6)
    assert mean.settings["gamma"] == 0.01


def test_mixup_takes_the_generating_coefficient(study: Store) -> None:
    """Whatever people said."""
    table = build(study, variety="mixup", aggregate="mean").table
    assert label(table, A)[AIRPLANE] == 0.1
    assert label(table, B)[DEER] == 0.25
    assert label(table, C)[DOG] == 0.5


def test_it_is_written_down(study: Store) -> None:
    """The recipe with what was usual filled in, and a digest of the labels."""
    recipe = Recipe(variety="two-hot-confidence")
    with study.write() as connection:
        record_label_set(connection, "s", recipe, build_label_set(connection, "s", recipe))
        kept = connection.execute(select(LabelSet.recipe, LabelSet.sha256)).one()
    assert (kept.recipe["variety"], kept.recipe["gamma"], kept.recipe["aggregate"]) == (
        "two-hot-confidence",
        0.005,
        None,
    )
    assert len(kept.sha256) == 64


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"variety": "T2-clamp"}, "choose two-hot, two-hot-confidence, mixup"),
        ({"gamma": 0.1}, "--gamma means something under two-hot-confidence only"),
        ({"similarity": Path("x.csv")}, "--similarity means something for soft labels only"),
        ({"vectors": Path("v.txt")}, "--vectors means something for soft labels only"),
        ({"variety": "two-hot-confidence", "gamma": 0.0}, "above 0"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused(study: Store, recipe: dict[str, object], message: str) -> None:
    """One sentence says what can be had."""
    with pytest.raises(OptionError, match=message):
        build(study, **recipe)


def test_midpoints_give_no_labels(sqlite_store: Store, tmp_path: Path) -> None:
    """A study that asks for the midpoint has no coefficient for each image."""
    bring(sqlite_store, tmp_path, choose("ann", [("Airplane_1_Cat_2", "0.5")]), CHOOSE, "hmix-choose")
    with pytest.raises(OptionError, match="asks for midpoints"):
        build(sqlite_store)
