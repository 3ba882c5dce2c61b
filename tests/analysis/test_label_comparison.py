"""Two label sets of the same items, by hand and on the real crowd study."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from scipy import stats

from crowdloom.analysis.figure_style import BLUE, RED, WIDTH, NothingToDrawError
from crowdloom.analysis.label_comparison import (
    alike_and_uncertain,
    compare_against,
    compare_labels,
    comparison_tables,
    largest_distance,
    softened,
)
from crowdloom.analysis.label_comparison_figures import Image, compared_labels_figure, entropies_figure
from crowdloom.analysis.noise_ceiling import cross_entropy
from tests.analysis.test_figures import cut_off, tiles

CLASSES = ("ant", "bee", "cow")
ITEMS = ("p", "q", "r", "s")
FIRST = np.array([[0.6, 0.4, 0], [0.5, 0.25, 0.25], [0, 0, 1.0], [0.1, 0.2, 0.7]])
SECOND = np.array([[1.0, 0, 0], [0.5, 0.3, 0.2], [1.0, 0, 0], [0.0, 0.0, 1.0]])
COMPARED = compare_labels(ITEMS, FIRST, SECOND, ("ours", "theirs"))


def test_entropies_and_distances() -> None:
    """As scipy gives them."""
    found = COMPARED.by_item
    assert found["entropy1"].tolist() == pytest.approx(stats.entropy(FIRST, axis=1))
    assert found["softening"].tolist() == pytest.approx(stats.entropy(FIRST, axis=1) - stats.entropy(SECOND, axis=1))
    assert found["wasserstein"].tolist() == pytest.approx([0.4, 0.05, 1.0, 0.3])
    assert found["values"].tolist() == pytest.approx(
        [stats.wasserstein_distance(one, other) for one, other in zip(FIRST, SECOND, strict=True)], abs=1e-12
    )
    assert found["same_top"].tolist() == [True, True, False, True]
    line = np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
    by_line = compare_labels(ITEMS, FIRST, SECOND, distances=line, ground="places")
    assert by_line.ground == "places"
    assert by_line.by_item["wasserstein"].tolist() == pytest.approx([0.4, 0.05, 2.0, 0.4], abs=1e-6)
    assert by_line.by_item["variation"].tolist() == pytest.approx([0.4, 0.05, 1.0, 0.3])


def test_the_items_worth_showing() -> None:
    """The furthest apart; what became softer with the same class on top; what both are unsure of alike."""
    assert largest_distance(COMPARED, 2) == ["r", "p"]
    assert largest_distance(COMPARED, 1, by="values") == ["p"]
    assert softened(COMPARED) == ["s", "p"]
    assert alike_and_uncertain(COMPARED) == ["q"]


def test_tables_have_the_paired_interval_and_the_largest() -> None:
    """The entropies' difference as scipy's paired t-test has it."""
    entropies, distances, most = comparison_tables(COMPARED, n=2)
    low, high = stats.ttest_rel(stats.entropy(FIRST, axis=1), stats.entropy(SECOND, axis=1)).confidence_interval()
    (row,) = entropies.records()
    assert (row["low"], row["high"]) == pytest.approx((low, high))
    assert distances.frame["mean"].tolist()[0] == pytest.approx(1.75 / 4)
    assert distances.frame["largest"].tolist()[0] == 1
    assert most.frame.index.tolist() == ["r", "p"]
    empty = compare_labels([], np.empty((0, 3)), np.empty((0, 3)))
    for table in comparison_tables(empty):
        assert "nan" not in table.lines().lower()
    assert largest_distance(empty) == softened(empty) == alike_and_uncertain(empty) == []


def test_against_a_reference() -> None:
    """Which of two label sets is nearer to a third, paired by item."""
    reference = np.eye(3)[[0, 0, 2, 2]]
    entropy, variation, moved = compare_against(FIRST, SECOND, reference, 1 - np.eye(3), "0/1 again")
    assert entropy.first == pytest.approx(cross_entropy(reference, FIRST).mean())
    assert (variation.first, variation.second) == pytest.approx((0.3, 0.375))
    low, high = stats.ttest_rel([0.4, 0.5, 0, 0.3], [0, 0.5, 1, 0]).confidence_interval()
    assert (variation.test.low, variation.test.high) == pytest.approx((low, high))
    assert (moved.first, moved.second) == pytest.approx((variation.first, variation.second), abs=1e-6)
    with pytest.raises(ValueError, match="do not fit"):
        compare_against(FIRST, SECOND, reference[:2])


def test_labels_that_do_not_fit_are_refused() -> None:
    """Another number of items, or a row that is no distribution."""
    with pytest.raises(ValueError, match="one row for each of 4 items"):
        compare_labels(ITEMS, FIRST, SECOND[:3])
    with pytest.raises(ValueError, match=r"second of the item 'q' is no distribution"):
        compare_labels(ITEMS, FIRST, SECOND * np.array([[1], [0.5], [1], [1]]))


def test_the_figure_shows_both_labels_of_each_item() -> None:
    """Bars in the two colours as long as the masses, a picture from an array or a file's bytes, nothing cut off."""
    from io import BytesIO

    from PIL import Image as Pillow

    file = BytesIO()
    Pillow.new("RGB", (8, 8), "green").save(file, "PNG")
    images: dict[str, Image] = {"p": np.zeros((4, 4)), "r": file.getvalue(), "s": None}
    figure = compared_labels_figure(COMPARED, ["r", "p", "s"], FIRST, SECOND, CLASSES, images, {"p": "ant", "r": "cow"})
    assert figure.get_figwidth() == WIDTH
    assert not cut_off(figure)
    for axes, place in zip(tiles(figure), (2, 0, 3), strict=True):
        widths = [bar.get_width() for bar in axes.patches]
        assert widths == pytest.approx([*FIRST[place], *SECOND[place]])
        assert [to_hex(bar.get_facecolor()).upper() for bar in axes.patches] == [BLUE] * 3 + [RED] * 3
    assert len([axes for axes in figure.axes if axes.images]) == 2
    assert [name.get_weight() for name in tiles(figure)[0].get_yticklabels()] == ["normal", "normal", "bold"]


def test_many_classes_are_shown_as_the_most_probable_and_the_rest() -> None:
    """Eleven of thirty, the reference among them, and the others' sum."""
    classes = [f"an uncommonly long name of a class, {number}" for number in range(30)]
    one, other = np.random.default_rng(0).dirichlet(np.full(30, 0.2), 2)
    compared = compare_labels(["x"], one[np.newaxis], other[np.newaxis])
    figure = compared_labels_figure(
        compared, ["x"], one[np.newaxis], other[np.newaxis], classes, {}, {"x": classes[int(one.argmin())]}
    )
    (axes,) = tiles(figure)
    assert axes.get_yticklabels()[-1].get_text() == "19 others"
    assert sum(bar.get_width() for bar in axes.patches) == pytest.approx(2)
    assert not cut_off(figure)


def test_the_entropies_are_drawn_and_nothing_is_said() -> None:
    """A dot for each item; where there is none, a sentence."""
    figure = entropies_figure(COMPARED)
    assert not cut_off(figure)
    (dots,) = figure.axes[0].collections
    assert np.asarray(dots.get_offsets())[:, 1] == pytest.approx(COMPARED.by_item["entropy1"].to_numpy())
    empty = compare_labels([], np.empty((0, 3)), np.empty((0, 3)))
    with pytest.raises(NothingToDrawError, match="no item has a label"):
        entropies_figure(empty)
    with pytest.raises(NothingToDrawError, match="no item is to be shown"):
        compared_labels_figure(empty, [], np.empty((0, 3)), np.empty((0, 3)), CLASSES, {}, {})
    with pytest.raises(ValueError, match="'z' was not compared"):
        compared_labels_figure(COMPARED, ["z"], FIRST, SECOND, CLASSES, {}, {})


def test_frames_keep_their_types() -> None:
    """No column of objects among the numbers."""
    assert {str(kind) for kind in COMPARED.by_item.dtypes} == {"float64", "bool"}
    assert isinstance(COMPARED.by_item.index, pd.Index)
