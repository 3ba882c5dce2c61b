"""The engine on this machine: worker processes, each of which does one run after the other.

Each worker has a pipe of its own to the process that leads, so that one that is killed, at whatever moment, takes
nothing with it that others wait for. It is a fresh interpreter (`spawn`): PyTorch does not survive a fork.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

import numpy as np

from crowdloom.models.child_process import end_with_parent, undisturbed
from crowdloom.models.errors import ModelError
from crowdloom.models.run_folder import BusyError, RunFolder
from crowdloom.models.run_task import Outcome, do_run
from crowdloom.models.sweep_book import Book, Task

LOOK_SECONDS = 0.5
"""So often the leading process looks around when nobody tells it anything."""
STILLBORN = 3
"""So many workers that end before they can do anything say that none ever will."""
READY = "ready"


def sweep_here(book: Book, images: Path, *, workers: int, threads: int, device: str | None) -> None:
    """Do what is open in the book; `images` is their file. Processes end with this call, however it ends.

    Raises ModelError where workers cannot even begin.
    """
    staff = Staff(book, images, threads, device)
    try:
        while book.open:
            staff.occupy(min(workers, book.open))
            staff.listen()
    finally:
        staff.dismiss()


@dataclass
class Worker:
    """A process, our end of its pipe, whether it has begun to listen, and the run that it does."""

    process: multiprocessing.process.BaseProcess
    pipe: Connection
    ready: bool = False
    task: Task | None = None


class Staff:
    """The workers of a sweep."""

    def __init__(self, book: Book, images: Path, threads: int, device: str | None) -> None:
        self.book, self.images, self.threads, self.device = book, images, threads, device
        self.workers: list[Worker] = []
        self.stillborn = 0

    def occupy(self, most: int) -> None:
        """See to it that so many workers are there, and that those who listen have something to do."""
        while len(self.workers) < most:
            self._engage()
        for worker in self.workers:
            if worker.ready and worker.task is None and (task := self.book.next()) is not None:
                worker.task = task
                with suppress(OSError):  # it has just died, as `listen` will hear
                    worker.pipe.send((task.digest, task.run))

    def listen(self) -> None:
        """Wait until somebody says something, or dies, and write it down."""
        for pipe in wait([worker.pipe for worker in self.workers], LOOK_SECONDS):
            worker = next(worker for worker in self.workers if worker.pipe is pipe)
            try:
                self._told(worker, worker.pipe.recv())
            except (EOFError, OSError):
                self._died(worker)

    def dismiss(self) -> None:
        """End all workers at once: every file of theirs is whole, and a run goes on after its last checkpoint."""
        for worker in self.workers:
            worker.process.kill()
        for worker in [*self.workers]:
            self._leave(worker)

    def _told(self, worker: Worker, said: int | str | Outcome | None) -> None:
        if said == READY:
            worker.ready, self.stillborn = True, 0
            return
        task = worker.task
        assert task is not None
        if isinstance(said, int):
            self.book.tell(task.digest, said)
            return
        worker.task = None
        if isinstance(said, Outcome):
            if said.again:  # whatever broke may have left its process without memory, or worse
                self._leave(worker)
            self.book.end(task, said)
        else:
            self.book.busy(task)

    def _died(self, worker: Worker) -> None:
        worker.process.join(5)
        self._leave(worker)
        how = _how(worker.process.exitcode)
        if worker.task is not None:
            self.book.died(worker.task, how)
        elif not worker.ready:
            self.stillborn += 1
            if self.stillborn == STILLBORN:
                raise ModelError(
                    f"no worker process can begin, the last {how}; see what they printed, and where a script of your "
                    'own calls this, put the call under `if __name__ == "__main__":`'
                )

    def _leave(self, worker: Worker) -> None:
        self.workers.remove(worker)
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()

    def _engage(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        given = (theirs, self.images, self.book.images_digest, self.book.folder, self.threads, self.device)
        process = spawn.Process(target=_work, args=given, daemon=True)
        with undisturbed():
            process.start()
        theirs.close()
        self.workers.append(Worker(process, ours))


def _work(
    pipe: Connection, images_file: Path, images_digest: str, folder: Path, threads: int, device: str | None
) -> None:
    """A worker's life: takes runs, says how many epochs are done, then what came of it; None where others do it."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    images = np.load(images_file, mmap_mode="r")
    import torch._dynamo  # noqa: F401  # the first optimizer would import it, and it is most of what is frozen here

    gc.freeze()  # what is imported stays: to look through it after each run would take longer than a small run
    pipe.send(READY)
    while True:
        digest, run = pipe.recv()
        try:
            outcome = do_run(
                images,
                run,
                RunFolder(folder / digest),
                digest,
                images_digest,
                where={"engine": "local"},
                threads=threads,
                device=device,
                tell=pipe.send,
            )
        except BusyError:
            pipe.send(None)
        else:
            pipe.send(outcome)


def _how(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        number = -exitcode
        name = signal.Signals(number).name if number in list(signal.Signals) else f"signal {number}"
        memory = ", which often means that memory was short" if number == signal.SIGKILL else ""
        return f"was ended by {name}{memory}"
    return f"ended with exit code {exitcode}"
