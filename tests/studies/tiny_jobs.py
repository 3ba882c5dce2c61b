"""Jobs of the tiny live task."""

from __future__ import annotations

import tiny_live

from crowdloom.studies import jobs
from crowdloom.studies.database import Store
from crowdloom.studies.waiting import JobState, job_state


def put(store: Store, step: str = "count", *, submission: int | None = None, **values: float) -> str:
    """A job of the tiny task in the queue."""
    limit = tiny_live.TinyLive.live_steps[step].time_limit_s
    return jobs.enqueue(
        store, task="tiny-live", step=step, values={"to": 2} | values, time_limit_s=limit, submission_id=submission
    )


def state(store: Store, token: str, submission: int | None = None) -> JobState:
    """The state of a job that must be there."""
    found = job_state(store, token, submission)
    assert found is not None
    return found


def is_at(store: Store, token: str, fraction: float) -> bool:
    """Whether a job has come so far."""
    return state(store, token).progress >= fraction
