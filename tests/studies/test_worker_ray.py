"""`crowdloom worker --engine ray` on a real cluster: its steps run in actors, as they would in processes here."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from crowdloom.studies import jobs, platform_jobs
from crowdloom.studies.database import Store
from crowdloom.studies.errors import OptionError
from crowdloom.studies.live import FAILED
from crowdloom.studies.tables import Job
from crowdloom.studies.worker import run_worker
from tests.conftest import missing
from tests.studies.ray_processes import steps_of

sys.path.insert(0, str(Path(__file__).parent))
import tiny_live
from live_processes import eventually, new_submission, worker
from tiny_jobs import put, state

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def tiny_task() -> Iterator[None]:
    """The tiny task, known in this process too."""
    tiny_live.register()
    yield
    tiny_live.unregister()


def test_steps_run_in_actors(sqlite_store: Store, tmp_path: Path, ray_folder: Path) -> None:
    """Two sessions at once, each in an actor; bad steps, limits and cancellation end as in processes."""
    store = sqlite_store
    _, asker = new_submission(store)
    first, second = put(store, submission=asker, to=10, seconds_each=0.2), put(store, to=10, seconds_each=0.2)
    bad = {step: put(store, step) for step in ("refuse", "fail", "die", "deaf")}
    greedy = put(store, "hoard", to=900, seconds_each=0.02)
    endless, good = put(store, to=1000, seconds_each=0.02), put(store)
    with worker(store, tmp_path, once=True, engine="ray", sessions=2, log=tmp_path / "log") as process:
        eventually(lambda: state(store, first, asker).progress > 0.1 or process.poll() is not None, 60)
        eventually(lambda: state(store, second).state != "queued")
        assert len(steps_of(process.pid)) == 2
        eventually(lambda: state(store, endless).state == "running", 40)
        jobs.cancel(store, endless)
        assert process.wait(40) == 0, (tmp_path / "log").read_text()
    assert state(store, first, asker).state == state(store, second).state == state(store, good).state == "done"
    errors = {step: state(store, token).error for step, token in bad.items()}
    assert errors == {
        "refuse": "There are no such classes in this study.",
        "fail": FAILED,
        "die": "die brought down its process 3 times (exit code -9)",
        "deaf": "deaf took longer than its limit of 0.5 s",
    }
    assert state(store, greedy).error == "hoard took more memory than its limit of 400 MiB"
    assert state(store, endless).state == "cancelled"
    assert "its process had" in (tmp_path / "log").read_text()


def test_a_lost_actor_costs_a_pause(sqlite_store: Store, tmp_path: Path, ray_folder: Path) -> None:
    """Its job goes on after the checkpoint, in another actor; a worker that is killed leaves no process behind."""
    store = sqlite_store
    _, asker = new_submission(store)
    token = put(store, submission=asker, to=20, seconds_each=0.1)
    with worker(store, tmp_path, engine="ray", lease_s=5) as process:
        eventually(lambda: state(store, token, asker).progress > 0.2, 60)
        (step,) = steps_of(process.pid)
        step.parent().kill()
        eventually(lambda: state(store, token, asker).finished, 60)
        assert not step.is_running()
        last = put(store, to=2, seconds_each=60)
        eventually(lambda: state(store, last).state == "running")
        process.kill()
    with store.read() as connection:
        job = connection.execute(select(Job.state, Job.attempts, Job.output).where(Job.token == token)).one()
    assert (job.state, job.attempts) == ("done", 2)
    assert job.output["resumed_at"] >= 3
    assert job.output["pid"] != step.pid


CLUSTER = """
import os, sys

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.mkdir(os.environ["RAY_TMPDIR"] + "/ray")
from ray.cluster_utils import Cluster

node = {"num_cpus": 1, "object_store_memory": 100 * 2**20, "include_dashboard": False}
cluster = Cluster(initialize_head=True, head_node_args=node | {"temp_dir": os.environ["RAY_TMPDIR"]})
second = cluster.add_node(**node)
print(cluster.address, flush=True)
try:
    sys.stdin.readline()
    cluster.remove_node(second, allow_graceful=False)
    sys.stdin.readline()
finally:
    cluster.shutdown()
"""


def test_a_lost_node_costs_a_pause(sqlite_store: Store, tmp_path: Path, ray_folder: Path) -> None:
    """A cluster's processors are shared out; what ran on a lost node goes on on another one.

    What the researcher's pages ask for runs beside the worker, where the store's address is.
    """
    store = sqlite_store
    cluster = subprocess.Popen(
        [sys.executable, "-c", CLUSTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert cluster.stdin is not None
    assert cluster.stdout is not None
    try:
        address = cluster.stdout.readline().strip()
        people = [new_submission(store)[1] for _ in range(3)]
        tokens = [put(store, submission=person, to=20, seconds_each=0.1) for person in people]
        asked = platform_jobs.ask(store, platform_jobs.Pause(study="gone"), "once")

        def states() -> list[str]:
            return [state(store, token, person).state for token, person in zip(tokens, people, strict=True)]

        with worker(store, tmp_path, name="all", once=True, engine="ray", sessions=3, address=address) as process:
            eventually(lambda: states() == ["running", "running", "queued"], 60)
            eventually(lambda: is_far(store, tokens[:2], people))
            cluster.stdin.write("lose\n")
            assert process.wait(90) == 0
        with store.read() as connection:
            found = connection.execute(select(Job.state, Job.attempts, Job.output).where(Job.task == "tiny-live")).all()
            of_researcher = connection.execute(select(Job.state, Job.error).where(Job.token == asked)).one()
        assert [job.state for job in found] == ["done"] * 3
        assert sorted(job.attempts for job in found) == [1, 1, 2]
        assert all((job.output["resumed_at"] > 0) == (job.attempts == 2) for job in found)
        assert of_researcher == ("failed", "there is no such study here any more")
    finally:
        cluster.communicate("end\n", timeout=30)


def is_far(store: Store, tokens: list[str], people: list[int]) -> bool:
    """Whether these jobs have done a tenth."""
    return all(state(store, token, person).progress > 0.1 for token, person in zip(tokens, people, strict=False))


def test_a_cluster_that_is_not_there_is_said(sqlite_store: Store) -> None:
    """At once, with its address."""
    if importlib.util.find_spec("ray") is None:
        missing("Ray is not installed")
    with pytest.raises(OptionError, match=r"the Ray cluster at 127.0.0.1:9 cannot be reached"):
        run_worker(sqlite_store.url, once=True, engine="ray", address="127.0.0.1:9")
