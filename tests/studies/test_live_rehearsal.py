"""Rehearsals of live tasks: people call the steps over HTTP, and wait for a worker."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import func, select

from crowdloom.studies.database import Store, open_store
from crowdloom.studies.errors import RehearsalError
from crowdloom.studies.participation import Designs, trial_at
from crowdloom.studies.rehearsal import Habits, rehearse
from crowdloom.studies.rehearsal.browser import Browser
from crowdloom.studies.rehearsal.live_calls import LiveCalls
from crowdloom.studies.rehearsal.working import working
from crowdloom.studies.tables import Event, Job, Response
from crowdloom.tasks import TASKS
from tests.studies.designs import load, make_design, make_images
from tests.studies.takers import Study

sys.path.insert(0, str(Path(__file__).parent))
import tiny_live
from live_processes import eventually, server, worker

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def tiny_task() -> Iterator[None]:
    """The tiny task, known in this process too."""
    tiny_live.register()
    yield
    tiny_live.unregister()


def questions() -> dict[str, Any]:
    """Everything beside the trials that can be asked."""
    return {
        "background": [
            {"question": "How old are you?", "number": True, "minimum": 18, "maximum": 99, "required": True}
        ],
        "questionnaires": [
            {"instrument": "umux-lite", "after": "item"},
            {"instrument": "nasa-tlx"},
        ],
        "debrief": [{"question": "Anything else?"}],
    }


def test_people_go_through_live_steps(sqlite_store: Store, tmp_path: Path) -> None:
    """Every answer comes from what the steps said; restless people and drop-outs included."""
    store = sqlite_store
    make_images(tmp_path)
    design = make_design(task="tiny-live", batches={"size": 2, "responses_per_item": 3}, **questions())
    load(store, tmp_path, design)
    scratch = tmp_path / "scratch"
    with worker(store, scratch), server(store, scratch, workers=1, threads=8) as (address, _):
        habits = Habits(drop_out=0.2, careless=0.0, restless=0.5)
        done = rehearse(store, design.name, participants=30, seed=3, habits=habits, at_once=4, address=address)
    assert done.places == {"filled": 6, "wanted": 6}
    with store.read() as connection:
        said = connection.scalars(select(Response.answer)).all()
        assert {answer["top1_probability"] for answer in said} == {60}
        jobs = connection.execute(select(Job.trial, Job.state, func.count()).group_by(Job.trial, Job.state)).all()
        assert all(trial and state == "done" for trial, state, _ in jobs)
        kinds = dict(connection.execute(select(Event.kind, func.count()).group_by(Event.kind)).all())
    assert isinstance(TASKS["tiny-live"], tiny_live.TinyLive)
    assert TASKS["tiny-live"].went_through >= len(said)
    assert kinds["background"] >= done.submissions["completed"] == kinds["debrief"]
    assert kinds["questionnaire"] >= 3 * done.submissions["completed"]
    assert "second_answer" not in kinds


@pytest.mark.parametrize(
    ("step", "values", "sentence"),
    [
        ("add", {"left": 13, "right": 1}, "the live step add was answered with 422: Thirteen is not added here."),
        ("add", {"left": -1, "right": 1}, "left: Input should be greater than or equal to 0."),
        ("add", {"left": 98, "right": 1}, "was answered with 500"),
        ("refuse", {"to": 1}, "the live step refuse failed: There are no such classes in this study."),
        ("subtract", {}, "was answered with 404"),
    ],
)
def test_a_step_that_goes_wrong_ends_the_rehearsal(
    site: tuple[Study, str], step: str, values: dict[str, Any], sentence: str
) -> None:
    """With the sentence that a participant would have read."""
    study, address = site
    token = study.arrive(f"{step}-{values.get('left')}")
    designs = Designs(study.store)
    trial_id, _ = trial_at(designs, designs.assigned(token), 0)
    browser = Browser(address, connections=2)
    call = LiveCalls(browser, f"{address}/take/{token}", trial_id, lambda: None)
    with pytest.raises(RehearsalError, match=sentence.replace(".", r"\.")):
        call(step, values)
    browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Study, str]]:
    """A study of the tiny task, with a server and a worker."""
    folder = tmp_path_factory.mktemp("site")
    tiny_live.register()
    store = open_store(str(folder / "store.db"))
    study = Study(store, folder, task="tiny-live", batches={"size": 2, "responses_per_item": 9})
    scratch = folder / "scratch"
    with worker(store, scratch), server(store, scratch, workers=1, threads=4) as (address, _):
        yield study, address
    store.close()


def test_a_worker_that_is_gone_ends_the_rehearsal(sqlite_store: Store, tmp_path: Path) -> None:
    """Nobody waits for what cannot come; the worker's last words are told."""
    with working(sqlite_store.url, {"CROWDLOOM_SCRATCH": str(tmp_path / "scratch")}, sessions=1) as check:
        check()
    with working("sqlite:////nowhere/at/all.db", {}, sessions=1) as check:

        def ended() -> str:
            try:
                check()
            except RehearsalError as error:
                return str(error)
            return ""

        assert eventually(ended, 30).startswith("the worker ended by itself: ")


def test_a_worker_is_ended_with_the_rehearsal(sqlite_store: Store, tmp_path: Path) -> None:
    """No process stays behind."""
    before = set(psutil.Process().children(recursive=True))
    with working(sqlite_store.url, {"CROWDLOOM_SCRATCH": str(tmp_path)}, sessions=2):
        [started] = set(psutil.Process().children()) - before
        assert started.cmdline()[-3:] == ["worker", "--sessions", "2"]
    assert not started.is_running()
    assert set(psutil.Process().children(recursive=True)) <= before
