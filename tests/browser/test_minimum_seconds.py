"""`[trials] minimum_seconds` in real Chromium, on our pages and in the self-contained question."""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from crowdloom.studies.database import open_store
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.loading import load_design
from crowdloom.studies.participation import finish_instructions, read_progress
from crowdloom.studies.posting import publish
from tests.browser.conftest import Participation, Server
from tests.browser.test_self_contained import Marketplace, press
from tests.studies.interpreted import make_interpreted, make_wrong_label

LEAST = 2
DESIGN = make_wrong_label(
    conditions=[],
    batches={"size": 2, "responses_per_item": 50},
    people={"minutes": 2, "hold_minutes": 10, "reward": "0.05 USD"},
    trials={"minimum_seconds": LEAST},
    mturk={"delivery": "html"},
)
BUTTON = "form.answer button.primary"


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the study."""
    folder = tmp_path_factory.mktemp("minimum")
    make_interpreted(folder)
    store = open_store(f"sqlite:///{folder / 'store.db'}")
    load_design(store, DESIGN, "", folder)
    server = Server(store)
    yield server
    server.kill(signal.SIGTERM)
    store.close()


@pytest.fixture
def taken(waiting: Server) -> Participation:
    """A new participant before their first trial."""
    with waiting.store.write() as connection:
        token = join(connection, find_entry(connection, publish(connection, "wrong", "link").token), uuid.uuid4().hex)
        finish_instructions(connection, read_progress(connection, token), DESIGN)
    return Participation(waiting, token)


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marketplace]:
    """The same study as a self-contained question."""
    folder = tmp_path_factory.mktemp("question")
    make_interpreted(folder)
    started = Marketplace(folder, DESIGN)
    yield started
    started.server.shutdown()
    started.server.server_close()


@pytest.fixture
def stopped(new_context: Callable[..., BrowserContext]) -> Page:
    """A page whose clock stands still but for what `page.clock.run_for` lets pass: machines differ in speed."""
    page = new_context().new_page()
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    page.clock.install(time=begin)
    page.clock.pause_at(begin + timedelta(seconds=1))
    return page


def expect_to_wait(page: Page, seconds: int) -> None:
    """The button says so, for those who see it and for those who hear it, and does not send."""
    expect(page.locator(BUTTON)).to_have_attribute("aria-disabled", "true")
    expect(page.locator(BUTTON)).to_contain_text(f"(in {seconds} s)")


def test_the_button_waits_and_then_sends(taken: Participation, stopped: Page) -> None:
    """It counts down; neither a click nor Enter sends before; what was chosen stays."""
    page = stopped
    page.goto(taken.address)
    expect_to_wait(page, LEAST)
    page.locator(".option").nth(1).click()
    chosen = page.locator("[name=choice]:checked").get_attribute("value")
    page.locator(BUTTON).click(force=True)
    page.keyboard.press("Enter")
    page.clock.run_for(1000 * LEAST - 100)
    expect_to_wait(page, 1)
    page.locator(BUTTON).click(force=True)
    expect(page.locator("h1")).to_have_text("Image 1 of 2")
    expect(page.locator(f"[name=choice][value='{chosen}']")).to_be_checked()
    assert taken.answers() == []
    page.clock.run_for(100)
    time.sleep(LEAST)  # the server counts, too
    expect(page.locator(BUTTON)).to_have_text("Save and go on")
    expect(page.locator(BUTTON)).not_to_have_attribute("aria-disabled", "true")
    page.locator(BUTTON).click()
    page.wait_for_selector("h1:text-is('Image 2 of 2')")
    expect_to_wait(page, LEAST)
    (answer,) = taken.answers()
    assert answer.answer == {"choice": chosen}
    assert answer.rt_ms == 1000 * LEAST


def test_a_reload_goes_on_with_the_time(taken: Participation, stopped: Page) -> None:
    """What was waited counts, in this tab and for this trial; it is part of the response time, too."""
    page = stopped
    page.goto(taken.address)
    page.clock.run_for(1000 * LEAST - 500)
    expect_to_wait(page, 1)
    page.reload()
    expect_to_wait(page, 1)
    page.locator(".option").nth(0).click()
    page.clock.run_for(500)
    time.sleep(LEAST)  # the server counts, too
    expect(page.locator(BUTTON)).to_have_text("Save and go on")
    page.locator(BUTTON).click()
    page.wait_for_selector("h1:text-is('Image 2 of 2')")
    expect_to_wait(page, LEAST)
    (answer,) = taken.answers()
    assert answer.rt_ms >= 1000 * LEAST


def test_a_missing_choice_starts_nothing_anew(taken: Participation, page: Page) -> None:
    """Who has waited and chosen nothing gets the sentence, and can send at once."""
    page.goto(taken.address)
    expect(page.locator(BUTTON)).to_have_text("Save and go on")
    page.locator(BUTTON).click()
    expect(page.locator("#choice-error")).to_be_visible()
    assert page.inner_text(BUTTON) == "Save and go on"  # at once
    page.locator(".option").nth(0).click()
    page.locator(BUTTON).click()
    page.wait_for_selector("h1:text-is('Image 2 of 2')")


def test_an_answer_that_waits_for_the_network_is_saved_first(taken: Participation, stopped: Page) -> None:
    """After a reload the button says that it is being saved; it counts nothing down."""
    page = stopped
    page.goto(taken.address)
    page.locator(".option").nth(0).click()
    page.clock.run_for(1000 * LEAST)
    time.sleep(LEAST)  # the server counts, too
    expect(page.locator(BUTTON)).to_have_text("Save and go on")
    page.route("**/answer", lambda route: route.abort())
    page.locator(BUTTON).click()
    page.wait_for_selector(".status.kept")
    page.reload()
    page.wait_for_selector(".status.kept")
    page.clock.run_for(300)  # less than until it is sent again by itself
    expect(page.locator(BUTTON)).to_have_text("Saving …")
    page.unroute("**/answer")
    page.locator("[data-send-now]").click()
    page.wait_for_selector("h1:text-is('Image 2 of 2')")


def test_in_the_self_contained_question(question: Marketplace, stopped: Page) -> None:
    """It waits in the same way, and a reload before anything is chosen goes on with the time."""
    page = stopped
    page.goto(question.visit("MINIMUM1"))
    press(page, "I agree and take part")
    press(page, "Begin")
    expect_to_wait(page, LEAST)
    page.clock.run_for(1000 * LEAST - 500)
    expect_to_wait(page, 1)
    page.reload()
    expect_to_wait(page, 1)
    page.locator(".option").nth(1).click()
    page.locator(BUTTON).click(force=True)
    expect(page.locator("h1")).to_have_text("Image 1 of 2")
    expect(page.locator("[name=choice]:checked")).to_have_count(1)
    page.clock.run_for(500)
    expect(page.locator(BUTTON)).to_have_text("Go on")
    press(page, "Go on")
    expect(page.locator("h1")).to_have_text("Image 2 of 2")
    expect_to_wait(page, LEAST)
    page.locator(".option").nth(0).click()
    page.clock.run_for(1000 * LEAST)
    expect(page.locator(BUTTON)).to_have_text("Go on")
    press(page, "Go on")
    press(page, "Hand in")
    expect(page).to_have_title("Received")
    parsed = question.read()
    assert parsed.is_complete
    assert all((answer.rt_ms or 0) >= 1000 * LEAST for answer in parsed.answers)


def test_options_follow_each_persons_order(question: Marketplace, page: Page) -> None:
    """In a document that is the same for all, the script puts the options into the participant's order of classes."""
    seen: dict[str, set[tuple[str, ...]]] = {}
    for person in range(5):
        page.goto(question.visit(f"ORDER{person}"))
        press(page, "I agree and take part")
        press(page, "Begin")
        options = page.locator("[name=choice]").evaluate_all("all => all.map(control => control.value)")
        kept = page.evaluate(
            f"JSON.parse(localStorage[Object.keys(localStorage).find(k => k.endsWith('ORDER{person}'))]).classes"
        )
        ranks = [kept.index(DESIGN.classes.index(option)) for option in options]
        assert ranks == sorted(ranks)
        assert len(set(options)) == 5
        seen.setdefault(page.locator(".statement").inner_text(), set()).add(tuple(options))
    assert any(len(orders) > 1 for orders in seen.values())
