"""The process in which a worker runs its steps: spawned once, kept between jobs, killed when it must be.

It is a process of its own so that a step that hangs, is deaf to its cancellation or brings down the
interpreter costs one process and not the worker; it is kept so that heavy modules load once. It may take as much
memory as its step declares (`LiveStep.memory_mib`): what counts is what it has in memory itself, its resident set.
"""

from __future__ import annotations

import multiprocessing
import sys
import threading
import time
import traceback
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event

import psutil

from crowdloom.models.child_process import end_with_parent, undisturbed
from crowdloom.models.live import implementation
from crowdloom.studies.step import News, Order, plain, run

_SPAWN = multiprocessing.get_context("spawn")  # torch cannot be forked safely
_REPORT_EVERY_S = 0.1
_MIB = 2**20


class StepProcess:
    """The worker's side: one step at a time."""

    def __init__(self) -> None:
        self._process: BaseProcess | None = None
        self._pipe: Connection
        self._cancel: Event
        self._limit_mib: int | None = None

    def ready(self) -> bool:
        """Whether a step can begin: a process is always to be had."""
        return True

    def start(self, order: Order) -> None:
        """Begin a step, in a new process if none is alive or the last steps left half of the memory in use."""
        self._limit_mib = order.step.memory_mib
        full = self._limit_mib is not None and self.memory_mib() > self._limit_mib / 2
        if self._process is None or not self._process.is_alive() or full:
            self.kill()
            self._pipe, theirs = _SPAWN.Pipe()
            self._cancel = _SPAWN.Event()
            self._process = _SPAWN.Process(target=_serve, args=(theirs, self._cancel), name="crowdloom-step")
            with undisturbed():
                self._process.start()
            theirs.close()
        self._cancel.clear()
        self._pipe.send(order)

    def news(self, timeout_s: float) -> News | None:
        """The next that is heard of the step; None if nothing is in that time."""
        if self._process is None:
            return News("died", text="the process was killed")
        if not wait([self._pipe], timeout_s):
            return self._overmemory()
        try:
            heard: News = self._pipe.recv()
        except (EOFError, OSError):  # their end of the pipe closes with their process
            self._process.join()
            return News("died", text=f"exit code {self._process.exitcode}")
        return (self._overmemory() or heard) if heard.kind == "progress" else heard

    def memory_mib(self) -> float:
        """How much the process has in memory; 0 where there is none."""
        if self._process is None or self._process.pid is None:
            return 0.0
        try:
            return float(psutil.Process(self._process.pid).memory_info().rss / _MIB)
        except psutil.Error:  # it is dead, which its pipe says
            return 0.0

    def _overmemory(self) -> News | None:
        if self._limit_mib is None or (taken := self.memory_mib()) <= self._limit_mib:
            return None
        return News(
            "overmemory",
            text=f"took more memory than its limit of {self._limit_mib:,} MiB",
            detail=f"its process had {taken:,.0f} MiB in memory",
        )

    def cancel(self) -> None:
        """Ask the step to end at its next `progress`."""
        self._cancel.set()

    def kill(self) -> None:
        """End the process now, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
            self._pipe.close()
            self._process = None

    def close(self) -> None:
        """No step follows."""
        self.kill()


def _serve(pipe: Connection, cancel: Event) -> None:
    """The process's side: run orders until the worker is gone."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    reported = 0.0

    def report(fraction: float, message: str) -> None:
        nonlocal reported
        if time.monotonic() - reported >= _REPORT_EVERY_S:
            reported = time.monotonic()
            pipe.send(News("progress", fraction, plain(message)))

    while True:
        try:
            order: Order = pipe.recv()
            implementation(order.target)  # loading the module is not the step's own time
        except EOFError:
            return
        except Exception:  # noqa: BLE001 - a module that cannot be imported fails its jobs, not the process
            pipe.send(News("failed", text=traceback.format_exc()))
            continue
        pipe.send(News("started"))
        reported = 0.0
        pipe.send(run(order, report, cancel.is_set))
        sys.stdout.flush()
