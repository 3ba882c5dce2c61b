"""A sweep as commands do it: what it says is in the studies' words, results are in the store, and in one long frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.run_results import FailedRun, failed_runs, results_frame
from crowdloom.models.errors import ArgumentError, ModelError
from crowdloom.models.image_sets import channels_first
from crowdloom.models.runs import Run, RunResult
from crowdloom.models.sweep_book import Progress, silent
from crowdloom.models.sweeps import sweep
from crowdloom.studies.database import Store
from crowdloom.studies.errors import OptionError
from crowdloom.studies.training_runs import record_training_runs

if TYPE_CHECKING:
    import pandas as pd

_OPTIONS = {"folder": "--out"}  # arguments of `sweep` that are not called as their options are
_OURS = {"engine", "workers", "device", "folder"}


@dataclass(frozen=True)
class Engine:
    """By what runs are done, as `models.sweeps.sweep` takes it."""

    engine: str = "local"
    workers: int | None = None
    threads: int = 1
    device: str | None = None


@dataclass(frozen=True)
class Swept:
    """What came of all runs, in their order."""

    results: Sequence[RunResult]

    @property
    def frame(self) -> pd.DataFrame:
        """Of those that are done, as `analysis.run_tables.run_table` takes it."""
        return results_frame(self.results)

    @property
    def failed(self) -> list[FailedRun]:
        """Those without numbers."""
        return failed_runs(self.results)


def swept(
    images: npt.NDArray[np.uint8],
    runs: Sequence[Run],
    folder: Path,
    engine: Engine,
    *,
    store: Store | None = None,
    study: str | None = None,
    on_progress: Callable[[Progress], None] = silent,
) -> Swept:
    """Do all runs, or what is left of them, in `folder`, and write down in a store, if one is given, what came of them.

    images     uint8 [N, H, W, C], as image sets have them
    study      whose labels were trained on; without it the runs are nobody's

    What is done already is not done again. Raises OptionError, in one sentence, where `models.sweeps.sweep` refuses,
    and StudyError for an unknown study.
    """
    with mapped_options():
        results = sweep(
            channels_first(images),
            runs,
            folder,
            engine.engine,
            workers=engine.workers,
            threads=engine.threads,
            device=engine.device,
            on_progress=on_progress,
        )
    if store is not None:
        with store.write() as connection:
            record_training_runs(connection, results, study)
    return Swept(results)


@contextmanager
def keeping_runs(path: Path) -> Iterator[None]:
    """Turn a file of numbers that cannot be written once all runs are done, on a full disk say, into an OptionError."""
    try:
        yield
    except OSError as error:
        raise OptionError(
            f"{path} cannot be written ({error.strerror or error}); the runs are kept: mend that, and give the same "
            "command again"
        ) from error


@contextmanager
def mapped_options() -> Iterator[None]:
    """Turn what models refuse into an OptionError; arguments that are options are called as these are."""
    try:
        yield
    except ArgumentError as error:
        named = f" ({_OPTIONS.get(error.argument, f'--{error.argument}')})" if error.argument in _OURS else ""
        raise OptionError(f"{error}{named}") from error
    except ModelError as error:
        raise OptionError(str(error)) from error
