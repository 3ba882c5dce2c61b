"""Real worker processes: `crowdloom worker` alive, killed, stopped, and given bad steps."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from crowdloom.studies import jobs, platform_jobs
from crowdloom.studies.database import Store
from crowdloom.studies.live import FAILED
from crowdloom.studies.one_worker import Worker
from crowdloom.studies.step import Order
from crowdloom.studies.step_process import StepProcess
from crowdloom.studies.tables import Job

sys.path.insert(0, str(Path(__file__).parent))
import tiny_live
from live_processes import eventually, new_submission, worker
from tiny_jobs import is_at, put, state

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def tiny_task() -> Iterator[None]:
    """The tiny task, known in this process too."""
    tiny_live.register()
    yield
    tiny_live.unregister()


def test_a_worker_works_off_the_queue(store: Store, tmp_path: Path) -> None:
    """With `once` a worker does every job, in one process that stays, knows who asked, and then ends."""
    _, asker = new_submission(store)
    first, second = put(store, submission=asker, to=3), put(store, to=4)
    with worker(store, tmp_path, once=True) as process:
        assert process.wait(60) == 0
    outputs = [state(store, first, asker).output, state(store, second).output]
    assert [output and output["to"] for output in outputs] == [3, 4]
    assert outputs[0] is not None
    assert outputs[1] is not None
    assert outputs[0]["pid"] == outputs[1]["pid"]
    assert outputs[0]["pid"] != process.pid
    assert outputs[0]["submission"]
    assert outputs[1]["submission"] is None


def test_bad_steps_cost_only_themselves(sqlite_store: Store, tmp_path: Path) -> None:
    """What a step does wrong is said without its secrets, and the worker goes on to the next job."""
    store = sqlite_store
    steps = ("refuse", "fail", "diverge", "die", "deaf")
    tokens = {step: put(store, step) for step in steps}
    unknown = jobs.enqueue(store, task="tiny-live", step="gone", values={}, time_limit_s=1)
    good = put(store)
    log = tmp_path / "log"
    with worker(store, tmp_path, once=True, log=log) as process:
        assert process.wait(90) == 0
    ends = {step: state(store, token) for step, token in tokens.items()}
    assert {end.state for end in ends.values()} == {"failed"}
    assert ends["refuse"].error == "There are no such classes in this study."
    assert ends["fail"].error == ends["diverge"].error == FAILED
    assert "our fault" in FAILED
    said = log.read_text()
    assert "KeyError: 'a secret of the worker'" in said
    assert "OSError: the classes' file is gone" in said
    assert ends["die"].error == "die brought down its process 3 times (exit code -9)"
    assert ends["deaf"].error == "deaf took longer than its limit of 0.5 s"
    assert "no live step" in str(state(store, unknown).error) or "nothing here implements" in str(
        state(store, unknown).error
    )
    assert state(store, good).state == "done"


def test_what_fails_for_a_researcher_is_said_to_a_researcher(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their pages' jobs end with the sentence that says where the reason is."""
    monkeypatch.setattr(platform_jobs, "TARGET", "tiny_live:fail")
    token = platform_jobs.ask(sqlite_store, platform_jobs.Pause(study="s"), "once")
    claim = jobs.claim(sqlite_store, "w", lease_s=30)
    assert claim is not None
    one = Worker(sqlite_store, "w", StepProcess(), lease_s=30, deaf_s=1, grace_s=1)
    try:
        assert one.work(claim)
    finally:
        one.close()
    with sqlite_store.read() as connection:
        error = connection.execute(select(Job.error).where(Job.token == token)).scalar()
    assert error == "the step failed; the reason is in the worker's log"


def test_a_step_that_takes_too_much_memory_is_ended(sqlite_store: Store, tmp_path: Path) -> None:
    """It is killed and not tried again, the participant reads the limit, the log has the number, and others go on."""
    store = sqlite_store
    modest, greedy, good = put(store, "hoard", to=3), put(store, "hoard", to=900, seconds_each=0.02), put(store)
    log = tmp_path / "log"
    with worker(store, tmp_path, once=True, log=log) as process:
        assert process.wait(90) == 0
    assert state(store, modest).state == state(store, good).state == "done"
    end = state(store, greedy)
    assert (end.state, end.error) == ("failed", "hoard took more memory than its limit of 400 MiB")
    said = re.search(r"hoard took more memory than its limit of 400 MiB; its process had (\d+) MiB", log.read_text())
    assert said is not None
    assert 400 < int(said[1]) < 700
    with store.read() as connection:
        assert connection.execute(select(Job.attempts).where(Job.token == greedy)).scalar() == 1


def test_a_process_that_is_half_full_is_replaced(sqlite_store: Store, tmp_path: Path) -> None:
    """What earlier steps left in memory is no fault of the next one, and a process with room is kept."""
    place = StepProcess()
    step = tiny_live.TinyLive.live_steps["hoard"]
    pids = []
    try:
        for share in (0.1, 0.3, 0.7):
            memory_mib = round(place.memory_mib() / share) or 1000
            place.start(Order("tiny_live:hoard", replace(step, memory_mib=memory_mib), {"to": 1}, tmp_path))
            end = eventually(lambda: (heard := place.news(1)) and heard.kind == "done" and heard)
            pids.append(end.output["pid"])
    finally:
        place.close()
    assert pids[0] == pids[1] != pids[2]


def test_sessions_work_side_by_side(store: Store, tmp_path: Path) -> None:
    """Two sessions of one worker have two jobs at once, in two processes, and end together."""
    first, second = put(store, to=6, seconds_each=0.2), put(store, to=6, seconds_each=0.2)
    with worker(store, tmp_path, name="both", once=True, sessions=2) as process:
        eventually(lambda: is_at(store, first, 0.1) and is_at(store, second, 0.1))
        assert {state(store, token).state for token in (first, second)} == {"running"}
        assert process.wait(60) == 0
    with store.read() as connection:
        ended = connection.execute(select(Job.worker, Job.output)).all()
    assert {row.worker for row in ended} == {"both-1", "both-2"}
    assert len({row.output["pid"] for row in ended}) == 2


def test_stopped_sessions_give_their_jobs_back(sqlite_store: Store, tmp_path: Path) -> None:
    """On SIGTERM all of them end."""
    tokens = [put(sqlite_store, to=1000, seconds_each=0.05) for _ in range(2)]
    with worker(sqlite_store, tmp_path, grace_s=0.3, sessions=2) as process:
        eventually(lambda: all(is_at(sqlite_store, token, 0.001) for token in tokens))
        process.terminate()
        assert process.wait(20) == 0  # of fifty seconds that are left
    assert {state(sqlite_store, token).state for token in tokens} == {"queued"}


def test_a_killed_workers_job_is_finished_by_another(store: Store, tmp_path: Path) -> None:
    """After SIGKILL the step's process ends too, and another worker goes on from the checkpoint."""
    _, asker = new_submission(store)
    token = put(store, submission=asker, to=8, seconds_each=0.1)
    with worker(store, tmp_path, name="first", lease_s=1) as first:
        eventually(lambda: state(store, token, asker).progress >= 0.2)
        children = psutil.Process(first.pid).children(recursive=True)
        assert children
        first.kill()
        first.wait()
        _, alive = psutil.wait_procs(children, timeout=20)
        assert not alive, "the step must not go on without its worker"
    eventually(lambda: state(store, token, asker).state == "queued")
    with worker(store, tmp_path, name="second", once=True) as second:
        second.wait(60)
    with store.read() as connection:
        job = connection.execute(select(Job.state, Job.attempts, Job.worker, Job.output)).one()
    assert (job.state, job.attempts, job.worker) == ("done", 2, "second")
    assert job.output["resumed_at"] >= 2


def test_a_silent_step_ends_with_its_worker(sqlite_store: Store, tmp_path: Path) -> None:
    """A step that says nothing for a minute does not outlive a worker that was killed."""
    token = put(sqlite_store, seconds_each=60)
    with worker(sqlite_store, tmp_path) as process:
        eventually(lambda: state(sqlite_store, token).message)
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        assert not psutil.wait_procs(children, timeout=20)[1]


def test_cancelling_a_running_step(sqlite_store: Store, tmp_path: Path) -> None:
    """A step hears of its cancellation at its next progress; a deaf one is killed; the worker goes on."""
    store = sqlite_store
    heard, unheard, good = (
        put(store, to=1000, seconds_each=0.02),
        put(store, "count", to=2, seconds_each=60),
        put(store),
    )
    with worker(store, tmp_path, once=True, deaf_s=0.3) as process:
        for token in (heard, unheard):
            eventually(lambda token=token: state(store, token).state == "running")
            time.sleep(0.3)
            jobs.cancel(store, token)
        assert process.wait(60) == 0
    assert [state(store, token).state for token in (heard, unheard, good)] == ["cancelled", "cancelled", "done"]


def test_a_step_does_not_hear_ctrl_c(sqlite_store: Store, tmp_path: Path) -> None:
    """It goes to all processes of the terminal, and is the worker's to answer."""
    token = put(sqlite_store, to=20, seconds_each=0.05)
    with worker(sqlite_store, tmp_path, once=True) as process:
        eventually(lambda: is_at(sqlite_store, token, 0.1))
        for child in psutil.Process(process.pid).children(recursive=True):
            child.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    with sqlite_store.read() as connection:
        assert connection.execute(select(Job.state, Job.attempts)).one() == ("done", 1)


def test_a_stopped_worker_gives_its_job_back(sqlite_store: Store, tmp_path: Path) -> None:
    """On SIGTERM a worker ends quickly and in order, and its job waits for the next as if never tried."""
    token = put(sqlite_store, to=1000, seconds_each=0.05)
    with worker(sqlite_store, tmp_path, grace_s=0.3) as process:
        eventually(lambda: is_at(sqlite_store, token, 0.001))
        process.terminate()
        assert process.wait(20) == 0  # of fifty seconds that are left
    assert state(sqlite_store, token).state == "queued"
    again = jobs.claim(sqlite_store, "next")
    assert again is not None
    assert again.attempt == 1


def test_a_stopped_worker_finishes_what_is_nearly_done(sqlite_store: Store, tmp_path: Path) -> None:
    """A step that ends within the grace keeps its output."""
    token = put(sqlite_store, to=10, seconds_each=0.1)
    with worker(sqlite_store, tmp_path, grace_s=10) as process:
        eventually(lambda: is_at(sqlite_store, token, 0.1))
        process.terminate()
        assert process.wait(60) == 0
    assert state(sqlite_store, token).state == "done"
