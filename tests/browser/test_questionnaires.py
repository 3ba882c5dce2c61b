"""The questionnaires in real Chromium: by mouse, touch and keyboard, without a script, and in a self-contained HIT."""

from __future__ import annotations

import json
import signal
import uuid
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from crowdloom.studies.database import open_store
from crowdloom.studies.design import Design
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.loading import load_design
from crowdloom.studies.participation import (
    Designs,
    ItemView,
    finish_instructions,
    position_of,
    read_progress,
    save_answer,
    trial_at,
)
from crowdloom.studies.posting import publish
from crowdloom.studies.prose import TEMPLATES
from crowdloom.studies.self_contained import build_question, parse_assignment
from crowdloom.studies.self_contained.questionnaires import sliders
from crowdloom.tasks.protocol import AnswerError
from tests.browser.conftest import Participation, Server

STATEMENTS = ["The tool helped me to find a good model.", "I trust my model."]
DESIGN = Design.model_validate(
    {
        "name": "asked-at-last",
        "title": "What was it like?",
        "task": "soft-label",
        "classes": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        "consent": "It is voluntary.",
        "instructions": ["Look at each image."],
        "items": {"source": "digits", "sample": 1},
        "batches": {"size": 1, "responses_per_item": 500},
        "people": {"minutes": 2, "hold_minutes": 30},
        "questionnaires": [
            {"instrument": "umux-lite", "system": "the tool"},
            {"instrument": "nasa-tlx"},
            {"instrument": "scales", "statements": STATEMENTS, "left": "not at all", "right": "completely"},
        ],
        "debrief": [{"question": "Anything else?"}],
    }
)
ASKED = [questionnaire.asked for questionnaire in DESIGN.questionnaires]
SUBSCALES = [item.name for item in ASKED[1].items]
ANSWER = {"top1": "3", "top1_probability": 80, "top2": None, "top2_probability": None, "impossible": []}


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the study."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('asking') / 'store.db'}")
    load_design(store, DESIGN, "", Path())
    server = Server(store)
    yield server
    server.kill(signal.SIGTERM)
    store.close()


@pytest.fixture
def participation(asking: Server) -> Participation:
    """A new participant's submission with its only trial answered, so that the questionnaires are next."""
    designs = Designs(asking.store)
    with asking.store.write() as connection:
        posting = publish(connection, DESIGN.name, "link").token
        token = join(connection, find_entry(connection, posting), uuid.uuid4().hex)
        finish_instructions(connection, read_progress(connection, token), DESIGN)
    submission = designs.assigned(token)
    position = position_of(designs, submission, trial_at(designs, submission, 0)[0])
    with asking.store.write() as connection:
        save_answer(connection, designs, submission, position, ANSWER, rt_ms=900, timing=None)
    return Participation(asking, token)


def slider(page: Page, field: str) -> Locator:
    """The slider above a field."""
    return page.locator(f"percent-slider:has([name={field}]) [type=range]")


def place(page: Page, field: str, share: float) -> tuple[float, float]:
    """Where on the screen a slider has this share of its way."""
    slider(page, field).scroll_into_view_if_needed()
    box = slider(page, field).bounding_box()
    assert box is not None
    return box["x"] + 14 + (box["width"] - 28) * share, box["y"] + box["height"] / 2


def go_on(page: Page) -> None:
    """Press the page's button, and wait for what comes."""
    with page.expect_navigation():  # a tab that is left while it navigates may never close
        page.click("button.primary")


def skip_to(participation: Participation, page: Page, number: int) -> None:
    """Open the questionnaire with this number, counted from 0, by answering those before."""
    page.goto(participation.address)
    for asked in ASKED[:number]:
        for item in asked.items:
            if asked.instrument.control == "points":
                page.check(f"[name={item.name}][value='4']")
            else:
                page.fill(f"[name={item.name}]", "5")
        go_on(page)


def ratings(participation: Participation) -> list[dict[str, Any]]:
    """What is stored of its questionnaires."""
    return [event["ratings"] for event in participation.events("questionnaire")]


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_all_pages_by_mouse(
    javascript: bool, participation: Participation, new_context: Callable[..., BrowserContext]
) -> None:
    """Nothing is chosen beforehand; every answer is stored, and the receipt comes at the end."""
    page = new_context(java_script_enabled=javascript).new_page()
    page.goto(participation.address)
    expect(page.locator("h1")).to_have_text("About the tool")
    expect(page.locator(":checked")).to_have_count(0)
    page.check("[name=capabilities][value='6']")
    page.check("[name=ease][value='7']")
    go_on(page)
    expect(page.locator("[type=range]")).to_have_count(6 if javascript else 0)
    for number, name in enumerate(SUBSCALES):
        expect(page.locator(f"[name={name}]")).to_have_value("")
        if javascript:
            page.mouse.click(*place(page, name, number / 20))
        else:
            page.fill(f"[name={name}]", str(number))
        expect(page.locator(f"[name={name}]")).to_have_value(str(number))
    go_on(page)
    page.fill("[name=q1]", "33.5")
    page.fill("[name=q2]", "100")
    go_on(page)
    expect(page.locator("h1")).to_have_text("A last question")
    go_on(page)
    expect(page.locator("[data-code]")).to_be_visible()
    assert ratings(participation) == [
        {"capabilities": 6, "ease": 7},
        {name: number for number, name in enumerate(SUBSCALES)},
        {"q1": 33.5, "q2": 100},
    ]


@pytest.mark.parametrize(("field", "number"), [("mental", 1), ("performance", 1), ("q2", 2)])
def test_a_slider_has_no_thumb_before_it_is_used(
    participation: Participation, page: Page, field: str, number: int
) -> None:
    """Wherever it is pressed, the very middle included, it is set there, and says so."""
    skip_to(participation, page, number)
    high = ASKED[number].instrument.high
    expect(slider(page, field)).to_have_class("unset")
    expect(slider(page, field)).to_have_attribute("aria-valuetext", "not set")
    for share in (0.5, 0, 1, 0.25):
        page.mouse.click(*place(page, field, share))
        expect(page.locator(f"[name={field}]")).to_have_value(f"{share * high:g}")
        expect(slider(page, field)).to_have_attribute("aria-valuetext", f"{share * high:g} of {high}")
        expect(slider(page, field)).to_have_class("")


def test_by_keyboard_alone(participation: Participation, page: Page) -> None:
    """Tab, arrows, space, Home, End and Enter are enough."""
    page.goto(participation.address)
    page.locator("[name=capabilities]").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(page.locator("button.primary")).to_be_focused()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    slider(page, "mental").focus()
    for key in ("ArrowRight", "ArrowLeft", "Home", "End", " ", "PageUp"):
        page.keyboard.press(key)
        page.keyboard.press("Tab")  # to its field
        page.keyboard.press("Tab")  # to the next slider
    expect(page.locator("button.primary")).to_be_focused()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("A few statements")
    assert ratings(participation) == [
        {"capabilities": 2, "ease": 1},
        dict(zip(SUBSCALES, (11, 9, 0, 20, 10, 12), strict=True)),
    ]


def test_by_touch(participation: Participation, new_context: Callable[..., BrowserContext]) -> None:
    """On a phone: points and sliders are set by a tap, and large enough for a finger."""
    page = new_context(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740}).new_page()
    page.goto(participation.address)
    for name in ("capabilities", "ease"):
        option = page.locator(f"label:has([name={name}][value='3'])")
        box = option.bounding_box()
        assert box is not None
        assert (box["width"] >= 30, box["height"] >= 44) == (True, True)
        option.tap()
    with page.expect_navigation():
        page.locator("button.primary").tap()
    for name in SUBSCALES:
        x, y = place(page, name, 0.4)
        page.touchscreen.tap(x, y)
        expect(page.locator(f"[name={name}]")).to_have_value("8")
    with page.expect_navigation():
        page.locator("button.primary").tap()
    expect(page.locator("h1")).to_have_text("A few statements")
    assert ratings(participation)[1] == dict.fromkeys(SUBSCALES, 8)


def test_what_is_wrong_stands_beside_its_item(participation: Participation, page: Page) -> None:
    """The summary has the focus and leads to the item; a number off the scale leaves the slider unset."""
    skip_to(participation, page, 1)
    page.fill("[name=mental]", "10.5")
    expect(slider(page, "mental")).to_have_class("unset")
    page.mouse.click(*place(page, "effort", 0.5))
    go_on(page)
    expect(page.locator("[data-summary]")).to_be_focused()
    expect(page.locator("#mental-error")).to_contain_text("“10.5” is not on this scale; enter a whole number")
    expect(page.locator(".error:visible")).to_have_count(5)
    expect(page.locator("[name=effort]")).to_have_value("10")
    expect(slider(page, "effort")).to_have_class("")
    page.click("[data-summary] a[href='#frustration']")
    expect(page.locator("[name=frustration]")).to_be_focused()


def test_closing_and_coming_back(participation: Participation, page: Page, profile: BrowserContext) -> None:
    """The link leads to the page that is next; the browser's way back and a second tab save nothing twice."""
    skip_to(participation, page, 1)
    second = profile.new_page()
    second.goto(participation.address)
    for tab in (page, second):
        for name in SUBSCALES:
            tab.fill(f"[name={name}]", "3" if tab is page else "17")
    go_on(page)
    go_on(second)
    expect(second.locator("h1")).to_have_text("A few statements")
    with page.expect_navigation():
        page.goto(participation.address)
    expect(page.locator("h1")).to_have_text("A few statements")
    assert ratings(participation)[1] == dict.fromkeys(SUBSCALES, 3)
    assert participation.state().state == "completed"


def test_a_screen_reader_is_told(participation: Participation, page: Page) -> None:
    """Each group and slider has its item as its name and what its ends mean as its description."""
    page.goto(participation.address)
    group = page.get_by_role("radiogroup", name="Statement 2 The tool is easy to use.")
    expect(group).to_have_accessible_description("1: strongly disagree 7: strongly agree")
    expect(group.get_by_role("radio", name="7")).to_have_count(1)
    skip_to(participation, page, 1)
    said = "Performance How well did you do what the task asked of you?"
    expect(page.get_by_role("slider", name=said)).to_have_accessible_description("0 is good, 20 poor.")
    expect(page.get_by_role("textbox", name=said)).to_have_attribute("aria-required", "true")


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_pages_are_accessible(participation: Participation, page: Page, number: int) -> None:
    """No axe violation, light and dark, large and small, empty, in error and filled; nothing wider than a phone."""
    skip_to(participation, page, number)
    page.emulate_media(reduced_motion="reduce")
    for state in ("empty", "in error", "filled"):
        if state == "in error":
            go_on(page)
        if state == "filled":
            for item in ASKED[number].items:
                page.check(f"[name={item.name}] >> nth=2") if number == 0 else page.fill(f"[name={item.name}]", "7")
        for width, scheme in ((1280, "light"), (360, "dark"), (360, "light")):
            page.set_viewport_size({"width": width, "height": 740})
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{state}, {width}: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width


MARKET = "https://market.example"


def test_a_self_contained_hit_asks_them(page: Page) -> None:
    """After the last trial, complaining, kept over a reload, read with the rest."""
    shown = [ItemView(1, "token", "/media/1", (16, 16), {})]
    html = build_question(
        DESIGN, shown, images=lambda path: "data:image/gif;base64,R0lGODlhAQABAAAAACw=", submit_to=[MARKET]
    )
    posted: list[dict[str, str]] = []

    def reply(route: Route) -> None:
        if route.request.method == "POST":
            posted.append(dict(parse_qsl(str(route.request.post_data), keep_blank_values=True)))
        route.fulfill(body=html if route.request.method == "GET" else "Received", content_type="text/html")

    page.route(f"{MARKET}/**", reply)
    page.goto(f"{MARKET}/?assignmentId={uuid.uuid4().hex}&workerId=W&turkSubmitTo={MARKET}")

    def press(text: str = "Go on") -> None:
        page.get_by_role("button", name=text, exact=True).click()

    press("I agree and take part")
    press("Begin")
    page.check("[name=top1][value='3']")
    page.fill("[name=top1_probability]", "80")
    page.check("[name=top2][value=no-alternative]")
    press()
    expect(page.locator("h1")).to_have_text("About the tool")
    expect(page.locator(":checked")).to_have_count(0)
    press()
    expect(page.locator("#ease-error")).to_have_text("Statement 2: choose one of the answers from 1 to 7.")
    assert Axe().run(page).violations_count == 0
    page.check("[name=capabilities][value='5']")
    page.check("[name=ease][value='2']")
    press()
    for name in SUBSCALES[1:]:
        page.mouse.click(*place(page, name, 0.3))
    page.fill("[name=mental]", "21")
    press()
    expect(page.locator(".error:visible")).to_have_text(
        "Mental demand: “21” is not on this scale; enter a whole number from 0 to 20."
    )
    page.reload()
    expect(page.locator("h1")).to_have_text("About the task")
    expect(page.locator("[name=effort]")).to_have_value("6")
    expect(slider(page, "effort")).to_have_class("")
    expect(slider(page, "mental")).to_have_class("unset")
    assert Axe().run(page).violations_count == 0
    slider(page, "mental").press("End")
    press()
    page.fill("[name=q1]", "12,5")
    slider(page, "q2").press("Home")
    press()
    press()
    with page.expect_navigation():
        press("Hand in")
    written = "".join(
        f"<Answer><QuestionIdentifier>{escape(name)}</QuestionIdentifier><FreeText>{escape(value)}</FreeText></Answer>"
        for name, value in posted[-1].items()
        if name != "assignmentId"
    )
    parsed = parse_assignment(DESIGN, shown, f"<QuestionFormAnswers>{written}</QuestionFormAnswers>")
    assert parsed.is_complete
    assert parsed.questionnaires == {
        0: {"capabilities": 5, "ease": 2},
        1: {"mental": 20, **dict.fromkeys(SUBSCALES[1:], 6)},
        2: {"q1": 12.5, "q2": 0},
    }


def test_the_pages_rules_are_the_instruments(page: Page) -> None:
    """For every number the self-contained page complains of the same items, with the same sentences, as the server."""
    rules = (TEMPLATES / "questionnaires.check.js").read_text()
    page.evaluate(f"{rules}; window.checkScales = checkScales; 0")
    typed = (
        "0",
        "20",
        "100",
        "7,5",
        "7.",
        ".5",
        "-0",
        "-1",
        "101",
        "3 %",
        "nan",
        "1e1",
        "a very long answer to it",
        "٤",
        "1,0,0",
    )
    for (name, scales), (one, two) in product(sliders(DESIGN).items(), zip(typed, typed[::-1], strict=True)):
        asked = ASKED[int(name[-1])]
        if not scales:
            continue
        form = {item.name: [(one, two)[n % 2]] for n, item in enumerate(asked.items)}
        try:
            asked.parse(form)
            said: dict[str, str] = {}
        except AnswerError as error:
            said = error.errors
        assert page.evaluate("([scales, form]) => checkScales(scales, form)", [scales, form]) == said, json.dumps(form)
