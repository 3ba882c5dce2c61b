"""What of a sweep is to be done, under way and ended: engines ask here for tasks, and tell what came of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from crowdloom.models.errors import first_line
from crowdloom.models.run_folder import RunFolder
from crowdloom.models.run_record import now, record_of
from crowdloom.models.run_task import Outcome, finished, result_of
from crowdloom.models.runs import Run, RunResult

ATTEMPTS = 2
"""How often a run is begun that breaks off, or whose process dies."""
BUSY_SECONDS = 2.0
"""After so long it is looked again whether somebody else has done a run."""


class Running(NamedTuple):
    """A run that is under way, and how many of its epochs are done."""

    title: str
    epoch: int
    epochs: int


@dataclass(frozen=True)
class Progress:
    """Where a sweep is: `done` of `total` runs have ended, `failed` of these without numbers."""

    done: int
    failed: int
    total: int
    running: tuple[Running, ...]


def silent(progress: Progress) -> None:
    """No progress is shown."""


@dataclass
class Task:
    """A run that is to be done, and how often it was begun."""

    digest: str
    run: Run
    attempts: int = 0
    not_before: float = 0


@dataclass
class Book:
    """What of a sweep is to be done, under way and ended; engines ask it for tasks and tell it what came of them."""

    tasks: dict[str, Run]
    images_digest: str
    folder: Path
    engine: str
    on_progress: Callable[[Progress], None]
    results: dict[str, RunResult] = field(default_factory=dict)
    _waiting: deque[Task] = field(default_factory=deque)
    _running: dict[str, Running] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for digest, run in self.tasks.items():
            if (result := finished(RunFolder(self.folder / digest), run, digest)) is not None:
                self.results[digest] = result
            else:
                self._waiting.append(Task(digest, run))
        self._show()

    @property
    def open(self) -> int:
        """How many runs have not ended."""
        return len(self.tasks) - len(self.results)

    def next(self) -> Task | None:
        """A task to begin now; None while all are under way, or wait for somebody else who does them."""
        for task in self._waiting:
            if task.not_before <= monotonic():
                self._waiting.remove(task)
                task.attempts += 1
                return task
        return None

    def tell(self, digest: str, epoch: int) -> None:
        """So many epochs of a run are done."""
        run = self.tasks[digest]
        self._running[digest] = Running(run.title, epoch, run.settings.epochs)
        self._show()

    def end(self, task: Task, outcome: Outcome) -> None:
        """A run came to an end, which is its last unless another attempt may help."""
        if outcome.again and task.attempts < ATTEMPTS:
            self._later(task)
        else:
            self._ended(task, outcome.result)

    def busy(self, task: Task) -> None:
        """Somebody else does this run; it is asked for again in a while, and does not count as begun."""
        task.attempts -= 1
        task.not_before = monotonic() + BUSY_SECONDS
        self._later(task)

    def died(self, task: Task, how: str) -> None:
        """The process that did a run is gone; `how` goes on from `its process`."""
        if task.attempts < ATTEMPTS:
            self._later(task)
            return
        place = RunFolder(self.folder / task.digest)
        error = f"{task.run.title} failed: its process {how}, {task.attempts} times"
        record = record_of(task.run, task.digest, self.images_digest) | place.read_record()
        record |= {"engine": self.engine, "state": "failed", "error": error, "finished": now()}
        try:
            place.write_record(record)
        except OSError as problem:
            record["unwritten"] = first_line(problem)
        self._ended(task, result_of(task.run, task.digest, "failed", {}, 0.0, error, record))

    def _later(self, task: Task) -> None:
        self._running.pop(task.digest, None)
        self._waiting.append(task)

    def _ended(self, task: Task, result: RunResult) -> None:
        self._running.pop(task.digest, None)
        self.results[task.digest] = result
        self._show()

    def _show(self) -> None:
        failed = sum(result.state == "failed" for result in self.results.values())
        self.on_progress(Progress(len(self.results), failed, len(self.tasks), tuple(self._running.values())))
