"""A person on the marketplace's pages, in real Chromium: from the invitation to the earnings."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, expect

from crowdloom.studies.marketplace import Market, open_market
from tests.browser.test_accessibility import Inspector
from tests.studies.marketplace.running import external_question, hit_values, html_question, requester, running

ELSEWHERE = """<!doctype html><html lang="en"><title>A study</title>
<style>body {{ font: 1rem sans-serif; }}</style><h1>Which digit is it?</h1><p id="seen">{query}</p>
<form method="post" action="{submit_to}/mturk/externalSubmit">
<input type="hidden" name="assignmentId" value="{assignment}">
<label>Digit <input name="digit" required></label>
<label><input type="checkbox" name="why" value="shape"> shape</label>
<label><input type="checkbox" name="why" value="size"> size</label>
<button>Send</button></form>"""

OF_ITS_OWN = """<!doctype html><html lang="en"><title>A page of its own</title>
<script src="https://s3.amazonaws.com/mturk-public/externalHIT_v1.js"></script>
<form id="mturk_form" method="post" action="https://www.mturk.com/mturk/externalSubmit">
<input type="hidden" id="assignmentId" name="assignmentId" value="">
<label>Animal <input name="animal"></label><input type="hidden" name="stolen" id="stolen" value="nothing">
<input type="submit" id="submitButton" value="Send"></form>
<script>turkSetAssignmentID();
try { document.getElementById("stolen").value = document.cookie || "no cookie"; }
catch (error) { document.getElementById("stolen").value = error.name; }
try { document.getElementById("stolen").value += window.top.document.title; } catch (error) { /* as it must be */ }
</script>"""


class Elsewhere(BaseHTTPRequestHandler):
    """A lab's own page, on another origin."""

    def do_GET(self) -> None:
        """Show the form with what the address says."""
        query = dict(parse_qsl(urlsplit(self.path).query))
        page = ELSEWHERE.format(
            query=" ".join(f"{name}={value}" for name, value in sorted(query.items())),
            submit_to=query["turkSubmitTo"],
            assignment=query["assignmentId"],
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_request(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of the lab's page."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}/study?lab=1"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    """An empty marketplace."""
    opened = open_market(str(tmp_path / "market.db"))
    yield opened
    opened.close()


def sign_in(page: Page, address: str, market: Market, **options: Any) -> str:
    """Open the pages by a new invitation; the worker's id."""
    worker, invitation = market.add_worker(**options)
    page.goto(f"{address}/enter/{invitation}")
    expect(page.get_by_role("heading", name="HITs", exact=True)).to_be_visible()
    return worker


def test_a_page_elsewhere(page: Page, market: Market, elsewhere: str) -> None:
    """Sign in, preview, accept, work in the frame, submit; the requester gets the answer and pays, and it shows."""
    with running(market) as address:
        client = requester(address)
        hit = client.create_hit(**hit_values(Question=external_question(elsewhere, 400)))["HIT"]["HITId"]
        worker = sign_in(page, address, market)
        page.get_by_role("link", name="Preview: Name the digit").click()
        frame = page.frame_locator("iframe")
        expect(frame.locator("#seen")).to_have_text(
            f"assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE hitId={hit} lab=1 turkSubmitTo={address}"
        )
        page.get_by_role("button", name="Accept this HIT").click()
        expect(page.get_by_text("time left: 29:")).to_be_visible()
        assignment = page.url.rsplit("/", 1)[1]
        expect(frame.locator("#seen")).to_have_text(
            f"assignmentId={assignment} hitId={hit} lab=1 turkSubmitTo={address} workerId={worker}"
        )
        assert client.list_assignments_for_hit(HITId=hit)["Assignments"] == []
        frame.get_by_label("Digit").fill("seven")
        frame.get_by_label("shape").check()
        frame.get_by_label("size").check()
        frame.get_by_role("button", name="Send").click()
        expect(page.get_by_role("heading", name="Submitted")).to_be_visible()
        (found,) = client.list_assignments_for_hit(HITId=hit)["Assignments"]
        assert (found["AssignmentId"], found["WorkerId"]) == (assignment, worker)
        assert "<FreeText>seven</FreeText>" in found["Answer"]
        assert "<FreeText>shape|size</FreeText>" in found["Answer"]
        client.approve_assignment(AssignmentId=assignment, RequesterFeedback="Thank you!")
        client.send_bonus(WorkerId=worker, AssignmentId=assignment, BonusAmount="0.41", Reason="among the best")
        page.get_by_role("link", name="Earnings").first.click()
        expect(page.get_by_text("Earned in all$0.91")).to_be_visible()
        assert market.paid(worker) == 91


def test_a_page_of_its_own(page: Page, market: Market) -> None:
    """A page written for MTurk works as it is: its scripts run in a sandbox, and its form finds this marketplace."""
    with running(market) as address:
        client = requester(address)
        hit = client.create_hit(**hit_values(Question=html_question(OF_ITS_OWN, 300)))["HIT"]["HITId"]
        sign_in(page, address, market)
        page.get_by_role("link", name="Preview: Name the digit").click()
        frame = page.frame_locator("iframe")
        expect(frame.locator("#submitButton")).to_be_disabled()
        page.get_by_role("button", name="Accept this HIT").click()
        frame.get_by_label("Animal").fill("cat")
        frame.locator("#submitButton").click()
        expect(page.get_by_role("heading", name="Submitted")).to_be_visible()
        (found,) = client.list_assignments_for_hit(HITId=hit)["Assignments"]
        assert "<FreeText>cat</FreeText>" in found["Answer"]
        assert "<FreeText>SecurityError</FreeText>" in found["Answer"]  # neither our cookie nor our page


def test_returning_and_time(page: Page, market: Market, elsewhere: str) -> None:
    """A returned HIT can be accepted anew; when the time is over the page says so by itself."""
    with running(market) as address:
        question = external_question(elsewhere)
        requester(address).create_hit(**hit_values(Question=question, AssignmentDurationInSeconds=30))
        sign_in(page, address, market)
        page.get_by_role("link", name="Preview: Name the digit").click()
        page.get_by_role("button", name="Accept this HIT").click()
        page.get_by_role("button", name="Return this HIT").click()
        expect(page.get_by_text("You have returned the HIT.")).to_be_visible()
        page.get_by_role("link", name="Preview: Name the digit").click()
        page.get_by_role("button", name="Accept this HIT").click()
        expect(page.get_by_text("time left: 0:")).to_be_visible()
        market.advance(29)
        page.reload()
        expect(page.get_by_role("heading", name="Time ran out")).to_be_visible()


@pytest.fixture
def inspector(page: Page) -> Inspector:
    """Looks at each page in both colour schemes, on a phone and on a desk."""
    return Inspector(page)


def test_every_page_is_accessible(inspector: Inspector, market: Market) -> None:
    """No axe violation and no sideways scrolling, on each page in each state."""
    page = inspector.page
    with running(market) as address:
        client = requester(address)
        needs = [{"QualificationTypeId": "00000000000000000040", "Comparator": "GreaterThan", "IntegerValues": [9]}]
        kind = client.create_qualification_type(
            Name="Condition A", Description="Took part in condition A.", QualificationTypeStatus="Active"
        )["QualificationType"]["QualificationTypeId"]
        client.create_hit(**hit_values(Title="For the experienced", QualificationRequirements=needs))
        hit = client.create_hit(**hit_values(Question=html_question(OF_ITS_OWN)))["HIT"]["HITId"]
        page.goto(address)
        inspector.look("sign in")
        page.fill("[name=invitation]", "wrong")
        page.get_by_role("button", name="Sign in").click()
        inspector.look("sign in with an error")
        page.goto(f"{address}/earnings")
        inspector.look("asked to sign in")
        worker = sign_in(page, address, market)
        inspector.look("HITs")
        for empty in ("earnings", "messages", "qualifications"):
            page.goto(f"{address}/{empty}")
            inspector.look(f"{empty} at first")
        page.get_by_role("button", name="Ask for it: Condition A").click()
        inspector.look("qualification asked for")
        client.associate_qualification_with_worker(QualificationTypeId=kind, WorkerId=worker, IntegerValue=7)
        page.goto(f"{address}/")
        page.get_by_role("link", name="Preview: For the experienced").click()
        inspector.look("preview without qualification")
        page.goto(f"{address}/hits/{hit}")
        inspector.look("preview")
        page.get_by_role("button", name="Accept this HIT").click()
        inspector.look("work")
        page.goto(f"{address}/")
        inspector.look("HITs while working")
        page.get_by_role("link", name="Name the digit").first.click()
        page.frame_locator("iframe").locator("#submitButton").click()
        expect(page.get_by_role("heading", name="Submitted")).to_be_visible()
        inspector.look("submitted")
        assignment = client.list_assignments_for_hit(HITId=hit)["Assignments"][0]["AssignmentId"]
        client.reject_assignment(AssignmentId=assignment, RequesterFeedback="The answer was empty.")
        client.send_bonus(WorkerId=worker, AssignmentId=assignment, BonusAmount="0.10", Reason="for the time")
        page.reload()
        inspector.look("rejected")
        for full in ("earnings", "messages", "qualifications", "nothing"):
            page.goto(f"{address}/{full}")
            inspector.look(full)
    assert inspector.problems == []
    assert len(inspector.seen) == 18
