"""The wrong-label task in real Chromium: with and without interpretations, by mouse and by keyboard."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from crowdloom.studies.database import open_store
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.loading import load_design
from crowdloom.studies.participation import finish_instructions, read_progress
from crowdloom.studies.posting import publish
from tests.browser.conftest import Participation, Server, save
from tests.browser.test_self_contained import Marketplace, press
from tests.studies.interpreted import make_interpreted, make_wrong_label

DESIGN = {
    name: make_wrong_label(
        name=name,
        conditions=[],
        options={"interpretations": shown},
        batches={"size": 2, "responses_per_item": 200},
    )
    for name, shown in (("int", True), ("no-int", False))
}
CHOSEN = "[name=choice]:checked"


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with both studies."""
    folder = tmp_path_factory.mktemp("wrong")
    make_interpreted(folder, 2)
    store = open_store(f"sqlite:///{folder / 'store.db'}")
    for design in DESIGN.values():
        load_design(store, design, "", folder)
    server = Server(store)
    yield server
    server.kill(signal.SIGTERM)
    store.close()


def begin(server: Server, study: str) -> Participation:
    """A new participant before their first trial."""
    with server.store.write() as connection:
        entry = find_entry(connection, publish(connection, study, "link").token)
        token = join(connection, entry, uuid.uuid4().hex)
        finish_instructions(connection, read_progress(connection, token), DESIGN[study])
    return Participation(server, token)


@pytest.mark.parametrize("study", ["int", "no-int"])
def test_a_guess_by_mouse_and_one_by_keyboard(wrong: Server, page: Page, study: str) -> None:
    """Both are stored; nothing is preselected; a page without a choice comes back with its sentence."""
    taken = begin(wrong, study)
    page.goto(taken.address)
    expect(page.locator(".statement")).to_contain_text("This image shows:")
    expect(page.locator(".ask")).to_contain_text("A computer algorithm misidentified this image as something else.")
    expect(page.locator("[name=choice]")).to_have_count(5)
    expect(page.locator(CHOSEN)).to_have_count(0)
    save(page)
    expect(page.locator("#choice-error")).to_have_text("Choose what you think the algorithm took the image for.")
    page.locator(".option").nth(3).click()
    first = page.locator(CHOSEN).get_attribute("value")
    save(page)

    page.wait_for_selector("h1:text-is('Image 2 of 2')")
    expect(page.locator(CHOSEN)).to_have_count(0)
    buttons = page.locator(".zoom").count()
    for _ in range(buttons + 1):
        page.keyboard.press("Tab")
    expect(page.locator("[name=choice]").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    second = page.locator(CHOSEN).get_attribute("value")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-code]")
    assert [answer.answer for answer in taken.answers()] == [{"choice": first}, {"choice": second}]


def test_every_view_has_its_explanation(wrong: Server, page: Page) -> None:
    """In the item's order, numbered, each in words; without interpretations there is the image alone."""
    page.goto(begin(wrong, "int").address)
    captions = page.locator("figcaption").all_inner_texts()
    assert [caption.split()[0] for caption in captions] == ["1", "2", "3", "4", "5"]
    for caption, said in zip(captions, ("20%", "40%", "50%", "attention", "measured in a different way"), strict=True):
        assert said in caption
    shown = page.locator("figure .zoom img")
    assert shown.evaluate_all("all => all.every(image => image.complete && image.naturalWidth > 0)")
    page.goto(begin(wrong, "no-int").address)
    expect(page.locator("figure")).to_have_count(0)
    expect(page.locator("main img:visible")).to_have_count(1)
    expect(page.locator("main")).not_to_contain_text("visualizations")


def test_the_source_names_neither_prediction_nor_views(wrong: Server, page: Page) -> None:
    """Whoever reads it learns no more than who reads the page."""
    for study in DESIGN:
        page.goto(begin(wrong, study).address)
        source = page.content().lower()
        for word in ("predict", "category", "area20", "gradcam", "smoothgrad", "option1", "item-0"):
            assert word not in source


def test_the_order_of_options_stays_through_a_reload(wrong: Server, page: Page) -> None:
    """It differs between people, and is the same whenever one of them sees the item."""
    values = "all => all.map(control => control.value)"
    seen = set()
    for _ in range(4):
        page.goto(begin(wrong, "no-int").address)
        order = page.locator("[name=choice]").evaluate_all(values)
        page.reload()
        assert page.locator("[name=choice]").evaluate_all(values) == order
        seen.add(tuple(order))
    assert len(seen) > 1


@pytest.mark.parametrize(("width", "columns"), [(1280, 3), (360, 1)])
@pytest.mark.parametrize("study", ["int", "no-int"])
def test_it_is_accessible_and_fits(wrong: Server, page: Page, study: str, width: int, columns: int) -> None:
    """No violation that axe finds, also with an error; no sideways scrolling; pictures large enough to be read."""
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(reduced_motion="reduce")  # a colour on its way to another has less contrast
    page.goto(begin(wrong, study).address)
    for errors in (False, True):
        if errors:
            save(page)
            page.wait_for_selector("[data-summary]")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = [box for image in page.locator("main img:visible").all() if (box := image.bounding_box())]
    assert len(boxes) == (6 if study == "int" else 1)
    if study == "int":
        assert min(box["width"] for box in boxes) >= 200
        assert len({round(box["x"]) for box in boxes}) == columns
        question = page.locator("fieldset").bounding_box()
        assert question is not None
        beside = question["x"] > max(box["x"] + box["width"] for box in boxes)
        assert beside is (width == 1280)


@pytest.mark.parametrize("script", [True, False])
def test_pictures_can_be_seen_larger(wrong: Server, new_context: Callable[..., BrowserContext], script: bool) -> None:
    """By a press or by keyboard, also without JavaScript; another press or Escape closes them."""
    page = new_context(java_script_enabled=script, viewport={"width": 1280, "height": 800}).new_page()
    page.goto(begin(wrong, "int").address)
    expect(page.locator(".zoom")).to_have_count(6)
    for number in (0, 4):
        large = page.locator(".large").nth(number)
        expect(large).to_be_hidden()
        page.locator(".zoom").nth(number).click()
        expect(large).to_be_visible()
        box = large.locator("img").bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) > 700
        large.locator("button").click()
        expect(large).to_be_hidden()
    page.locator(".zoom").nth(4).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".large").nth(4)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".large").nth(4)).to_be_hidden()
    expect(page.locator(CHOSEN)).to_have_count(0)


def test_a_picture_that_does_not_come_is_said(wrong: Server, page: Page) -> None:
    """A view counts as much as the image itself."""
    taken = begin(wrong, "int")
    page.goto(taken.address)
    expect(page.locator("[data-image-trouble]")).to_be_hidden()
    address = page.locator("figure .zoom img").nth(2).get_attribute("src")
    page.route(f"**{address}", lambda route: route.abort())
    page.reload()
    expect(page.locator("[data-image-trouble]")).to_contain_text("An image could not be loaded.")


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marketplace]:
    """One image with three views as a self-contained question, small enough for its pictures to stand in it."""
    folder = tmp_path_factory.mktemp("question")
    make_interpreted(folder, 1, ("area20", "gradcam", "smoothgrad"))
    design = make_wrong_label(
        conditions=[],
        options={"interpretations": True},
        people={"minutes": 1, "hold_minutes": 10, "reward": "0.05 USD"},
        mturk={"delivery": "html"},
    )
    started = Marketplace(folder, design)
    yield started
    started.server.shutdown()
    started.server.server_close()


@pytest.mark.parametrize(("width", "columns"), [(1280, 3), (360, 1)])
def test_in_a_self_contained_question(
    question: Marketplace, new_context: Callable[..., BrowserContext], width: int, columns: int
) -> None:
    """The same page, without our server: every picture is there, also its larger copy, and the guess is handed in."""
    page = new_context(viewport={"width": width, "height": 800}, reduced_motion="reduce").new_page()
    page.goto(question.visit("VIEWS"))
    press(page, "I agree and take part")
    press(page, "Begin")
    shown = page.locator(".zoom img")
    expect(shown).to_have_count(4)
    page.wait_for_function(
        "[...document.querySelectorAll('.zoom img')].every((image) => image.complete && image.naturalWidth > 0)"
    )
    boxes = [box for image in shown.all() if (box := image.bounding_box())]
    assert len({round(box["x"]) for box in boxes}) == columns
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for number in (0, 3):
        page.locator(".zoom").nth(number).click()
        copy = page.locator(".large img").nth(number)
        expect(copy).to_be_visible()
        assert copy.evaluate("image => image.src") == shown.nth(number).evaluate("image => image.src")
        page.keyboard.press("Escape")
    expect(page.locator("[data-image-trouble]")).to_be_hidden()
    page.locator(".option").nth(4).click()
    chosen = page.locator(CHOSEN).get_attribute("value")
    press(page, "Go on")
    press(page, "Hand in")
    expect(page).to_have_title("Received")
    assert [answer.answer for answer in question.read().answers] == [{"choice": chosen}]
