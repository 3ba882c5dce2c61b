"""A whole study of the H2AI coach with simulated writers: its coach prepared, its trials coached, its analysis written.

`crowdloom coach demo` and `crowdloom coach simulate` are this, with a design of their own each.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crowdloom.studies.coach_designs import WITH_DATA
from crowdloom.studies.database import open_store
from crowdloom.studies.design import Design
from crowdloom.studies.errors import OptionError
from crowdloom.studies.items.classes import coaching_options
from crowdloom.studies.whole_run import ANALYSIS, DATABASE, Say, WholeRun, take_part

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CoachRun(WholeRun):
    """What a run made, and where."""

    coaches: dict[str, float]
    """The coaches that the study uses, each with the share of test drawings that its recogniser reads right."""
    table: pd.DataFrame
    """First and second attempts; see `analysis.coach_before_after`."""


def run_study(
    folder: Path, design: Design, source: str, *, people: int, seed: int = 0, say: Say, show: Say
) -> CoachRun:
    """Run the study of a design in a folder, in a database of its own there.

    `say` is told each step in a sentence, `show` what is being done within it. Raises OptionError where a coach cannot
    be had, and as `rehearse`.
    """
    from crowdloom.analysis.coach_before_after import before_after
    from crowdloom.studies.coach_analysing import write_coach_analysis

    coaches = {}
    for name in dict.fromkeys(options.coach for options in coaching_options(design)):
        coaches[name] = _prepare(name, say, show)
    with closing(open_store(str(folder / DATABASE))) as store:
        say(f"Simulated writers take part over HTTP, {people} of them.")
        rehearsal = take_part(store, design, source, folder, people=people, seed=seed, show=show)
        say("The analysis is written.")
        analysis = write_coach_analysis(store, design.name, folder / ANALYSIS)
    table = before_after(analysis.material.trials())
    return CoachRun(folder, rehearsal, analysis.sentences(), coaches, table)


def _prepare(name: str, say: Say, show: Say) -> float:
    """Prepare a coach that needs no data, where it was not; how well its recogniser reads."""
    from crowdloom.models.coach_folder import is_ready, prepared_coach
    from crowdloom.models.errors import ModelError

    try:
        if name in WITH_DATA and not is_ready(name):
            from crowdloom.models.coach_preparing import prepare

            say(f"Preparing the coach {name}: two networks learn, once; they are kept for the next time.")
            prepare(name, progress=lambda fraction, message: show(f"{name}: {message}"))
        return prepared_coach(name).accuracy
    except ModelError as error:
        raise OptionError(str(error)) from error
