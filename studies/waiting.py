"""What a participant may know of a job: its state, its progress, and how long the queue is."""

from __future__ import annotations

import heapq
from dataclasses import asdict, dataclass
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select

from crowdloom.studies.database import Store, now
from crowdloom.studies.jobs import UNFINISHED
from crowdloom.studies.tables import Job

_RECENT = 50  # finished jobs whose durations the estimate is made from


@dataclass(frozen=True)
class JobState:
    """A job as its page sees it.

    `ahead` is the number of jobs that wait before it and `wait_s` the estimated seconds until it starts;
    both are None unless it is queued, `wait_s` also where nothing can be said (no worker is at work, or
    no job of a step that is before it has ever finished).
    """

    job: str
    step: str
    state: str
    progress: float
    message: str | None
    output: dict[str, Any] | None
    error: str | None
    cancel_asked: bool
    ahead: int | None = None
    wait_s: float | None = None

    @property
    def finished(self) -> bool:
        """Whether this state is the last one."""
        return self.state not in UNFINISHED

    def as_dict(self) -> dict[str, Any]:
        """The state as a JSON object."""
        return asdict(self)


def job_state(store: Store, token: str, submission_id: int | None = None) -> JobState | None:
    """The state of a job of this submission; None where it has no such job."""
    with store.read() as connection:
        found = select(*Job.__table__.c).where(Job.token == token, Job.submission_id == submission_id)
        return _state(connection, connection.execute(found).first())


def latest_job(store: Store, task: str, step: str, submission_id: int, trial: str | None = None) -> JobState | None:
    """The state of the last job of a step that this submission asked for, in a trial if one is named.

    None where it never did.
    """
    of_trial = [Job.trial == trial] if trial is not None else []
    with store.read() as connection:
        found = (
            select(*Job.__table__.c)
            .where(Job.submission_id == submission_id, Job.task == task, Job.step == step, *of_trial)
            .order_by(Job.id.desc())
            .limit(1)
        )
        return _state(connection, connection.execute(found).first())


def _state(connection: Connection, job: Row[Any] | None) -> JobState | None:
    if job is None:
        return None
    state, moment = job.state, now()
    if state == "running" and job.lease_until < moment:
        state = "queued"  # its worker is gone; the next one that is free takes it
    ahead = wait_s = None
    if state == "queued":
        ahead, wait_s = _queue(connection, job.id, moment)
    return JobState(
        job=job.token,
        step=job.step,
        state=state,
        progress=job.progress,
        message=job.message,
        output=job.output,
        error=job.error,
        cancel_asked=bool(job.cancel_asked),
        ahead=ahead,
        wait_s=wait_s,
    )


def _queue(connection: Connection, id_: int, moment: datetime) -> tuple[int, float | None]:
    """How many jobs wait before this one, and for how many seconds it will wait.

    Whoever holds a lease is a worker that is alive, and where somebody waits no worker is idle: the
    leases are all the workers there are. Each queued job goes to the worker that is free first, and
    takes as long as the median of its step.
    """
    waiting = and_(or_(Job.state == "queued", Job.lease_until < moment), Job.id < id_)
    at_work = and_(Job.state == "running", Job.lease_until >= moment)
    columns = (Job.task, Job.step, Job.started_at)
    queued = connection.execute(select(*columns).where(Job.state.in_(UNFINISHED), waiting).order_by(Job.id)).all()
    running = connection.execute(select(*columns).where(at_work)).all()
    usual = {name: _usual_s(connection, *name) for name in {(job.task, job.step) for job in (*queued, *running)}}
    free_in: list[float] = []
    for job in running:
        whole = usual[job.task, job.step]
        if whole is None:
            return len(queued), None
        free_in.append(max(whole - (moment - job.started_at).total_seconds(), 0.0))
    heapq.heapify(free_in)
    for job in queued:
        whole = usual[job.task, job.step]
        if whole is None or not free_in:
            return len(queued), None
        heapq.heapreplace(free_in, free_in[0] + whole)
    return len(queued), float(round(free_in[0])) if free_in else None


def _usual_s(connection: Connection, task: str, step: str) -> float | None:
    """The median seconds that the last jobs of a step took."""
    last = (
        select(Job.started_at, Job.finished_at)
        .where(Job.state == "done", Job.task == task, Job.step == step)
        .order_by(Job.id.desc())
        .limit(_RECENT)
    )
    durations = [(row.finished_at - row.started_at).total_seconds() for row in connection.execute(last)]
    return median(durations) if durations else None
