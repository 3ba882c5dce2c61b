"""Sessions in real workers: one that dies, and several at once, change no number."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from crowdloom.models import latent_session, latent_steps
from crowdloom.models.live import Context
from crowdloom.studies import jobs
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.participation import Assigned, Designs, trial_at
from crowdloom.studies.scratch import scratch_folder
from crowdloom.studies.tables import Job
from crowdloom.studies.waiting import JobState, job_state
from crowdloom.tasks.latent_options import LIVE_STEPS
from crowdloom.tasks.latent_records import Nothing, SessionState
from crowdloom.tasks.protocol import Trial
from tests.models.latent_sessions import same, spread_out
from tests.studies.latent_studies import Loops, open_loops
from tests.studies.ray_processes import steps_of

sys.path.insert(0, str(Path(__file__).parent))
from live_processes import eventually, python, worker

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def scratch(scenarios: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the sessions' files of these tests lie."""
    folder = tmp_path_factory.mktemp("scratch")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROWDLOOM_SCRATCH", str(folder))
        patch.setenv("CROWDLOOM_SCENARIOS", str(scenarios))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield folder


@pytest.fixture(scope="module")
def shared(scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with a worker that has two sessions, for the tests in which nothing dies."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('shared') / 'store.db'}")
    with worker(store, scratch, sessions=2):
        yield store
    store.close()


@dataclass
class Somebody:
    """A participant at their first scenario."""

    store: Store
    submission: Assigned

    @property
    def trial(self) -> tuple[str, Trial]:
        """What the form carries, and the trial."""
        return trial_at(Designs(self.store), self.submission, 0)

    def ask(self, step: str, **values: Any) -> str:
        """A job in the queue."""
        given = LIVE_STEPS[step].input.model_validate(values).model_dump(mode="json")
        return jobs.enqueue(
            self.store,
            task="latent-session",
            step=step,
            values=given,
            time_limit_s=LIVE_STEPS[step].time_limit_s,
            submission_id=self.submission.id,
            trial=self.trial[0],
        )

    def job(self, token: str) -> JobState:
        """How it stands."""
        found = job_state(self.store, token, self.submission.id)
        assert found is not None
        return found

    def end(self, token: str, seconds: float = 120) -> SessionState:
        """What it comes to."""
        eventually(lambda: self.job(token).finished, seconds)
        job = self.job(token)
        assert job.state == "done", job.error
        return SessionState.model_validate(job.output)

    def context(self, folder: Path) -> Context:
        """As the steps are handed it, for a session elsewhere."""
        trial_id, trial = self.trial
        return Context(folder, "somebody", None, trial, trial_id)

    def now(self) -> SessionState:
        """What the page finds."""
        folder = scratch_folder(self.store, self.submission.pseudonym)
        found = latent_steps.state(Nothing(), self.context(folder)).state
        assert found is not None
        return found

    def alone(self, folder: Path) -> SessionState:
        """One interaction of the same session, in this process."""
        asker = self.context(folder)
        return latent_session.train(spread_out(latent_session.begin(Nothing(), asker)), asker)


def attempts(store: Store, token: str) -> int:
    """How often a job was begun."""
    with store.read() as connection:
        return connection.execute(select(Job.attempts).where(Job.token == token)).scalar_one()


def loops(store: Store, folder: Path, **options: Any) -> Loops:
    """A study of its own, whose trainings take a few seconds."""
    given = {"interactions": 2, "points": 50, "epochs": 40} | options
    return open_loops(store, folder, name=f"loops-{uuid4().hex}", options=given)


def test_a_worker_that_dies_in_training_costs_a_pause(sqlite_store: Store, tmp_path: Path, scratch: Path) -> None:
    """Another one goes on after the last whole epoch, and every number is as it would have been."""
    study = loops(sqlite_store, tmp_path, epochs=60)
    somebody = Somebody(sqlite_store, study.arrive("ann"))
    with worker(sqlite_store, scratch, lease_s=3) as first:
        given = spread_out(somebody.end(somebody.ask("open")))
        token = somebody.ask("train", **given.model_dump())
        eventually(lambda: somebody.job(token).progress > 0.3, 90)
        assert somebody.now().paused is None
        first.kill()
        first.wait()
    reached = eventually(lambda: somebody.now().paused)
    assert 15 <= reached.epochs_done < 60
    with worker(sqlite_store, scratch, name="second") as second:
        eventually(lambda: attempts(sqlite_store, token) == 2 and somebody.job(token).progress > 0.3, 90)
        steps_of(second.pid)[0].kill()  # and once more: not the worker, but its step
        end = somebody.end(token)
    assert attempts(sqlite_store, token) == 3
    assert same(end, somebody.alone(tmp_path / "alone"))
    assert same(end, somebody.now())


def test_two_people_at_once_do_not_disturb_each_other(shared: Store, tmp_path: Path) -> None:
    """Side by side in two processes they come to the numbers that each comes to alone."""
    study = loops(shared, tmp_path)
    people = [Somebody(shared, study.arrive(name)) for name in ("ann", "ben")]
    opened = [one.ask("open") for one in people]
    given = [spread_out(one.end(token)) for one, token in zip(people, opened, strict=True)]
    tokens = [one.ask("train", **what.model_dump()) for one, what in zip(people, given, strict=True)]
    eventually(lambda: all(0 < one.job(token).progress < 1 for one, token in zip(people, tokens, strict=True)), 90)
    ends = [one.end(token) for one, token in zip(people, tokens, strict=True)]
    assert ends[0].record.curve != ends[1].record.curve
    for number, (one, end) in enumerate(zip(people, ends, strict=True)):
        assert same(end, one.alone(tmp_path / f"alone-{number}"))


def test_pausing_and_going_on_through_the_queue(shared: Store, tmp_path: Path) -> None:
    """Cancelling the job pauses the training; a job that resumes it comes to the same numbers."""
    study = loops(shared, tmp_path)
    somebody = Somebody(shared, study.arrive("ann"))
    given = spread_out(somebody.end(somebody.ask("open")))
    token = somebody.ask("train", **given.model_dump())
    eventually(lambda: somebody.job(token).progress > 0.2, 90)
    jobs.cancel(shared, token, somebody.submission.id)
    eventually(lambda: somebody.job(token).state == "cancelled")
    paused = somebody.now().paused
    assert paused is not None
    assert 0 < paused.epochs_done < 40
    end = somebody.end(somebody.ask("train", number=1, x=[], y=[], resume=True))
    assert same(end, somebody.alone(tmp_path / "alone"))


def test_the_memory_limit_ends_a_training_and_not_the_session(
    sqlite_store: Store, tmp_path: Path, scratch: Path
) -> None:
    """The participant reads the limit, the session is as it was, and with more memory it is trained."""
    study = loops(sqlite_store, tmp_path, epochs=5)
    somebody = Somebody(sqlite_store, study.arrive("ann"))
    limited_then_not = (
        "from dataclasses import replace; from crowdloom.tasks.latent_options import LIVE_STEPS; "
        "from crowdloom.studies.worker import run_worker; before = LIVE_STEPS['train']; "
        f"LIVE_STEPS['train'] = replace(before, memory_mib=150); run_worker({sqlite_store.url!r}); "
        f"LIVE_STEPS['train'] = before; run_worker({sqlite_store.url!r})"
    )
    with python(limited_then_not, scratch) as process:
        first = somebody.end(somebody.ask("open"))
        token = somebody.ask("train", **spread_out(first).model_dump())
        eventually(lambda: somebody.job(token).finished, 90)
        assert (somebody.job(token).state, somebody.job(token).error) == (
            "failed",
            "train took more memory than its limit of 150 MiB",
        )
        assert somebody.now().number == 1
        process.terminate()  # ends the first of the two
        end = somebody.end(somebody.ask("train", **spread_out(first).model_dump()))
        process.terminate()
        assert process.wait(20) == 0
    assert same(end, somebody.alone(tmp_path / "alone"))


def test_a_session_in_actors_has_the_same_numbers(
    sqlite_store: Store, tmp_path: Path, scratch: Path, ray_folder: Path
) -> None:
    """On a Ray cluster, also where its actor is lost in the middle of a training."""
    study = loops(sqlite_store, tmp_path)
    somebody = Somebody(sqlite_store, study.arrive("ann"))
    with worker(sqlite_store, scratch, engine="ray") as process:
        given = spread_out(somebody.end(somebody.ask("open"), 90))
        token = somebody.ask("train", **given.model_dump())
        eventually(lambda: somebody.job(token).progress > 0.3, 60)
        steps_of(process.pid)[0].parent().kill()
        end = somebody.end(token)
    assert attempts(sqlite_store, token) == 2
    assert same(end, somebody.alone(tmp_path / "alone"))
