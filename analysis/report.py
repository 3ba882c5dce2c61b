"""What a report is made of: sections with facts, prose, tables and figures, whatever they are printed with."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pandas as pd
from matplotlib.figure import Figure

from crowdloom.analysis.summary import NOTHING, Table


@dataclass(frozen=True)
class Facts:
    """Names with values, and what they mean."""

    rows: Sequence[tuple[str, str, str]]
    """Name, value, meaning (may be empty)."""
    kind: str = "facts"


@dataclass(frozen=True)
class Prose:
    """A paragraph."""

    text: str
    kind: str = "prose"


@dataclass(frozen=True)
class Tabular:
    """A table; `note` stands below it."""

    table: Table
    stem: str
    """Of its file."""
    note: str = ""
    data: pd.DataFrame | None = None
    """What the file holds, where the table shows less of it."""
    best: Collection[tuple[str, str]] = ()
    """Name of the row and heading of the column of each cell that is to stand out."""
    kind: str = "table"

    def columns(self) -> list[tuple[list[str], bool]]:
        """As `Table.columns`, without a column of problems where there is none."""
        return [
            (cells, words)
            for cells, words in self.table.columns()
            if cells[0] != "problem" or set(cells[1:]) != {NOTHING}
        ]


@dataclass(frozen=True)
class Drawing:
    """A figure with its caption, which also serves those who cannot see it."""

    figure: Figure
    stem: str
    caption: str
    kind: str = "figure"


Block = Facts | Prose | Tabular | Drawing


@dataclass
class Section:
    """A part of the report; what no plan asked for is exploratory, and marked so."""

    title: str
    blocks: list[Block] = field(default_factory=list)
    exploratory: bool = False

    @property
    def anchor(self) -> str:
        """Its name in addresses: lower case, with - between words."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


def inline_svg(drawn: str, stem: str) -> str:
    """A figure's SVG file (see `save_figure`) as an <svg> element to stand in a page.

    `stem` tells apart the names inside of figures that stand in one page.

    >>> inline_svg('<?xml?><svg><path id="p1"/><use href="#p1"/></svg>', "times")
    '<svg><path id="times-p1"/><use href="#times-p1"/></svg>'
    """
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", drawn[drawn.index("<svg") :], flags=re.DOTALL)
    return re.sub(r'(\sid="|href="#|url\(#)', rf"\1{stem}-", svg)
