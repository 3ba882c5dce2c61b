"""`[trials] minimum_seconds` by plain HTTP: the server asks for the time that a page's script waits by itself."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import lxml.html
import pytest
from flask.testing import FlaskClient

from crowdloom.studies.database import Store, now
from crowdloom.studies.loading import load_design
from crowdloom.studies.posting import publish
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


def shown(html: str) -> lxml.html.HtmlElement:
    """The form of a trial's page."""
    return lxml.html.document_fromstring(html).forms[0]


def test_too_fast_an_answer_comes_back(client: FlaskClient, base: str) -> None:
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

    in_time = posted | {"shown_at": (now() - timedelta(seconds=8)).isoformat()}
    assert client.post(f"{base}/answer", data=in_time).status_code == 303
    assert shown(client.get(base).text).fields["trial"] != posted["trial"]


@pytest.mark.parametrize(("rt_ms", "status"), [(0, 422), (7499, 422), (7500, 200), (7500.4, 200)])
def test_what_a_script_measured_counts(client: FlaskClient, base: str, rt_ms: float, status: int) -> None:
    """Its time alone decides, to the millisecond; what was measured so far comes back with the page."""
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


def test_an_answer_that_is_stored_is_not_asked_again(client: FlaskClient, base: str) -> None:
    """A second, faster one to the same trial leads on instead of back to it."""
    form = shown(client.get(base).text)
    posted = {"trial": form.fields["trial"], "choice": form.xpath(".//input[@name='choice']/@value")[0]}
    client.post(f"{base}/answer", data=posted | {"timing": '{"rt_ms": 8000}'})
    again = client.post(f"{base}/answer", data=posted | {"timing": '{"rt_ms": 10}'})
    assert again.status_code == 303
    assert re.search(r"Image 2 of 2", client.get(base).text)
