"""The researcher's page of a coach: who sees it, what it begins with, what its questions are answered."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from crowdloom.models.coach_folder import prepared_coach
from crowdloom.studies.database import Store
from crowdloom.studies.design import Design
from crowdloom.studies.loading import load_design
from crowdloom.studies.web import create_app
from crowdloom.tasks.coach_drawing import render
from crowdloom.tasks.coach_records import packed
from tests.studies.studies_for_tests import load_small
from tests.studies.web.researching import Researcher
from tests.untrained_coach import write_untrained_coach

STROKES = [[[0.2, 0.2, 0.0], [0.8, 0.2, 90.0], [0.4, 0.9, 200.0]]]
WEIGHTS = {"classification": "0.1", "efficiency": "4", "discriminator": "0.03"}
STUDY = {
    "name": "coached",
    "title": "Write digits",
    "task": "coach",
    "classes": list("0123456789"),
    "consent": "You will write digits.",
    "instructions": ["Write."],
    "items": {"source": "classes"},
    "batches": {"size": 5, "responses_per_item": 2},
    "people": {"minutes": 3, "hold_minutes": 20},
}


@pytest.fixture
def app(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The app, and a folder of coaches with one in it."""
    monkeypatch.setenv("CROWDLOOM_COACHES", str(tmp_path / "coaches"))
    write_untrained_coach(tmp_path / "coaches")
    return create_app(sqlite_store)


@pytest.fixture
def load(app: Flask, sqlite_store: Store, tmp_path: Path) -> Any:
    """Loads the study with other values; somebody on its pages."""

    def loaded(**values: Any) -> Researcher:
        load_design(sqlite_store, Design.model_validate(STUDY | values), "", tmp_path)
        return Researcher(app, sqlite_store, "coached")

    return loaded


def data_of(page: str) -> dict[str, Any]:
    """What the page gives its script."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def ask(researcher: Researcher, what: str, **fields: str) -> Any:
    """A question as the page's script asks it."""
    data = data_of(researcher.page("coach"))
    return researcher.client.post(data[what], data=data["with"] | WEIGHTS | fields)


def test_a_tab_leads_to_the_page(load: Any) -> None:
    """It begins with the design's weights, the coach's classes, samples and figures."""
    researcher = load(options={"efficiency": 2.5})
    assert f'href="{researcher.base}/coach"' in researcher.page()
    page = researcher.page("coach")
    assert "coach digits, whose recogniser reads 81.2 % of its test drawings right" in page
    assert "style=" not in page
    data = data_of(page)
    assert data["weights"] == {"classification": 0.1, "efficiency": 2.5, "discriminator": 0.01}
    assert all(data["weights"][name] in stops for name, stops in data["stops"].items())
    assert data["classes"] == list("0123456789")
    coach = prepared_coach("digits")
    assert [one["read"] for one in data["samples"]] == [coach.read(one.picture) for one in coach.samples]
    assert [one["best"] for one in data["tradeoffs"]] == [True, True, False]


def test_a_proposal_for_a_drawing_and_for_strokes(load: Any) -> None:
    """What comes back is what the coach says of the picture, or of the strokes as they are rendered."""
    researcher, coach = load(), prepared_coach("digits")
    sample = coach.samples[4]
    answer = ask(researcher, "propose", asked="4", picture=packed(sample.picture))
    assert answer.status_code == 200
    assert answer.json["proposal"] == packed(coach.propose(sample.picture, "4", (0.1, 4.0, 0.03)))
    picture = render([[tuple(point) for point in stroke] for stroke in STROKES])  # type: ignore[misc]
    answer = ask(researcher, "propose", asked="7", strokes=json.dumps(STROKES), efficiency="0")
    assert answer.json["picture"] == packed(picture)
    assert answer.json["proposal"] == packed(coach.propose(picture, "7", (0.1, 0.0, 0.03)))
    assert ask(researcher, "typical", classification="0.5", efficiency="0", discriminator="0").json == {
        "accuracy": 0.99,
        "change": 0.3,
        "ink": 0.9,
    }
    assert ask(researcher, "typical").json is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"asked": "x", "picture": packed(bytes(784))}, "The coach digits knows no class 'x'"),
        ({"asked": "1", "picture": "AAAA"}, "A picture has 784 pixels, this one 3."),
        ({"asked": "1", "strokes": "[]"}, "."),
        ({"asked": "1", "strokes": '[[["a"]]]'}, "This drawing cannot be read; start again"),
        ({"asked": "1", "picture": packed(bytes(784)), "efficiency": "99"}, "from 0 to 16, not 99"),
        ({"asked": "1", "picture": packed(bytes(784)), "efficiency": "nan"}, "from 0 to 16, not nan"),
        ({"asked": "1", "picture": packed(bytes(784)), "efficiency": "a lot"}, "A weight is a number, such as 0.1."),
    ],
)
def test_what_cannot_be_shown_is_said(load: Any, fields: dict[str, str], said: str) -> None:
    """In one sentence, as JSON."""
    answer = ask(load(), "propose", **fields)
    assert answer.status_code == 422
    assert said in answer.json["error"]
    assert answer.json["error"].endswith(".")


def test_what_is_typical_of_strange_weights_is_said(load: Any) -> None:
    """As for a proposal."""
    answer = ask(load(), "typical", discriminator="7")
    assert answer.status_code == 422
    assert "from 0 to 1, not 7" in answer.json["error"]


def test_questions_of_others_are_refused(load: Any, app: Flask) -> None:
    """Without the token of this browser's session, and for who has not opened the pages."""
    researcher = load()
    data = data_of(researcher.page("coach"))
    fields = WEIGHTS | {"asked": "1", "picture": packed(bytes(784))}
    assert researcher.client.post(data["propose"], data=fields).status_code == 403
    assert app.test_client().post(data["propose"], data=fields | data["with"]).status_code == 403
    assert app.test_client().get(f"{researcher.base}/coach").status_code == 403


def test_conditions_with_weights_of_their_own_are_chosen(load: Any) -> None:
    """Those with the same coach and weights are one; a question keeps the condition."""
    conditions = [
        {"name": "plain", "options": {"efficiency": 0.0}},
        {"name": "sparing", "options": {"efficiency": 16.0}},
        {"name": "control", "options": {"efficiency": 16.0, "coaching": "control"}},
    ]
    researcher = load(conditions=conditions)
    page = researcher.page("coach")
    assert "sparing, control</a>" in page
    assert data_of(page)["weights"]["efficiency"] == 0.0
    other = data_of(researcher.page("coach?condition=control"))
    assert other["weights"]["efficiency"] == 16.0
    assert other["with"]["condition"] == "sparing"


def test_a_coach_that_is_not_prepared_is_said(load: Any) -> None:
    """With the command that prepares it; nothing can be asked."""
    researcher = load(options={"coach": "mnist-5000"})
    page = researcher.page("coach")
    assert "crowdloom coach prepare mnist-5000" in page
    assert "sliders.js" not in page


def test_another_task_has_no_coach(app: Flask, sqlite_store: Store, tmp_path: Path) -> None:
    """No tab, and the page says why."""
    load_small(sqlite_store, tmp_path)
    researcher = Researcher(app, sqlite_store, "small")
    assert "/coach" not in researcher.page()
    answer = researcher.client.get(f"{researcher.base}/coach")
    assert answer.status_code == 404
    assert "Nobody is coached in small: its task is" in answer.text
