"""The analysis of a study's sessions in a latent space, written into a folder.

summary.md            what there is to say, with all tables and figures
data/NAME.csv         the long frames that they are made of, see `analysis.latent_frames` and `latent_interactions`
tables/NAME.csv       each table
figures/NAME.svg, .png
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from crowdloom.analysis.figures import save_figure
from crowdloom.analysis.latent_frames import curves, movements, passes, shapes
from crowdloom.analysis.latent_gains import gains, scenario_gains, steps
from crowdloom.analysis.latent_interactions import by_class, interactions
from crowdloom.analysis.latent_report import Material, gain_sentences, nothing_counts, session_sections
from crowdloom.analysis.report import Drawing, Section, Tabular
from crowdloom.studies.analysing.files import rounded
from crowdloom.studies.analysing.markdown import as_markdown
from crowdloom.studies.analysing.sessions import read_session_material
from crowdloom.studies.database import Store
from crowdloom.studies.exporting import export_frame
from crowdloom.studies.hill_baselines import train_baselines
from crowdloom.studies.reading import Scope
from crowdloom.studies.words import count

if TYPE_CHECKING:
    import pandas as pd

SUMMARY = "summary.md"


@dataclass(frozen=True)
class HillAnalysis:
    """What an analysis found, and the files that it wrote."""

    material: Material
    gains: pd.DataFrame
    """See `analysis.latent_gains.gains`."""
    files: Sequence[Path]

    def sentences(self) -> list[str]:
        """That nothing counts, or what could not be used and what each scenario's sessions gained."""
        if not self.material.sessions:
            return [nothing_counts(self.material), *self.material.notes]
        found = [one for one in scenario_gains(self.gains) if one.sessions]
        return [*self.material.notes, *(sentence for one in found for sentence in gain_sentences(one))]


def write_hill_analysis(
    store: Store,
    study: str,
    out: Path,
    *,
    scope: Scope = "accepted",
    version: int | None = None,
    show: Callable[[int, int], None] = lambda done, of: None,
) -> HillAnalysis:
    """Analyse a study's sessions and write all that into the folder `out`, which is made if it is not there.

    Missing baselines are trained first; `show` hears how many are done, of how many. All files are written beside the
    folder and then moved: where that fails, an earlier analysis stays as it was. Raises StudyError as `read_sessions`
    does, OSError where the disk refuses.
    """
    with store.read() as connection:
        material = read_session_material(connection, study, scope, version)
    found = train_baselines(material.sessions, show)
    material = replace(material, baselines=found.baselines, notes=[*material.notes, *found.problems])
    sections = session_sections(material)
    staged = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    try:
        _write_data(material, staged / "data")
        _write_blocks(sections, staged)
        people = len({one.participant for one in material.sessions})
        lead = f"{count(len(material.sessions), 'session')} by {people:,} {'person' if people == 1 else 'people'}"
        (staged / SUMMARY).write_text(as_markdown(f"Sessions of {study}", lead, sections), encoding="utf-8")
        files = sorted(path.relative_to(staged) for path in staged.rglob("*") if path.is_file())
        for file in _earlier(out) - set(files):
            (out / file).unlink(missing_ok=True)
        for file in files:
            (out / file).parent.mkdir(parents=True, exist_ok=True)
            (staged / file).replace(out / file)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return HillAnalysis(material, gains(curves(material.ordered(), material.baselines)), [out / file for file in files])


def _earlier(out: Path) -> set[Path]:
    """The tables and figures that an earlier summary there shows."""
    try:
        shown = _SHOWN.findall((out / SUMMARY).read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:
        return set()
    return {path for file in shown for path in (Path(file), Path(file).with_suffix(".png"))}


_SHOWN = re.compile(r"\]\(((?:tables|figures)/[\w-]+\.(?:csv|svg))\)")


def _write_data(material: Material, folder: Path) -> None:
    folder.mkdir(parents=True)
    lines, asked = curves(material.sessions, material.baselines), interactions(material.sessions, material.codes)
    frames = {
        "sessions": passes(material.sessions),
        "curves": lines,
        "gains": gains(lines),
        "interactions": asked,
        "steps": steps(asked, lines),
        "classes": by_class(material.sessions),
        "shapes": shapes(material.sessions),
        "movements": movements(material.sessions),
    }
    if material.questionnaires is not None and len(material.questionnaires):
        frames["questionnaires"] = material.questionnaires
    for name, frame in frames.items():
        export_frame(frame, folder / f"{name}.csv")


def _write_blocks(sections: Sequence[Section], folder: Path) -> None:
    for name in ("tables", "figures"):
        (folder / name).mkdir()
    for block in (block for section in sections for block in section.blocks):
        if isinstance(block, Tabular):
            frame = block.table.frame
            frame.map(rounded).to_csv(folder / "tables" / f"{block.stem}.csv", index_label=str(frame.index.name))
        elif isinstance(block, Drawing):
            for suffix in ("svg", "png"):
                save_figure(block.figure, folder / "figures" / f"{block.stem}.{suffix}")
