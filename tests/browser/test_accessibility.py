"""Every page and every error state: no axe violation in light and dark, no sideways scrolling on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Participation, Server, expect_trial, fill_trial, save

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}
EVERYTHING = {"resultTypes": ["violations"]}
COLOURS_ONLY = {"runOnly": ["color-contrast"], **EVERYTHING}


class Inspector:
    """Looks at a page in both colour schemes and on both screens, and keeps what it finds."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.seen: list[str] = []
        self.problems: list[str] = []

    def look(self, state: str) -> None:
        """Inspect the page as it stands."""
        self.seen.append(state)
        self.page.wait_for_load_state()  # what is looked for can be found before all style sheets have come
        self.page.set_viewport_size(PHONE)
        too_wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if too_wide > 0:
            self.problems.append(f"{state}: {too_wide} px wider than the phone")
        self._axe(f"{state}, light, phone", "light", EVERYTHING)
        self.page.set_viewport_size(DESK)
        self._axe(f"{state}, dark, desk", "dark", COLOURS_ONLY)

    def _axe(self, state: str, scheme: Any, options: dict[str, Any]) -> None:
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for found in Axe().run(self.page, options=options).response["violations"]:
            places = [node["html"][:120] for node in found["nodes"]]
            self.problems.append(f"{state}: {found['id']} at {places}")


@pytest.fixture
def inspector(page: Page) -> Inspector:
    return Inspector(page)


def test_up_to_the_trials(server: Server, posting: str, inspector: Inspector) -> None:
    """Consent, refusal, instructions and check, with their errors, and the pages for those who go no further."""
    page = inspector.page
    page.goto(f"{server.address}/join/{posting}")
    inspector.look("consent")
    page.click("text=I agree and take part")
    page.wait_for_selector("[data-summary]")
    inspector.look("consent with an error")
    page.click("text=I do not want to take part")
    page.wait_for_selector("h1:text-is('You do not take part')")
    inspector.look("refused")
    page.click("text=Read the information again")
    for statement in page.locator("[name=statement]").all():
        statement.check()
    page.click("text=I agree and take part")
    page.wait_for_selector("text=Page 1 of 2")
    inspector.look("instructions, first page")
    for attempt in ("first", "second"):
        page.goto(page.url.split("?")[0] + "?page=2")
        if attempt == "first":
            inspector.look("instructions, last page")
        page.click("text=Go on to the questions")
        page.wait_for_selector("text=Check my answers")
        if attempt == "first":
            inspector.look("check")
            page.click("text=Check my answers")
            page.wait_for_selector("[data-summary]")
            inspector.look("check with an error")
        page.check("[value='My own']")
        page.click("text=Check my answers")
        if attempt == "first":
            page.wait_for_selector(".notice")
            inspector.look("instructions after a wrong check")
    page.wait_for_selector("h1:text-is('The study ends here for you')")
    inspector.look("failed check")
    page.goto(f"{server.address}/join/nowhere")
    inspector.look("message")
    assert inspector.problems == []
    assert len(inspector.seen) == 10


def test_from_the_trials_on(participation: Participation, inspector: Inspector) -> None:
    """A trial empty, with errors and while the network is down; leaving; debrief and receipt."""
    page = inspector.page
    page.goto(participation.address)
    inspector.look("trial")
    save(page)
    page.wait_for_selector("[data-summary]")
    inspector.look("trial with nothing answered")
    fill_trial(page, top1="7", probability="lots", never="7")
    save(page)
    page.wait_for_selector(".clash")
    inspector.look("trial with errors")
    fill_trial(page, top1="3")
    page.context.set_offline(True)
    save(page)
    page.wait_for_selector(".status.kept")
    inspector.look("trial with an answer that waits")
    page.context.set_offline(False)
    expect_trial(page, 2)
    page.goto(f"{participation.address}/leave")
    inspector.look("leave")
    page.click("button:text('Leave the study')")
    page.wait_for_selector("h1:text-is('You have left the study')")
    inspector.look("left")
    page.click("text=Continue where you stopped")
    for number in (2, 3, 4):
        expect_trial(page, number)
        fill_trial(page)
        save(page)
    page.wait_for_selector("text=All images are done and saved")
    inspector.look("debrief")
    page.click("text=Finish")
    page.wait_for_selector("[data-summary]")
    inspector.look("debrief with an error")
    page.check("[value=Hard]")
    page.click("text=Finish")
    page.wait_for_selector("[data-code]")
    inspector.look("receipt")
    assert inspector.problems == []
    assert len(inspector.seen) == 9


def test_the_image_holds_its_room(participation: Participation, page: Page) -> None:
    """Nothing moves when a slow image comes."""
    page.route("**/media/*", lambda route: (page.wait_for_timeout(300), route.continue_()))
    page.goto(participation.address)
    assert page.evaluate("document.querySelector('[data-stimulus]').naturalWidth") == 160
    shifts = """() => new Promise((resolve) => new PerformanceObserver((list) => resolve(
        list.getEntries().map((entry) => entry.value))).observe({ type: "layout-shift", buffered: true }))"""
    moved = page.evaluate(f"() => Promise.race([({shifts})(), new Promise((r) => setTimeout(r, 200, []))])")
    assert sum(moved) == 0
