"""A report written out: one HTML file that needs nothing else, and beside it its tables and figures as files."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from crowdloom.analysis.figures import save_figure
from crowdloom.analysis.files import whole_file
from crowdloom.analysis.report import Drawing, Section, Tabular, inline_svg
from crowdloom.studies.prose import TEMPLATES

DIGITS = 12
"""Of numbers in tables: what follows depends on the order in which people happen to stand in the store."""

_FILE = re.compile(r'data-file="((?:tables|figures)/[^"/]+)"')
"""Where a page names a file beside it."""


def write_report(title: str, lead: str, sections: Sequence[Section], path: Path, folder: Path) -> list[Path]:
    """Write the report to `path`, its tables and figures below `folder`; these files, in the report's order.

    All of them are written beside their places first. Where that fails (a full disk, Ctrl-C), nothing is left, and an
    earlier report stays as it was. Where an earlier report is replaced, files that it had and this one has not are
    removed; whatever else lies there stays.
    """
    earlier = _FILE.findall(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else []
    staged = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    try:
        files = [file.relative_to(staged) for file in _write_files(sections, staged)]
        with whole_file(path) as part:
            part.write_text(_html(title, lead, sections, staged), encoding="utf-8")
            for file in files:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (staged / file).replace(folder / file)
        for file in set(map(Path, earlier)) - set(files):
            (folder / file).unlink(missing_ok=True)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return [folder / file for file in files]


def _html(title: str, lead: str, sections: Sequence[Section], folder: Path) -> str:
    """The page, with the figures that lie below `folder`."""

    def svg(drawing: Drawing) -> Markup:
        return Markup(inline_svg((folder / _file(drawing)).read_text(encoding="utf-8"), drawing.stem))  # noqa: S704 - ours

    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    return jinja.get_template("report/report.html").render(
        title=title,
        lead=lead,
        sections=sections,
        version=version("crowdloom"),
        svg=svg,
        file=_file,
    )


def _write_files(sections: Sequence[Section], folder: Path) -> list[Path]:
    """Write each table as CSV and each figure as SVG below `folder`; the files, in the report's order."""
    written = []
    for block in (block for section in sections for block in section.blocks):
        if isinstance(block, Tabular):
            path = folder / _file(block)
            path.parent.mkdir(parents=True, exist_ok=True)
            frame = block.table.frame if block.data is None else block.data
            with whole_file(path) as part:
                frame.map(rounded).to_csv(part, index_label=str(frame.index.name or "row"))
            written.append(path)
        elif isinstance(block, Drawing):
            path = folder / _file(block)
            path.parent.mkdir(parents=True, exist_ok=True)
            save_figure(block.figure, path)
            written.append(path)
    return written


def rounded(value: Any) -> Any:
    """A number with `DIGITS` digits; anything else as it is."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _file(block: Tabular | Drawing) -> str:
    """Where it lies beside the page."""
    return f"tables/{block.stem}.csv" if isinstance(block, Tabular) else f"figures/{block.stem}.svg"
