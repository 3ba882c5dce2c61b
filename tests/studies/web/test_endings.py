"""The pages at which a platform's people come in and go back: previews, dead ends, and the way back."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from crowdloom.studies.database import Store
from crowdloom.studies.platforms.mturk import PREVIEW
from crowdloom.studies.steering import close
from crowdloom.studies.tables import Participant, Response, Submission
from crowdloom.studies.web import create_app
from tests.studies.conftest import Publish
from tests.studies.published import Comer, OnLink, Published
from tests.studies.studies_for_tests import answer, trial_id


def address(study: Published, query: dict[str, str]) -> str:
    """The link by which somebody comes."""
    return f"/join/{study.posting}?{urlencode(query)}"


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    return {
        name: html.unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    }


def go_through(client: FlaskClient, study: Published, comer: Comer) -> str:
    """Everything from the consent page to the receipt, as a browser without JavaScript; the receipt's address."""
    fields = fields_of(client.get(address(study, comer.query)).text)
    assert fields == comer.query
    agreed = client.post(f"/join/{study.posting}", data=fields | {"decision": "agree"})
    assert agreed.status_code == 303, agreed.text
    base = agreed.location
    client.post(f"{base}/instructions")
    while trial_id(client, base):
        assert answer(client, base, top1="cat") == 303
    return base


def test_a_preview_shows_everything_and_takes_nothing(sqlite_store: Store, on_mturk: Publish) -> None:
    """Title, reward, consent and instructions, and no form; nobody is stored."""
    study = on_mturk(sqlite_store)
    client = create_app(sqlite_store).test_client()
    page = client.get(address(study, {"assignmentId": PREVIEW, "hitId": study.listings()[0].remote_id}))
    for text in ("This is a preview", "Which animal is it?", "1.20 USD", "It is voluntary.", "Look at each image."):
        assert text in page.text
    assert "<form" not in page.text
    assert study.address in page.headers["Content-Security-Policy"].split("frame-ancestors")[1]  # type: ignore[attr-defined]
    with sqlite_store.read() as connection:
        assert connection.execute(select(func.count()).select_from(Participant)).scalar_one() == 0


def test_a_worker_hands_in_by_a_form_once_the_answers_are_saved(store: Store, on_mturk: Publish) -> None:
    """The receipt is the first page with the form, and by then every answer is committed; the page may post there."""
    study = on_mturk(store)
    client = create_app(store).test_client()
    comer = study.accept()
    base = go_through(client, study, comer)
    page = client.get(base)
    assert f'action="{study.address}/mturk/externalSubmit"' in page.text
    assert f"form-action 'self' {study.address}" in page.headers["Content-Security-Policy"]
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(Response)).scalar_one() == 1
        token, pseudonym = connection.execute(select(Submission.token, Submission.pseudonym)).one()
    fields = fields_of(page.text)
    assert fields["assignmentId"] == comer.remote
    assert (fields["submission"], fields["outcome"]) == (pseudonym, "completed")
    assert token not in page.text.replace(base, "")
    study.market.submit(fields.pop("assignmentId"), fields)
    study.poll()
    assert set(study.remotes().values()) == {"submitted"}
    assert client.get(address(study, comer.query)).location == base


def test_a_participant_of_prolific_goes_back_by_a_link_with_the_code(sqlite_store: Store, on_prolific: Publish) -> None:
    """That of completing, and not before it is complete."""
    study = on_prolific(sqlite_store)
    client = create_app(sqlite_store).test_client()
    comer = study.accept()
    codes = study.posted.values["codes"]
    start = client.get(address(study, comer.query)).text
    assert not [code for code in codes.values() if code in start]
    page = client.get(go_through(client, study, comer))
    assert f"/submissions/complete?cc={codes['completed']}" in html.unescape(page.text)
    assert not [code for outcome, code in codes.items() if outcome != "completed" and code in page.text]
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_who_is_too_fast_goes_back_with_the_code_of_completing(sqlite_store: Store, on_prolific: Publish) -> None:
    """Only an attention check has a code of its own; the rest is for the researcher to see, and rejects nobody."""
    study = on_prolific(sqlite_store, items=1, checks={"seconds_per_answer": 60})
    client = create_app(sqlite_store).test_client()
    page = client.get(go_through(client, study, study.accept())).text
    assert study.posted.values["codes"]["completed"] in page  # too fast is no attention check
    assert study.posted.values["codes"]["failed_attention_check"] not in page


def test_who_does_not_agree_is_led_back(sqlite_store: Store, on_paying: Publish) -> None:
    """With the code for it, or the word to return the work; and may think better of it."""
    study = on_paying(sqlite_store)
    client = create_app(sqlite_store).test_client()
    comer = study.accept()
    page = client.post(f"/join/{study.posting}", data=comer.query | {"decision": "refuse"})
    text = html.unescape(page.text)
    if study.platform == "prolific":
        assert f"complete?cc={study.posted.values['codes']['no_consent']}" in text
    else:
        assert "Please return this work" in text
        assert "externalSubmit" not in text
    again = re.search(r'href="(/join/[^"]+)"', text)
    assert again
    assert client.get(again[1]).status_code == 200
    assert fields_of(client.get(again[1]).text) == comer.query


def test_who_comes_too_late_is_led_back(sqlite_store: Store, on_paying: Publish) -> None:
    """Where it is closed, a platform's people are told how to get back to it."""
    study = on_paying(sqlite_store)
    comer = study.accept()
    close(sqlite_store, study.posted)
    client = create_app(sqlite_store).test_client()
    for page in (
        client.get(address(study, comer.query)),
        client.post(f"/join/{study.posting}", data=comer.query | {"decision": "agree"}),
    ):
        assert (page.status_code, "is closed" in page.text) == (409, True)
        back = study.posted.values["codes"]["screened_out"] if study.platform == "prolific" else "return this work"
        assert back in page.text


@pytest.mark.parametrize(
    "changes",
    [{"turkSubmitTo": "https://evil.example"}, {"turkSubmitTo": ""}, {"workerId": "<b>"}, {"assignmentId": "a b"}],
    ids=str,
)
def test_who_does_not_come_from_the_marketplace_gets_no_form(
    sqlite_store: Store, on_mturk: Publish, changes: dict[str, str]
) -> None:
    """A page that posted to any address would be an open redirect; nothing is stored, nothing repeated."""
    study = on_mturk(sqlite_store)
    client = create_app(sqlite_store).test_client()
    query = study.accept().query | changes
    for page in (
        client.get(address(study, query)),
        client.post(f"/join/{study.posting}", data=query | {"decision": "agree"}),
    ):
        assert page.status_code == 409
        assert "evil" not in page.text + page.headers["Content-Security-Policy"]
        assert "<b>" not in page.text
    with sqlite_store.read() as connection:
        assert connection.execute(select(func.count()).select_from(Submission)).scalar_one() == 0


def test_the_direct_link_leads_where_the_design_says(sqlite_store: Store, on_mturk: Publish) -> None:
    """With the placeholders filled in, once it is complete; the panel's own code is shown."""
    link = {"redirect": "https://panel.example/back?id={participant}&c={code}", "completion_code": "PANEL-7"}
    study = OnLink(sqlite_store, on_mturk.args[1], link=link)  # type: ignore[attr-defined]
    client = create_app(sqlite_store).test_client()
    base = go_through(client, study, Comer("a&b", "", {"participant": "a&b"}))
    page = html.unescape(client.get(base).text)
    assert "https://panel.example/back?id=a%26b&c=PANEL-7" in page
    assert "PANEL-7" in page


def test_a_link_hands_in_the_assignment_that_it_names(sqlite_store: Store, on_mturk: Publish) -> None:
    """Whoever else came in somebody's name since: who opens their own link again hands in their own assignment."""
    study = on_mturk(sqlite_store)
    client = create_app(sqlite_store).test_client()
    victim, thief = study.accept(), study.accept()
    base = go_through(client, study, victim)
    assert fields_of(client.get(base).text)["assignmentId"] == victim.remote
    forged = thief.query | {"workerId": victim.person}
    assert client.get(address(study, forged)).location == base
    assert client.get(address(study, victim.query)).location == base
    assert fields_of(client.get(base).text)["assignmentId"] == victim.remote


def test_who_gave_one_back_hands_in_the_other(sqlite_store: Store, on_mturk: Publish) -> None:
    """The last link that was opened counts."""
    study = on_mturk(sqlite_store)
    client = create_app(sqlite_store).test_client()
    first = study.accept()
    base = go_through(client, study, first)
    study.give_back(first)  # type: ignore[attr-defined]
    second = study.accept(first.person)
    assert second.remote != first.remote
    assert client.get(address(study, second.query)).location == base
    assert fields_of(client.get(base).text)["assignmentId"] == second.remote
