"""The page of power in a real browser: asked by keyboard, free of axe violations, its curve is shown."""

from __future__ import annotations

from playwright.sync_api import Page
from sqlalchemy import select

from crowdloom.studies.access import new_access
from crowdloom.studies.design import Design
from crowdloom.studies.loading import load_design
from crowdloom.studies.tables import Study
from tests.browser.conftest import STUDY, Server
from tests.browser.test_accessibility import Inspector

DESIGN = Design.model_validate(
    STUDY.model_dump(mode="json", exclude_none=True)
    | {
        "name": "power-page",
        "conditions": [{"name": "plain"}, {"name": "example"}],
        "batches": {"size": 1, "responses_per_item": 10},
        "people": {"minutes": 2, "hold_minutes": 9, "reward": "0.50 GBP"},
    }
)


def test_asking_for_power(server: Server, page: Page, tmp_path_factory: object) -> None:
    """From the study's page to the result and to a mistake; the policy lets the curve be seen."""
    load_design(server.store, DESIGN, "", tmp_path_factory.mktemp("none"))  # type: ignore[attr-defined]
    with server.store.write() as connection:
        access = new_access(connection)
        token = connection.execute(select(Study.token).where(Study.name == DESIGN.name)).scalar_one()
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "Security Policy" in said.text else None)
    page.goto(f"{server.address}/researcher/enter/{access}")
    page.goto(f"{server.address}/researcher/study/{token}")
    page.click(".tabs >> text=Power")
    inspector = Inspector(page)
    inspector.look("form")
    page.click("summary")
    page.fill("#simulations", "60")
    inspector.look("form, opened")
    page.fill("#effect", "0.5, 0.9")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=What simulations say", timeout=60_000)
    assert page.evaluate("document.querySelector('.curve').naturalWidth") > 100
    inspector.look("result")
    page.fill("#effect", "0.5, 1.9")
    page.get_by_role("button", name="Simulate").click()
    page.wait_for_selector("[data-summary]")
    inspector.look("form with an error")
    assert inspector.problems == []
    assert refused == []
    assert len(inspector.seen) == 4
