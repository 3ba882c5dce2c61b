"""What a report is made of: figures that stand in one page, sections' addresses, tables without empty columns."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from matplotlib.figure import Figure

from crowdloom.analysis.figures import save_figure
from crowdloom.analysis.report import Section, Tabular, inline_svg
from crowdloom.analysis.summary import Table


def figure(points: int = 3) -> Figure:
    """One with words, markers, a clip path and a picture, each of which gets a name in an SVG."""
    drawn = Figure()
    axes = drawn.subplots()
    axes.plot(range(points), range(points), marker="o", label=f"ape & bat <{points}>")
    axes.imshow([[0.0, 1.0]], extent=(0, 1, 0, 1))
    axes.legend()
    return drawn


def inlined(drawn: Figure, folder: Path, stem: str = "times") -> str:
    """As a page has it."""
    save_figure(drawn, folder / "figure.svg")
    return inline_svg((folder / "figure.svg").read_text(encoding="utf-8"), stem)


def names(svg: str) -> list[str]:
    """All ids."""
    return re.findall(r'\sid="([^"]+)"', svg)


def references(svg: str) -> set[str]:
    """What is referred to, by whatever attribute."""
    return set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))


def test_figures_of_one_page_share_no_name(tmp_path: Path) -> None:
    """Not even where they are the same; what refers to a name finds it in its own figure."""
    one, other = inlined(figure(), tmp_path), inlined(figure(), tmp_path, "times-2")
    for svg in (one, other):
        assert len(names(svg)) == len(set(names(svg))) > 10
        assert references(svg)
        assert references(svg) <= set(names(svg))
    assert set(names(one)).isdisjoint(names(other))


def test_a_figure_in_a_page_is_reproducible_and_whole(tmp_path: Path) -> None:
    """The same figure gives the same text, with no date, in XML that can be read; another gives another."""
    svg = inlined(figure(), tmp_path)
    assert inlined(figure(), tmp_path) == svg
    assert inlined(figure(4), tmp_path) != svg
    assert svg.startswith("<svg")
    assert "metadata" not in svg
    assert "date" not in svg
    ElementTree.fromstring(svg)


@pytest.mark.parametrize(
    ("title", "anchor"),
    [("Plan and results", "plan-and-results"), ("Noise ceiling (95 %)", "noise-ceiling-95"), ("Time", "time")],
)
def test_a_section_has_an_address(title: str, anchor: str) -> None:
    """Lower case, without signs."""
    assert Section(title).anchor == anchor


def test_a_column_of_problems_stands_only_where_there_is_one() -> None:
    """In the page; a column of another name stays, empty or not."""
    frame = pd.DataFrame({"p": [0.5, None], "note": [None, None], "problem": [None, None]}, index=["a", "b"])
    assert [cells[0] for cells, _ in Tabular(Table("", frame), "t").columns()] == ["", "p", "note"]
    told = frame.assign(problem=[None, "there is only one value"])
    assert [cells[-1] for cells, _ in Tabular(Table("", told), "t").columns()][-1] == "there is only one value"
