"""The coach's steps as a browser calls them: what participants read of bad input, and that nothing is lost by it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from crowdloom.studies.database import Store, open_store
from crowdloom.studies.participation import Designs, trial_at
from crowdloom.studies.tables import Response, Submission
from crowdloom.tasks import TASKS
from crowdloom.tasks.columns import pack
from tests.models.coach_folders import DIGITS, write_coach
from tests.studies.takers import Study

sys.path.insert(0, str(Path(__file__).parent))
from live_processes import server

STROKES = [[[0.3, 0.2, 100.5], [0.7, 0.2, 300], [0.45, 0.8, 700]]]


class Page:
    """The trial's page of a new submission."""

    def __init__(self, study: Study, address: str, person: str) -> None:
        token = study.arrive(person)
        designs = Designs(study.store)
        self.trial, trial = trial_at(designs, designs.assigned(token), 0)
        self.asked = trial.reference
        self.base = f"{address}/take/{token}/live"
        self.token = token
        self.store = study.store

    def ask(self, step: str, values: Any, trial: str | None = None) -> httpx.Response:
        """A step's answer."""
        content = values if isinstance(values, bytes) else json.dumps(values).encode()
        return httpx.post(f"{self.base}/{step}?trial={trial or self.trial}", content=content, timeout=30)

    def answer(self, writing: Any, **more: Any) -> httpx.Response:
        """What the server says to a page's answer."""
        form = {"trial": self.trial, "writing": json.dumps(writing)}
        return httpx.post(f"{self.base.removesuffix('/live')}/answer", data=form, timeout=30, **more)

    def answers(self) -> Sequence[Any]:
        """What is stored of it."""
        with self.store.read() as connection:
            return connection.execute(
                select(Response.answer, Response.packed)
                .join(Submission, Submission.id == Response.submission_id)
                .where(Submission.token == self.token)
            ).all()

    def attempts(self) -> int:
        """How many are kept."""
        return len(self.ask("state", {}).json()["output"]["writing"]["attempts"])


def read_input(strokes: Any = STROKES, **changes: Any) -> dict[str, Any]:
    """What `read` is asked for a first attempt that is done."""
    drawing = {"strokes": strokes, "device": "pen", "seconds": 3.0}
    return {"attempt": 1, "drawing": drawing, "done": True} | changes


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Study, str]]:
    """A study of the task `coach` with a coach that knows nothing, and a server."""
    folder = tmp_path_factory.mktemp("coach-site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROWDLOOM_COACHES", str(folder / "coaches"))
        write_coach(folder / "coaches")
        store: Store = open_store(str(folder / "store.db"))
        study = Study(
            store,
            folder,
            {"source": "classes"},
            task="coach",
            classes=DIGITS,
            options={"coach": "tiny"},
            batches={"size": 10, "responses_per_item": 50},
        )
        with server(store, folder / "scratch", workers=1, threads=4) as (address, _):
            yield study, address
        store.close()


@pytest.fixture
def page(site: tuple[Study, str], request: pytest.FixtureRequest) -> Page:
    """The page of a participant who does only this."""
    return Page(*site, request.node.name)


def test_a_drawing_is_read_over_http(site: tuple[Study, str], page: Page) -> None:
    """With a proposal; a reload finds it, and the event of the step has what was drawn and read."""
    said = page.ask("read", read_input()).json()["output"]
    assert said["proposal"]["words"]
    assert said["writing"]["asked"] == page.asked
    assert page.ask("state", {}).json()["output"] == {
        "ready": True,
        "writing": said["writing"],
        "marks": said["marks"],
    }
    [event] = [values for kind, values in site[0].events(page.token) if values.get("step") == "read"]
    assert event["output"]["reading"] == said["reading"]
    assert event["input"]["drawing"]["strokes"] == STROKES


def test_a_given_drawing_comes_back_as_it_was(page: Page) -> None:
    """Its numbers go through JSON and back without a change, and it is kept as chosen."""
    given = page.ask("given", {"attempt": 1}).json()["output"]
    drawing = {"strokes": given["drawings"][3], "device": "keyboard", "seconds": 9.5, "given": 3}
    said = page.ask("read", read_input(drawing=drawing)).json()["output"]
    assert said["reading"]["picture"] == given["pictures"][3]
    assert said["writing"]["attempts"][0]["drawing"]["given"] == 3


def test_a_million_points_are_refused(page: Page) -> None:
    """Also where they come in one body of 30 MB: one sentence, and what was done stays."""
    page.ask("read", read_input())
    body = json.dumps(read_input([["POINTS"]], attempt=2)).encode()
    points = b",".join([b"[0.123456789,0.987654321,1234.5]"] * 1_000_000)
    refused = page.ask("read", body.replace(b'"POINTS"', points))
    assert refused.status_code == 413
    assert refused.json() == {"error": "this is more than the server takes at once, 4 MiB; reload the page"}
    point = [[0.5, 0.5, 1]]
    for strokes in ([point * 10_001], [point * 6000] * 2, [point] * 201):
        answer = page.ask("read", read_input(strokes, attempt=2))
        assert answer.status_code == 422
        assert answer.json()["error"]
    assert page.attempts() == 1


WRONG: tuple[Any, ...] = (
    read_input([]),
    read_input([[]]),
    read_input([[[0.5, 1.5, 0]]]),
    read_input([[[0.5, 0.5]]]),
    read_input([[[0.5, 0.5, -1]]]),
    read_input(attempt=3),
    read_input(attempt=2),
    read_input() | {"drawing": {"strokes": STROKES}},
    b'{"attempt": 1, "drawing": {"strokes": [[[NaN, 0.5, 0]]], "device": "pen", "seconds": 1}, "done": true}',
    read_input(drawing={"strokes": STROKES, "device": "keyboard", "seconds": 1}),
    read_input(drawing={"strokes": STROKES, "device": "mouse", "seconds": 1, "given": 2}),
    b"not JSON",
    b"",
)


def test_what_is_no_drawing_is_refused(page: Page) -> None:
    """422 with a sentence, and nothing is kept."""
    for wrong in WRONG:
        answer = page.ask("read", wrong)
        assert (answer.status_code, bool(answer.json()["error"])) == (422, True), wrong
    assert page.ask("read", read_input([])).json()["error"] == f"The canvas is empty; write the {page.asked} first."
    assert page.attempts() == 0


def test_a_proposal_for_anothers_trial_is_refused(site: tuple[Study, str], page: Page) -> None:
    """Neither a trial that lies ahead, nor a submission that there is not, can be asked for; nothing is kept of it."""
    study, _ = site
    designs = Designs(study.store)
    ahead, _ = trial_at(designs, designs.assigned(page.token), 1)
    for trial in (ahead, "nothing.0"):
        assert page.ask("read", read_input(), trial).status_code == 409
    strange = page.base.replace(page.token, "nobody")
    assert httpx.post(f"{strange}/read?trial={page.trial}", json=read_input()).status_code == 404
    assert page.attempts() == 0


def test_what_a_page_makes_up_is_not_stored(site: tuple[Study, str], page: Page) -> None:
    """Its reading is the server's own, in the answer and in all columns, and the answer says so."""
    for attempt in (1, 2):
        said = page.ask("read", read_input(attempt=attempt)).json()["output"]
    true, forged = said["writing"], json.loads(json.dumps(said["writing"]))
    for one in forged["attempts"]:
        one["reading"] |= {"read": page.asked, "probabilities": [float(name == page.asked) for name in DIGITS]}
    assert page.answer(forged).status_code == 303
    [row] = page.answers()
    assert row.answer == {"writing": true, "replaced": True}
    task, design = TASKS["coach"], site[0].design
    assert row.packed == pack(task.columns, task.typed({"writing": true}, DIGITS), design.classes)


def test_what_was_never_read_is_no_answer(site: tuple[Study, str], page: Page) -> None:
    """An attempt that the server did not read is refused with a sentence; after it was read, all goes on."""
    first = page.ask("read", read_input()).json()["output"]["writing"]
    made_up = first | {"attempts": [first["attempts"][0], first["attempts"][0] | {"proposal": None}]}
    refused = page.answer(made_up, headers={"Accept": "application/json"})
    assert refused.status_code == 422
    assert refused.json()["errors"] == {
        "writing": "The recogniser has not read both attempts yet; reload the page to go on."
    }
    assert not page.answers()
    whole = page.ask("read", read_input(attempt=2)).json()["output"]["writing"]
    assert page.answer(whole).status_code == 303
    assert page.answers()[0].answer == {"writing": whole}
