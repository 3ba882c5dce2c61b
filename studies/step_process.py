"""The process in which a worker runs its steps: spawned once, kept between jobs, killed when it must be.

It is a process of its own so that a step that hangs, is deaf to its cancellation or brings down the
interpreter costs one process and not the worker; it is kept so that heavy modules load once.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event

from crowdloom.models.live import implementation
from crowdloom.studies.step import News, Order, plain, run

_SPAWN = multiprocessing.get_context("spawn")  # torch cannot be forked safely
_REPORT_EVERY_S = 0.1


class StepProcess:
    """The worker's side: one step at a time."""

    def __init__(self) -> None:
        self._process: BaseProcess | None = None
        self._pipe: Connection
        self._cancel: Event

    def start(self, order: Order) -> None:
        """Begin a step, in a new process if none is alive."""
        if self._process is None or not self._process.is_alive():
            self.kill()
            self._pipe, theirs = _SPAWN.Pipe()
            self._cancel = _SPAWN.Event()
            self._process = _SPAWN.Process(target=_serve, args=(theirs, self._cancel), name="crowdloom-step")
            self._process.start()
            theirs.close()
        self._cancel.clear()
        self._pipe.send(order)

    def news(self, timeout_s: float) -> News | None:
        """The next that is heard of the step; None if nothing is in that time."""
        if self._process is None:
            return News("died", text="the process was killed")
        if not wait([self._pipe], timeout_s):
            return None
        try:
            heard: News = self._pipe.recv()
        except (EOFError, OSError):  # their end of the pipe closes with their process
            self._process.join()
            return News("died", text=f"exit code {self._process.exitcode}")
        return heard

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


def _serve(pipe: Connection, cancel: Event) -> None:
    """The process's side: run orders until the worker is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both processes; the worker decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
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


def _end_with_parent() -> None:
    """A step whose worker was killed must not go on: another worker has its job soon."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "this runs in a spawned process"
    wait([parent.sentinel])
    os._exit(1)
