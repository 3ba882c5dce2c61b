"""A study analysed and written down: the report, its tables and its figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy.typing as npt

from crowdloom.analysis.bootstrap import SAMPLES
from crowdloom.studies.analysing.counts import with_counts
from crowdloom.studies.analysing.files import write_report
from crowdloom.studies.analysing.material import read_material
from crowdloom.studies.analysing.pictures import read_pictures
from crowdloom.studies.analysing.report import Analysed, analyse
from crowdloom.studies.database import Store
from crowdloom.studies.errors import OptionError


def write_analysis(
    store: Store,
    study: str,
    out: Path,
    command: Sequence[str],
    *,
    version: int | None = None,
    counts: npt.NDArray[Any] | None = None,
    samples: int = SAMPLES,
    say: Callable[[str], None] = lambda what: None,
) -> tuple[Analysed, list[Path]]:
    """Analyse a study and write the report to `out`; its tables and figures, which are returned, lie beside it.

    They go to the folder that has its name without the suffix. `command` is what makes the report again; the rest as
    `analyse` takes it. Raises StudyError for an unknown study, OptionError for counts that do not fit it, OSError where
    the disk refuses.
    """
    say("Reading the answers")
    with store.read() as connection:
        material = read_material(connection, study, version)
    if counts is not None:
        try:
            material, counts = with_counts(material, counts)
        except ValueError as error:
            raise OptionError(f"--counts: {error}") from error
    analysed = analyse(material, command, counts, samples, partial(read_pictures, store, study), say)
    say("Writing the report")
    written = write_report(material.design.title, analysed.lead, analysed.sections, out, out.with_suffix(""))
    return analysed, written
