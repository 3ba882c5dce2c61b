"""Kappa against values computed by hand, scikit-learn and statsmodels; what is undefined is a sentence."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa

from crowdloom.analysis.kappa import Kappa, coder_agreement

CATEGORIES = ("C1", "C2", "C3")


def frame(**coders: str) -> pd.DataFrame:
    """Codes as strings of digits, one for each item; `-` is an item that the coder has not coded."""
    rows = [
        (f"item-{item}", coder, f"C{code}")
        for coder, codes in coders.items()
        for item, code in enumerate(codes)
        if code != "-"
    ]
    return pd.DataFrame(rows, columns=["item", "coder", "category"])


def random_codes(coders: Sequence[str], items: int, seed: int) -> pd.DataFrame:
    """Coders who often follow one hidden category, and otherwise guess."""
    rng = np.random.default_rng(seed)
    hidden = rng.integers(1, 4, items)
    return frame(
        **{
            coder: "".join(map(str, np.where(rng.random(items) < 0.6, hidden, rng.integers(1, 4, items))))
            for coder in coders
        }
    )


def test_two_coders_by_hand() -> None:
    """The 50 grants of the usual textbook: 20 and 15 on the diagonal, 5 and 10 beside it, kappa 0.4."""
    found = coder_agreement(frame(ann="1" * 25 + "2" * 25, ben="1" * 20 + "2" * 5 + "1" * 10 + "2" * 15), ["C1", "C2"])
    overall = found.overall
    assert (overall.kind, overall.coders, overall.items, overall.words) == ("Cohen", ("ann", "ben"), 50, "fair")
    assert overall.value == pytest.approx(0.4)
    assert overall.observed == pytest.approx(0.7)
    # Fleiss, Cohen and Everitt (1969), with p = (.4, .1, .2, .3), rows .5 .5, columns .6 .4, chance .5
    a = 0.4 * (1 - 1.1 * 0.6) ** 2 + 0.3 * (1 - 0.9 * 0.6) ** 2
    # off the diagonal: (column of the row's category + row of the column's category)
    b = 0.6**2 * (0.1 * (0.6 + 0.5) ** 2 + 0.2 * (0.4 + 0.5) ** 2)
    error = math.sqrt((a + b - (0.4 - 0.5 * 0.6) ** 2) / 0.5**2 / 50)
    assert overall.low is not None
    assert overall.high is not None
    assert overall.high - overall.low == pytest.approx(2 * 1.959964 * error, rel=1e-4)
    assert found.confusion is not None
    assert found.confusion.to_numpy().tolist() == [[20, 5], [10, 15]]
    assert (found.confusion.index.name, found.confusion.columns.name) == ("ann", "ben")
    assert found.counts.to_numpy().tolist() == [[25, 25], [30, 20]]
    assert found.pairs == ()


@pytest.mark.parametrize("seed", range(5))
def test_against_scikit_learn(seed: int) -> None:
    """Cohen's kappa of two coders, and of each two of three."""
    codes = random_codes(("ann", "ben", "cem"), 40, seed)
    wide = codes.pivot(index="item", columns="coder", values="category")
    two = coder_agreement(codes[codes["coder"] != "cem"], CATEGORIES).overall
    assert two.value == pytest.approx(cohen_kappa_score(wide["ann"], wide["ben"]))
    three = coder_agreement(codes, CATEGORIES)
    assert [pair.coders for pair in three.pairs] == [("ann", "ben"), ("ann", "cem"), ("ben", "cem")]
    for pair in three.pairs:
        first, second = pair.coders
        assert pair.value == pytest.approx(cohen_kappa_score(wide[first], wide[second]))
        assert pair.observed == pytest.approx((wide[first] == wide[second]).mean())
    assert three.confusion is None


def test_three_coders_by_hand() -> None:
    """Fleiss' formula written out: the mean of the pairs that agree, against the squares of the shares."""
    found = coder_agreement(frame(ann="1122", ben="1123", cem="1223")).overall
    observed = (1 + 1 / 3 + 1 + 1 / 3) / 4  # 111, 112, 222, 233
    chance = (5 / 12) ** 2 + (5 / 12) ** 2 + (2 / 12) ** 2
    assert (found.kind, found.items, found.low, found.high) == ("Fleiss", 4, None, None)
    assert found.observed == pytest.approx(observed)
    assert found.value == pytest.approx((observed - chance) / (1 - chance))


@pytest.mark.parametrize("coders", [3, 5])
def test_against_statsmodels(coders: int) -> None:
    """Fleiss' kappa from a table of counts that was made another way."""
    codes = random_codes([f"c{number}" for number in range(coders)], 30, coders)
    counted = codes.groupby(["item", "category"]).size().unstack(fill_value=0)
    assert coder_agreement(codes).overall.value == pytest.approx(fleiss_kappa(counted.to_numpy()))


def test_only_items_that_all_coded_count() -> None:
    """What one coder has not reached is left out; the pairs count what both have."""
    whole, part = frame(ann="1231", ben="1232"), frame(ann="12313", ben="1232-")
    assert coder_agreement(part, CATEGORIES).overall == coder_agreement(whole, CATEGORIES).overall
    three = coder_agreement(frame(ann="12313", ben="1232-", cem="123--"), CATEGORIES)
    assert (three.overall.items, [pair.items for pair in three.pairs]) == (3, [4, 3, 3])
    assert three.counts.loc["ann"].tolist() == [2, 1, 2]


@pytest.mark.parametrize(
    ("codes", "sentence"),
    [
        (frame(), "Agreement needs two coders; nobody has coded anything so far."),
        (frame(ann="12"), "Agreement needs two coders; only ann has coded anything so far."),
        (frame(ann="1-", ben="-2"), "No item has been coded by both coders yet."),
        (frame(ann="1--", ben="-2-", cem="--3"), "No item has been coded by all coders yet."),
        (frame(ann="11", ben="11"), "All put all 2 items into C1, so chance alone would make them agree"),
        (frame(ann="11", ben="11", cem="11"), "All put all 2 items into C1, so chance alone would make them agree"),
        (frame(ann="1", ben="1"), "There is only one common item"),
    ],
)
def test_undefined_is_a_sentence(codes: pd.DataFrame, sentence: str) -> None:
    """No coder, no item in common, one category only: None and why, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = coder_agreement(codes, CATEGORIES)
    assert found.overall.value is found.overall.words is found.overall.low is None
    assert found.overall.problem is not None
    assert sentence in found.overall.problem
    assert all(pair.value is None and pair.problem for pair in found.pairs)


@pytest.mark.parametrize(
    ("codes", "value"),
    [(frame(ann="123", ben="123"), 1.0), (frame(ann="12", ben="21"), -1.0), (frame(ann="11", ben="22"), 0.0)],
)
def test_extremes_have_a_value_and_no_interval(codes: pd.DataFrame, value: float) -> None:
    """Where the standard error is 0 the interval would be a point that says nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = coder_agreement(codes, CATEGORIES).overall
    assert found.value == pytest.approx(value)
    assert (found.low, found.high, found.problem) == (None, None, None)


def test_an_interval_stays_in_range() -> None:
    """Few items make it wide, and no kappa is above 1."""
    found = coder_agreement(frame(ann="1231231", ben="1231232"), CATEGORIES).overall
    assert found.high == 1.0
    assert found.low is not None
    assert -1 <= found.low < 0.9


def test_words() -> None:
    """The bounds of Landis and Koch belong to the smaller word."""
    values = (-0.1, 0.0, 0.2, 0.21, 0.4, 0.6, 0.8, 0.81, 1.0)
    assert [Kappa("Cohen", (), 1, value).words for value in values] == [
        "poor",
        "slight",
        "slight",
        "fair",
        "fair",
        "moderate",
        "substantial",
        "almost perfect",
        "almost perfect",
    ]


def test_frames_that_are_refused() -> None:
    """A second code for an item, and a category that is not there."""
    twice = pd.concat([frame(ann="1", ben="2"), frame(ann="2")])
    with pytest.raises(ValueError, match="two codes for one item"):
        coder_agreement(twice, CATEGORIES)
    with pytest.raises(ValueError, match="'C4' is none of the categories C1, C2, C3"):
        coder_agreement(frame(ann="4"), CATEGORIES)
