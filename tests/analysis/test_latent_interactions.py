"""The frames of interactions and of their classes, and how far the rule agrees with people."""

from __future__ import annotations

import numpy as np
import pytest

from crowdloom.analysis.latent_interactions import by_class, changes_table, interactions, rule_and_people
from tests.analysis.latent_sessions import CLASSES, session

CODES = {
    ("s0", "digits", 1): "Increase compactness",
    ("s0", "digits", 2): "distance",
    ("s0", "digits", 3): "keep",
    ("s0", "digits", 4): "something of the study's own",
}


def test_a_row_for_each_interaction() -> None:
    """Its numbers are those of the record and its curve."""
    one = session(0, without_person=1)
    frame = interactions([one])
    assert frame["interaction"].tolist() == [1, 2, 3, 4, 5]
    assert frame["without_person"].tolist() == [False] * 4 + [True]
    assert frame["movements"].tolist() == frame["moves_centre"].tolist() == [2, 2, 2, 0, 0]
    accuracies = [point.accuracy for point in one.record.curve]
    assert frame["accuracy_before"].tolist() == accuracies[24:49:5]
    assert frame["accuracy_after"].tolist() == accuracies[29::5]
    assert frame["approach"].tolist() == ["compactness", "distance", "merge", "keep", None]
    assert frame["strategy"].tolist() == ["compactness", "distance", "change", "keep", None]


def test_what_was_asked_and_done() -> None:
    """The generator's networks go half of the way."""
    frame = interactions([session(0)])
    for metric in ("centre_movement", "spread_change"):
        assert frame[f"done_{metric}"].tolist() == pytest.approx((frame[f"asked_{metric}"] / 2).tolist())
    assert frame["followed_centres"].tolist() == pytest.approx([np.nan, 0.5, 0.5, np.nan], nan_ok=True)
    assert frame["followed_spreads"].tolist() == pytest.approx([0.5, np.nan, np.nan, np.nan], nan_ok=True)


def test_classes_average_to_their_interaction() -> None:
    """All three metrics, asked and done."""
    some = [session(0), session(1, scenario="signals")]
    classes = by_class(some)
    assert len(classes) == 8 * len(CLASSES)
    whole = interactions(some).set_index(["submission", "interaction"])
    for name in [name for name in classes if name.startswith(("asked_", "done_"))]:
        means = classes.groupby(["submission", "interaction"])[name].mean()
        assert means.tolist() == pytest.approx(whole[name].reindex(means.index).tolist())


def test_people_name_strategies_by_name_or_title() -> None:
    """Their codes stand beside the rule's; kappa is that of the four that both have, by hand.

    They agree on 2 of 4. By chance: the rule used compactness, distance, change, keep once each, people compactness,
    distance, keep and their own: 3 categories in common at 1/16 each.
    """
    frame = interactions([session(0), session(1)], CODES)
    assert frame["strategy_code"].tolist()[:3] == ["compactness", "distance", "keep"]
    kappa = rule_and_people(frame)
    assert (kappa.items, kappa.observed) == (4, 0.5)
    assert kappa.value == pytest.approx((0.5 - 3 / 16) / (1 - 3 / 16))


def test_without_codes_there_is_a_sentence() -> None:
    """And no kappa."""
    kappa = rule_and_people(interactions([session(0)]))
    assert kappa.value is None
    assert kappa.problem


def test_the_table_of_changes_is_in_shares_of_the_extent() -> None:
    """Means over sessions, asked and done, by scenario and number; medians of how far it was followed."""
    some = [session(0), session(1), session(2, ("keep",) * 4)]
    table = changes_table(interactions(some)).frame
    assert table.index.tolist() == [f"digits {number}, {kind}" for number in (1, 2, 3, 4) for kind in ("asked", "done")]
    frame = interactions(some)
    second = frame[frame["interaction"] == 2]
    for kind in ("asked", "done"):
        row = table.loc[f"digits 2, {kind}"]
        assert row["n"] == 3
        assert row["centres"] == pytest.approx((second[f"{kind}_centre_movement"] / second["extent"]).mean())
        assert row["spreads"] == pytest.approx((second[f"{kind}_spread_change"] / second["extent"]).mean())
    assert table.loc["digits 2, done", "followed centres"] == pytest.approx(0.5)
    assert np.isnan(table.loc["digits 2, asked", "followed centres"])
    assert not len(changes_table(interactions([])).frame)


def test_rounding_does_not_look_like_a_change() -> None:
    """Where classes are only moved, their spreads change by nothing, and by no 4e-17."""
    frame = interactions([session(0)]).assign(asked_spread_change=-4e-17)
    spreads = changes_table(frame).frame["spreads"]
    assert str(spreads["digits 2, asked"]) == "0.0"
    assert spreads["digits 1, done"] < -0.01
