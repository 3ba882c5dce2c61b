"""The queue, on SQLite and on PostgreSQL."""

from __future__ import annotations

import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from crowdloom.studies import jobs
from crowdloom.studies.database import Store, new_token, now
from crowdloom.studies.errors import LiveStepError
from crowdloom.studies.tables import Job
from crowdloom.studies.waiting import JobState, job_state, latest_job

sys.path.insert(0, str(Path(__file__).parent))
from live_processes import new_submission


def put(
    store: Store, values: dict[str, object] | None = None, submission: int | None = None, step: str = "count"
) -> str:
    """A job in the queue."""
    return jobs.enqueue(
        store, task="tiny-live", step=step, values=values or {}, time_limit_s=5, submission_id=submission
    )


def take(store: Store, worker: str = "a", lease_s: float = 20) -> jobs.Claim:
    """A claim that must succeed."""
    claim = jobs.claim(store, worker, lease_s=lease_s)
    assert claim is not None
    return claim


def state(store: Store, token: str) -> JobState:
    """The state of a job that must be there."""
    found = job_state(store, token)
    assert found is not None
    return found


def test_jobs_are_taken_in_order(store: Store) -> None:
    """The oldest job comes first, and an empty queue gives nothing."""
    tokens = [put(store) for _ in range(3)]
    assert [take(store).token for _ in range(3)] == tokens
    assert jobs.claim(store, "a") is None


def test_no_job_is_taken_twice(store: Store) -> None:
    """Six workers that claim at the same time share thirty jobs without overlap."""
    tokens = {put(store) for _ in range(30)}

    def work(name: int) -> list[str]:
        mine = []
        while (claim := jobs.claim(store, f"worker {name}")) is not None:
            mine.append(claim.token)
            time.sleep(0.001)
        return mine

    with ThreadPoolExecutor(6) as pool:
        taken = Counter(token for mine in pool.map(work, range(6)) for token in mine)
    # A worker may find the queue's only free row locked by another and go home early, so ask once more.
    taken.update(work(6))
    assert taken == Counter(tokens)


def test_a_lost_lease_changes_nothing(store: Store) -> None:
    """A worker that was silent for too long cannot overwrite what its successor did."""
    token = put(store)
    first = take(store, "a", lease_s=-1)
    assert state(store, token).state == "queued"  # said of a job whose worker is gone
    second = take(store, "b")
    assert second.token == token
    assert second.attempt == 2
    assert jobs.beat(store, first, progress=0.9, message="late") == "lost"
    assert jobs.look(store, first) == "lost"
    assert not jobs.finish(store, first, "done", output={"by": "a"})
    assert not jobs.crashed(store, first, "late")
    assert not jobs.give_back(store, first)
    assert state(store, token).progress == 0
    assert jobs.finish(store, second, "done", output={"by": "b"})
    assert state(store, token).output == {"by": "b"}


def test_a_claim_holds_for_one_worker_and_one_attempt(store: Store) -> None:
    """An old claim proves nothing, whether the next attempt is the same worker's or another's first."""
    token = put(store)
    before = take(store, "a", lease_s=-1)
    mine = take(store, "a")
    assert not jobs.finish(store, before, "done", output={})
    assert jobs.give_back(store, mine)
    yours = take(store, "b")
    assert yours.attempt == mine.attempt
    assert not jobs.finish(store, mine, "done", output={})
    assert jobs.finish(store, yours, "done", output={"by": "b"})
    assert state(store, token).output == {"by": "b"}


def test_a_slow_heartbeat_keeps_a_job_that_nobody_took(store: Store) -> None:
    """A lease that ended unnoticed is renewed by the next heartbeat."""
    put(store)
    late = take(store, lease_s=-1)
    assert jobs.beat(store, late, progress=0.5, message="half") == "go on"
    assert jobs.claim(store, "b") is None


@pytest.mark.parametrize(
    ("how", "reason"),
    [("crash", "it brought down its process"), ("silence", "its worker stopped 3 times before the end")],
)
def test_three_attempts_are_enough(store: Store, how: str, reason: str) -> None:
    """A job whose workers die fails after the third attempt, with the reason."""
    token = put(store)
    for attempt in (1, 2, 3):
        claim = take(store, lease_s=-1 if how == "silence" else 20)
        assert claim.attempt == attempt
        if how == "crash":
            assert jobs.crashed(store, claim, reason)
    assert jobs.claim(store, "a") is None
    end = state(store, token)
    assert (end.state, end.error) == ("failed", reason)


def test_a_returned_job_has_not_been_tried(store: Store) -> None:
    """A worker that stops in order gives its job back without using up an attempt."""
    token = put(store)
    assert jobs.give_back(store, take(store))
    assert state(store, token).state == "queued"
    assert take(store, "b").attempt == 1


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
def test_finished_jobs_never_change(store: Store, end: str) -> None:
    """Nothing that a worker or a participant does later touches a finished job."""
    token = put(store)
    claim = take(store)
    jobs.finish(store, claim, end, output={"n": 1}, error=None if end == "done" else "why")  # type: ignore[arg-type]
    before = state(store, token)
    assert before.state == end
    jobs.cancel(store, token)
    assert not jobs.finish(store, claim, "done", output={"n": 2})
    assert not jobs.crashed(store, claim, "late")
    assert not jobs.give_back(store, claim)
    assert jobs.beat(store, claim, progress=0.1, message="") == "lost"
    assert state(store, token) == before


def test_cancelling(store: Store) -> None:
    """A waiting job ends at once, one whose worker is gone too, a running one when its worker hears of it."""
    waiting, abandoned, running = put(store), put(store), put(store)
    jobs.cancel(store, waiting)
    assert state(store, waiting).state == "cancelled"
    take(store, lease_s=-1)
    jobs.cancel(store, abandoned)
    assert state(store, abandoned).state == "cancelled"
    claim = take(store)
    assert claim.token == running
    jobs.cancel(store, running)
    assert state(store, running).state == "running"
    assert jobs.look(store, claim) == "cancel"
    assert jobs.beat(store, claim, progress=0.2, message="") == "cancel"
    assert jobs.crashed(store, claim, "died")
    assert state(store, running).state == "cancelled", "it is not tried again"
    assert jobs.claim(store, "b") is None


def test_another_submissions_job_cannot_be_cancelled(store: Store) -> None:
    """A job answers to the submission that asked for it and to no other."""
    _, mine = new_submission(store)
    _, yours = new_submission(store)
    token = put(store, submission=mine)
    jobs.cancel(store, token, yours)
    assert job_state(store, token, yours) is None
    found = job_state(store, token, mine)
    assert found is not None
    assert found.state == "queued"


def test_asking_twice_is_asking_once(store: Store) -> None:
    """A double click makes one job; other input is refused until it has ended; then a new one may come."""
    _, id_ = new_submission(store)
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: put(store, {"to": 3}, id_), range(8)))
    assert len(tokens) == 1
    with pytest.raises(LiveStepError, match="cancel that one") as refused:
        put(store, {"to": 4}, id_)
    assert refused.value.status == 409
    other_step = put(store, {"to": 4}, id_, step="deaf")
    _, somebody = new_submission(store)
    assert len({*tokens, other_step, put(store, {"to": 3}, somebody)}) == 3
    claim = take(store)
    assert claim.submission is not None
    assert put(store, {"to": 3}, id_) in tokens
    jobs.finish(store, claim, "done", output={})
    again = put(store, {"to": 3}, id_)
    assert again not in tokens
    last = latest_job(store, "tiny-live", "count", id_)
    assert last is not None
    assert last.job == again
    assert latest_job(store, "tiny-live", "fail", id_) is None


def test_the_queue_says_how_long_to_wait(store: Store) -> None:
    """The wait counts the jobs ahead, the median duration, and the workers at work."""
    for seconds in (8, 10, 30):
        began = now() - timedelta(hours=1)
        with store.write() as connection:
            connection.execute(
                insert(Job).values(
                    token=new_token(), task="tiny-live", step="count", state="done", input={}, time_limit_s=60,
                    created_at=began, started_at=began, finished_at=began + timedelta(seconds=seconds),
                )
            )  # fmt: skip
    tokens = [put(store) for _ in range(6)]
    assert (state(store, tokens[2]).ahead, state(store, tokens[2]).wait_s) == (2, None)  # nobody is at work
    for worker in ("a", "b"):
        take(store, worker)
    with store.write() as connection:
        connection.execute(update(Job).where(Job.worker == "a").values(started_at=now() - timedelta(seconds=6)))
    assert state(store, tokens[0]).ahead is None
    waits = [(state(store, token).ahead, state(store, token).wait_s) for token in tokens[2:]]
    # Medians are 10 s; worker a is free in 4 s and then every 10 s, worker b in 10 s and so on.
    assert [ahead for ahead, _ in waits] == [0, 1, 2, 3]
    assert [wait for _, wait in waits] == pytest.approx([4, 10, 14, 20], abs=1)
    new = put(store, step="never-finished-yet")
    behind = put(store)
    assert state(store, new).wait_s is not None  # what counts is what stands before it
    assert state(store, behind).wait_s is None
