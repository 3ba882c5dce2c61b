"""The analysis of a study of the task `coach`, written into a folder; see `analysing.folder`.

Its data are trials and attempts, the frames of `analysis.coach_trials` and `coach_attempts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crowdloom.analysis.coach_report import (
    Material,
    main_sentences,
    measure_section,
    nothing_counts,
    writing_sections,
)
from crowdloom.studies.analysing.folder import simulated_words, write_analysis
from crowdloom.studies.analysing.writings import read_writing_material
from crowdloom.studies.database import Store
from crowdloom.studies.reading import Scope
from crowdloom.studies.words import count


@dataclass(frozen=True)
class CoachAnalysis:
    """What an analysis found, and the files that it wrote."""

    material: Material
    files: Sequence[Path]

    def sentences(self) -> list[str]:
        """That nothing counts, or what is to be known of the answers and what coaching changed."""
        if not len(self.material.frame):
            return [nothing_counts(self.material), *self.material.notes]
        return [*self.material.notes, *main_sentences(self.material.trials())]


def write_coach_analysis(
    store: Store, study: str, out: Path, *, scope: Scope = "accepted", version: int | None = None
) -> CoachAnalysis:
    """Analyse a study's writings and write all that into the folder `out`, which is made if it is not there.

    An earlier analysis stays as it was where that fails. Raises StudyError as `read_writings` does, OSError where the
    disk refuses.
    """
    with store.read() as connection:
        material = read_writing_material(connection, study, scope, version)
        simulated = simulated_words(connection, study)
    found = material.trials()
    sections = writing_sections(material)
    if len(found):
        sections.insert(1, measure_section(material))
    people = found["participant"].nunique()
    lead = f"{count(len(found), 'trial')} by {people:,} {'person' if people == 1 else 'people'}"
    data = {"trials": found, "attempts": material.attempts}
    return CoachAnalysis(material, write_analysis(out, f"Coaching in {study}", lead + simulated, sections, data))
