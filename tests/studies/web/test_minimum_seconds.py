"""`[trials] minimum_seconds` by plain HTTP: the server asks for the time that a page's script waits by itself."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import lxml.html
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from crowdloom.studies.database import Store, now
from crowdloom.studies.loading import load_design
from crowdloom.studies.posting import publish
from crowdloom.studies.tables import Submission
from tests.studies.interpreted import make_interpreted, make_wrong_label
from tests.studies.studies_for_tests import begin

SENTENCE = "Please take at least 7.5 seconds before you go on."


@pytest.fixture
def base(store: Store, client: FlaskClient, tmp_path: Path) -> str:
    """The address of somebody who stands before the first of two trials."""
    make_interpreted(tmp_path)
    design = make_wrong_label(
        batches={"size": 2, "responses_per_item": 2}, trials={"minimum_seconds": 7.5}, conditions=[]
    )
    load_design(store, design, "", tmp_path)
    with store.write() as connection:
        posting = publish(connection, design.name, "link").token
    return begin(client, posting, "ann")


def wait(store: Store, seconds: float = 8) -> None:
    """So much time passes: all that has happened was so much earlier."""
    with store.write() as connection:
        for id_, started in connection.execute(select(Submission.id, Submission.started_at)).all():
            earlier = started - timedelta(seconds=seconds)
            connection.execute(update(Submission).where(Submission.id == id_).values(started_at=earlier))


def shown(html: str) -> lxml.html.HtmlElement:
    """The form of a trial's page."""
    return lxml.html.document_fromstring(html).forms[0]


def test_too_fast_an_answer_comes_back(store: Store, client: FlaskClient, base: str) -> None:
    """With its sentence, a link to it, and the choice that was made; sent again in time, it is taken."""
    form = shown(client.get(base).text)
    assert form.get("data-minimum") == "7.5"
    choice = form.xpath(".//input[@name='choice']/@value")[2]
    posted = {"trial": form.fields["trial"], "shown_at": form.fields["shown_at"], "choice": choice}
    early = client.post(f"{base}/answer", data=posted)
    assert early.status_code == 422
    document = lxml.html.document_fromstring(early.text)
    (link,) = document.xpath("//*[@data-summary]//a")
    assert (link.text_content(), link.get("href")) == (SENTENCE, "#progress")
    again = shown(early.text)
    assert document.xpath("//*[@id='progress']")
    assert (again.fields["choice"], again.fields["trial"]) == (choice, posted["trial"])
    assert again.fields["shown_at"] == posted["shown_at"]  # the time goes on from when it was first shown

    wait(store)
    in_time = posted | {"shown_at": (now() - timedelta(seconds=8)).isoformat()}
    assert client.post(f"{base}/answer", data=in_time).status_code == 303
    assert shown(client.get(base).text).fields["trial"] != posted["trial"]


@pytest.mark.parametrize(("rt_ms", "status"), [(0, 422), (7499, 422), (7500, 200), (7500.4, 200)])
def test_what_a_script_measured_counts(store: Store, client: FlaskClient, base: str, rt_ms: float, status: int) -> None:
    """Its time decides, to the millisecond, where so much has passed; what was measured comes back with the page."""
    wait(store)
    form = shown(client.get(base).text)
    choice = form.xpath(".//input[@name='choice']/@value")[0]
    timing = json.dumps({"rt_ms": rt_ms, "first_input_ms": 1, "focus": []})
    posted = {"trial": form.fields["trial"], "choice": choice, "timing": timing}
    answer = client.post(f"{base}/answer", data=posted, headers={"Accept": "application/json"})
    assert answer.status_code == status
    if status == 422:
        assert answer.get_json() == {"errors": {"progress": SENTENCE}}
        page = client.post(f"{base}/answer", data=posted)
        assert shown(page.text).fields["timing"] == timing


def test_an_answer_that_is_stored_is_not_asked_again(store: Store, client: FlaskClient, base: str) -> None:
    """A second, faster one to the same trial leads on instead of back to it."""
    wait(store)
    form = shown(client.get(base).text)
    posted = {"trial": form.fields["trial"], "choice": form.xpath(".//input[@name='choice']/@value")[0]}
    client.post(f"{base}/answer", data=posted | {"timing": '{"rt_ms": 8000}'})
    again = client.post(f"{base}/answer", data=posted | {"timing": '{"rt_ms": 10}'})
    assert again.status_code == 303
    assert re.search(r"Image 2 of 2", client.get(base).text)


@pytest.mark.parametrize("claim", [{"shown_at": "2020-01-01T00:00:00+00:00"}, {"timing": '{"rt_ms": 60000}'}, {}])
def test_what_a_browser_claims_does_not_shorten_it(
    store: Store, client: FlaskClient, base: str, claim: dict[str, str]
) -> None:
    """By the server's clock so much has passed since the participation began, and since each answer."""

    def post() -> int:
        form = shown(client.get(base).text)
        choice = form.xpath(".//input[@name='choice']/@value")[0]
        return client.post(f"{base}/answer", data={"trial": form.fields["trial"], "choice": choice} | claim).status_code

    assert post() == 422
    wait(store)
    assert post() == 303
    assert post() == 422  # the second trial has just come
    assert re.search(r"Image 2 of 2", client.get(base).text)
