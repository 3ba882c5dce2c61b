"""Figures of trained networks: what is drawn where, told apart without colour, the same each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from crowdloom.analysis.figure_style import WIDTH, NothingToDrawError
from crowdloom.analysis.figures import save_figure
from crowdloom.analysis.run_figures import Place, annotation_time_figure, annotators_figure, images_figure
from crowdloom.analysis.run_results import COLUMNS
from crowdloom.analysis.run_tables import RunTable, run_table

KINDS = {"CIFAR-10H": (1, 4, 51), "Ours (T2, clamp)": (1, 6)}
PLACES = {f"{kind}, M = {m}": Place(kind, m) for kind, ms in KINDS.items() for m in ms}
METRICS = ("cross_entropy", "calibration_error", "fgsm_loss")


def made(places: dict[str, Place] = PLACES, seeds: int = 3) -> RunTable:
    """A table in which a row's mean is 10 divided by its number, and 1 more for the other evaluation."""
    lines = [
        ("3.5", row, "a", seed, evaluation, metric, 10 / place.number + more + 0.1 * (seed - (seeds - 1) / 2))
        for row, place in places.items()
        for seed in range(seeds)
        for more, evaluation in enumerate(("10H", "10S"))
        for metric in METRICS
    ]
    return run_table("3.5", pd.DataFrame(lines, columns=list(COLUMNS)))


def curves(figure: Figure, panel: int) -> list[list[Any]]:
    """The points of each curve in a panel, counted along the rows."""
    bars = [one for one in figure.axes[panel].containers if isinstance(one, ErrorbarContainer)]
    return [[tuple(point) for point in np.asarray(bar.lines[0].get_xydata()).tolist()] for bar in bars]


def curves_bars(figure: Figure) -> list[list[Any]]:
    """The bars of the first panel's first curve, from where to where."""
    bar = next(one for one in figure.axes[0].containers if isinstance(one, ErrorbarContainer))
    return [[(float(ends[0, 1]), float(ends[1, 1])) for ends in lines.get_segments()] for lines in bar.lines[2]]


def test_panels_are_evaluations_by_metrics() -> None:
    """Each has a curve for each kind of labels; below stands M, and the scale is logarithmic."""
    figure = annotators_figure(made(), PLACES)
    assert len(figure.axes) == 6
    assert [axes.get_title() for axes in figure.axes[:3]] == ["CE", "Calibration", "FGSM loss"]
    assert [figure.axes[panel].get_ylabel() for panel in (0, 3)] == ["10H", "10S"]
    assert curves(figure, 0) == [
        [(1, pytest.approx(10)), (4, pytest.approx(2.5)), (51, pytest.approx(10 / 51))],
        [(1, pytest.approx(10)), (6, pytest.approx(10 / 6))],
    ]
    assert curves(figure, 5)[1][0] == (1, pytest.approx(11))
    assert figure.axes[5].get_xscale() == "log"


def test_time_is_annotators_times_seconds() -> None:
    """By kind of labels."""
    figure = annotation_time_figure(made(), PLACES, {"CIFAR-10H": 2.5, "Ours (T2, clamp)": 32})
    assert [x for x, _ in curves(figure, 0)[0]] == [2.5, 10, 127.5]
    assert [x for x, _ in curves(figure, 0)[1]] == [32, 192]


def test_bars_are_the_intervals() -> None:
    """Half of one, up and down; one seed has none."""
    table = made()
    [bars] = curves_bars(annotators_figure(table, PLACES))
    half = table.averages["10H", "CIFAR-10H, M = 1", "cross_entropy"].half
    assert half is not None
    assert bars[0] == (pytest.approx(10 - half), pytest.approx(10 + half))
    [alone] = curves_bars(annotators_figure(made(seeds=1), PLACES))
    assert alone[0] == (pytest.approx(10), pytest.approx(10))


def test_kinds_are_told_apart_without_colour() -> None:
    """Markers and lines differ, and the legend names each kind once."""
    figure = annotators_figure(made(), PLACES)
    lines = [one.lines[0] for one in figure.axes[0].containers if isinstance(one, ErrorbarContainer)]
    assert len({line.get_marker() for line in lines}) == len({line.get_linestyle() for line in lines}) == 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(KINDS)


def test_a_row_that_is_not_done_is_no_point() -> None:
    """Nothing to draw is said; an evaluation without any row has no panels."""
    more = PLACES | {"CIFAR-10H, M = 8": Place("CIFAR-10H", 8)}
    assert [x for x, _ in curves(annotators_figure(made(), more), 0)[0]] == [1, 4, 51]
    with pytest.raises(NothingToDrawError, match="no row of the table is done"):
        annotators_figure(run_table("none", pd.DataFrame(columns=list(COLUMNS))), PLACES)


def test_the_same_figure_has_the_same_bytes(tmp_path: Path) -> None:
    """As wide as a column, and nothing of it is cut off."""
    places = {f"soft, {n}": Place("soft", n) for n in (250, 500, 750, 900)}
    for name in ("one.svg", "two.svg"):
        save_figure(images_figure(made(places), places), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    figure = images_figure(made(places), places)
    assert figure.get_figwidth() == WIDTH
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    assert box.x0 >= 0
    assert box.x1 <= WIDTH
    assert box.y0 >= 0
    assert box.y1 <= figure.get_figheight()
