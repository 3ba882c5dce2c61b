"""An analysis written into a folder: summary.md with all that there is to say, and beside it data, tables, figures.

summary.md            all sections
data/NAME.csv         the frames that they are made of
tables/NAME.csv       each table
figures/NAME.svg, .png
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from crowdloom.analysis.figures import save_figure
from crowdloom.analysis.report import Drawing, Section, Tabular
from crowdloom.studies.analysing.files import rounded
from crowdloom.studies.analysing.markdown import as_markdown
from crowdloom.studies.exporting import export_frame
from crowdloom.studies.posting import simulated_postings
from crowdloom.studies.tables import Design, Study

if TYPE_CHECKING:
    import pandas as pd

SUMMARY = "summary.md"


def simulated_words(connection: Connection, study: str) -> str:
    """What the first line of an analysis says of simulated people: nothing where none were sent to the study."""
    designs = select(Design.id).join(Study, Study.id == Design.study_id).where(Study.name == study)
    return "; simulated people took part" if simulated_postings(connection, designs) else ""


def write_analysis(
    out: Path, title: str, lead: str, sections: Sequence[Section], data: Mapping[str, pd.DataFrame]
) -> list[Path]:
    """Write an analysis into the folder `out`, which is made if it is not there; all its files.

    All of them are written beside the folder and then moved: where that fails, an earlier analysis stays as it was.
    Tables and figures that an earlier one had and this one has not are removed. Raises OSError where the disk refuses.
    """
    staged = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    try:
        (staged / "data").mkdir(parents=True)
        for name, frame in data.items():
            export_frame(frame, staged / "data" / f"{name}.csv")
        _write_blocks(sections, staged)
        (staged / SUMMARY).write_text(as_markdown(title, lead, sections), encoding="utf-8")
        files = sorted(path.relative_to(staged) for path in staged.rglob("*") if path.is_file())
        for file in _earlier(out) - set(files):
            (out / file).unlink(missing_ok=True)
        for file in files:
            (out / file).parent.mkdir(parents=True, exist_ok=True)
            (staged / file).replace(out / file)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return [out / file for file in files]


def _earlier(out: Path) -> set[Path]:
    """The tables and figures that an earlier summary there shows."""
    try:
        shown = _SHOWN.findall((out / SUMMARY).read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:
        return set()
    return {path for file in shown for path in (Path(file), Path(file).with_suffix(".png"))}


_SHOWN = re.compile(r"\]\(((?:tables|figures)/[\w-]+\.(?:csv|svg))\)")


def _write_blocks(sections: Sequence[Section], folder: Path) -> None:
    for name in ("tables", "figures"):
        (folder / name).mkdir()
    for block in (block for section in sections for block in section.blocks):
        if isinstance(block, Tabular):
            frame = block.table.frame if block.data is None else block.data
            frame.map(rounded).to_csv(folder / "tables" / f"{block.stem}.csv", index_label=str(frame.index.name))
        elif isinstance(block, Drawing):
            for suffix in ("svg", "png"):
                save_figure(block.figure, folder / "figures" / f"{block.stem}.{suffix}")
