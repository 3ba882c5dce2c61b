"""The questionnaires' pages as plain forms: in order, once each, resumable, with what is missing beside its field."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html as lxml_html
from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.tables import Event, Place, Submission
from tests.studies.studies_for_tests import DESIGN, answer, begin, complete, open_small
from tests.studies.test_questionnaires import IN_TOML, SCALES, UMUX

FULL = DESIGN + IN_TOML + '[[debrief]]\nquestion = "Anything else?"\n'
TLX = '[[questionnaires]]\ninstrument = "nasa-tlx"\nsystem = "the <b>task</b>"\n'


def events(store: Store, kind: str = "questionnaire") -> list[dict[str, Any]]:
    """What is stored of one kind of event."""
    with store.read() as connection:
        return list(connection.scalars(select(Event.values).where(Event.kind == kind).order_by(Event.id)))


def stage(store: Store) -> str:
    """Where the only submission is."""
    with store.read() as connection:
        return str(connection.scalars(select(Submission.stage)).one())


def test_in_the_designs_order_then_the_debrief(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """One page each after the last trial, which completes the submission; the receipt comes at the very end."""
    base = complete(client, open_small(store, tmp_path, FULL), "ann")
    with store.read() as connection:
        assert connection.scalars(select(Submission.state)).all() == ["completed"]
        assert "filled" in set(connection.scalars(select(Place.state)))
    page = client.get(base).text
    assert "page 1 of 3" in page
    assert "The tool is easy to use." in page
    assert "Go on" in page
    assert f"{base}/leave" not in page
    assert client.post(f"{base}/questionnaire", data={"number": "0", **UMUX}).status_code == 303
    assert "It biased me." in client.get(base).text
    client.post(f"{base}/questionnaire", data={"number": "1", **SCALES})
    page = client.get(base).text
    assert "Anything else?" in page
    assert "page 3 of 3" in page
    client.post(f"{base}/debrief", data={"question-0": ""})
    assert "Your completion code" in client.get(base).text
    assert events(store) == [
        {"number": 1, "instrument": "umux-lite", "ratings": {"capabilities": 6, "ease": 7}},
        {"number": 2, "instrument": "scales", "ratings": {"q1": 80, "q2": 12.5}},
    ]


def test_without_debrief_questions_the_last_finishes(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """Its button says so, and the receipt is next; a single page is not counted."""
    base = complete(client, open_small(store, tmp_path, DESIGN + TLX), "ann")
    page = client.get(base).text
    assert "Finish" in page
    assert "page 1" not in page
    assert "How hurried was the pace of the &lt;b&gt;task&lt;/b&gt;?" in page
    names = ("mental", "physical", "temporal", "performance", "effort", "frustration")
    client.post(f"{base}/questionnaire", data={"number": "0", **dict.fromkeys(names, "7")})
    assert "Your completion code" in client.get(base).text
    assert events(store)[0]["ratings"] == dict.fromkeys(names, 7)


def test_nothing_is_chosen_beforehand_and_nothing_may_be_missing(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    """An empty page is refused with a sentence beside each item; what was chosen or typed stays."""
    base = complete(client, open_small(store, tmp_path, FULL), "ann")
    page = lxml_html.document_fromstring(client.get(base).text)
    assert len(page.xpath("//input[@type='radio']")) == 14
    assert not page.xpath("//input[@checked]")
    refused = client.post(f"{base}/questionnaire", data={"number": "0", "ease": "7"})
    assert refused.status_code == 422
    page = lxml_html.document_fromstring(refused.text)
    assert page.xpath("//p[@id='capabilities-error']/text()") == ["Statement 1: choose one of the answers from 1 to 7."]
    assert not page.xpath("//p[@id='ease-error']")
    assert page.xpath("//input[@name='ease'][@checked]/@value") == ["7"]
    assert page.xpath("//a[@href='#capabilities']")
    assert (stage(store), events(store)) == ("questionnaire-0", [])
    client.post(f"{base}/questionnaire", data={"number": "0", **UMUX})
    refused = client.post(f"{base}/questionnaire", data={"number": "1", "q1": "<120>", "q2": "5"})
    page = lxml_html.document_fromstring(refused.text)
    assert page.xpath("//input[@name='q1']/@value") == ["<120>"]
    assert page.xpath("//input[@name='q1']/@aria-describedby") == ["q1-hint q1-error"]
    assert "“<120>” is not on this scale" in page.xpath("string(//p[@id='q1-error'])")
    assert client.get(f"{base}/questionnaire").location == base


def test_a_page_that_is_sent_again_changes_nothing(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """Neither the same answer nor another, nor an answer to a page that is still to come, or to none."""
    base = complete(client, open_small(store, tmp_path, FULL), "ann")
    other = {"capabilities": "1", "ease": "1"}
    ahead = client.post(f"{base}/questionnaire", data={"number": "1", **SCALES})
    assert (ahead.status_code, events(store)) == (303, [])
    for form in (UMUX, UMUX, other):
        assert client.post(f"{base}/questionnaire", data={"number": "0", **form}).status_code == 303
    for number in ("", "7", "-1", "x", "0" * 5000):
        assert client.post(f"{base}/questionnaire", data={"number": number, **other}).status_code == 303
    assert [event["ratings"] for event in events(store)] == [{"capabilities": 6, "ease": 7}]
    assert client.post(f"{base}/debrief", data={"question-0": "early"}).status_code == 303
    assert (stage(store), events(store, "debrief")) == ("questionnaire-1", [])


def test_many_at_once_save_one(store: Store, app: Flask, client: FlaskClient, tmp_path: Path) -> None:
    """Double clicks, retries and a second tab: one event, on SQLite and on PostgreSQL."""
    base = complete(client, open_small(store, tmp_path, FULL), "ann")

    def post(point: int) -> int:
        form = {"number": "0", "capabilities": str(point), "ease": str(point)}
        return app.test_client().post(f"{base}/questionnaire", data=form).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(post, [1, 2, 3, 4, 5, 6])) == {303}
    (kept,) = events(store)
    assert len(set(kept["ratings"].values())) == 1
    assert stage(store) == "questionnaire-1"


def test_no_questionnaire_before_the_last_trial(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """Neither in the instructions nor between trials."""
    base = begin(client, open_small(store, tmp_path, FULL), "ann")
    answer(client, base)
    assert client.post(f"{base}/questionnaire", data={"number": "0", **UMUX}).status_code == 303
    assert (stage(store), events(store)) == ("trials", [])


def test_who_drops_out_there_has_completed(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """Nothing is lost, no place becomes free, and the link leads to the page where they stopped."""
    posting = open_small(store, tmp_path, FULL)
    base = complete(client, posting, "ann")
    client.post(f"{base}/questionnaire", data={"number": "0", **UMUX})
    client.post(f"{base}/leave")
    with store.read() as connection:
        row = connection.execute(select(Submission.state, Submission.surplus)).one()
        assert tuple(row) == ("completed", False)
        assert list(connection.scalars(select(Place.state))).count("filled") == 1
    again = client.post(f"/join/{posting}", data={"participant": "ann", "decision": "agree"}).location
    assert again == base
    assert "It biased me." in client.get(base).text


@pytest.mark.parametrize("typed", ["%00", "%ED%A0%80", "9" * 100_000, "%3Cscript%3E", "1e1"])
def test_whatever_is_posted(store: Store, client: FlaskClient, tmp_path: Path, typed: str) -> None:
    """It is refused with a page, and stored nowhere."""
    base = complete(client, open_small(store, tmp_path, FULL), "ann")
    client.post(f"{base}/questionnaire", data={"number": "0", **UMUX})
    form = {"data": f"number=1&q1={typed}&q2=5", "content_type": "application/x-www-form-urlencoded"}
    refused = client.post(f"{base}/questionnaire", **form)
    assert refused.status_code == 422
    assert "<script>" not in refused.text
    assert len(events(store)) == 1
