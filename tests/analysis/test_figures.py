"""Figures: what they show, that nothing is cut off, and that the same figure gives the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from crowdloom.analysis.figures import MOST_CLASSES, ORANGE, WIDTH, entropy_figure, label_figure, save_figure

RNG = np.random.default_rng(2)


def tiles(figure: Figure) -> list[Any]:
    """The axes that have bars."""
    return [axes for axes in figure.axes if axes.patches]


def cut_off(figure: Figure) -> bool:
    """Whether anything that is drawn reaches beyond the figure's edges."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn, (width, height) = figure.get_tightbbox(canvas.get_renderer()), figure.get_size_inches()
    return bool(drawn.x0 < 0 or drawn.y0 < 0 or drawn.x1 > width or drawn.y1 > height)


def digits(n: int, k: int = 10, name: str = "class") -> Figure:
    """A figure of n items about k classes, every second with an image."""
    classes = [f"{name} {number}" for number in range(k)]
    images = [RNG.random((8, 8)) if number % 2 == 0 else None for number in range(n)]
    references = [classes[number % k] for number in range(n)]
    return label_figure(
        [f"item {number}" for number in range(n)], RNG.dirichlet(np.ones(k), n), classes, images, references
    )


@pytest.mark.parametrize("n", [1, 2, 5])
def test_every_item_has_a_tile_that_shows_its_label(n: int) -> None:
    """Bars are as long as the label's probabilities; the reference class is orange and its name bold."""
    classes, labels = ["a", "b", "c"], RNG.dirichlet(np.ones(3), n)
    figure = label_figure([f"i{number}" for number in range(n)], labels, classes, [None] * n, ["b"] * n)
    assert len(tiles(figure)) == n
    for axes, label in zip(tiles(figure), labels, strict=True):
        assert [bar.get_width() for bar in axes.patches] == pytest.approx(label.tolist())
        assert [to_hex(bar.get_facecolor()).upper() == ORANGE for bar in axes.patches] == [False, True, False]
        assert [text.get_weight() for text in axes.get_yticklabels()] == ["normal", "bold", "normal"]
    assert [text.get_text() for text in figure.texts] == [f"i{number}" for number in range(n)]


@pytest.mark.parametrize("k", [2, 10, 40])
@pytest.mark.parametrize("name", ["c", "an uncommonly long name of a class, number"])
def test_no_text_is_cut_off_or_over_an_image(k: int, name: str) -> None:
    """Short or long names, few or many classes: every text lies inside the figure and beside the images."""
    figure = digits(3, k, name)
    assert figure.get_figwidth() == WIDTH
    assert not cut_off(figure)
    images = [axes.get_window_extent() for axes in figure.axes if axes.images]
    names = [text.get_window_extent() for axes in tiles(figure) for text in axes.get_yticklabels()]
    assert len(images) == 2
    assert not any(image.overlaps(text) for image in images for text in names)


def test_many_classes_are_shown_as_the_most_probable_and_the_rest() -> None:
    """Of forty classes a tile shows eleven, the reference class among them, and the others' sum."""
    classes = [f"c{number}" for number in range(40)]
    label = np.array([0.02] * 39 + [0.22])
    label[5] = 0.0
    label[6] = 0.04
    (axes,) = tiles(label_figure(["x"], label[np.newaxis], classes, [None], ["c5"]))
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert len(names) == MOST_CLASSES
    assert {"c5", "c6", "c39"} < set(names)
    assert names[-1] == "29 others"
    assert sum(bar.get_width() for bar in axes.patches) == pytest.approx(1)


@pytest.mark.parametrize("median_at", [0.1, 0.9])
def test_the_entropy_figure_counts_every_item_and_cuts_nothing(median_at: float) -> None:
    """The bars of the histogram count every item once, and its texts lie inside it."""
    values = np.array([0.0, median_at, median_at, median_at, 1.0])
    figure = entropy_figure(values)
    assert sum(bar.get_height() for bar in figure.axes[0].patches) == 5
    assert not cut_off(figure)
    assert not cut_off(entropy_figure(np.zeros(3)))


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_the_same_figure_gives_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    """Saved twice, a figure is the same file: no time, no version, no random names in it."""
    for name in ("one", "two"):
        save_figure(entropy_figure(np.linspace(0, 2, 30)), tmp_path / f"{name}.{suffix}")
    assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_figures_of_nothing_and_of_unknown_kinds_are_refused(tmp_path: Path) -> None:
    """No items, no entropies and an unknown suffix are refused, and nothing is written."""
    with pytest.raises(ValueError, match="labels have shape"):
        label_figure([], np.empty((0, 2)), ["a", "b"], [], [])
    with pytest.raises(ValueError, match="nothing can be drawn"):
        entropy_figure(np.empty(0))
    with pytest.raises(ValueError, match=r"labels\.gif"):
        save_figure(entropy_figure(np.ones(2)), tmp_path / "labels.gif")
    assert not list(tmp_path.iterdir())


def test_names_are_no_formulas(tmp_path: Path) -> None:
    """Nor is an item's key one, whatever signs of matplotlib's stand in them."""
    figure = label_figure(["a$b_{$"], np.array([[0.4, 0.6]]), ["y$_{$", "_z"], [None], ["_z"])
    save_figure(figure, tmp_path / "odd.svg")
    assert (tmp_path / "odd.svg").read_bytes().startswith(b"<?xml")
