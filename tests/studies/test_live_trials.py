"""Live steps of a trial: the page names it, the steps are handed it, and its jobs are apart from those of others."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from crowdloom.studies import jobs
from crowdloom.studies.arrivals import give_back
from crowdloom.studies.database import Store
from crowdloom.studies.participation import Designs, leave, read_progress, trial_at
from crowdloom.studies.tables import Job
from crowdloom.studies.waiting import latest_job
from crowdloom.studies.web import create_app
from tests.studies.takers import Study

sys.path.insert(0, str(Path(__file__).parent))
import tiny_live
from live_processes import eventually, worker


@pytest.fixture(autouse=True)
def tiny_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tiny task, known in this process too, and a scratch folder of the test's own."""
    monkeypatch.setenv("CROWDLOOM_SCRATCH", str(tmp_path / "scratch"))
    tiny_live.register()
    yield
    tiny_live.unregister()


@pytest.fixture
def study(store: Store, tmp_path: Path) -> Study:
    """A study of the tiny task, whose batches have two items."""
    return Study(store, tmp_path, task="tiny-live")


def trials(study: Study, token: str) -> list[tuple[str, Any]]:
    """The trials of a submission in their order, by what their forms carry."""
    designs = Designs(study.store)
    submission = designs.assigned(token)
    return [trial_at(designs, submission, position) for position in range(len(submission.item_order))]


def client(study: Study) -> FlaskClient:
    """The app's test client."""
    return create_app(study.store, "test").test_client()


def said(answer: TestResponse) -> Any:
    """What an answer says in JSON."""
    return answer.get_json()


def test_an_inline_step_is_handed_the_trial_of_its_page(study: Study) -> None:
    """All that its page shows, with the study's options; its event names the trial and lacks what is unrecorded."""
    token = study.arrive("ann")
    (trial_id, trial), _ = trials(study, token)
    pages = client(study)
    answer = said(pages.post(f"/take/{token}/live/see?trial={trial_id}", json={"left": 1, "right": 2}))
    assert answer == {
        "output": {"trial_id": trial_id, "seed": trial.seed, "image": trial.image, "options": "SoftLabelOptions"}
    }
    kind, values = study.events(token)[-1]
    assert (kind, values | {"ms": 0}) == (
        "live_step",
        {"step": "see", "input": {"right": 2}, "ms": 0, "trial": trial_id},
    )
    bare = said(pages.post(f"/take/{token}/live/see", json={"left": 1, "right": 2}))
    assert bare == {"output": {"trial_id": None, "seed": None, "image": None, "options": None}}


def test_only_the_current_trial_can_ask(study: Study) -> None:
    """One that lies ahead, one that is over, one of somebody else and one that is none are 409."""
    token, other = study.arrive("ann"), study.arrive("ben")
    first, second = (trial_id for trial_id, _ in trials(study, token))
    pages = client(study)

    def status(trial_id: str, who: str = token) -> int:
        return pages.post(f"/take/{who}/live/see?trial={trial_id}", json={"left": 1, "right": 2}).status_code

    others = {trial_id for trial_id, _ in trials(study, other)} - {first, second}
    assert [status(first), status(second), status("nothing.0")] == [200, 409, 409]
    assert [status(trial_id) for trial_id in others] == [409] * len(others)
    study.answer(token, 1)
    assert [status(first), status(second)] == [409, 200]
    refused = pages.post(f"/take/{token}/live/see?trial={first}", json={"left": 1, "right": 2})
    assert said(refused) == {"error": "this question is not the one that you are at; reload the page to go on"}


def test_jobs_of_different_trials_are_apart(study: Study) -> None:
    """Each trial has its own last job of a step, and one that still waits does not hold up the next trial."""
    token = study.arrive("ann")
    first, second = (trial_id for trial_id, _ in trials(study, token))
    pages = client(study)
    address = f"/take/{token}/live/look"
    one = said(pages.post(f"{address}?trial={first}", json={"to": 1}))["job"]
    assert said(pages.post(f"{address}?trial={first}", json={"to": 1}))["job"] == one
    assert pages.post(f"{address}?trial={first}", json={"to": 2}).status_code == 409
    assert pages.get(f"{address}?trial={second}").status_code == 204
    study.answer(token, 1)
    two = said(pages.post(f"{address}?trial={second}", json={"to": 2}))["job"]
    assert two != one
    assert [said(pages.get(f"{address}?trial={trial}"))["job"] for trial in (first, second)] == [one, two]
    assert said(pages.get(address))["job"] == two
    with study.store.read() as connection:
        assert connection.execute(Job.__table__.select()).first().trial == first
    assert jobs.claim(study.store, "a").trial == first  # type: ignore[union-attr]


@pytest.mark.parametrize("by", ["page", "platform"])
def test_who_leaves_gives_their_jobs_up(study: Study, by: str) -> None:
    """What runs is asked to end, what waits never begins, and the jobs of others stay in the queue."""
    ann, ben = study.arrive("ann"), study.arrive("ben")
    pages = client(study)

    def ask(token: str, position: int = 0) -> int:
        trial_id, _ = trials(study, token)[position]
        pages.post(f"/take/{token}/live/look?trial={trial_id}", json={"to": 1})
        return Designs(study.store).assigned(token).id

    number, other = ask(ann), ask(ben)
    running = jobs.claim(study.store, "a")
    assert running is not None
    study.answer(ann, 1)
    ask(ann, 1)
    with study.store.write() as connection:
        if by == "page":
            leave(connection, read_progress(connection, ann))
        else:
            give_back(connection, 0, number, "returned")
    assert jobs.look(study.store, running) == "cancel"
    found = [latest_job(study.store, "tiny-live", "look", who) for who in (number, other)]
    assert [one.state for one in found if one] == ["cancelled", "queued"]


@pytest.mark.slow
def test_a_worker_is_handed_the_trial(study: Study, tmp_path: Path) -> None:
    """It crosses into the worker's step process whole; a job whose page named no trial has none."""
    token = study.arrive("ann")
    (trial_id, trial), _ = trials(study, token)
    pages = client(study)
    named = said(pages.post(f"/take/{token}/live/look?trial={trial_id}", json={"to": 1}))["job"]
    bare = said(pages.post(f"/take/{token}/live/look", json={"to": 2}))["job"]
    with worker(study.store, tmp_path / "scratch", once=True) as process:
        assert process.wait(30) == 0
    with study.store.read() as connection:
        assert read_progress(connection, token).answered == 0
    answer = eventually(lambda: said(pages.get(f"/take/{token}/live/jobs/{named}"))["output"])
    assert (answer["trial_id"], answer["seed"], answer["image"]) == (trial_id, trial.seed, trial.image)
    assert answer["options"] == "SoftLabelOptions"
    assert said(pages.get(f"/take/{token}/live/jobs/{bare}"))["output"]["trial_id"] is None
