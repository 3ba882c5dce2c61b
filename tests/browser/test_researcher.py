"""A researcher's round in a real browser, by keyboard where it matters: publish, review, pay, close."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from crowdloom.studies.access import new_access
from crowdloom.studies.database import now
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.loading import load_design
from crowdloom.studies.participation import Designs, answer_check, finish_instructions, read_progress, save_answer
from crowdloom.studies.platform_jobs import PreviewBonus, ask
from crowdloom.studies.tables import Posting, Study
from tests.browser.conftest import STUDY, Server
from tests.browser.test_accessibility import Inspector

DESIGN = STUDY.model_copy(update={"name": "researchers-round"})
ANSWER = {"top1": "3", "top1_probability": 80, "top2": None, "top2_probability": None, "impossible": []}


@pytest.fixture
def study(server: Server, page: Page, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the study's page, which this browser may open."""
    load_design(server.store, DESIGN, "", tmp_path_factory.mktemp("none"))
    with server.store.write() as connection:
        access = new_access(connection)
        token = connection.execute(select(Study.token).where(Study.name == DESIGN.name)).scalar_one()
    page.goto(f"{server.address}/researcher/enter/{access}")
    return f"{server.address}/researcher/study/{token}"


def take(server: Server, posting: str, person: str) -> None:
    """Somebody comes by the link and answers everything."""
    with server.store.write() as connection:
        token = join(connection, find_entry(connection, posting), person)
        finish_instructions(connection, read_progress(connection, token), DESIGN)
        assert DESIGN.comprehension is not None
        right = [question.correct for question in DESIGN.comprehension.questions]
        answer_check(connection, read_progress(connection, token), DESIGN, right)
        progress = read_progress(connection, token)
        for position in range(len(progress.item_order)):
            save_answer(connection, Designs(server.store), progress, position, ANSWER, rt_ms=900, timing=None)


def test_the_round(server: Server, study: str, page: Page) -> None:
    """Every page is free of axe violations on both screens; the buttons lead from publishing to the closed study."""
    inspector = Inspector(page)
    page.goto(study)
    inspector.look("study, not published")
    page.click("text=See what it costs")
    page.wait_for_selector("text=What it can cost on Direct link")
    inspector.look("publish")
    page.click("button:has-text('Publish for at most')")
    page.wait_for_selector("text=is now open on link")
    inspector.look("job")
    with server.store.read() as connection:
        posting = connection.scalars(select(Posting.token).order_by(Posting.id.desc())).first()
    assert f"/join/{posting}" in page.inner_text(".result")
    for person in ("ann", "ben"):
        take(server, str(posting), person)
    page.goto(f"{study}/review")
    inspector.look("review")
    page.focus("[name=code] >> nth=0")
    page.keyboard.press("Space")
    page.focus("text=Approve the chosen")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=1 submission approved.")
    page.click(".code-line a")
    page.click("button:has-text('Reject')")
    page.wait_for_selector("[data-summary]")
    inspector.look("submission with an error")
    page.goto(f"{study}/places?responses=x")
    inspector.look("places with an error")
    page.goto(f"{study}/payments")
    inspector.look("payments")
    with page.expect_download() as download:
        page.click("text=Download the list")
    assert download.value.suggested_filename == "pay-researchers-round.csv"
    page.focus("summary:has-text('I have paid these by hand')")
    page.keyboard.press("Enter")
    inspector.look("payments with the question")
    page.click("button:has-text('Record 0.50 GBP as paid')")
    page.wait_for_selector("text=1 payment recorded as paid.")
    page.goto(f"{study}/reconcile")
    page.click("text=Look again")
    page.click("text=Go on: Platforms")
    page.wait_for_selector("text=As of")
    inspector.look("platforms")
    page.goto(study)
    for closed in page.locator("details > summary").all():
        closed.click()
    inspector.look("study")
    page.click("button:has-text('Close the study')")
    page.wait_for_selector("text=link, version 1, is closed.")
    page.goto(study)
    assert "closed" in page.inner_text(".posting .state")
    assert inspector.problems == []
    assert len(inspector.seen) == 10


def test_a_job_is_followed_in_place(server: Server, study: str, page: Page, profile: BrowserContext) -> None:
    """The page of a job says that no worker runs, and what became of it, without being loaded again."""
    token = study.rsplit("/", 1)[1]
    asked_at = now() - timedelta(seconds=10)
    job = ask(server.store, PreviewBonus(study=token, asked_at=asked_at), "jobthatwaits")
    page.goto(f"{study}/jobs/{job}")
    page.evaluate("window.stays = true")
    page.wait_for_selector("text=No worker is running")
    inspector = Inspector(page)
    inspector.look("job without a worker")
    assert inspector.problems == []
    other = profile.new_page()
    other.goto(page.url)
    other.click("text=Take it back")
    page.wait_for_selector("text=It was taken back")
    assert page.evaluate("window.stays") is True
    assert "cancelled" in page.title()


def test_without_javascript(server: Server, study: str, page: Page) -> None:
    """A job's page asks the browser to load it again where no script can, and only until the job has ended."""
    token = study.rsplit("/", 1)[1]
    job = ask(server.store, PreviewBonus(study=token), "jobofthisstudy")
    answer = page.request.get(f"{study}/jobs/{job}").text()
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in answer
    page.goto(f"{study}/jobs/{job}")
    page.click("text=Take it back")
    page.wait_for_selector("text=It was taken back")
    assert "http-equiv" not in page.request.get(f"{study}/jobs/{job}").text()
