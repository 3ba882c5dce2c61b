"""The workers' pages over HTTP: what they let through, and what they do not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.studies.marketplace.conftest import Running
from tests.studies.marketplace.running import html_question


class Person:
    """A worker with a browser that has no scripts."""

    def __init__(self, shop: Running, **worker: Any) -> None:
        self.token, self.invitation = shop.market.add_worker(**worker)
        self.client = httpx.Client(base_url=shop.address, follow_redirects=True)
        self.client.get(f"/enter/{self.invitation}")

    def form(self, path: str) -> str:
        """The token in a page's form."""
        found = re.search('name="form" value="([^"]+)"', self.client.get(path).text)
        assert found is not None
        return found[1]

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form with the token."""
        return self.client.post(path, data={"form": self.form("/"), **fields})


def test_without_scripts(shop: Running) -> None:
    """Invitation, list, preview, accept, submit, earnings: with forms and links alone."""
    hit = shop.hit(Title="Which <b>digit</b>?", MaxAssignments=1)
    next_hit = shop.hit(Title="Which <b>digit</b>?", MaxAssignments=1)
    person = Person(shop)
    page = person.client.get("/").text
    assert "Which &lt;b&gt;digit&lt;/b&gt;?" in page
    assert "2 HITs" in page
    group = shop.client.get_hit(HITId=hit)["HIT"]["HITGroupId"]
    previewed = person.client.get("/mturk/preview", params={"groupId": group})
    assert str(previewed.url).endswith(f"/hits/{hit}")
    assert "assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&amp;hitId=" in previewed.text
    assert str(person.client.get(f"/projects/{group}/tasks").url).endswith(f"/hits/{hit}")
    accepted = person.post(f"/hits/{hit}/accept")
    assignment = str(accepted.url).rsplit("/", 1)[1]
    source = re.search('<iframe[^>]+src="([^"]+)"', accepted.text)
    assert source is not None
    asked = httpx.URL(source[1].replace("&amp;", "&"))
    assert dict(asked.params) == {
        "a": "1",
        "b": "2",
        "assignmentId": assignment,
        "hitId": hit,
        "workerId": person.token,
        "turkSubmitTo": shop.address,
    }
    submitted = httpx.post(f"{shop.address}/mturk/externalSubmit", data={"assignmentId": assignment, "x": "1"})
    assert f'target="_top" href="/assignments/{assignment}"' in submitted.text
    assert f"/hits/{next_hit}" in person.client.get(f"/assignments/{assignment}").text
    assert "Submitted, not reviewed yet" in person.client.get("/earnings").text


def test_submissions_that_are_none(shop: Running) -> None:
    """No assignment, no answer, a preview's id: each has its sentence, and nothing is kept."""
    hit = shop.hit()
    worker, _ = shop.market.add_worker()
    assignment = shop.market.accept(hit, worker)
    for form, status, sentence in (
        ({"x": "1"}, 409, "no assignmentId"),
        ({"assignmentId": assignment}, 409, "at least one field beside assignmentId"),
        ({"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE", "x": "1"}, 404, "accept the HIT first"),
        ({"assignmentId": "3NONE", "x": "1"}, 404, "no such assignment"),
    ):
        answer = httpx.post(f"{shop.address}/mturk/externalSubmit", data=form)
        assert (answer.status_code, sentence in answer.text) == (status, True)
    assert shop.client.list_assignments_for_hit(HITId=hit)["Assignments"] == []


def test_answers_of_any_kind(shop: Running) -> None:
    """Multipart forms, repeated fields, line ends and signs that XML cannot hold."""
    hit = shop.hit()
    worker, _ = shop.market.add_worker()
    assignment = shop.market.accept(hit, worker)
    fields = [("assignmentId", assignment), ("c", "a"), ("text", "1\r\n<2>\x0b"), ("c", "b"), ("empty", "")]
    httpx.post(f"{shop.address}/mturk/externalSubmit", files=[(name, (None, value)) for name, value in fields])
    (found,) = shop.client.list_assignments_for_hit(HITId=hit)["Assignments"]
    for part in (
        "<FreeText>a|b</FreeText>",
        "1&#13;\n&lt;2&gt;\ufffd",
        "<QuestionIdentifier>empty</QuestionIdentifier>\n    <FreeText></FreeText>",
    ):
        assert part in found["Answer"]


def test_forms_of_other_sites(shop: Running) -> None:
    """A form without the token of a page of ours changes nothing, though the browser sends the cookie."""
    hit = shop.hit()
    person = Person(shop)
    for path in (f"/hits/{hit}/accept", "/leave", "/assignments/3X/return", "/qualifications/3X/request"):
        assert person.client.post(path).status_code == 403
        assert person.client.post(path, data={"form": "guess"}).status_code == 403
    assert shop.numbers(hit) == (0, 2, 0)


def test_who_may_look(shop: Running) -> None:
    """What DiscoverPreviewAndAccept hides is not listed, not shown and not served; Accept's can be seen."""
    guarded = {"QualificationTypeId": "00000000000000000040", "Comparator": "GreaterThan", "IntegerValues": [10]}
    secret, open_ = (
        shop.hit(
            Title=title,
            Question=html_question(f"<p>{title}</p>"),
            QualificationRequirements=[{**guarded, "ActionsGuarded": action}],
        )
        for title, action in (("Secret", "DiscoverPreviewAndAccept"), ("Open", "Accept"))
    )
    beginner, expert = Person(shop), Person(shop, approved=11)
    assert ("Secret" in beginner.client.get("/").text, "Secret" in expert.client.get("/").text) == (False, True)
    assert "your approved assignments is above 10" in beginner.client.get("/").text
    for path in (f"/hits/{secret}", f"/question/{secret}"):
        assert beginner.client.get(path).status_code == 409
        assert expert.client.get(path).status_code == 200
    assert beginner.client.get(f"/question/{open_}").text == "<p>Open</p>"
    assert beginner.post(f"/hits/{open_}/accept").status_code == 409
    for path in ("/earnings", f"/hits/{open_}", f"/question/{open_}"):
        assert httpx.get(shop.address + path).status_code == 401
    policy = beginner.client.get(f"/question/{open_}").headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "allow-same-origin" not in policy


def test_invitations(shop: Running) -> None:
    """An invitation works again and typed in, is kept as a digest only, and a wrong one says so."""
    person = Person(shop)
    for typed in (person.invitation, f" {shop.address}/enter/{person.invitation} "):
        again = httpx.post(f"{shop.address}/enter", data={"invitation": typed}, follow_redirects=False)
        assert again.status_code == 303
        assert "HttpOnly" in again.headers["set-cookie"]
    assert httpx.get(f"{shop.address}/enter/wrong").status_code == 404
    kept = b"".join(path.read_bytes() for path in Path(shop.market.url).parent.glob("market.db*"))
    assert person.token.encode() in kept
    assert person.invitation.encode() not in kept
    assert person.post("/leave").text.count("Sign in") > 0
    assert person.client.get("/earnings").status_code == 401


def test_asking_for_qualifications(shop: Running) -> None:
    """One that is granted automatically is had at once; any other waits for its requester, and can be asked anew."""
    kinds = {}
    for name, more in (
        ("At once", {"AutoGranted": True, "AutoGrantedValue": 5}),
        ("On request", {"RetryDelayInSeconds": 60}),
        ("Only once", {}),
    ):
        made = shop.client.create_qualification_type(
            Name=name, Description="d", QualificationTypeStatus="Active", **more
        )
        kinds[name] = made["QualificationType"]["QualificationTypeId"]
    person = Person(shop)

    def ask(name: str) -> int:
        return person.post(f"/qualifications/{kinds[name]}/request").status_code

    def value(name: str) -> Any:
        found = shop.client.get_qualification_score(QualificationTypeId=kinds[name], WorkerId=person.token)
        return found["Qualification"]["IntegerValue"]

    assert [ask(name) for name in kinds for _ in range(2)] == [200] * 6, "asking twice is asking once"
    assert value("At once") == 5
    waiting = shop.client.list_qualification_requests()["QualificationRequests"]
    assert [one["QualificationTypeId"] for one in waiting] == [kinds["On request"], kinds["Only once"]]
    for one in waiting:
        shop.client.reject_qualification_request(QualificationRequestId=one["QualificationRequestId"], Reason="not yet")
    assert "not yet" in person.client.get("/messages").text
    assert (ask("On request"), ask("Only once")) == (409, 409)
    shop.market.advance(60)
    assert (ask("On request"), ask("Only once")) == (200, 409)
    (again,) = shop.client.list_qualification_requests(QualificationTypeId=kinds["On request"])["QualificationRequests"]
    shop.client.accept_qualification_request(QualificationRequestId=again["QualificationRequestId"], IntegerValue=9)
    assert value("On request") == 9


@pytest.mark.parametrize("fault", ["500", "drop", "effect-then-500", "effect-then-drop"])
def test_an_acceptance_that_fails(shop: Running, fault: str) -> None:
    """Whatever became of the first click, after the second one the worker has one assignment."""
    hit = shop.hit()
    person = Person(shop)
    shop.market.add_fault("accept", fault)
    token = person.form("/")
    try:
        assert person.client.post(f"/hits/{hit}/accept", data={"form": token}).status_code == 500
    except httpx.RemoteProtocolError:
        assert fault.endswith("drop")
    assert shop.numbers(hit) == ((1, 1, 0) if "effect" in fault else (0, 2, 0))
    assert person.post(f"/hits/{hit}/accept").status_code == 200
    assert shop.numbers(hit) == (1, 1, 0)
