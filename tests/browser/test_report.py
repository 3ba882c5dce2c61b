"""Reports in a real browser: from a file, without network, on both screens and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from crowdloom.studies.cli import cli
from crowdloom.studies.database import open_store
from crowdloom.studies.training_runs import record_training_runs
from tests.browser.test_accessibility import Inspector
from tests.studies.releasing.planned import STUDIES, everybody
from tests.studies.trained import sweep

PAPER = {"width": 672, "height": 980}
"""What A4 leaves between margins of 16 mm, in CSS pixels."""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report of each study."""
    folder = tmp_path_factory.mktemp("reports")
    store = open_store(f"sqlite:///{folder / 'store.db'}")
    for name in STUDIES:
        everybody(store, folder, name)
        if name == "soft":
            with store.write() as connection:
                record_training_runs(connection, sweep(), name)
        command = ["analyse", name, "--out", str(folder / f"{name}.html"), "--samples", "50"]
        cli([*command, "--database", store.url], standalone_mode=False)
    store.close()
    return folder


@pytest.fixture
def page(profile: BrowserContext) -> Iterator[Page]:
    """A tab that notes what it asks for."""
    tab = profile.new_page()
    yield tab
    tab.close()


@pytest.mark.parametrize("name", STUDIES)
def test_a_report_needs_nothing_else(reports: Path, page: Page, name: str) -> None:
    """It asks for nothing but itself, has no axe violation, and fits a phone and a sheet of paper."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    address = (reports / f"{name}.html").as_uri()
    page.goto(address)
    inspector = Inspector(page)
    inspector.look(name)
    assert inspector.problems == []
    assert asked == [address]
    page.set_viewport_size({"width": 1280, "height": 800})
    page.click("nav a >> text=How this report was made")
    expect(page.locator("#how-this-report-was-made")).to_be_in_viewport()
    page.emulate_media(media="print")
    page.set_viewport_size(PAPER)
    assert not page.is_visible("nav")
    wide = """() => [...document.querySelectorAll("table, svg, dl, p, h2")].filter(
        (one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(
        (one) => one.textContent.trim().slice(0, 60))"""
    assert page.evaluate(wide) == []
