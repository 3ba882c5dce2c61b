"""The pages of mixed images in real Chromium: sliders by mouse, touch and keyboard, steps, and all without a script.

It is long because the pages of the server and the self-contained document are held to the same words by one set of
helpers.
"""

from __future__ import annotations

import base64
import signal
import uuid
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from crowdloom.studies.database import open_store
from crowdloom.studies.design import Design
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.images import array_to_png
from crowdloom.studies.items import SourceItem
from crowdloom.studies.loading import load_design
from crowdloom.studies.participation import Designs, ItemView, finish_instructions, read_progress, trial_at
from crowdloom.studies.posting import publish
from crowdloom.studies.prose import TEMPLATES
from crowdloom.studies.self_contained import build_question, parse_assignment
from crowdloom.tasks import TASKS
from crowdloom.tasks.mixing_coefficient import MixingOptions
from crowdloom.tasks.protocol import AnswerError, Trial, View
from tests.browser.conftest import Participation, Server, save

QUESTIONS = ("infer", "choose", "construct")
CLASSES = ("Airplane", "Automobile", "Ship")
NAMES = [f"{step / 10:.1f}" for step in range(11)]
ENDPOINTS = {"endpoint1": "Airplane", "endpoint2": "Ship"}


def mix(share: float) -> Callable[[], bytes]:
    """A picture of 16 x 16 with so much of a disc and so little of stripes."""
    y, x = np.mgrid[:16, :16]
    disc, stripes = ((x - 8) ** 2 + (y - 8) ** 2 < 30) * 220.0, (x % 4 < 2) * 220.0
    pixels = np.stack([share * disc, (1 - share) * stripes, np.full((16, 16), 60)], axis=-1)
    return lambda: array_to_png(pixels.astype(np.uint8))


def design(question: str) -> Design:
    """A study of two items that asks this."""
    return Design.model_validate(
        {
            "name": f"mixes-{question}",
            "title": "What was combined?",
            "task": "mixing-coefficient",
            "options": {"question": question},
            "classes": CLASSES,
            "consent": "It is voluntary.",
            "instructions": ["Look at each image."],
            "items": {"source": "digits", "enlarge": "nearest"},
            "batches": {"size": 2, "responses_per_item": 500},
            "people": {"minutes": 2, "hold_minutes": 30},
        }
    )


def items(question: str) -> list[SourceItem]:
    """Two mixes, or two pairs with eleven each."""
    if question == "infer":
        shares = (0.25, 0.75)
        return [SourceItem(f"{s}", f"{s}", mix(s), attributes=ENDPOINTS | {"coefficient": s}) for s in shares]
    views = {name: mix(float(name)) for name in NAMES}
    return [SourceItem(key, key, mix(0.5), attributes=ENDPOINTS, views=views) for key in ("a", "b")]


@pytest.fixture(scope="module")
def mixes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a study for each question."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('mixes') / 'store.db'}")
    for question in QUESTIONS:
        load_design(store, design(question), "", Path(), items=items(question))
    server = Server(store)
    yield server
    server.kill(signal.SIGTERM)
    store.close()


@pytest.fixture
def take(mixes: Server) -> Callable[[str], Participation]:
    """Begins a participation in the study with this question, up to its first trial."""

    def begin(question: str) -> Participation:
        with mixes.store.write() as connection:
            posting = publish(connection, f"mixes-{question}", "link").token
            token = join(connection, find_entry(connection, posting), uuid.uuid4().hex)
            finish_instructions(connection, read_progress(connection, token), design(question))
        return Participation(mixes, token)

    return begin


def slider(page: Page, field: str = "percent") -> Locator:
    """The slider above a field."""
    return page.locator(f"percent-slider:has([name={field}]) [type=range]")


def place(range_: Locator, percent: float) -> tuple[float, float]:
    """Where on the screen a slider has this number."""
    range_.evaluate("range => range.scrollIntoView({ block: 'end' })")  # not behind the image that stays in sight
    box = range_.bounding_box()
    assert box is not None
    return box["x"] + 14 + (box["width"] - 28) * percent / 100, box["y"] + box["height"] / 2


def names(page: Page) -> tuple[str, str]:
    """The two classes as this page names them."""
    first = page.locator("[name=first]").input_value()
    return first, "Ship" if first == "Airplane" else "Airplane"


def assert_unset(page: Page, field: str = "percent") -> None:
    """No thumb, no number, nothing said."""
    expect(slider(page, field)).to_have_attribute("aria-valuetext", "not set")
    expect(slider(page, field)).to_have_class("unset")
    expect(page.locator(f"[name={field}]")).to_have_value("")


def assert_set(page: Page, percent: int, field: str = "percent") -> None:
    """The slider and the field say the same, and the slider says it in words."""
    first, second = names(page)
    said = f"{100 - percent} % {first}, {percent} % {second}" if field == "percent" else f"{percent} %"
    expect(slider(page, field)).to_have_attribute("aria-valuetext", said)
    expect(slider(page, field)).to_have_js_property("value", str(percent))
    expect(slider(page, field)).to_have_class("")
    expect(page.locator(f"[name={field}]")).to_have_value(str(percent))


@pytest.mark.parametrize("percent", [0, 1, 30, 50, 77, 100])
def test_a_press_of_the_mouse_sets_it(take: Any, page: Page, percent: int) -> None:
    """Where it is pressed, the very middle included, where the thumb stood unseen."""
    page.goto(take("infer").address)
    assert_unset(page)
    page.mouse.click(*place(slider(page), percent))
    assert_set(page, percent)
    assert_unset(page, "confidence")


def test_it_is_dragged(take: Any, page: Page) -> None:
    """In one movement from unset, and again; from the middle out and back in, too."""
    page.goto(take("infer").address)
    for start, end in ((50, 20), (20, 90)):
        page.mouse.move(*place(slider(page), start))
        page.mouse.down()
        page.mouse.move(*place(slider(page), (start + end) / 2), steps=3)
        page.mouse.move(*place(slider(page), end), steps=3)
        page.mouse.up()
        assert_set(page, end)
    page.mouse.move(*place(slider(page, "confidence"), 50))
    page.mouse.down()
    page.mouse.move(*place(slider(page, "confidence"), 70), steps=2)
    page.mouse.move(*place(slider(page, "confidence"), 50), steps=2)
    page.mouse.up()
    assert_set(page, 50, "confidence")


@pytest.mark.parametrize(
    ("key", "percent"),
    [("ArrowRight", 51), ("ArrowUp", 51), ("ArrowLeft", 49), ("Home", 0), ("End", 100), ("PageUp", 60), (" ", 50)],
)
def test_a_key_sets_it(take: Any, page: Page, key: str, percent: int) -> None:
    """From the middle, where it stands unseen; the space bar sets it just there. To come by is not to set."""
    page.goto(take("infer").address)
    slider(page).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert_unset(page)
    page.keyboard.press(key)
    assert_set(page, percent)


def test_a_finger_sets_it(take: Any, new_context: Callable[..., BrowserContext]) -> None:
    """By a tap, the middle included; a finger that scrolls the page over it does not."""
    page = new_context(viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True).new_page()
    page.goto(take("infer").address)
    touch = page.context.new_cdp_session(page)

    def move(points: list[tuple[float, float]]) -> None:
        for number, (x, y) in enumerate(points):
            kind = "touchMove" if number else "touchStart"
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    x, y = place(slider(page), 40)
    move([(x, y), (x, y - 30), (x + 1, y - 60), (x + 1, y - 120), (x + 2, y - 150)])
    page.wait_for_function("scrollY > 50")
    page.wait_for_timeout(500)  # until it has come to rest
    assert_unset(page)
    page.touchscreen.tap(*place(slider(page), 50))
    assert_set(page, 50)
    page.touchscreen.tap(*place(slider(page), 20))
    assert_set(page, 20)
    move([place(slider(page, "confidence"), percent) for percent in (50, 56, 62, 70, 80)])
    assert_set(page, 80, "confidence")


def test_what_is_typed_moves_it(take: Any, page: Page) -> None:
    """Both ways; what is no percentage unsets it again."""
    page.goto(take("infer").address)
    page.fill("[name=percent]", "30")
    assert_set(page, 30)
    page.fill("[name=percent]", "30,5 %")
    expect(slider(page)).to_have_attribute("aria-valuetext", "69.5 % {}, 30.5 % {}".format(*names(page)))
    for typed in ("a third", "101", ""):
        page.fill("[name=percent]", typed)
        expect(slider(page)).to_have_attribute("aria-valuetext", "not set")
        expect(page.locator("[name=percent]")).to_have_value(typed)


def test_the_answer_is_stored(take: Any, page: Page) -> None:
    """Nothing is chosen beforehand: an untouched page is sent back, with what was set; then it is saved."""
    participation = take("infer")
    page.goto(participation.address)
    page.mouse.click(*place(slider(page), 30))
    save(page)
    page.wait_for_selector("[data-summary]")
    expect(page.locator("#confidence-error")).to_be_visible()
    expect(page.locator("#percent-error")).to_have_count(0)
    assert_set(page, 30)
    assert_unset(page, "confidence")
    first, second = names(page)
    page.mouse.click(*place(slider(page, "confidence"), 80))
    save(page)
    page.wait_for_selector("h1:text-is('Image 2 of 2')")
    (stored,) = participation.answers()
    assert stored.answer == {
        "first": first,
        "second": second,
        "flipped": int(first == "Ship"),
        "percent": 30,
        "inferred": 0.3 if second == "Airplane" else 0.7,
        "confidence": 80,
    }
    assert stored.timing["first_input_ms"] > 0


@pytest.mark.parametrize("question", QUESTIONS)
def test_without_a_script(take: Any, new_context: Callable[..., BrowserContext], question: str) -> None:
    """Fields to type in and radio buttons do it; nothing is chosen beforehand."""
    page = new_context(java_script_enabled=False).new_page()
    participation = take(question)
    page.goto(participation.address)
    expect(page.locator("[type=range], .steps")).to_have_count(0)
    expect(page.locator(":checked")).to_have_count(0)
    save(page)
    expect(page.locator("[data-summary]")).to_be_visible()
    if question == "infer":
        page.fill("[name=percent]", "70")
        page.fill("[name=confidence]", "x")
        save(page)
        expect(page.locator("[name=percent]")).to_have_value("70")
        expect(page.locator("#confidence-error")).to_contain_text("“x” is not a percentage")
        page.fill("[name=confidence]", "90")
    else:
        expect(page.locator("[name=picture]:visible")).to_have_count(11)
        page.locator("[name=picture]").nth(5).check()
    save(page)
    expect(page.locator("h1")).to_have_text("Image 2 of 2")
    (stored,) = participation.answers()
    if question == "construct":
        assert (stored.answer["midpoint"], stored.answer["start"]) == (0.5, None)


def test_a_shuffled_picture_is_stored(take: Any, page: Page) -> None:
    """The one that was pressed, whatever place it had; no two people see one order."""
    participation = take("choose")
    page.goto(participation.address)
    expect(page.locator(":checked")).to_have_count(0)
    middle = page.locator("label").filter(
        has=page.locator(f"img[src='{first_trial(participation).views['0.5'].image}']")
    )
    middle.locator("img").click()
    save(page)
    page.wait_for_selector("h1:text-is('Image 2 of 2')")
    (stored,) = participation.answers()
    assert stored.answer["midpoint"] == 0.5
    orders = set()
    for _ in range(3):
        page.goto(take("choose").address)
        orders.add(tuple(page.locator("label img").evaluate_all("all => all.map(image => image.src)")))
    assert len(orders) == 3


def first_trial(participation: Participation) -> Trial:
    """What its first page shows."""
    designs = Designs(participation.server.store)
    return trial_at(designs, designs.assigned(participation.token), 0)[1]


def test_the_midpoint_is_reached_in_steps(take: Any, page: Page) -> None:
    """By buttons and arrow keys, from the start that the seed draws; stepping on takes a choice back."""
    participation = take("construct")
    page.goto(participation.address)
    trial = first_trial(participation)
    first, second = names(page)
    options = MixingOptions(question="construct")
    pictures, start = options.pictures(trial, first), options.start(trial, first)
    shown = page.locator(".pictures label:visible img")
    toward = "more" if start < 6 else "less"  # to the middle
    way = 1 if start < 6 else -1
    button = page.get_by_role("button", name=f"more {second if way > 0 else first}")
    seen = [start]

    def expect_shown(number: int) -> None:
        expect(shown).to_have_count(1)  # all of them, until the page's script has come
        expect(shown).to_have_attribute("src", trial.views[pictures[number - 1]].image)

    def expect_step(number: int) -> None:
        seen.append(number)
        expect_shown(number)

    expect_shown(start)
    expect(page.locator(":checked")).to_have_count(0)
    assert page.locator(".steps button").evaluate_all("all => all.map(b => b.textContent)") == [
        f"more {first}",
        f"more {second}",
    ]
    save(page)
    expect(page.locator("#picture-error")).to_be_visible()
    button.click()
    expect_step(start + way)
    page.get_by_role("radio", name="This is the midpoint").check()
    page.keyboard.press("ArrowRight" if way > 0 else "ArrowLeft")
    expect_step(start + 2 * way)
    expect(page.locator(":checked")).to_have_count(0)
    expect(page.get_by_role("radio", name="This is the midpoint")).to_be_focused()
    save(page)
    expect(page.locator("#picture-error")).to_be_visible()
    expect_shown(start + 2 * way)
    page.locator(f".steps .{toward}").click()
    expect_step(start + 3 * way)
    shown.click()
    save(page)
    page.wait_for_selector("h1:text-is('Image 2 of 2')")
    (stored,) = participation.answers()
    assert stored.answer["trail"] == seen
    assert stored.answer["start"] == float(pictures[start - 1])
    assert stored.answer["midpoint"] == float(pictures[start + 3 * way - 1])


def test_steps_end_at_the_ends(take: Any, page: Page) -> None:
    """The button stays where it is, does nothing, and the page says why."""
    page.goto(take("construct").address)
    first, _ = names(page)
    less = page.get_by_role("button", name=f"more {first}")
    for _ in range(12):
        less.click(force=True)
    expect(less).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_role("status").filter(has_text=f"No picture has more {first}.")).to_be_visible()
    expect(page.locator(".pictures label:visible")).to_have_count(1)
    assert page.locator("[name=trail]").input_value().split(" ")[-1] == "1"


def test_a_screen_reader_is_told(take: Any, page: Page) -> None:
    """Name, description and value of a slider, before and after it is set.

    Chromium's tree for tests has no aria-valuetext, only the number of the control.
    """
    page.goto(take("infer").address)
    first, second = names(page)
    tree = page.context.new_cdp_session(page)

    def told() -> dict[str, Any]:
        nodes = tree.send("Accessibility.getFullAXTree")["nodes"]
        found = [node for node in nodes if node.get("role", {}).get("value") == "slider"]
        assert len(found) == 2
        said = {name: found[0][name]["value"] for name in ("name", "description", "value")}
        return said | {"text": slider(page).get_attribute("aria-valuetext")}

    said = told()
    assert said["name"] == f"What combination would they say was used? How many percent of it is {second}?"
    assert said["description"] == f"0 is only {first}, 50 half and half, 100 only {second}."
    assert said["text"] == "not set"
    slider(page).press("End")
    assert told() == said | {"value": 100, "text": f"0 % {first}, 100 % {second}"}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_pages_are_accessible(take: Any, page: Page, question: str) -> None:
    """No axe violation, light and dark, large and small, empty and in error; nothing wider than a phone."""
    page.goto(take(question).address)
    for state in ("empty", "in error"):
        for width, scheme in ((1280, "light"), (360, "dark"), (360, "light")):
            page.set_viewport_size({"width": width, "height": 740})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found = Axe().run(page)
            assert found.violations_count == 0, f"{state}, {width}: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        if state == "empty":
            with page.expect_navigation():  # a tab that is left while it navigates may never close
                save(page)
            page.wait_for_selector("[data-summary]")


def test_pixels_are_not_smoothed(take: Any, page: Page) -> None:
    """Every stimulus keeps its squares, and a slider is large enough for a finger."""
    for question in QUESTIONS:
        page.goto(take(question).address)
        pictures = page.locator("main img").evaluate_all("all => all.map(i => getComputedStyle(i).imageRendering)")
        assert set(pictures) == {"pixelated"}
        if question == "infer":
            box = slider(page).bounding_box()
            assert box is not None
            assert box["height"] >= 44


MARKET = "https://market.example"


def self_contained(
    page: Page, question: str, pairs: Sequence[dict[str, str]] = (ENDPOINTS, ENDPOINTS), **changes: Any
) -> tuple[list[ItemView], list[dict[str, str]]]:
    """Opens the study's self-contained HIT, past consent and instructions; its items, and what is handed in."""
    views = {name: View(f"/media/{name}", (160, 160)) for name in NAMES}
    shown = [
        ItemView(n, f"token{n}", f"/media/{n}", (160, 160), pair | {"coefficient": 0.25}, views)
        for n, pair in enumerate(pairs)
    ]

    def address(path: str) -> str:
        name = path.rsplit("/", 1)[-1]
        content = mix(float(name))()
        return f"data:image/png;base64,{base64.b64encode(content).decode()}"

    html = build_question(design(question).model_copy(update=changes), shown, images=address, submit_to=[MARKET])
    posted: list[dict[str, str]] = []

    def answer(route: Route) -> None:
        if route.request.method == "POST":
            posted.append(dict(parse_qsl(str(route.request.post_data), keep_blank_values=True)))
        route.fulfill(body=html if route.request.method == "GET" else "Received", content_type="text/html")

    page.route(f"{MARKET}/**", answer)
    page.goto(f"{MARKET}/?assignmentId={uuid.uuid4().hex}&workerId=W&turkSubmitTo={MARKET}")
    page.get_by_role("button", name="I agree and take part").click()
    page.get_by_role("button", name="Begin").click()
    return shown, posted


def handed_in(page: Page, question: str, shown: list[ItemView], posted: list[dict[str, str]]) -> list[Any]:
    """Hands in; the answers as they are read from the marketplace, in the order shown."""
    page.get_by_role("button", name="Hand in").click()
    page.wait_for_url("**/mturk/externalSubmit")
    written = "".join(
        f"<Answer><QuestionIdentifier>{escape(name)}</QuestionIdentifier><FreeText>{escape(value)}</FreeText></Answer>"
        for name, value in posted[-1].items()
        if name != "assignmentId"
    )
    parsed = parse_assignment(design(question), shown, f"<QuestionFormAnswers>{written}</QuestionFormAnswers>")
    assert parsed.is_complete
    return [one.answer for one in parsed.answers]


def test_a_self_contained_hit_has_sliders(page: Page) -> None:
    """Unset, complaining, kept over a reload, and read with the orientation that the document had."""
    shown, posted = self_contained(page, "infer")
    assert_unset(page)
    page.mouse.click(*place(slider(page), 30))
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#confidence-error")).to_contain_text("Say how confident you are")
    assert_set(page, 30)
    page.reload()
    assert_set(page, 30)
    assert_unset(page, "confidence")
    assert Axe().run(page).violations_count == 0
    page.fill("[name=confidence]", "110")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#confidence-error")).to_contain_text("“110” is not a percentage")
    page.mouse.click(*place(slider(page, "confidence"), 80))
    page.get_by_role("button", name="Go on").click()
    assert_unset(page)
    slider(page).press("End")
    slider(page, "confidence").press("Home")
    page.get_by_role("button", name="Go on").click()
    answers = handed_in(page, "infer", shown, posted)
    assert [(one["inferred"], one["confidence"], one["flipped"]) for one in answers] == [(0.7, 80, 0), (0.0, 0, 0)]


@pytest.mark.parametrize("question", ["choose", "construct"])
def test_a_self_contained_hit_has_pictures(page: Page, question: str) -> None:
    """The same order and start for everybody; what is chosen is the mix that was seen."""
    shown, posted = self_contained(page, question)
    sources = {base64.b64encode(mix(float(name))()).decode(): float(name) for name in NAMES}
    seen = []
    for _ in range(2):
        if question == "construct":
            more = page.get_by_role("button", name="more").and_(page.locator(":not([aria-disabled])")).last
            more.click()
            more.click()
        label = page.locator(".pictures label:visible").last
        label.click()
        seen.append(sources[str(label.locator("img").get_attribute("src")).partition(",")[2]])
        page.get_by_role("button", name="Go on").click()
    answers = handed_in(page, question, shown, posted)
    assert [one["midpoint"] for one in answers] == seen
    if question == "construct":
        assert {one["start"] for one in answers} <= {0.1, 0.9}
        assert {len(one["trail"]) for one in answers} <= {2, 3}


def test_a_self_contained_hit_names_the_classes_of_each_mix(page: Page) -> None:
    """Its trials stand there once, whatever their classes are called, and each shows its own."""
    classes = ("50", 'A & "B"', "<b>Cat</b>", "hint")
    pairs = [{"endpoint1": one, "endpoint2": two} for one, two in combinations(classes, 2)]
    self_contained(page, "infer", pairs, classes=classes)
    seen = set()
    for _ in pairs:
        seen.add(tuple(page.locator(".ask strong").all_inner_texts()[1:]))
        slider(page).press("End")
        first, second = page.locator(".ask strong").all_inner_texts()[1:]
        expect(slider(page)).to_have_attribute("aria-valuetext", f"0 % {first}, 100 % {second}")
        expect(page.locator("[name=first]")).to_have_value(first)
        page.fill("[name=confidence]", "1")
        page.get_by_role("button", name="Go on").click()
    assert seen == set(combinations(classes, 2))


def test_the_pages_rules_are_the_tasks(page: Page) -> None:
    """For every form the self-contained page complains of the same fields, with the same sentences, as the task."""
    rules = (TEMPLATES / "tasks" / "mixing_coefficient.check.js").read_text()
    page.evaluate(f"{rules}; window.checkAnswer = checkAnswer; 0")
    task = TASKS["mixing-coefficient"]
    typed = ("", " ", "%", "0", "100", "7,5 %", "-0", "101", "nan", "1e1", ".5", "a very long answer to it")
    forms = [{"first": ["Ship"], "percent": [one], "confidence": [two]} for one in typed for two in typed]
    for trial, form in [(task.examples[0][0], form) for form in forms] + [
        (trial, {"picture": ["picture 3"]}) for trial, _ in task.examples[1:]
    ]:
        try:
            task.parse(form, trial)
            said: dict[str, str] = {}
        except AnswerError as error:
            said = error.errors
        assert page.evaluate("form => checkAnswer(form)", form) == said, form
