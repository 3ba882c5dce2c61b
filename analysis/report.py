"""What a report is made of: sections with facts, prose, tables and figures, whatever they are printed with."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from crowdloom.analysis.summary import Table


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
    kind: str = "table"


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


def inline_svg(figure: Figure, stem: str) -> str:
    """A figure as an <svg> element to stand in a page: the same figure, the same text.

    `stem` tells apart the names inside of figures that stand in one page.
    """
    buffer = io.StringIO()
    metadata: dict[str, Any] = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with mpl.rc_context({"svg.hashsalt": f"crowdloom {stem}", "svg.id": None}):
        figure.savefig(buffer, format="svg", metadata=metadata)
    drawn = buffer.getvalue()
    svg = drawn[drawn.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    # Groups are numbered from 1 in every figure.
    return re.sub(r'\sid="([a-z]+[a-z0-9]*_[0-9]+)"', rf' id="{stem}-\1"', svg)
