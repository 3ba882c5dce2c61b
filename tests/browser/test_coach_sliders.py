"""The researcher's page of a coach in real Chromium: digits chosen and drawn, sliders by keyboard, points, a table."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from crowdloom.studies.access import new_access
from crowdloom.studies.design import Design
from crowdloom.studies.loading import load_design
from crowdloom.studies.tables import Study
from tests.browser.conftest import STUDY, Server
from tests.browser.test_accessibility import Inspector
from tests.untrained_coach import write_untrained_coach

DESIGN = Design.model_validate(
    {
        "name": "browser-coach",
        "title": "Write digits",
        "task": "coach",
        "classes": list(STUDY.classes),
        "consent": "You will write digits.",
        "instructions": ["Write."],
        "items": {"source": "classes"},
        "batches": {"size": 5, "responses_per_item": 2},
        "people": {"minutes": 3, "hold_minutes": 20},
    }
)


@pytest.fixture(scope="module")
def coached(running: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server, which finds a coach."""
    coaches = tmp_path_factory.mktemp("coaches")
    write_untrained_coach(coaches)
    running.kill(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROWDLOOM_COACHES", str(coaches))
        running.start()
        yield running
        running.kill(signal.SIGTERM)


def open_page(server: Server, page: Page) -> list[str]:
    """The page of the study's coach; what its script or the policy complains of."""
    load_design(server.store, DESIGN, "", Path())
    with server.store.write() as connection:
        access = new_access(connection)
        token = connection.execute(select(Study.token).where(Study.name == DESIGN.name)).scalar_one()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{server.address}/researcher/enter/{access}")
    page.goto(f"{server.address}/researcher/study/{token}")
    page.click(".tabs >> text=Coach")
    return complaints


def test_trying_a_coach(coached: Server, page: Page) -> None:
    """Every change is answered; the weights that are shown are those to be copied."""
    complaints = open_page(coached, page)
    inspector = Inspector(page)
    lines, words, now = page.locator("#lines"), page.locator("#words"), page.locator("#now")
    expect(lines).to_have_text('coach = "digits"\nclassification = 0.1\nefficiency = 4.0\ndiscriminator = 0.01')
    expect(page.locator("#drawing [data-read]")).to_contain_text("read as")
    expect(now).to_have_text("beyond what was measured")
    inspector.look("a test drawing")

    before = page.locator("#used").inner_text()
    page.focus("#efficiency")
    page.keyboard.press("End")
    expect(lines).to_contain_text("efficiency = 16.0")
    expect(page.locator("#efficiency")).to_have_attribute("aria-valuetext", "16")
    expect(page.locator("#used")).not_to_have_text(before)
    page.click("text=Back to the design’s weights")
    expect(lines).to_contain_text("efficiency = 4.0")
    expect(page.locator("#used")).to_have_text(before)

    page.check("[name=sample][value='0']")
    page.focus("[name=sample][value='0']")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#asked")).to_have_value("1")
    page.select_option("#asked", "7")
    expect(page.locator("#drawing .coach-bars [data-asked]")).to_contain_text("7")

    page.click("circle >> nth=2")  # the last one lies on top
    expect(lines).to_contain_text("classification = 0.5")
    expect(now).to_contain_text("99\xa0% of the proposals read right, 30\xa0% of the ink changed")
    page.click("text=The best of them as a table")
    assert page.locator("#best tr").count() == 2
    inspector.look("with the table")
    page.click("#best button >> nth=0")
    expect(lines).to_have_text('coach = "digits"\nclassification = 0.0\nefficiency = 0.0\ndiscriminator = 0.0')

    page.check("[name=source][value=own]")
    expect(words).to_contain_text("Draw something")
    inspector.look("an empty box")
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 180, steps=12)
    page.mouse.up()
    expect(page.locator("#pictures")).to_be_visible()
    expect(words).not_to_contain_text("Draw something")
    inspector.look("a drawing of one’s own")
    page.click("text=Undo")
    expect(page.locator("#pictures")).to_be_hidden()
    assert inspector.problems == []
    assert complaints == []


def test_a_server_that_is_away_is_said(coached: Server, page: Page) -> None:
    """And goes on when it is back."""
    open_page(coached, page)
    expect(page.locator("#drawing [data-read]")).to_contain_text("read as")
    page.context.set_offline(True)
    page.focus("#classification")
    page.keyboard.press("Home")
    expect(page.locator("#trouble")).to_contain_text("The server did not answer")
    page.context.set_offline(False)
    page.keyboard.press("End")
    expect(page.locator("#trouble")).to_be_empty()
