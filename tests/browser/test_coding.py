"""Coding in a real browser: by keyboard, without JavaScript, and the researcher's page; no violation on any page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select, update

from crowdloom.studies.access import new_access
from crowdloom.studies.coding import CoderLink, add_coder, final_categories, final_interaction_codes, save_code
from crowdloom.studies.coding_items import read_scheme
from crowdloom.studies.coding_overview import read_overview
from crowdloom.studies.design import Coding
from crowdloom.studies.loading import load_design
from crowdloom.studies.tables import Item, Study
from tests.browser.conftest import STUDY, Server
from tests.browser.test_accessibility import Inspector
from tests.studies.latent_studies import open_loops

CATEGORIES = [
    ("C1", "Local character", "It looked at only a part of the object."),
    ("C2", "Multiple objects", "It chose another object than the labelled one."),
    ("C3", "Similar appearance", "The object looks like one of another class, in shape, colour or texture."),
    ("C4", "Correlation", "It used what often comes with a class, such as the background."),
    ("C5", "Wrong gold label", "The correct label is itself wrong."),
]
DESIGN = STUDY.model_copy(
    update={
        "name": "coded-digits",
        "coding": Coding.model_validate(
            {
                "question": "Why did the classifier give this wrong prediction?",
                "categories": [dict(zip(("name", "title", "meaning"), said, strict=True)) for said in CATEGORIES],
            }
        ),
    }
)


@pytest.fixture
def coders(server: Server, tmp_path_factory: pytest.TempPathFactory) -> list[CoderLink]:
    """Two coders of three items, which have a prediction and views."""
    load_design(server.store, DESIGN, "", tmp_path_factory.mktemp("none"))
    with server.store.write() as connection:
        study_id = connection.execute(select(Study.id).where(Study.name == DESIGN.name)).scalar_one()
        for row in connection.execute(select(Item.id, Item.shown).where(Item.study_id == study_id)).all():
            view = {"media": row.shown, "width": 160, "height": 160}
            attributes = {"prediction": "8", "views": dict.fromkeys(("area20", "area40", "gradcam"), view)}
            connection.execute(update(Item).where(Item.id == row.id).values(attributes=attributes))
        return [add_coder(connection, DESIGN.name, name) for name in ("Ann", "Ben")]


def test_the_round(
    server: Server, coders: list[CoderLink], page: Page, new_context: Callable[..., BrowserContext]
) -> None:
    """One codes with the keyboard alone, the other without JavaScript; the researcher adds a coder and decides."""
    inspector = Inspector(page)
    page.goto(f"{server.address}/code/{coders[0].token}")
    inspector.look("item")
    assert page.locator("[name=category]:checked").count() == 0
    page.keyboard.press("Enter")
    page.keyboard.press("7")  # there are five
    assert page.locator("[name=category]:checked").count() == 0
    page.click("text=Save and go on")
    page.wait_for_selector("[data-summary]")
    inspector.look("item with an error")
    page.keyboard.press("3")
    assert page.locator("[name=category]:checked").get_attribute("value") == "C3"
    page.focus("[name=note]")
    page.keyboard.type("as 3 and 8 do")  # digits in a note choose nothing
    assert page.locator("[name=category]:checked").get_attribute("value") == "C3"
    page.click("text=Save and go on")
    for number, key in ((2, "1"), (3, "5")):
        page.wait_for_selector(f"h1:text-is('Item {number} of 3')")
        page.wait_for_load_state()  # before it, the page's script does not hear the keys
        assert page.locator("[name=category]:checked").count() == 0
        page.keyboard.press(key)
        page.keyboard.press("Enter")
    page.wait_for_selector("h1:text-is('All 3 items are coded')")
    inspector.look("end")
    page.click("text=look at yours and change them")
    inspector.look("coded")
    page.click(".coded a:has-text('as 3 and 8 do')")
    page.wait_for_selector("h1:text-is('Change a code')")
    inspector.look("change")
    page.click("label:has-text('Correlation')")
    page.click("text=Save the change")
    page.wait_for_selector(".coded .said:has-text('C4')")

    plain = new_context(java_script_enabled=False).new_page()
    plain.goto(f"{server.address}/code/{coders[1].token}")
    for _ in range(3):
        assert not plain.is_visible("[data-keys]")
        plain.check("[value=C1]")
        plain.click("text=Save and go on")
    assert plain.inner_text("h1") == "All 3 items are coded"

    with server.store.write() as connection:
        access = new_access(connection)
        assert len(final_categories(connection, DESIGN.name)) == 1
        open_items = [row.item.key for row in read_overview(connection, DESIGN.name).items if row.is_open]
    page.goto(f"{server.address}/researcher/enter/{access}")
    page.click(f"a:text-is('{DESIGN.name}')")
    page.click(".tabs >> text=Coding")
    inspector.look("coding")
    page.click(".decide button >> nth=0")
    page.wait_for_selector("[data-summary]")
    inspector.look("coding with errors")
    page.select_option("[name=category] >> nth=0", "C4")
    page.fill("[name=decided-by] >> nth=0", "Ann")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"text={open_items[0]} is C4, decided by Ann.")
    page.click(".filter >> text=All that are coded")
    page.click("summary:has-text('Decide otherwise')")
    inspector.look("all items")
    page.fill("[name=coder]", "Cem")
    page.click("text=Add and show the link")
    link = page.inner_text("code.personal")
    inspector.look("link")
    page.goto(link)
    page.wait_for_selector("h1:text-is('Item 1 of 3')")
    with server.store.read() as connection:
        assert final_categories(connection, DESIGN.name)[open_items[0]] == "C4"
    assert inspector.problems == []
    assert len(inspector.seen) == 9


def test_interactions(server: Server, page: Page, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A coder of interactions sees drawings, deeds and words, codes with keys, and goes back within a session."""
    loops = open_loops(server.store, tmp_path_factory.mktemp("none"), name="coded-loops")
    loops.answer(loops.arrive("somebody"), "merge")
    with server.store.write() as connection:
        ann, ben = (add_coder(connection, loops.design.name, name) for name in ("Ann", "Ben"))
        access = new_access(connection)
    inspector = Inspector(page)
    page.goto(f"{server.address}/code/{ann.token}")
    page.wait_for_selector("h1:text-is('Interaction 1 of 2')")
    page.wait_for_load_state("networkidle")
    drawn = page.locator(".stages img").evaluate_all("all => all.map((one) => [one.complete, one.naturalWidth])")
    assert drawn == [[True, 320]] * 3
    inspector.look("interaction")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:text-is('Interaction 2 of 2')")
    page.click("text=Interaction 1 >> visible=true")
    page.wait_for_selector("h1:text-is('Change a code')")
    page.goto(f"{server.address}/code/{ann.token}")
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:text-is('All 2 interactions are coded')")
    page.click("text=look at yours and change them")
    inspector.look("coded interactions")
    with server.store.write() as connection:
        scheme = read_scheme(connection, loops.design.name)
        for item in scheme.items:
            save_code(connection, scheme, ben, item, "merge")
    page.goto(f"{server.address}/researcher/enter/{access}")
    page.click(f"a:text-is('{loops.design.name}')")
    page.click(".tabs >> text=Coding")
    page.click("summary:has-text('Drawings')")
    inspector.look("deciding about interactions")
    page.select_option("[name=category]", "keep")
    page.fill("[name=decided-by]", "Ann")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=is keep, decided by Ann.")
    with server.store.read() as connection:
        final = final_interaction_codes(connection, loops.design.name)
    assert sorted((number, category) for (_, _, number), category in final.items()) == [(1, "merge"), (2, "keep")]
    assert inspector.problems == []
    assert len(inspector.seen) == 3
