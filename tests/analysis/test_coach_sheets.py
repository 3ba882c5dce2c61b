"""Sheets of pictures beside what coaches propose for them."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from crowdloom.analysis.coach_sheets import Column, sheet_figure, sheet_rows


def sure(of: list[list[float]]) -> np.ndarray:
    """Probabilities of two classes."""
    return np.array(of)


def test_one_that_is_misread_and_one_that_is_read() -> None:
    """Of each class; the second is neither the surest nor the least sure."""
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1])
    first = [[0.9, 0.1], [0.4, 0.6], [0.6, 0.4], [0.7, 0.3], [0.8, 0.2]]
    second = [[0.2, 0.8], [0.4, 0.6], [0.1, 0.9]]
    assert sheet_rows(labels, sure(first + second)) == [1, 4, 6, 7]


def test_classes_with_one_picture_are_left_out() -> None:
    """As are those beyond the most."""
    assert sheet_rows(np.array([0, 1, 1]), sure([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]])) == [1, 2]
    assert sheet_rows(np.array([0, 0, 1, 1]), sure([[0.9, 0.1]] * 2 + [[0.1, 0.9]] * 2), most=1) == [0, 1]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_every_picture_is_there_and_what_is_read_wrong() -> None:
    """Column by column, two abreast."""
    pictures = np.random.default_rng(0).integers(0, 256, (4, 28, 28), dtype=np.uint8)
    columns = [
        Column("original", pictures, ["2", "1", "2", "2"]),
        Column("AE\n$\\alpha$ = 32", 255 - pictures, ["1", "1", "2", "$x"]),
    ]
    figure = sheet_figure(columns, ["1", "1", "2", "2"], "a note")
    shown = [np.asarray(image.get_array()) for image in figure.axes[0].images]
    assert len(shown) == 8
    assert all(
        np.array_equal(image, picture) for image, picture in zip(shown, [*pictures, *(255 - pictures)], strict=True)
    )
    assert texts(figure) == ["original", "2", "AE\n$\\alpha$ = 32", r"\$x", "1", "2", "a note"]
    where = [tuple(image.get_extent()) for image in figure.axes[0].images]
    assert len(set(where)) == 8
    figure.canvas.draw()
