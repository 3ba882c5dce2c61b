"""The page on which people write, are read and are coached, in real Chromium, with a real server and coach (digits).

One long file, as all its tests share one server and its coach, which takes seconds to prepare.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from crowdloom.models.coach_preparing import ready_coach
from crowdloom.studies.database import open_store
from crowdloom.studies.design import Design
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.loading import load_design
from crowdloom.studies.participation import finish_instructions, read_progress
from crowdloom.studies.posting import publish
from crowdloom.studies.rehearsal.working import working
from crowdloom.tasks.coach_drawing import render
from crowdloom.tasks.coach_records import MOST_POINTS, Writing, packed, unpacked
from crowdloom.tasks.coach_words import advice
from tests.browser.conftest import Participation, Server, save
from tests.browser.test_accessibility import Inspector

pytestmark = pytest.mark.slow

Way = list[tuple[float, float]]
FOUR: list[Way] = [[(0.35, 0.2), (0.28, 0.55), (0.72, 0.52)], [(0.62, 0.3), (0.56, 0.88)]]
NINE: list[Way] = [[(0.62, 0.3), (0.45, 0.2), (0.35, 0.35), (0.45, 0.5), (0.62, 0.4), (0.64, 0.25), (0.58, 0.85)]]
FOUR_STROKES = [[(x, y, 0.0) for x, y in way] for way in FOUR]
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def coach_server(coaches: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own store and scratch folder, with the digits coach prepared."""
    folder = tmp_path_factory.mktemp("coach")
    store = open_store(f"sqlite:///{folder / 'store.db'}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROWDLOOM_SCRATCH", str(folder / "scratch"))
        patch.setenv("CROWDLOOM_COACHES", str(coaches))
        patch.setenv("OMP_NUM_THREADS", "1")
        ready_coach("digits")
        server = Server(store)
        yield server
        server.kill()
    store.close()


class Study:
    """A published study of one class, 4, under these options."""

    def __init__(self, server: Server, folder: Path, **options: Any) -> None:
        self.server = server
        self.design = Design.model_validate(
            {
                "name": "coach-" + "-".join(map(str, options.values())),
                "title": "Write so that a program can read it",
                "task": "coach",
                "options": options,
                "classes": [str(digit) for digit in range(10)],
                "consent": "It is voluntary.",
                "instructions": ["Write."],
                "items": {"source": "classes", "only": ["4"]},
                "batches": {"size": 1, "responses_per_item": 100},
                "people": {"minutes": 2, "hold_minutes": 30},
            }
        )
        load_design(server.store, self.design, self.design.model_dump_json(), folder)
        with server.store.write() as connection:
            self.posting = publish(connection, self.design.name, "link").token

    def arrive(self, person: str) -> Participation:
        """A new submission before its first trial."""
        with self.server.store.write() as connection:
            token = join(connection, find_entry(connection, self.posting), person)
            finish_instructions(connection, read_progress(connection, token), self.design)
        return Participation(self.server, token)


@pytest.fixture(scope="module")
def open_study(coach_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Study]:
    """Publishes a study, once for each set of options."""
    opened: dict[str, Study] = {}

    def open_one(**options: Any) -> Study:
        key = json.dumps(options)
        if key not in opened:
            opened[key] = Study(coach_server, tmp_path_factory.mktemp("study"), **options)
        return opened[key]

    return open_one


class Paper:
    """The page of one trial, as a participant uses it."""

    def __init__(self, page: Page, participation: Participation) -> None:
        self.page = page
        self.participation = participation
        self.open()

    def open(self) -> None:
        """Open the page, or reload it."""
        self.page.goto(self.participation.address)
        self.phase("writing", "read", "done")

    def phase(self, *phases: str) -> None:
        """Wait until the page is in one of these phases."""
        self.page.wait_for_selector(", ".join(f"[data-coach][data-phase={phase}]" for phase in phases))

    def write(self, ways: list[Way]) -> None:
        """With the mouse."""
        box = self.page.locator("[data-canvas]").bounding_box()
        assert box is not None
        for way in ways:
            places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in way]
            self.page.mouse.move(*places[0])
            self.page.mouse.down()
            for place in places[1:]:
                self.page.mouse.move(*place, steps=5)
            self.page.mouse.up()

    def done(self, phase: str) -> None:
        """Press "Done" and wait for what comes of it."""
        self.page.get_by_role("button", name="Done").click()
        self.phase(phase)

    def again(self) -> None:
        """Begin the second attempt."""
        self.page.get_by_role("button", name="Now write it again").click()
        self.phase("writing")

    def strokes(self) -> Any:
        """What is on the canvas."""
        return self.page.evaluate("async () => (await import('/static/coach/main.js')).canvas.strokes")

    def writing(self) -> Writing:
        """What the form would send."""
        return Writing.model_validate_json(self.page.locator("[name=writing]").input_value())

    def trouble(self) -> Any:
        """The sentence that says what is wrong."""
        return expect(self.page.locator("[data-trouble]"))


@pytest.fixture
def start(page: Page, open_study: Callable[..., Study], request: pytest.FixtureRequest) -> Callable[..., Paper]:
    """Opens a new participant's page in a study with these options."""
    page.set_viewport_size(DESK)
    page.emulate_media(reduced_motion="reduce")
    return lambda **options: Paper(page, open_study(**options).arrive(request.node.name))


def test_a_coached_trial(start: Callable[..., Paper]) -> None:
    """Write, take back, be read and coached, reload at every stage, write again, save: the answer has all of it."""
    paper = start()
    page = paper.page
    expect(page.locator("h1")).to_have_text("Drawing 1 of 1")
    page.get_by_role("button", name="Done").click()
    paper.trouble().to_have_text("The box is empty: write 4 first.")
    paper.write(NINE)
    paper.trouble().to_be_empty()
    page.get_by_role("button", name="Undo").click()
    assert paper.strokes() == []
    paper.write(NINE + FOUR)
    page.get_by_role("button", name="Start again").click()
    paper.write(FOUR[:1])
    drawn = paper.strokes()
    paper.open()  # in the middle of the drawing
    assert paper.strokes() == drawn
    paper.write(FOUR[1:])
    page.keyboard.press("Control+z")
    paper.write(FOUR[1:])
    drawn = paper.strokes()
    assert len(drawn) == 2
    paper.done("read")
    first, *more = paper.writing().attempts
    assert not more
    assert first.proposal is not None
    assert [[list(point) for point in stroke] for stroke in first.drawing.strokes] == drawn
    assert (first.drawing.device, first.drawing.given, first.drawing.undone) == ("mouse", None, 5)
    times = [point[2] for stroke in first.drawing.strokes for point in stroke]
    assert times == sorted(times)
    assert times[-1] / 1000 <= first.drawing.seconds
    verdict = page.locator("[data-verdict]")
    said = "reads 4: that is right." if first.reading.read == "4" else f"reads {first.reading.read}, not 4."
    for _ in range(2):
        expect(verdict).to_have_text(f"The recogniser {said}")
        expect(page.locator("[data-words]")).to_have_text(first.proposal.words)
        expect(page.locator("[data-proposal] canvas:visible")).to_have_count(3)
        paper.open()  # after the reading
    expect(page.get_by_role("button", name="Save and go on")).to_be_hidden()
    paper.again()
    expect(page.locator("[data-proposal] canvas:visible")).to_have_count(3)
    paper.write(NINE)
    drawn = paper.strokes()
    paper.open()  # in the middle of the second drawing
    assert paper.strokes() == drawn
    expect(page.locator("[data-words]")).to_have_text(first.proposal.words)
    paper.done("done")
    paper.open()  # at the end
    second = paper.writing().attempts[1]
    assert second.proposal is None
    expect(page.locator("[data-both] canvas:visible")).to_have_count(2)
    expect(verdict).to_contain_text("recogniser")
    save(page)
    page.wait_for_selector("h1:not(#progress)")
    (answer,) = paper.participation.answers()
    stored = Writing.model_validate(answer.answer["writing"])
    assert [attempt.drawing.strokes for attempt in stored.attempts] == [first.drawing.strokes, second.drawing.strokes]
    assert all(unpacked(one.reading.picture) == render(one.drawing.strokes) for one in stored.attempts)
    assert (stored.coached, stored.looks) == (True, 0)


def test_the_control_sees_the_reading_alone(start: Callable[..., Paper]) -> None:
    """No proposal is shown or sent; beside the second attempt stands the first."""
    paper = start(coaching="control")
    page = paper.page
    paper.write(NINE)
    paper.done("read")
    (first,) = paper.writing().attempts
    assert first.proposal is None
    expect(page.locator("[data-proposal]")).to_be_hidden()
    expect(page.locator("[data-given-picture]")).to_be_visible()
    paper.again()
    expect(page.locator("[data-first-picture]")).to_be_visible()
    expect(page.locator("[data-first-read]")).to_contain_text(f"read as {first.reading.read}")
    paper.write(FOUR)
    paper.done("done")
    before, after = (attempt.reading.read for attempt in paper.writing().attempts)
    expect(page.locator("[data-both-read-1]")).to_contain_text(f"read as {before}")
    expect(page.locator("[data-both-read-2]")).to_contain_text(f"read as {after}")


def test_read_at_pen_up(start: Callable[..., Paper]) -> None:
    """Reading and proposal follow each pen-up; an answer that comes too late is not shown; the looks are counted."""
    paper = start(reads="at-pen-up")
    page = paper.page
    expect(page.locator("[data-advice]")).to_be_visible()
    late: list[Route] = []
    page.route("**/live/read?*", lambda route: late.append(route), times=1)  # noqa: PLW0108 - it must be a function
    paper.write(NINE)
    page.wait_for_timeout(100)
    with page.expect_response("**/live/read?*") as answer:
        paper.write([[(0.1, 0.1), (0.2, 0.1)]])
    shown = answer.value.json()["output"]
    expect(page.locator("[data-words]")).to_have_text(shown["proposal"]["words"])
    bars = page.locator("[data-bars]").inner_text()
    with page.expect_response("**/live/read?*"):
        late[0].continue_()
    page.wait_for_timeout(50)
    assert page.locator("[data-bars]").inner_text() == bars
    with page.expect_response("**/live/read?*"):
        page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Start again").click()
    expect(page.locator("[data-advice]")).to_be_visible()
    expect(page.locator("[data-reading]")).to_be_hidden()
    paper.write(FOUR[:1])
    paper.done("read")
    assert paper.writing().looks == 4
    words = page.locator("[data-words]").inner_text()
    paper.again()
    paper.write(FOUR)
    expect(page.locator("[data-reading]")).to_be_visible()
    expect(page.locator("[data-words]")).to_have_text(words)  # those of the first attempt
    paper.done("done")
    assert paper.writing().looks == 6


def test_without_drawing(start: Callable[..., Paper]) -> None:
    """By keyboard alone: choose among given drawings, be read and coached, choose again, save."""
    paper = start()
    page = paper.page
    page.get_by_role("button", name="choose a drawing").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-given] input:focus")
    assert page.locator("[data-given] input").count() == 12
    page.get_by_role("button", name="Done").focus()
    page.keyboard.press("Enter")
    paper.trouble().to_have_text("Choose one of the drawings first.")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    for _ in range(2):
        page.keyboard.press("Tab")
        if page.locator("[data-done]:focus").count():
            break
    page.keyboard.press("Enter")
    paper.phase("read")
    page.wait_for_selector("[data-again]:focus")
    expect(page.locator("[data-heard]")).to_contain_text("The coach says:")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-given] input:focus")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    paper.phase("done")
    page.wait_for_selector("form[data-trial] button.primary:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:not(#progress)")
    (answer,) = paper.participation.answers()
    first, second = Writing.model_validate(answer.answer["writing"]).attempts
    assert (first.drawing.device, first.drawing.given) == ("keyboard", 1)
    assert (second.drawing.device, second.drawing.given) == ("keyboard", 0)


def test_the_network_goes_and_comes(start: Callable[..., Paper]) -> None:
    """What is lost is sent again by itself, the drawing stays; a server in trouble is asked again, too."""
    paper = start()
    page = paper.page
    paper.write(NINE)
    page.context.set_offline(True)
    page.get_by_role("button", name="Done").click()
    expect(page.locator("[data-waits]")).to_contain_text("Your drawing stays here")
    drawn = paper.strokes()
    page.context.set_offline(False)
    paper.phase("read")
    expect(page.locator("[data-waits]")).to_be_empty()
    (first,) = paper.writing().attempts
    assert [[list(point) for point in stroke] for stroke in first.drawing.strokes] == drawn
    paper.again()
    paper.write(FOUR)
    busy = {"error": "the server is busy; try again in a moment"}
    page.route("**/live/read?*", lambda route: route.fulfill(status=503, json=busy), times=1)
    paper.done("done")


def test_too_much_is_refused_and_nothing_lost(start: Callable[..., Paper]) -> None:
    """The canvas takes no more points than the server; what comes past it is refused in a sentence, and can go on."""
    paper = start()
    page = paper.page
    put = """async (count) => {
        const { canvas } = await import('/static/coach/main.js');
        canvas.strokes = [Array(count).fill([0.5, 0.5, 0])];
    }"""
    page.evaluate(put, MOST_POINTS - 5)
    paper.write(FOUR[:1])
    assert sum(map(len, paper.strokes())) == MOST_POINTS
    paper.trouble().to_contain_text("The box is full")
    paper.write(FOUR[:1])
    assert len(paper.strokes()) == 2
    for count, sentence in (
        (MOST_POINTS + 1, "at most 10000 items after validation"),
        (1_000_000, "more than the server takes at once"),
    ):
        page.evaluate(put, count)
        page.get_by_role("button", name="Done").click()
        paper.trouble().to_contain_text(sentence)
        assert page.evaluate("async () => (await import('/static/coach/main.js')).canvas.strokes[0].length") == count
    page.get_by_role("button", name="Start again").click()
    paper.write(FOUR)
    paper.done("read")


def test_two_windows(start: Callable[..., Paper]) -> None:
    """What was done in one is shown in the other, with a sentence that says why."""
    paper = start()
    paper.write(FOUR)
    second = Paper(paper.page.context.new_page(), paper.participation)
    second.page.set_viewport_size(DESK)
    second.write(NINE)
    paper.done("read")
    second.done("read")
    second.trouble().to_have_text("This attempt was done in another window; this is what came of it.")
    assert second.writing() == paper.writing()


def test_by_touch_and_pen(
    new_context: Callable[..., BrowserContext], open_study: Callable[..., Study], page: Page
) -> None:
    """On a phone a finger draws and scrolls nothing, a second one does nothing; a pen is noted as one."""
    context = new_context(viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    page = context.new_page()
    paper = Paper(page, open_study().arrive("touch"))
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    box = page.locator("[data-canvas]").bounding_box()
    assert box is not None
    client = context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": box["x"] + x, "y": box["y"] + y, "id": number} for number, (x, y) in enumerate(places)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (100, 250))
    for step in range(1, 9):
        touch("touchMove", (100, 250 - 25 * step))
    touch("touchStart", (100, 50), (200, 60))
    touch("touchMove", (100, 50), (200, 160))
    touch("touchEnd")
    assert page.evaluate("scrollY") == 0
    (stroke,) = paper.strokes()
    assert len(stroke) > 5
    assert stroke[0][1] == pytest.approx(250 / box["width"], abs=0.01)
    paper.done("read")
    assert paper.writing().attempts[0].drawing.device == "touch"
    paper.again()
    expect(page.locator("[data-proposal] canvas:visible")).to_have_count(2)
    box = page.locator("[data-canvas]").bounding_box()
    assert box is not None
    for kind, shift in (("mousePressed", 0), ("mouseMoved", 60), ("mouseReleased", 60)):
        place = {"x": box["x"] + 100, "y": box["y"] + 100 + shift, "button": "left", "pointerType": "pen"}
        client.send("Input.dispatchMouseEvent", {"type": kind, "clickCount": 1, **place})
    paper.done("done")
    assert paper.writing().attempts[1].drawing.device == "pen"


def test_the_coach_is_prepared(start: Callable[..., Paper], coach_server: Server) -> None:
    """Where it is not there yet, the page has a worker prepare it and shows how far that is; then one can write."""
    paper = start()
    page = paper.page
    page.route("**/live/state?*", lambda route: route.fulfill(json={"output": {"ready": False}}), times=2)
    page.goto(paper.participation.address)
    page.wait_for_selector("[data-preparing]:visible")
    expect(page.locator("[data-job]")).to_contain_text("You are next")
    with working(coach_server.store.url, {}):
        paper.phase("writing")
    paper.write(FOUR)
    paper.done("read")


def test_the_difference_shows_what_is_marked(page: Page, coach_server: Server) -> None:
    """A line that goes on, one that ends, both, and neither, as the words say; in blue and red."""
    page.goto(f"{coach_server.address}/static/app.css")
    code = """async ([picture, marks]) => {
        const { drawDifference } = await import('/static/coach/pictures.js');
        const canvas = document.createElement('canvas');
        const found = drawDifference(canvas, picture, marks);
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let [blue, red] = [0, 0];
        for (let i = 0; i < data.length; i += 4) {
            blue += data[i + 2] > data[i] + 80;
            red += data[i] > data[i + 2] + 80;
        }
        return [found.add, found.leaveOut, blue > 100, red > 100];
    }"""

    def line(first: int, last: int) -> bytes:
        return bytes(255 * (first <= at // 28 < last and 13 <= at % 28 < 16) for at in range(784))

    for proposal, adds, leaves_out in (
        (line(4, 20), 1, 0),
        (line(13, 20), 0, 1),
        (line(13, 25), 1, 1),
        (line(8, 20), 0, 0),
    ):
        marks = advice(line(8, 20), proposal, asked="1", read="7", proposed_read="1").marks
        found = page.evaluate(code, [packed(line(8, 20)), packed(marks)])
        assert found == [bool(one) for one in (adds, leaves_out, adds, leaves_out)]


def test_a_proposal_that_would_be_misread_says_so(start: Callable[..., Paper]) -> None:
    """Below its picture, with what it would be read as and what was asked for; one that is right has no such words."""
    page = start().page
    code = """async ([picture, read]) => {
        const { Panel } = await import('/static/coach/panel.js');
        const panel = new Panel(document.querySelector('[data-coach]'), { asked: '4', classes: ['4', '9'] });
        const probabilities = read === '4' ? [0.8, 0.2] : [0.2, 0.8];
        const reading = { picture, read: '9', probabilities: [0, 1] };
        panel.proposal(reading, { picture, read, probabilities, words: '' }, picture);
    }"""
    for read, said in (("9", "would be read as 9, 80\u00a0%, not as 4"), ("4", "would be read as 4, 80\u00a0%")):
        page.evaluate(code, [packed(render(FOUR_STROKES)), read])
        assert page.locator("[data-proposed-read]").text_content() == said
        assert (page.locator("[data-proposed-read][data-wrong]").count() == 1) == (read == "9")


def test_accessibility(start: Callable[..., Paper]) -> None:
    """No axe violation in any state, and nothing wider than a phone."""
    paper = start(reads="at-pen-up")
    page = paper.page
    inspector = Inspector(page)
    page.get_by_role("button", name="Done").click()
    inspector.look("empty, with an error")
    page.get_by_role("button", name="choose a drawing").click()
    page.locator("[data-given] input").first.check()
    page.wait_for_selector("[data-reading]:visible")
    inspector.look("given drawings, with a reading and a proposal")
    paper.done("read")
    inspector.look("read")
    paper.again()
    page.get_by_role("button", name="Back to writing").click()
    paper.write(FOUR)
    page.wait_for_selector("[data-reading]:visible")
    inspector.look("second attempt")
    paper.done("done")
    inspector.look("both attempts")
    page.route("**/live/state?*", lambda route: route.fulfill(status=422, json={"error": "it is not ready"}))
    page.reload()
    page.wait_for_selector("[data-try]:visible")
    paper.trouble().to_have_text("It is not ready.")
    inspector.look("failed")
    page.unroute("**/live/state?*")
    page.get_by_role("button", name="Try again").click()
    paper.phase("done")
    assert inspector.problems == []
    assert len(inspector.seen) == 6
