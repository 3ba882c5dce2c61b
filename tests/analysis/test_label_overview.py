"""A study's labels by every way to aggregate, beside what each way gives by itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crowdloom.analysis.aggregation import METHODS, aggregate
from crowdloom.analysis.label_overview import given_labels, labels_frame, methods_table
from tests.analysis.frames import CLASSES, frame_of, response

FRAME = frame_of(
    [
        response("s1", "p", "ant", reference="ant"),
        response("s2", "p", "ant", "bee", p1=60, p2=40, reference="ant"),
        response("s3", "p", "bee", reference="ant"),
        response("s1", "q", "cow", reference="bee"),
        response("s2", "q", "cow", reference="bee"),
        response("s1", "p", "cow", reference="ant", repeat=1),
        response("s3", "r", None),
    ]
)


def test_each_method_is_that_of_aggregate() -> None:
    """Entropy, certainty and accuracy are those of the labels that `aggregate` makes of first answers."""
    table, labels = methods_table(given_labels(FRAME, CLASSES))
    assert list(table.frame.index) == list(METHODS)
    first = FRAME[~FRAME["is_repeat"]].reset_index(drop=True)
    for name in ("majority-vote", "dawid-skene"):
        found = aggregate(first, name, task="item", worker="participant", label="top1", classes=list(CLASSES))
        np.testing.assert_allclose(labels[name][:2], found.probabilities().loc[["p", "q"]], atol=1e-9)
        row = table.frame.loc[name]
        assert row["mean entropy"] == pytest.approx(stats.entropy(labels[name][:2], axis=1).mean())
        assert row["mean certainty"] == pytest.approx(labels[name][:2].max(axis=1).mean())
    assert labels["majority-vote"][0].tolist() == pytest.approx([2 / 3, 1 / 3, 0])
    assert labels["linear-pool"][0].tolist() == pytest.approx([(1 + 0.6) / 3, (0.4 + 1) / 3, 0], abs=0.07)
    assert table.frame["accuracy"].tolist() == [0.5] * 5
    assert table.frame["items"].tolist() == [2] * 5


def test_ties_share_a_hit() -> None:
    """A vote of one to one names the reference by half, wherever it stands in the alphabet."""
    for reference, expected in (("ant", 0.5), ("bee", 0.5), ("cow", 0.0)):
        rows = [response(person, "p", name, reference=reference) for person, name in (("s1", "ant"), ("s2", "bee"))]
        table, _ = methods_table(given_labels(frame_of(rows), CLASSES))
        assert table.frame.loc["majority-vote", "accuracy"] == expected
        assert table.frame.loc["linear-pool", "accuracy"] == expected


def test_all_items_with_their_labels() -> None:
    """The least certain first; the mass of a row is 1, and items without an answer have none."""
    given = given_labels(FRAME, CLASSES)
    _, labels = methods_table(given)
    found = labels_frame(given, labels["linear-pool"])
    assert list(found.index) == ["p", "q"]
    assert found["answers"].tolist() == [3, 2]
    assert found["reference"].tolist() == ["ant", "bee"]
    assert found.loc["q", "most_probable"] == "cow"
    mass = found[[f"p({name})" for name in CLASSES]]
    np.testing.assert_allclose(mass.sum(axis=1), 1)
    assert found["entropy"].tolist() == pytest.approx(stats.entropy(mass, axis=1).tolist())


def test_without_references_there_is_no_accuracy() -> None:
    """And without any answer no item, in every method."""
    table, _ = methods_table(given_labels(frame_of([response("s1", "p", "ant")]), CLASSES))
    assert table.frame["accuracy"].isna().all()
    empty, labels = methods_table(given_labels(FRAME.iloc[:0], CLASSES))
    assert empty.frame["items"].tolist() == [0] * 5
    assert empty.frame[["accuracy", "mean entropy", "mean certainty"]].isna().all(axis=None)
    assert all(found.shape == (0, 3) for found in labels.values())
    assert not len(labels_frame(given_labels(FRAME.iloc[:0], CLASSES), labels["linear-pool"]))
    assert isinstance(table.frame, pd.DataFrame)
