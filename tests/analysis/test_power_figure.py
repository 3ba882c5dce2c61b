"""The figure of power: curves with intervals, false positives, the design, and costs that can be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crowdloom.analysis.figure_style import NothingToDrawError
from crowdloom.analysis.figures import WIDTH, save_figure
from crowdloom.analysis.power import rate
from crowdloom.analysis.power_figure import CurvePoint, power_figure


def curve(*numbers: int, own: int = 5) -> list[CurvePoint]:
    """Points whose power rises to 1."""
    return [
        CurvePoint(number, rate(100 - 50 // number, 100), rate(5, 100), f"{number * 24}", number == own)
        for number in numbers
    ]


def costs(numbers: list[CurvePoint]) -> list[str]:
    figure = power_figure({"200 items": numbers}, "responses", "cost (USD)", 0.05, (0.8, 0.9))
    figure.draw_without_rendering()
    return [label.get_text() for label in figure.axes[0].child_axes[0].get_xticklabels()]


def test_one_curve_has_its_costs_above() -> None:
    """Those that fit; the design's own always."""
    assert sorted(costs(curve(2, 3, 5, 7, 10)), key=int) == ["48", "72", "120", "168", "240"]
    crowded = costs(curve(*range(80, 120), own=100))
    assert "2400" in crowded
    assert 3 < len(crowded) < 15
    assert costs(curve(5)) == ["120"]


def test_several_curves_have_them_beside_their_points() -> None:
    """Each curve has its name in the legend, which also says whose false positives are shown."""
    figure = power_figure({"100 items": curve(3, 7), "200 items": curve(3, 5)}, "responses", "cost (USD)", 0.05, (0.8,))
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["72", "168", "72", "120"]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["100 items", "200 items", "found without an effect, 200 items", "the design"]
    assert "cost (USD)" in axes.get_xlabel()


def test_the_same_figure_has_the_same_bytes(tmp_path: Path) -> None:
    """As wide as a column; whole shares at both ends stay inside."""
    for name in ("one", "other"):
        save_figure(
            power_figure({"": curve(1, 5, 60)}, "responses", "cost (USD)", 0.05, (0.8,)), tmp_path / f"{name}.svg"
        )
    one = (tmp_path / "one.svg").read_bytes()
    assert one == (tmp_path / "other.svg").read_bytes()
    figure = power_figure({"": curve(1, 5)}, "responses", "cost (USD)", 0.05, (0.8,))
    assert figure.get_figwidth() == WIDTH
    low, high = figure.axes[0].get_ylim()
    assert low < 0 < 1 < high


@pytest.mark.parametrize("of", [20, 50, 1000])
def test_nothing_found_and_everything_found_is_drawn(of: int) -> None:
    """Also where rounding puts the end of an interval a little beyond the share."""
    never, always = rate(0, of), rate(of, of)
    beyond = replace(never, low=1e-17), replace(always, high=1 - 1e-16)
    for found, false in ((always, never), (never, always), beyond):
        power_figure({"": [CurvePoint(5, found, false, "120", True)]}, "responses", "cost (USD)", 0.05, (0.8,))


def test_nothing_to_draw() -> None:
    """Without points there is a sentence."""
    with pytest.raises(NothingToDrawError, match="no point"):
        power_figure({}, "responses", "cost", 0.05, (0.8,))
