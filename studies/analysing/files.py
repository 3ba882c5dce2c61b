"""A report written out: one HTML file that needs nothing else, and beside it its tables and figures as files."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from crowdloom.analysis.figures import save_figure
from crowdloom.analysis.files import whole_file
from crowdloom.analysis.report import Drawing, Section, Tabular, inline_svg
from crowdloom.studies.prose import TEMPLATES


def write_report(title: str, lead: str, sections: Sequence[Section], path: Path) -> None:
    """Write the report to `path`; it appears only when it is complete."""
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    text = jinja.get_template("report/report.html").render(
        title=title,
        lead=lead,
        sections=sections,
        version=version("crowdloom"),
        svg=lambda drawing: Markup(inline_svg(drawing.figure, drawing.stem)),  # noqa: S704 - drawn by us
    )
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def write_files(sections: Sequence[Section], folder: Path) -> list[Path]:
    """Write each table as CSV and each figure as SVG below `folder`; the files, in the report's order."""
    written = []
    for block in (block for section in sections for block in section.blocks):
        if isinstance(block, Tabular):
            path = folder / "tables" / f"{block.stem}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            frame = block.table.frame if block.data is None else block.data
            with whole_file(path) as part:
                frame.to_csv(part, index_label=str(frame.index.name or "row"))
            written.append(path)
        elif isinstance(block, Drawing):
            path = folder / "figures" / f"{block.stem}.svg"
            path.parent.mkdir(parents=True, exist_ok=True)
            save_figure(block.figure, path)
            written.append(path)
    return written
