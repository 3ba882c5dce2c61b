"""One worker: it sees one job after the other to its end, while the step runs in a place of its own.

The worker itself only watches: it renews the lease, stores the progress, and enforces time limit, memory limit and
cancellation.
"""

from __future__ import annotations

import logging
import time
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from crowdloom.studies import jobs, platform_jobs
from crowdloom.studies.database import Store
from crowdloom.studies.errors import LiveStepError, StoreError
from crowdloom.studies.live import FAILED, order_of
from crowdloom.studies.step import News, Order
from crowdloom.studies.step_process import StepProcess

log = logging.getLogger(__name__)

TICK_S = 0.1
"""How often an idle worker looks for a job, and how fine a busy one measures time and memory."""

LOOK_S = 0.5
"""How often a busy worker asks whether its job was cancelled."""

IMPORT_LIMIT_S = 300.0
"""Time for a step's module to load, which the step's own limit leaves out."""

PROGRESS_S = 0.25
"""How often progress is stored at most."""

FAILED_FOR_RESEARCHERS = "the step failed; the reason is in the worker's log"


class Place(Protocol):
    """Where a step runs: a process of this machine (`StepProcess`), or one on a cluster (`StepActor`)."""

    def ready(self) -> bool:
        """Whether a step can begin; never waits."""

    def start(self, order: Order) -> None:
        """Begin a step. Raises OSError where that cannot be."""

    def news(self, timeout_s: float) -> News | None:
        """The next that is heard of the step; None if nothing is in that time."""

    def cancel(self) -> None:
        """Ask the step to end at its next `progress`."""

    def kill(self) -> None:
        """End the step now, whatever it does."""

    def close(self) -> None:
        """No step follows."""


class Worker:
    """One worker with the place where its steps run; `work` sees one job to its end.

    What the researcher's pages ask for runs in a process here in any case: the credentials of platforms are here.
    """

    def __init__(self, store: Store, name: str, place: Place, lease_s: float, deaf_s: float, grace_s: float) -> None:
        self.store, self.name, self.place = store, name, place
        self.lease_s, self.deaf_s, self.grace_s = lease_s, deaf_s, grace_s
        self.stopping = False
        self._here: Place = place if isinstance(place, StepProcess) else StepProcess()

    def close(self) -> None:
        """End whatever runs."""
        self.place.close()
        self._here.close()

    def work(self, claim: jobs.Claim) -> bool:
        """Run a claimed job. True if it ended here; False if it was lost or went back into the queue."""
        log.info("%s takes %s %s %s, attempt %d", self.name, claim.task, claim.step, claim.token, claim.attempt)
        place = self._here if claim.task == platform_jobs.TASK else self.place
        try:
            place.start(order_of(self.store, claim))
            end = self._watch(claim, place)
        except LiveStepError as error:  # a worker of another version, which does not know the step
            end = News("refused", text=str(error))
        except OSError as error:  # the process died since the last job, or none can be started
            end = News("died", text=str(error))
        if end.kind in ("died", "overmemory", "overtime", "given back", "lost"):
            place.kill()
        log.info("%s: %s %s", self.name, claim.token, end.kind)
        if end.kind == "failed":
            log.error("%s %s failed\n%s", claim.task, claim.step, end.text)
        if end.kind == "refused" and end.detail:
            log.error("%s %s refused\n%s", claim.task, claim.step, end.detail)
        if end.kind == "overmemory":
            log.error("%s %s %s; %s", claim.task, claim.step, end.text, end.detail)
        return self._settle(claim, end)

    def _watch(self, claim: jobs.Claim, place: Place) -> News:
        """Follow the step until it ends or must be ended."""
        lease = _Lease(self.store, claim, self.lease_s)
        state = News("progress")
        started, limit_s = time.monotonic(), IMPORT_LIMIT_S
        cancelled: float | None = None
        stopped: float | None = None
        while True:
            news = place.news(TICK_S)
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
                place.cancel()
            if cancelled is not None and at - cancelled > self.deaf_s:
                place.kill()
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
            case "overmemory":
                return jobs.finish(self.store, claim, "failed", error=f"{claim.step} {end.text}")
            case "failed":
                error = FAILED_FOR_RESEARCHERS if claim.task == platform_jobs.TASK else FAILED
                return jobs.finish(self.store, claim, "failed", error=error)
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
