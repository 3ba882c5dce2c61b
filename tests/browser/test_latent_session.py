"""A session of HILL in real Chromium, with a real server, a real worker and a network that really trains (digits).

One long file, as all its tests share one server with its worker, which take ten seconds to start.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from crowdloom.studies.database import open_store
from crowdloom.studies.participation import Assigned
from crowdloom.studies.reading_sessions import read_sessions
from crowdloom.tasks.latent_records import SessionRecord
from tests.browser.conftest import Participation, Server, save
from tests.browser.test_accessibility import Inspector
from tests.studies.latent_studies import Loops, open_loops
from tests.studies.ray_processes import steps_of

pytestmark = pytest.mark.slow

CLASSES = [str(digit) for digit in range(10)]
OPTIONS = {"interactions": 2, "epochs": 20, "points": 60}
LONG = 60
TRAINING_MS = 60_000
PLOT = "async () => { window.plot = (await import('/static/latent/main.js')).plot; }"


@pytest.fixture(scope="module")
def loop_server(scenarios: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server and a worker that share the folders of sessions and scenarios."""
    folder = tmp_path_factory.mktemp("loop")
    store = open_store(f"sqlite:///{folder / 'store.db'}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROWDLOOM_SCRATCH", str(folder / "scratch"))
        patch.setenv("CROWDLOOM_SCENARIOS", str(scenarios))
        patch.setenv("OMP_NUM_THREADS", "1")
        command = [sys.executable, "-m", "crowdloom.studies.cli", "worker"]
        worker = subprocess.Popen(command, env=os.environ | {"CROWDLOOM_DATABASE": store.url})
        server = Server(store)
        yield server
        server.kill()
        worker.terminate()
        worker.wait(20)
    store.close()


@pytest.fixture(scope="module")
def open_study(loop_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Loops]:
    """Publishes a study of one scenario, digits; `options` come on top of `OPTIONS`."""

    def open_one(name: str, **options: Any) -> Loops:
        return open_loops(
            loop_server.store,
            tmp_path_factory.mktemp(name),
            name=name,
            classes=CLASSES,
            options=OPTIONS | options,
            items={"source": "scenarios", "names": ["digits"]},
            batches={"size": 1, "responses_per_item": 100},
            coding=None,
        )

    return open_one


@pytest.fixture(scope="module")
def study(open_study: Callable[..., Loops]) -> Loops:
    """The study that most tests here take."""
    return open_study("loop")


@pytest.fixture(scope="module")
def long_study(open_study: Callable[..., Loops]) -> Loops:
    """One whose trainings take seconds, for tests in which something happens meanwhile."""
    return open_study("loop-long", epochs=LONG)


class Loop:
    """The page of one session, as a participant uses it."""

    def __init__(self, page: Page, server: Server, submission: Assigned | Participation) -> None:
        self.page = page
        self.participation = Participation(server, submission.token)
        self.open()

    def open(self) -> None:
        """Open the page, or reload it, and close the introduction where it is shown."""
        self.page.goto(self.participation.address)
        self.page.evaluate(PLOT)
        if self.page.locator("dialog[open]").count():
            self.page.get_by_role("button", name="Begin").click()
        self.page.wait_for_selector("[data-veil]", state="hidden", timeout=TRAINING_MS)

    def until(self, true: str) -> None:
        """Wait until an expression is true; the page's own policy allows no other way to look again and again."""
        for _ in range(600):
            if self.page.evaluate(true):
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"it never came true: {true}")

    def centre(self, label: int) -> tuple[float, float]:
        """Where a class's centre lies in the window."""
        return self._place(f"[plot.arrangement.centreX[{label}], plot.arrangement.centreY[{label}]]")

    def point(self, point: int) -> tuple[float, float]:
        """Where a point lies in the window."""
        return self._place(f"[plot.arrangement.x[{point}], plot.arrangement.y[{point}]]")

    def lies(self) -> list[list[float]]:
        """The arrangement that is shown."""
        found: list[list[float]] = self.page.evaluate("[[...plot.arrangement.x], [...plot.arrangement.y]]")
        return found

    def drag(self, start: tuple[float, float], *stops: tuple[float, float]) -> None:
        """With the mouse."""
        self.page.mouse.move(*start)
        self.page.mouse.down()
        for stop in stops:
            self.page.mouse.move(*stop, steps=4)
        self.page.mouse.up()

    def corner(self) -> tuple[float, float]:
        """The left upper corner of the plot in the window."""
        box = self.page.locator("[data-canvases]").bounding_box()
        assert box is not None
        return box["x"], box["y"]

    def train(self, wait: bool = True) -> None:
        """Press "Train", and wait until the next arrangement can be made, or all is done."""
        self.page.get_by_role("button", name="Train").click()
        self.page.wait_for_selector("[data-pause]:visible")
        if wait:
            self.page.wait_for_selector("[data-pause]", state="hidden", timeout=TRAINING_MS)

    def said(self) -> Any:
        """The sentence below the plot."""
        return expect(self.page.locator("[data-said]"))

    def server_state(self) -> dict[str, Any]:
        """The session as the server has it."""
        found: dict[str, Any] = self.page.evaluate(
            """async () => {
                const { LiveSteps } = await import('/static/live.js');
                const trial = document.querySelector('[name=trial]').value;
                return (await new LiveSteps(document.body.dataset.base, trial).call('state', {})).state;
            }"""
        )
        return found

    def wait_until_kept(self, movements: int) -> None:
        """Wait until the server has so many movements."""
        for _ in range(300):
            draft = self.server_state()["draft"]
            if draft and len(draft["movements"]) == movements:
                return
            self.page.wait_for_timeout(100)
        pytest.fail(f"the server never had {movements} movements")

    def _place(self, of: str) -> tuple[float, float]:
        left, top = self.corner()
        x, y = self.page.evaluate(f"(([x, y]) => [plot.view.x(x), plot.view.y(y)])({of})")
        return left + x, top + y


@pytest.fixture
def loop(page: Page, loop_server: Server, study: Loops, request: pytest.FixtureRequest) -> Loop:
    """A new participant's page, with the first arrangement before them."""
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(reduced_motion="reduce")
    return Loop(page, loop_server, study.arrive(request.node.name))


@pytest.fixture
def long_loop(page: Page, loop_server: Server, long_study: Loops, request: pytest.FixtureRequest) -> Loop:
    """The same in the study with long trainings."""
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(reduced_motion="reduce")
    return Loop(page, loop_server, long_study.arrive(request.node.name))


def kinds(loop: Loop) -> list[str]:
    """What was done, as the server has it."""
    return [movement["kind"] for movement in loop.server_state()["draft"]["movements"]]


@contextmanager
def held_up() -> Iterator[None]:
    """The training does not go on, so that it does not end before a page is open again."""
    steps = steps_of(os.getpid())
    for step in steps:
        step.suspend()
    try:
        yield
    finally:
        for step in steps:
            step.resume()


def test_a_whole_session(long_loop: Loop) -> None:
    """Drag, lasso, undo, train, reload in mid-training, train again, save: the answer has all of it."""
    loop = long_loop
    page = loop.page
    expect(page.locator("h1")).to_have_text("Network 1 of 1")
    start = loop.lies()
    x, y = loop.centre(3)
    loop.drag((x, y), (x + 50, y - 70))
    moved = loop.lies()
    of_three = page.evaluate("[...plot.arrangement.members(3)]")
    changed = [i for i in range(60) if (start[0][i], start[1][i]) != (moved[0][i], moved[1][i])]
    assert changed == sorted(of_three)
    shifts = {round(moved[1][i] - start[1][i], 6) for i in changed}
    assert len(shifts) == 1
    assert shifts.pop() > 0  # up is up

    left, top = loop.corner()
    width = page.evaluate("plot.view.width")
    edges = [(left + 8, top + 8), (left + width - 8, top + 8), (left + width - 8, top + 300), (left + 8, top + 300)]
    page.evaluate("plot.zoom(0.8)")  # so that all edges lie on empty ground
    loop.drag(edges[0], *edges[1:])
    count = page.evaluate("plot.selection.length")
    loop.said().to_have_text(f"{count} points selected; drag one of them.")
    one = page.evaluate(
        """[...plot.selection].find((i) =>
            plot.hit(plot.view.x(plot.arrangement.x[i]), plot.view.y(plot.arrangement.y[i])).kind === 'selection')"""
    )
    x, y = loop.point(one)
    loop.drag((x, y), (x - 30, y + 20))
    assert loop.lies() != moved
    page.keyboard.press("Control+z")
    assert loop.lies() == moved
    loop.wait_until_kept(3)
    assert kinds(loop) == ["centre", "lasso", "undo"]

    loop.train(wait=False)
    expect(page.locator("[data-message]")).to_contain_text("accuracy")
    with held_up():
        loop.open()  # in mid-training
        page.wait_for_selector("[data-pause]:visible")
        assert loop.lies()[0] == pytest.approx(moved[0], abs=1e-5)
    page.wait_for_selector("[data-train]:visible", timeout=TRAINING_MS)
    expect(page.locator("[data-number]")).to_have_text("Arrangement 2 of 2")
    expect(page.locator("[data-metrics] .loop-change")).to_have_count(2)

    page.locator("form[data-trial] button.primary").click(force=True)  # it is marked as one that does nothing yet
    expect(page.locator("[data-status]")).to_have_text("One training is left; you can save when they are done.")
    loop.train()
    expect(page.locator("[data-number]")).to_have_text("All 2 trainings are done")
    page.fill("[name=strategy]", "I moved the threes up.")
    save(page)
    page.wait_for_selector("h1:not(#progress)")
    (answer,) = loop.participation.answers()
    record = SessionRecord.model_validate(answer.answer["session"])
    with loop.participation.server.store.read() as connection:
        read = read_sessions(connection, "loop-long", "all")
    assert record in [one.record for one in read.sessions]
    assert not read.notes()  # the browser's copy is the server's, to the last digit
    assert answer.answer["strategy"] == "I moved the threes up."
    assert [movement.kind for movement in record.interactions[0].movements] == ["centre", "lasso", "undo"]
    assert record.interactions[0].movements[0].label == 3
    assert [one.movements for one in record.interactions[1:]] == [[]]
    assert record.curve[-1].epoch == record.pretraining + 2 * LONG
    before, intended = record.interactions[0].before.centres[3], record.interactions[0].intended.centres[3]
    assert before is not None
    assert intended is not None
    assert intended[1] > before[1]


def test_every_tool(loop: Loop) -> None:
    """A point, the ring, a double click, undo and redo, reset; each is a movement that the server keeps."""
    page = loop.page
    start = loop.lies()
    alone = page.evaluate(
        """[...Array(60).keys()].find((i) =>
            plot.hit(plot.view.x(plot.arrangement.x[i]), plot.view.y(plot.arrangement.y[i])).point === i)"""
    )
    x, y = loop.point(alone)
    loop.drag((x, y), (x + 40, y))
    after_point = loop.lies()
    assert [i for i in range(60) if after_point[0][i] != start[0][i]] == [alone]

    page.locator("[data-classes] button").nth(5).click()
    expect(page.locator("[data-classes] button").nth(5)).to_have_attribute("aria-pressed", "true")
    spread = page.evaluate("plot.arrangement.spread[5]")
    x, y = loop.centre(5)
    radius = page.evaluate("plot.view.scale * plot.arrangement.spread[5]")
    loop.drag((x, y + radius), (x, y + 1.5 * radius))
    assert page.evaluate("plot.arrangement.spread[5]") == pytest.approx(1.5 * spread, rel=0.05)
    spread = page.evaluate("plot.arrangement.spread[5]")
    page.mouse.dblclick(*loop.centre(5))
    assert page.evaluate("plot.arrangement.spread[5]") == pytest.approx(0.5 * spread)
    loop.said().to_have_text("5 gathered towards its centre.")

    page.get_by_role("button", name="Undo").click()
    assert page.evaluate("plot.arrangement.spread[5]") == pytest.approx(spread)
    page.get_by_role("button", name="Redo").click()
    assert page.evaluate("plot.arrangement.spread[5]") == pytest.approx(0.5 * spread)
    page.get_by_role("button", name="Reset").click()
    assert loop.lies() == start
    page.get_by_role("button", name="Undo").click()
    assert loop.lies() != start
    loop.wait_until_kept(7)
    assert kinds(loop) == ["point", "spread", "gather", "undo", "redo", "reset", "undo"]
    arranged = loop.lies()
    loop.open()
    assert loop.lies()[0] == pytest.approx(arranged[0], abs=1e-5)


def test_points_that_are_shown_can_be_moved(loop: Loop) -> None:
    """A page that is opened shows the points once it knows that no training is under way, not a moment before."""
    page = loop.page
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/live/train?*", hold)
    page.goto(loop.participation.address)
    page.evaluate(PLOT)
    for _ in range(600):
        if held:
            break
        page.wait_for_timeout(50)
    expect(page.locator("[data-veil]")).to_be_visible()
    expect(page.locator("[data-pause]")).to_be_hidden()
    held[0].continue_()
    page.wait_for_selector("[data-veil]", state="hidden")
    assert page.evaluate("plot.mayArrange")
    expect(page.locator("[data-train]")).to_be_visible()


def test_a_lasso_can_begin_on_a_point(loop: Loop) -> None:
    """With Shift the mouse selects wherever it begins; a click on empty ground forgets the selection."""
    page = loop.page
    start = loop.lies()
    x, y = loop.centre(1)
    page.keyboard.down("Shift")
    loop.drag((x, y), (x + 60, y), (x + 60, y + 60), (x - 60, y + 60), (x - 60, y - 60), (x, y - 60))
    page.keyboard.up("Shift")
    assert page.evaluate("plot.selection.length") > 0
    assert loop.lies() == start
    left, top = loop.corner()
    page.mouse.click(left + 3, top + 3)
    assert page.evaluate("plot.selection") is None


def test_a_drag_that_is_given_up(loop: Loop) -> None:
    """Escape puts the points back, and it was no movement."""
    start = loop.lies()
    x, y = loop.centre(1)
    loop.page.mouse.move(x, y)
    loop.page.mouse.down()
    loop.page.mouse.move(x + 60, y, steps=3)
    assert loop.lies() != start
    loop.page.keyboard.press("Escape")
    loop.page.mouse.up()
    assert loop.lies() == start
    expect(loop.page.get_by_role("button", name="Undo")).to_have_attribute("aria-disabled", "true")


def test_by_keyboard(loop: Loop) -> None:
    """A class is selected, moved, spread and gathered, a point looked at and moved, all of it said and undone."""
    page = loop.page
    start = loop.lies()
    page.focus("[data-plot]")
    page.keyboard.press("4")
    loop.said().to_have_text("3 selected.")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    loop.said().to_have_text("3 moved right, 3 steps.")
    page.keyboard.press("Shift+ArrowUp")
    loop.said().to_have_text("3 moved up.")
    loop.until("plot.gesture === null")
    page.keyboard.press("Control+z")
    assert loop.lies() == start
    loop.said().to_have_text("Taken back.")
    page.keyboard.press("Control+y")
    assert loop.lies() != start
    page.keyboard.press("PageDown")
    loop.said().to_have_text("4 selected.")
    spread = page.evaluate("plot.arrangement.spread[4]")
    page.keyboard.press("+")
    loop.said().to_have_text("4 spread.")
    assert page.evaluate("plot.arrangement.spread[4]") > spread
    page.keyboard.press("g")
    loop.said().to_have_text("4 gathered towards its centre.")
    page.keyboard.press(".")
    expect(page.locator("[data-item]")).to_contain_text("4")
    point = page.evaluate("plot.looked")
    before = loop.lies()
    page.keyboard.press("ArrowLeft")
    loop.said().to_have_text("The point moved left.")
    loop.until("plot.gesture === null")
    after = loop.lies()
    assert [i for i in range(60) if before[0][i] != after[0][i]] == [point]
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    loop.said().to_have_text("Nothing is selected.")
    page.locator("[data-classes] button").nth(7).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    loop.said().to_have_text("7 moved down.")
    loop.wait_until_kept(7)
    assert kinds(loop) == ["keys", "undo", "redo", "keys", "gather", "keys", "keys"]
    first, *_ = loop.server_state()["draft"]["movements"]
    assert (first["label"], first["points"]) == (3, 6)


def test_the_item_is_shown_and_fetched_once(loop: Loop) -> None:
    """Resting on a point shows its picture; a second look costs nothing."""
    page = loop.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/live/item" in request.url else None)
    point = page.evaluate(
        """[...Array(60).keys()].find((i) =>
            plot.hit(plot.view.x(plot.arrangement.x[i]), plot.view.y(plot.arrangement.y[i])).point === i)"""
    )
    for _ in range(2):
        page.mouse.move(*loop.point(point))
        page.wait_for_selector("[data-item] canvas:visible")
        left, top = loop.corner()
        page.mouse.move(left + 3, top + 3)
        page.wait_for_selector("[data-item]", state="hidden")
    assert len(asked) == 1
    label = page.evaluate(f"plot.arrangement.labels[{point}]")
    assert page.locator("[data-item] .loop-item-title").text_content() == str(label)


def test_pause_resume_and_discard(page: Page, loop_server: Server, open_study: Callable[..., Loops]) -> None:
    """A paused training goes on, or is given up; then the arrangement is still there."""
    page.set_viewport_size({"width": 1280, "height": 900})
    study = open_study("loop-long", epochs=100)  # which is not over before the worker hears of the pause
    loop = Loop(page, loop_server, study.arrive("ann"))
    x, y = loop.centre(2)
    loop.drag((x, y), (x + 30, y + 30))
    arranged = loop.lies()
    for decision in ("Discard", "Resume"):
        loop.train(wait=False)
        expect(page.locator("[data-message]")).to_contain_text("accuracy")
        page.get_by_role("button", name="Pause").click()
        page.wait_for_selector("[data-resume]:visible")
        expect(page.locator("[data-message]")).to_contain_text("Paused after")
        page.keyboard.press("Control+z")
        loop.said().to_have_text("The points cannot be moved now.")
        loop.open()
        page.wait_for_selector("[data-resume]:visible")
        page.get_by_role("button", name=decision).click()
        if decision == "Discard":
            page.wait_for_selector("[data-train]:visible")
            assert loop.lies()[0] == pytest.approx(arranged[0], abs=1e-5)
    expect(page.locator("[data-number]")).to_have_text("Arrangement 2 of 2", timeout=TRAINING_MS)
    assert kinds_of_record(loop, 0) == ["centre"]


def kinds_of_record(loop: Loop, interaction: int) -> list[str]:
    """What was done in an interaction, by the record in the form."""
    record = json.loads(loop.page.locator("[name=session]").input_value())
    return [movement["kind"] for movement in record["interactions"][interaction]["movements"]]


def test_before_and_after(loop: Loop) -> None:
    """After a training the page shows where the points were, where they were put, and what has changed."""
    page = loop.page
    x, y = loop.centre(2)
    loop.drag((x, y), (x + 30, y + 30))
    intended = loop.lies()
    expect(page.locator("[data-views]")).to_be_hidden()
    loop.train()
    loop.said().to_contain_text("Trained: the accuracy went from")
    shown = "plot.shown().x[0]"
    now = page.evaluate(shown)
    page.locator("[data-views] label", has_text="Where you put them").click()
    assert page.evaluate(shown) == pytest.approx(intended[0][0], abs=1e-5)
    page.check("[data-trails]")
    assert page.evaluate("plot.scene().trails.length") == 2
    x, y = loop.centre(4)
    before = loop.lies()
    loop.drag((x, y), (x + 30, y + 30))
    assert loop.lies() == before
    page.locator("[data-views] label", has_text="Now").click()
    assert page.evaluate(shown) == now
    deltas = page.locator("[data-classes] .loop-change")
    assert deltas.count() == 10
    assert all(text[0] in "▲▼±" for text in deltas.all_inner_texts())
    page.locator("[data-classes] button").nth(8).hover()
    expect(page.locator("[data-pairs] h3").first).to_have_text("8 is taken for")
    assert page.evaluate("plot.confusions !== null")


def test_trouble_leaves_the_arrangement(loop: Loop) -> None:
    """A step that fails says so in one sentence; the points stay, and the same click works afterwards."""
    page = loop.page
    x, y = loop.centre(2)
    loop.drag((x, y), (x + 30, y + 30))
    arranged = loop.lies()
    loop.wait_until_kept(1)

    def refuse(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=503, json={"error": "the study cannot be reached for the moment; please try again"})
        else:
            route.continue_()

    page.route("**/live/train?*", refuse)
    page.get_by_role("button", name="Train").click()
    expect(page.locator("[data-trouble]")).to_contain_text("cannot be reached")
    assert loop.lies() == arranged
    page.unroute("**/live/train?*")
    loop.train()
    expect(page.locator("[data-number]")).to_have_text("Arrangement 2 of 2")
    expect(page.locator("[data-trouble]")).to_be_empty()
    assert kinds_of_record(loop, 0) == ["centre"]


def test_movements_are_kept_when_the_page_closes_and_when_the_network_comes_back(loop: Loop) -> None:
    """What was moved just before the page is closed is there in another browser; so is what was moved offline."""
    page = loop.page
    x, y = loop.centre(2)
    loop.drag((x, y), (x + 30, y + 30))
    arranged = loop.lies()
    page.goto("about:blank")  # at once
    loop.open()
    assert loop.lies()[0] == pytest.approx(arranged[0], abs=1e-5)
    page.context.set_offline(True)
    x, y = loop.centre(2)
    loop.drag((x, y), (x + 30, y + 30))
    expect(page.locator("[data-trouble]")).to_contain_text("could not be saved yet")
    page.context.set_offline(False)
    loop.wait_until_kept(2)
    expect(page.locator("[data-trouble]")).to_be_empty()


def test_what_is_moved_out_of_the_window_stays_in_sight(loop: Loop) -> None:
    """A class that is dragged, or moved by keys, past the edge of the plot is shown again when it is let go."""
    page = loop.page
    start = loop.lies()
    loop.drag(loop.centre(0), (loop.corner()[0] + 20, 20))
    inside = "(([x, y]) => x > 0 && x < plot.view.width && y > 0 && y < plot.view.height)"
    place = "[plot.view.x(plot.arrangement.centreX[{0}]), plot.view.y(plot.arrangement.centreY[{0}])]"
    assert page.evaluate(f"{inside}({place.format(0)})")
    assert loop.lies() != start
    scale = page.evaluate("plot.view.scale")
    page.focus("[data-plot]")
    page.keyboard.press("2")
    for _ in range(20):
        page.keyboard.press("Shift+ArrowRight")
    loop.until(f"plot.gesture === null && {inside}({place.format(1)})")
    assert page.evaluate("plot.view.scale") < scale


def test_two_windows_with_different_arrangements(loop: Loop, loop_server: Server) -> None:
    """The second one to train waits for the training of the first one, shows what came of it, and says so."""
    first = loop.page
    second = Loop(first.context.new_page(), loop_server, loop.participation)
    second.page.set_viewport_size({"width": 1280, "height": 900})
    x, y = loop.centre(2)
    loop.drag((x, y), (x + 30, y + 30))
    x, y = second.centre(5)
    second.drag((x, y), (x - 30, y))
    loop.train(wait=False)
    second.page.get_by_role("button", name="Train").click()
    expect(second.page.locator("[data-number]")).to_have_text("Arrangement 2 of 2", timeout=TRAINING_MS)
    expect(second.page.locator("[data-trouble]")).to_contain_text("another window")
    expect(first.locator("[data-number]")).to_have_text("Arrangement 2 of 2", timeout=TRAINING_MS)
    assert second.lies() == loop.lies()
    assert kinds_of_record(loop, 0) == ["centre"]


def test_the_time_is_over(page: Page, loop_server: Server, open_study: Callable[..., Loops]) -> None:
    """Then what is left is trained without the participant, and the answer can be saved."""
    study = open_study("loop-short", minutes=0.1, epochs=5)
    page.set_viewport_size({"width": 1280, "height": 900})
    loop = Loop(page, loop_server, study.arrive("late"))
    expect(page.locator("[data-clock]")).to_have_text("less than a minute left")
    expect(page.locator("[data-number]")).to_have_text("All 2 trainings are done", timeout=TRAINING_MS)
    expect(page.locator("[data-message]")).to_have_text(
        "Your time was over: all 2 trainings were done without you. What you moved was not used. "
        "Say below how you went about it, then save."
    )
    expect(page.locator("[data-since]")).to_have_text("The change is since the time was over, after epoch 25.")
    for name, shown in (("alpha-part", 0), ("intended", 0), ("metrics", 1)):
        expect(page.locator(f"[data-{name}]:visible")).to_have_count(shown)
    first, now = (loop.server_state()["record"]["curve"][epoch] for epoch in (24, -1))
    points = round(100 * (now["accuracy"] - first["accuracy"]), 1)
    change = page.locator("[data-metrics] .loop-change").first
    assert f"{abs(points):g}" in change.inner_text()
    expect(page.locator("[data-curve] .curve-interaction")).to_have_count(0)
    x, y = loop.centre(2)
    before = loop.lies()
    loop.drag((x, y), (x + 30, y + 30))
    assert loop.lies() == before
    save(page)
    page.wait_for_selector("h1:not(#progress)")
    (answer,) = loop.participation.answers()
    assert [one["without_person"] for one in answer.answer["session"]["interactions"]] == [True, True]


def test_the_time_is_over_after_a_training(
    page: Page, loop_server: Server, open_study: Callable[..., Loops], tmp_path: Path
) -> None:
    """The clock stands in a training, also after a reload; then the page says what was done without the participant."""
    study = open_study("loop-late", minutes=0.15, choose_alpha=True, interactions=3)
    page.set_viewport_size({"width": 1280, "height": 1000})
    loop = Loop(page, loop_server, study.arrive("later"))
    loop.train(wait=False)
    clock = page.locator("[data-clock]")
    expect(clock).to_have_text("the clock stands while it trains")
    loop.open()
    expect(clock).to_have_text("the clock stands while it trains")
    expect(page.locator("[data-number]")).to_contain_text("Arrangement 2 of 3", timeout=TRAINING_MS)
    expect(clock).to_have_text("less than a minute left")
    x, y = loop.centre(5)
    loop.drag((x, y), (x + 30, y))
    expect(clock).to_have_text("time is over", timeout=TRAINING_MS)
    expect(page.locator("[data-number]")).to_have_text("All 3 trainings are done", timeout=TRAINING_MS)
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 1000})
        loop.open()
        expect(page.locator("[data-message]")).to_contain_text(
            "Your time was over: the last 2 of 3 trainings were done without you. "
            "What you moved since your last training was not used."
        )
        expect(page.locator("[data-since]")).to_have_text("The change is since the time was over, after epoch 45.")
        expect(page.locator("[data-curve] .curve-interaction")).to_have_count(1)
        expect(page.get_by_role("slider", name="How much the network listens")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.screenshot(path=tmp_path / f"over-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.get_by_label("Before", exact=True).check()
    loop.said().to_have_text("You see where the network had put the points before the last training.")


def test_by_touch(new_context: Callable[..., BrowserContext], loop_server: Server, study: Loops) -> None:
    """On a phone a finger drags a class, two zoom, and nothing scrolls sideways."""
    context = new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    page = context.new_page()
    loop = Loop(page, loop_server, study.arrive("touch"))
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    start = loop.lies()
    x, y = loop.centre(6)
    client = context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": px, "y": py, "id": number} for number, (px, py) in enumerate(places)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    page.evaluate("addEventListener('pointercancel', () => (window.taken = true), true)")
    for _ in range(3):
        page.evaluate("window.taken = false")
        touch("touchStart", (x, y))
        for step in range(1, 6):
            touch("touchMove", (x + 8 * step, y + 4 * step))
        touch("touchEnd")
        if not page.evaluate("taken"):  # as Chromium takes away a finger to which a busy machine answers late
            break
    moved = loop.lies()
    of_six = page.evaluate("[...plot.arrangement.members(6)]")
    assert [i for i in range(60) if start[0][i] != moved[0][i]] == sorted(of_six)
    scale = page.evaluate("plot.view.scale")
    left, top = loop.corner()
    touch("touchStart", (left + 100, top + 150))
    touch("touchStart", (left + 100, top + 150), (left + 200, top + 150))
    for step in range(1, 6):
        touch("touchMove", (left + 100 - 8 * step, top + 150), (left + 200 + 8 * step, top + 150))
    touch("touchEnd")
    assert page.evaluate("plot.view.scale") == pytest.approx(1.8 * scale, rel=0.1)
    assert loop.lies() == moved


def test_words_for_the_queue(page: Page, loop_server: Server) -> None:
    """How many are before one, and for how long, as far as it is known."""
    page.goto(f"{loop_server.address}/static/app.css")
    words = "async (job) => (await import('/static/waiting.js')).queueWords(job)"
    for ahead, wait_s, said in (
        (2, 19, "2 people are before you; about 20 seconds."),
        (1, 300, "1 person is before you; about 5 minutes."),
        (0, 1.2, "You are next; about 5 seconds."),
        (0, None, "You are next; please wait a moment."),
    ):
        assert page.evaluate(words, {"ahead": ahead, "wait_s": wait_s}) == said


def test_classes_look_different(page: Page, loop_server: Server) -> None:
    """Each of 56 classes has a pair of colour and shape of its own, and an edge that is seen on the light ground."""
    page.goto(f"{loop_server.address}/static/app.css")
    code = "async () => [...Array(56).keys()].map((await import('/static/latent/palette.js')).lookOf)"
    looks = page.evaluate(code)
    assert len({(look["fill"], look["shape"]) for look in looks}) == 56
    for one, other in pairwise(looks):
        assert one["fill"] != other["fill"]
        assert one["shape"] != other["shape"]

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for ground in ("#fdfcfa", "#efede8"):  # in light and in dark pages
        contrasts = [(luminance(ground) + 0.05) / (luminance(look["edge"]) + 0.05) for look in looks]
        assert min(contrasts) >= 4.2


def test_zoom_and_pan(loop: Loop) -> None:
    """The wheel zooms where the pointer is; space, the middle button and the hand tool move the view, no points."""
    page = loop.page
    start = loop.lies()
    x, y = loop.centre(2)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    loop.until("plot.view.zoom > 1.5")
    assert loop.centre(2) == pytest.approx((x, y), abs=1)
    page.focus("[data-plot]")
    page.keyboard.down(" ")
    loop.drag((x, y), (x + 50, y + 20))
    page.keyboard.up(" ")
    assert loop.centre(2) == pytest.approx((x + 50, y + 20), abs=1)
    page.get_by_role("button", name="Move the view by dragging").click()
    loop.drag((x + 50, y + 20), (x, y))
    assert loop.centre(2) == pytest.approx((x, y), abs=1)
    page.mouse.move(x, y)
    page.mouse.down(button="middle")
    page.mouse.move(x - 30, y, steps=3)
    page.mouse.up(button="middle")
    assert loop.centre(2) == pytest.approx((x - 30, y), abs=1)
    page.get_by_role("button", name="Show all points").click()
    assert page.evaluate("plot.view.zoom") == 1
    assert loop.lies() == start


def test_accessibility(loop: Loop) -> None:
    """No axe violation in the introduction, while arranging, training, paused, and after a training."""
    page = loop.page
    inspector = Inspector(page)
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name="Help").click()
    inspector.look("introduction")
    page.get_by_role("button", name="Begin").click()
    page.locator("[data-classes] button").nth(2).click()
    inspector.look("arranging")
    loop.train(wait=False)
    inspector.look("training")
    page.set_viewport_size({"width": 1280, "height": 900})
    loop.page.wait_for_selector("[data-pause]", state="hidden", timeout=TRAINING_MS)
    page.locator("[data-views] label", has_text="Before").click()
    inspector.look("before")
    assert inspector.problems == []
    assert len(inspector.seen) == 4
