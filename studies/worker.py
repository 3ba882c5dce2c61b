"""`crowdloom worker`: takes jobs from the queue and sees them to their end, each session one at a time.

Any number of workers, on any number of machines that reach the database and share the scratch folder, work on one
queue. Steps run in processes of their own, on this machine or as actors on a Ray cluster.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Literal

from crowdloom.studies import jobs
from crowdloom.studies.database import open_store
from crowdloom.studies.errors import OptionError, StoreError
from crowdloom.studies.live import check_steps
from crowdloom.studies.one_worker import TICK_S, Place, Worker
from crowdloom.studies.platform_jobs import STORE_VARIABLE
from crowdloom.studies.scratch import tidy_scratch
from crowdloom.studies.step_process import StepProcess

log = logging.getLogger(__name__)

Engine = Literal["processes", "ray"]

TIDY_S = 600.0
"""How often a worker looks for scratch folders that are done with."""

HANDED_ON = ("CROWDLOOM_SCENARIOS",)
"""What steps on other nodes find in their environment as it is here."""

WAIT_S = 10.0
"""A session that waits so long for a processor of the cluster says so, once."""


def run_worker(
    url: str | None = None,
    *,
    name: str | None = None,
    once: bool = False,
    sessions: int = 1,
    engine: Engine = "processes",
    address: str | None = None,
    lease_s: float = jobs.LEASE_S,
    deaf_s: float = 5.0,
    grace_s: float = 3.0,
) -> int:
    """Work on the queue of a store until SIGTERM or SIGINT; returns how many jobs came to an end here.

    So many `sessions` work side by side, each on one job. With the engine `ray`, their steps run as actors with one
    processor each, on the cluster at `address` (see `models.ray_cluster.connected`); a session that has no processor
    there takes no job. With `once`, return as soon as the queue is empty. A step that goes on for `deaf_s` seconds
    after its cancellation is killed. On SIGTERM the current steps have `grace_s` seconds to end, then their jobs are
    given back. A worker that dies loses its jobs to others after `lease_s` seconds.
    Raises StoreError where the store cannot be opened; later troubles of the store are waited out.
    Raises LiveStepError where a step of a task has no implementation, OptionError where there is no such cluster.
    """
    check_steps()
    store = open_store(url)
    name = name or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    os.environ[STORE_VARIABLE] = store.url  # for the step process, whose order stands in the job table and must not
    try:
        with _places(engine, address, sessions) as new_place:
            names = [name] if sessions == 1 else [f"{name}-{number}" for number in range(1, sessions + 1)]
            workers = [Worker(store, one, new_place(), lease_s, deaf_s, grace_s) for one in names]
            with _stop_on_signals(workers), ThreadPoolExecutor(sessions, thread_name_prefix="session") as threads:
                return sum(threads.map(lambda worker: _work_off(worker, workers, once), workers))
    finally:
        os.environ.pop(STORE_VARIABLE, None)
        store.close()


def _work_off(worker: Worker, all_workers: Sequence[Worker], once: bool) -> int:
    """What one session does; where it fails, the others end too."""
    ended, began, waited = 0, time.monotonic(), False
    tidy_at = began
    try:
        while not worker.stopping:
            if not worker.place.ready():
                if not waited and time.monotonic() - began > WAIT_S:
                    log.warning("%s waits for a free processor of the Ray cluster", worker.name)
                    waited = True
                time.sleep(TICK_S)
                continue
            try:
                if worker is all_workers[0] and time.monotonic() >= tidy_at:
                    tidy_scratch(worker.store)
                    tidy_at = time.monotonic() + TIDY_S
                claim = jobs.claim(worker.store, worker.name, lease_s=worker.lease_s)
            except StoreError as error:
                log.warning("%s", error)
                time.sleep(2.0)
                continue
            if claim is not None:
                ended += worker.work(claim)
            elif once:
                break
            else:
                time.sleep(TICK_S)
    except BaseException:
        _stop(all_workers)
        raise
    finally:
        worker.close()
    return ended


@contextmanager
def _places(engine: Engine, address: str | None, sessions: int) -> Iterator[Callable[[], Place]]:
    """What makes the place where a session's steps run."""
    if engine == "processes":
        yield StepProcess
        return
    from crowdloom.models.errors import ArgumentError
    from crowdloom.models.ray_cluster import connected
    from crowdloom.studies.step_actor import StepActor

    with ExitStack() as stack:
        try:
            ray = stack.enter_context(connected(sessions, address))
        except ArgumentError as error:
            raise OptionError(str(error)) from error
        handed_on = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
        yield lambda: StepActor(ray, handed_on)


def _stop(workers: Sequence[Worker]) -> None:
    for worker in workers:
        worker.stopping = True


@contextmanager
def _stop_on_signals(workers: Sequence[Worker]) -> Iterator[None]:
    """SIGTERM and SIGINT ask for an orderly end, where signals can be had (in a process's main thread)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(_number: int, _frame: FrameType | None) -> None:
        _stop(workers)

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
