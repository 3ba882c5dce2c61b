"""Doing one run, from its data to its numbers, in this process: what every engine's workers call."""

from __future__ import annotations

import errno
import gc
import math
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from crowdloom.analysis.elicited import Ints
from crowdloom.models.checkpoints import Checkpoints
from crowdloom.models.errors import ModelError, first_line
from crowdloom.models.evaluating import evaluate
from crowdloom.models.precision import Computing, computing_of
from crowdloom.models.run_folder import RunFolder
from crowdloom.models.run_record import now, record_of
from crowdloom.models.runs import Evaluation, Run, RunResult, State
from crowdloom.models.saved_models import save_model
from crowdloom.models.training_loop import TrainingState, new_network, train

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FINAL = FULL | {errno.EACCES, errno.EPERM, errno.EROFS}
"""What a second attempt would meet again."""


class Outcome(NamedTuple):
    """A result, and whether another attempt may have a better one."""

    result: RunResult
    again: bool


def finished(place: RunFolder, run: Run, digest: str) -> RunResult | None:
    """The result that a folder holds of a run; None where it is not done."""
    kept = place.read_result(digest)
    if kept is None or kept.get("state") != "done":
        return None
    metrics = {
        evaluation: {name: math.nan if value is None else float(value) for name, value in values.items()}
        for evaluation, values in kept["metrics"].items()
    }
    return result_of(run, digest, "done", metrics, float(kept["seconds"]), None, place.read_record())


def do_run(
    images: npt.NDArray[np.uint8],
    run: Run,
    place: RunFolder,
    digest: str,
    images_digest: str,
    *,
    where: Mapping[str, str],
    threads: int,
    device: str | None,
    tell: Callable[[int], None],
) -> Outcome:
    """Train, evaluate and save one network, or go on with it; a run that is done already is not done again.

    `images` are the sweep's, `where` goes into the record, `tell(epoch)` hears how many epochs are done. Whatever goes
    wrong with the run becomes its outcome, with the sentence and the traceback in the record. Raises BusyError where
    another process does the run.
    """
    attempt = _Attempt(run, place, digest, record_of(run, digest, images_digest) | dict(where), tell)
    try:
        with place.held():
            if (kept := finished(place, run, digest)) is not None:
                return Outcome(kept, again=False)
            try:
                return Outcome(attempt.go(images, threads, device), again=False)
            except Exception as error:  # noqa: BLE001  # whatever it is, it ends this run and no other
                return attempt.failed(error)
    except OSError as error:  # not even the folder can be made
        return attempt.failed(error)
    finally:
        gc.collect()


@dataclass
class _Attempt:
    run: Run
    place: RunFolder
    digest: str
    record: dict[str, Any]
    tell: Callable[[int], None]
    epoch: int = 0
    """How many epochs are done."""
    checkpoints: Checkpoints | None = None
    began: float = field(default_factory=monotonic)

    def go(self, images: npt.NDArray[np.uint8], threads: int, device: str | None) -> RunResult:
        run, settings = self.run, self.run.settings
        computing = computing_of(device, settings.network, size=images.shape[-1], threads=threads)
        self.record |= {"computing": asdict(computing), "started": now(), "state": "running"}
        owner = {"run": self.digest, "version of crowdloom": self.record["code"]["models"]}
        owner |= {"library": self.record["libraries"], "device": self.record["computing"]}
        self.checkpoints = Checkpoints(self.place, owner)
        state = self.checkpoints.restored()
        self.epoch = state.epoch if state else 0
        self.record["checkpoint"] = self.checkpoints.said
        self.place.write_record(self.record)

        chosen = _rows(images, run.index)
        network = new_network(settings, chosen, run.pool.classes, seed=run.seed)
        state = train(
            network,
            chosen,
            run.pool,
            settings,
            seed=run.seed,
            computing=computing,
            state=state,
            on_epoch=self._epoch_ended,
        )
        metrics = {one.name: self._tried(network, images, one, computing) for one in run.evaluations}
        self.record |= {"training": state.values(), "finished": now(), "state": "done"}
        save_model(self.place.path, network, run, shape=tuple(chosen.shape[1:]), metrics=metrics, record=self.record)
        self.place.write_record(self.record)
        seconds = self._seconds()
        self.place.write_result(
            {"digest": self.digest, "state": "done", "seconds": seconds, "metrics": _plain(metrics), "error": None}
        )
        self.place.drop_state()
        return result_of(run, self.digest, "done", metrics, seconds, None, self.record)

    def _tried(
        self, network: nn.Module, images: npt.NDArray[np.uint8], on: Evaluation, computing: Computing
    ) -> dict[str, float]:
        corruptions = None
        if on.corrupted:
            from crowdloom.models.corruption_files import read_corrupted  # loads SciPy's filters

            corruptions = read_corrupted(on.corrupted.folder, on.corrupted.rows)
        return evaluate(
            network,
            _rows(images, on.index),
            on.labels,
            bin=on.bin,
            metrics=self.run.metrics,
            computing=computing,
            seed=self.run.seed,
            classes=self.run.classes,
            corruptions=corruptions,
        )

    def failed(self, error: Exception) -> Outcome:
        """What is told, and written down where there is still room, of a run that came to nothing."""
        full = isinstance(error, OSError) and error.errno in FULL
        why = (
            f"there is no room for files in {self.place.path} ({error.strerror}); make room and call again"
            if isinstance(error, OSError) and full
            else first_line(error)
            if isinstance(error, ModelError)
            else f"{type(error).__name__}: {first_line(error)}"
        )
        said = f"{self.run.title} failed after {self.epoch} of {self.run.settings.epochs} epochs: {why}"
        self.record |= {
            "state": "failed",
            "error": said,
            "traceback": "".join(traceback.format_exception(error)),
            "finished": now(),
        }
        result = result_of(self.run, self.digest, "failed", {}, self._seconds(), said, self.record)
        try:
            self.place.write_record(self.record)
            self.place.write_result(
                {
                    "digest": self.digest,
                    "state": "failed",
                    "seconds": result.seconds,
                    "metrics": {},
                    "error": said,
                }
            )
        except OSError as problem:
            self.record["unwritten"] = first_line(problem)
        final = isinstance(error, ModelError) or (isinstance(error, OSError) and error.errno in FINAL)
        return Outcome(result, again=not final)

    def _epoch_ended(self, state: TrainingState) -> None:
        self.epoch = state.epoch
        self.tell(state.epoch)
        assert self.checkpoints is not None
        self.checkpoints.keep(state, self._seconds())

    def _seconds(self) -> float:
        """Of earlier attempts up to the checkpoint, and of this one."""
        return (self.checkpoints.seconds if self.checkpoints else 0.0) + monotonic() - self.began


def result_of(
    run: Run,
    digest: str,
    state: State,
    metrics: Mapping[str, Mapping[str, float]],
    seconds: float,
    error: str | None,
    record: Mapping[str, Any],
) -> RunResult:
    """What came of a run, with what the run says of itself."""
    return RunResult(
        run.experiment, run.row, run.settings.network, run.seed, state, metrics, seconds, error, digest, record
    )


def _rows(images: npt.NDArray[np.uint8], index: Ints) -> Tensor:
    """Some of the images, without a copy where they follow each other."""
    together = len(index) > 0 and bool((np.diff(index) == 1).all())
    rows = images[int(index[0]) : int(index[-1]) + 1] if together else images[index]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that they are read-only: nobody writes to images
        return torch.from_numpy(np.asarray(rows))


def _plain(metrics: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float | None]]:
    """With null for what is not defined: JSON has no NaN."""
    return {
        evaluation: {name: value if math.isfinite(value) else None for name, value in values.items()}
        for evaluation, values in metrics.items()
    }
