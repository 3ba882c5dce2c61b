"""The analysis of a study's sessions in a latent space, written into a folder; see `analysing.folder`.

Its data are the long frames of `analysis.latent_frames` and `latent_interactions`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from crowdloom.analysis.latent_frames import curves, movements, passes, shapes
from crowdloom.analysis.latent_gains import gains, scenario_gains, steps
from crowdloom.analysis.latent_interactions import by_class, interactions
from crowdloom.analysis.latent_report import Material, gain_sentences, nothing_counts, session_sections
from crowdloom.studies.analysing.folder import simulated_words, write_analysis
from crowdloom.studies.analysing.sessions import read_session_material
from crowdloom.studies.database import Store
from crowdloom.studies.hill_baselines import train_baselines
from crowdloom.studies.reading import Scope
from crowdloom.studies.words import count

if TYPE_CHECKING:
    import pandas as pd


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
        simulated = simulated_words(connection, study)
    found = train_baselines(material.sessions, show)
    material = replace(material, baselines=found.baselines, notes=[*material.notes, *found.problems])
    sections = session_sections(material)
    people = len({one.participant for one in material.sessions})
    lead = f"{count(len(material.sessions), 'session')} by {people:,} {'person' if people == 1 else 'people'}"
    files = write_analysis(out, f"Sessions of {study}", lead + simulated, sections, _data(material))
    return HillAnalysis(material, gains(curves(material.ordered(), material.baselines)), files)


def _data(material: Material) -> dict[str, pd.DataFrame]:
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
    return frames
