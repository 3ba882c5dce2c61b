"""`crowdloom worker`: takes jobs from the queue, one at a time, and sees them to their end.

The worker itself only watches: it renews the lease, stores the progress, and enforces time limit and
cancellation, while the step runs in a process of its own (`step_process`). Any number of workers, on
any number of machines that reach the database and share the scratch folder, work on one queue.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from sqlalchemy.exc import SQLAlchemyError

from crowdloom.studies import jobs
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.errors import LiveStepError, StoreError
from crowdloom.studies.live import check_steps, order_of
from crowdloom.studies.platform_jobs import STORE_VARIABLE
from crowdloom.studies.scratch import tidy_scratch
from crowdloom.studies.step import News
from crowdloom.studies.step_process import StepProcess

log = logging.getLogger(__name__)

TICK_S = 0.1
"""How often an idle worker looks for a job, and how fine a busy one measures time."""

LOOK_S = 0.5
"""How often a busy worker asks whether its job was cancelled."""

IMPORT_LIMIT_S = 300.0
"""Time for a step's module to load, which the step's own limit leaves out."""

PROGRESS_S = 0.25
"""How often progress is stored at most."""

TIDY_S = 600.0
"""How often a worker looks for scratch folders that are done with."""

FAILED = "the step failed; the researcher finds the reason in the worker's log"


def run_worker(
    url: str | None = None,
    *,
    name: str | None = None,
    once: bool = False,
    lease_s: float = jobs.LEASE_S,
    deaf_s: float = 5.0,
    grace_s: float = 3.0,
) -> int:
    """Work on the queue of a store until SIGTERM or SIGINT; returns how many jobs came to an end here.

    With `once`, return as soon as the queue is empty. A step that goes on for `deaf_s` seconds after
    its cancellation is killed. On SIGTERM the current step has `grace_s` seconds to end, then its job
    is given back. A worker that dies loses its job to another after `lease_s` seconds.
    Raises StoreError where the store cannot be opened; later troubles of the store are waited out.
    Raises LiveStepError where a step of a task has no implementation.
    """
    check_steps()
    store = open_store(url)
    os.environ[STORE_VARIABLE] = store.url  # for the step process, whose order stands in the job table and must not
    worker = Worker(
        store, name or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}", lease_s, deaf_s, grace_s
    )
    ended = 0
    tidy_at = time.monotonic()
    try:
        with _stop_on_signals(worker):
            while not worker.stopping:
                try:
                    if time.monotonic() >= tidy_at:
                        tidy_scratch(store)
                        tidy_at = time.monotonic() + TIDY_S
                    claim = jobs.claim(store, worker.name, lease_s=lease_s)
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
    finally:
        worker.process.kill()
        os.environ.pop(STORE_VARIABLE, None)
        store.close()
    return ended


class Worker:
    """One worker with its process; `work` sees one job to its end."""

    def __init__(self, store: Store, name: str, lease_s: float, deaf_s: float, grace_s: float) -> None:
        self.store, self.name = store, name
        self.lease_s, self.deaf_s, self.grace_s = lease_s, deaf_s, grace_s
        self.process = StepProcess()
        self.stopping = False

    def work(self, claim: jobs.Claim) -> bool:
        """Run a claimed job. True if it ended here; False if it was lost or went back into the queue."""
        log.info("%s takes %s %s %s, attempt %d", self.name, claim.task, claim.step, claim.token, claim.attempt)
        try:
            self.process.start(order_of(self.store, claim))
            end = self._watch(claim)
        except LiveStepError as error:  # a worker of another version, which does not know the step
            end = News("refused", text=str(error))
        except OSError as error:  # the process died since the last job, or none can be started
            end = News("died", text=str(error))
        if end.kind in ("died", "overtime", "given back", "lost"):
            self.process.kill()
        log.info("%s: %s %s", self.name, claim.token, end.kind)
        if end.kind == "failed":
            log.error("%s %s failed\n%s", claim.task, claim.step, end.text)
        return self._settle(claim, end)

    def _watch(self, claim: jobs.Claim) -> News:
        """Follow the step until it ends or must be ended."""
        lease = _Lease(self.store, claim, self.lease_s)
        state = News("progress")
        started, limit_s = time.monotonic(), IMPORT_LIMIT_S
        cancelled: float | None = None
        stopped: float | None = None
        while True:
            news = self.process.news(TICK_S)
            at = time.monotonic()
            if news is not None and news.kind == "started":
                started, limit_s = at, claim.time_limit_s
            elif news is not None and news.kind == "progress":
                state = news
            elif news is not None:
                return news
            if at - started > limit_s:
                return News("overtime", text=f"{claim.step} took longer than its limit of {limit_s:g} s")
            if self.stopping:
                stopped = stopped or at
                if at - stopped > self.grace_s:
                    return News("given back")
            verdict = lease.ask(state)
            if verdict == "lost":
                return News("lost")
            if verdict == "cancel" and cancelled is None:
                cancelled = at
                self.process.cancel()
            if cancelled is not None and at - cancelled > self.deaf_s:
                self.process.kill()
                return News("cancelled")

    def _settle(self, claim: jobs.Claim, end: News) -> bool:
        """Store how a job ended, waiting out troubles of the store for the length of a lease."""
        deadline = time.monotonic() + self.lease_s
        while True:
            try:
                return self._record(claim, end)
            except StoreError as error:
                log.warning("%s", error)
                if time.monotonic() > deadline:
                    return False  # the lease is over: the job is another worker's
                time.sleep(1.0)
            except SQLAlchemyError:  # an output that this database cannot hold must not stop the worker
                log.exception("%s %s has an output that cannot be stored", claim.task, claim.step)
                end = News("failed")

    def _record(self, claim: jobs.Claim, end: News) -> bool:
        match end.kind:
            case "done":
                return jobs.finish(self.store, claim, "done", output=end.output)
            case "cancelled":
                return jobs.finish(self.store, claim, "cancelled")
            case "refused" | "overtime":
                return jobs.finish(self.store, claim, "failed", error=end.text)
            case "failed":
                return jobs.finish(self.store, claim, "failed", error=FAILED)
            case "died":
                error = f"{claim.step} brought down its process {jobs.MAX_ATTEMPTS} times ({end.text})"
                jobs.crashed(self.store, claim, error)
            case "given back":
                jobs.give_back(self.store, claim)
        return False


class _Lease:
    """A job's lease, renewed in good time; progress goes with it."""

    def __init__(self, store: Store, claim: jobs.Claim, lease_s: float) -> None:
        self._store, self._claim, self._lease_s = store, claim, lease_s
        self._renewed = self._looked = time.monotonic()
        self._told: News | None = None

    def ask(self, state: News) -> jobs.Verdict:
        """Store what is new, and say whether to go on; asks the database only as often as needed."""
        at = time.monotonic()
        since = at - self._renewed
        try:
            if since > self._lease_s / 3 or (state is not self._told and since > PROGRESS_S):
                verdict = jobs.beat(
                    self._store, self._claim, progress=state.fraction, message=state.text, lease_s=self._lease_s
                )
                self._renewed, self._told = at, state
            elif at - self._looked > LOOK_S:
                verdict = jobs.look(self._store, self._claim)
            else:
                return "go on"
        except StoreError as error:
            log.warning("%s", error)
            return "lost" if since > self._lease_s else "go on"
        self._looked = at
        return verdict


@contextmanager
def _stop_on_signals(worker: Worker) -> Iterator[None]:
    """SIGTERM and SIGINT ask for an orderly end, where signals can be had (in a process's main thread)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(_number: int, _frame: FrameType | None) -> None:
        worker.stopping = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
