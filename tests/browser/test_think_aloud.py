"""Think-aloud in a real Chromium with a microphone that beeps: consent, recording, interruptions, taking it back."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route
from sqlalchemy import func, select

from crowdloom.studies.database import Store, now
from crowdloom.studies.participation import Assigned, Designs, trial_at
from crowdloom.studies.recorded import content_of, recordings_of_study
from crowdloom.studies.tables import Event, Recording
from crowdloom.studies.webm import cut, seconds
from crowdloom.tasks import TASKS
from crowdloom.tasks.protocol import Person
from tests.browser.conftest import WAIT_MS, Server
from tests.browser.test_accessibility import Inspector
from tests.studies.latent_studies import Loops, open_loops

pytestmark = pytest.mark.slow

FAKE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
ON, OFF, ASK, NO = (f"[data-voice-is={name}]:visible" for name in ("on", "off", "ask", "no"))


def pieces_of(milliseconds: int) -> str:
    """A script that has pieces so long, where their length is not what is tested: the page's are five seconds."""
    return f"""
        const start = MediaRecorder.prototype.start;
        MediaRecorder.prototype.start = function () {{ start.call(this, {milliseconds}); }};
    """


@pytest.fixture(scope="module")
def beeping(launch: Callable[..., Browser]) -> Iterator[Browser]:
    """Chromium with a microphone that is none, and that beeps each second."""
    started = launch(*FAKE)
    yield started
    started.close()


@pytest.fixture
def context(beeping: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own."""
    opened = beeping.new_context()
    opened.set_default_timeout(WAIT_MS)
    yield opened
    opened.close()


@pytest.fixture
def hurried(context: BrowserContext) -> BrowserContext:
    """The same, with pieces of a second."""
    context.add_init_script(pieces_of(1000))
    return context


@pytest.fixture(scope="module")
def loops(running: Server, tmp_path_factory: pytest.TempPathFactory) -> Loops:
    """The study."""
    return open_loops(running.store, tmp_path_factory.mktemp("loops"), name="loops-aloud", coding=None)


@pytest.fixture
def submission(server: Server, loops: Loops, request: pytest.FixtureRequest) -> Assigned:
    """Somebody before their first scenario."""
    return loops.arrive(request.node.name)


def take(page: Page, server: Server, submission: Assigned) -> None:
    """Open the page, and close its introduction."""
    page.goto(f"{server.address}/take/{submission.token}")
    if page.locator("dialog[open]").count():
        page.click("dialog[open] button.primary")


def pieces(store: Store, submission: Assigned) -> int:
    """How many pieces of this submission are stored."""
    with store.read() as connection:
        query = select(func.count(Recording.id)).where(Recording.submission_id == submission.id)
        return connection.execute(query).scalar_one()


def wait_for_pieces(page: Page, store: Store, submission: Assigned, count: int) -> None:
    """Wait until so many pieces are stored."""
    for _ in range(300):
        if pieces(store, submission) >= count:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"only {pieces(store, submission)} of {count} pieces came")


def events(store: Store, submission: Assigned, kind: str) -> list[object]:
    """What the events of a kind say."""
    with store.read() as connection:
        query = select(Event.values).where(Event.submission_id == submission.id, Event.kind == kind)
        return list(connection.scalars(query.order_by(Event.id)))


def test_recording_and_taking_it_back(server: Server, submission: Assigned, context: BrowserContext) -> None:
    """Nothing before a yes; then pieces with both clocks, a file that plays, and a new one after stop and reload."""
    store, page = server.store, context.new_page()
    inspector = Inspector(page)
    take(page, server, submission)
    page.wait_for_selector(ASK)
    inspector.look("asked")
    assert page.locator("[data-voice] :is(input, [aria-pressed])").count() == 0  # nothing is chosen for them
    page.wait_for_timeout(500)
    assert (pieces(store, submission), events(store, submission, "audio_consent")) == (0, [])

    pressed = now()
    page.click("text=Yes, record my voice")
    page.wait_for_selector(ON)
    began = now()
    inspector.look("recording")
    wait_for_pieces(page, store, submission, 1)
    page.wait_for_timeout(1200)
    stops = now()
    page.click("text=Stop recording")
    page.wait_for_selector(OFF)
    stopped = now()
    inspector.look("stopped")
    wait_for_pieces(page, store, submission, 2)
    assert events(store, submission, "audio_consent") == [{"consent": True}]
    with store.read() as connection:
        (recorded,) = [
            one for one in recordings_of_study(connection, "loops-aloud") if one.submission_id == submission.id
        ]
        content = content_of(connection, recorded)
    assert (recorded.mime, recorded.pieces, recorded.missing) == ("audio/webm", 2, 0)
    inaccuracy = timedelta(seconds=1)
    assert pressed - inaccuracy < recorded.began_at < began + inaccuracy
    length = seconds(content)
    assert length is not None
    assert timedelta(seconds=length) > stops - began - inaccuracy
    assert timedelta(seconds=length) < stopped - pressed + inaccuracy

    page.reload()
    page.wait_for_selector(OFF)  # who stopped it is not recorded after a reload
    page.click("text=Record again")
    page.wait_for_selector(ON)
    page.wait_for_timeout(700)
    page.click("text=Stop recording")
    wait_for_pieces(page, store, submission, 3)
    page.click("text=Withdraw your consent")
    inspector.look("withdrawing")
    page.click("[data-voice-do=back]")
    page.click("text=Withdraw your consent")
    page.click("text=Delete it all")
    page.wait_for_selector(NO)
    inspector.look("not recorded")
    assert pieces(store, submission) == 0
    assert events(store, submission, "audio_consent") == [{"consent": True}, {"consent": False}]
    assert events(store, submission, "audio_deleted") == [{"pieces": 3, "why": "consent was withdrawn"}]
    assert inspector.problems == []
    assert len(inspector.seen) == 5


def test_no_is_as_good_as_yes(server: Server, submission: Assigned, hurried: BrowserContext) -> None:
    """Who says no sees the whole page, is not asked again, and can still change their mind."""
    page = hurried.new_page()
    take(page, server, submission)
    page.click("text=No, do not record")
    page.wait_for_selector(NO)
    assert page.locator("[name=strategy]").count() == 1
    page.reload()
    page.wait_for_selector(NO)
    assert events(server.store, submission, "audio_consent") == [{"consent": False}]
    assert pieces(server.store, submission) == 0
    page.click("text=Record my voice after all")
    page.wait_for_selector(ON)
    page.reload()
    page.wait_for_selector(ON)  # by itself, for they agreed and did not stop it
    wait_for_pieces(page, server.store, submission, 1)


def test_pieces_outlive_interruptions(server: Server, submission: Assigned, hurried: BrowserContext) -> None:
    """What cannot be sent waits on the page and comes whole and in order when the server is back."""
    page = hurried.new_page()
    take(page, server, submission)
    failed = []

    def fail(route: Route) -> None:
        if len(failed) == 1:
            route.fetch()  # stored, and the answer got lost
        route.abort()
        failed.append(route.request.url)

    page.route("**/audio?**recording=**", fail)
    page.click("text=Yes, record my voice")
    page.wait_for_selector("[data-voice-said]:has-text('The connection is interrupted')")
    for _ in range(300):
        if len(failed) >= 2:
            break
        page.wait_for_timeout(100)
    page.unroute_all(behavior="wait")
    page.click("text=Stop recording")
    wait_for_pieces(page, server.store, submission, 2)
    page.wait_for_timeout(300)
    with server.store.read() as connection:
        (recorded,) = [
            one for one in recordings_of_study(connection, "loops-aloud") if one.submission_id == submission.id
        ]
        assert recorded.missing == 0
        length = seconds(content_of(connection, recorded))
    assert length is not None
    assert length > 1


def test_the_last_words_come_with_the_answer(
    server: Server, loops: Loops, submission: Assigned, context: BrowserContext
) -> None:
    """What was said until the answer is sent is stored with its trial; the next trial's recording begins by itself."""
    page = context.new_page()
    page.route("**/latent/main.js", lambda route: route.abort())  # which sends nothing while trainings are left
    take(page, server, submission)
    page.click("text=Yes, record my voice")
    page.wait_for_selector(ON)
    page.wait_for_timeout(1200)
    _, trial = trial_at(Designs(server.store), submission, 0)
    form = TASKS["latent-session"].simulate({}, Person(), trial, random.Random(0))
    page.evaluate(
        """(session) => {
            const form = document.querySelector("form[data-trial]");
            form.elements.session.value = session;
            form.requestSubmit();
        }""",
        form["session"][0],
    )
    page.wait_for_selector("h1:text-is('Network 2 of 2')")
    page.wait_for_selector(ON)
    page.wait_for_timeout(800)
    with server.store.read() as connection:
        found = [
            one for one in recordings_of_study(connection, loops.design.name) if one.submission == submission.pseudonym
        ]
        length = seconds(content_of(connection, found[0]))
    assert (found[0].item_id, found[0].missing) == (submission.item_order[0][0], 0)
    assert length is not None
    assert length > 0.9


def test_two_tabs_record_apart(server: Server, submission: Assigned, context: BrowserContext) -> None:
    """A second tab takes the next number, even where both began with the same."""
    first, second = context.new_page(), context.new_page()
    # Of different lengths: the microphone begins to beep anew in each tab, and pieces that are alike are taken for one.
    first.add_init_script(pieces_of(1000))
    second.add_init_script(pieces_of(700))
    held: list[Route] = []
    is_held = True

    def hold(route: Route) -> None:
        if is_held:
            held.append(route)
        else:
            route.continue_()

    first.route("**/audio?**recording=**", hold)
    take(first, server, submission)
    first.click("text=Yes, record my voice")
    first.wait_for_selector(ON)
    take(second, server, submission)  # nothing is stored of the first one yet
    second.wait_for_selector(ON)
    is_held = False
    for route in held:
        route.continue_()
    wait_for_pieces(first, server.store, submission, 2)
    for page in (first, second):
        page.bring_to_front()
        page.click("text=Stop recording")
    wait_for_pieces(first, server.store, submission, 4)
    with server.store.read() as connection:
        found = [one for one in recordings_of_study(connection, "loops-aloud") if one.submission_id == submission.id]
        assert [(one.number, one.missing) for one in found] == [(1, 0), (2, 0)]
        assert all(seconds(content_of(connection, one)) for one in found)


def test_without_a_microphone(server: Server, submission: Assigned, new_context: Callable[..., BrowserContext]) -> None:
    """A browser without one says so, and the page goes on."""
    page = new_context().new_page()
    take(page, server, submission)
    page.click("text=Yes, record my voice")
    page.wait_for_selector(OFF)
    assert page.inner_text("[data-voice-said]").startswith(("No microphone was found.", "Your browser does not let"))


def test_a_cut_plays_and_can_be_jumped_in(server: Server, submission: Assigned, hurried: BrowserContext) -> None:
    """Chromium itself decodes what was cut out of a recording, knows its length and seeks in it."""
    page = hurried.new_page()
    take(page, server, submission)
    page.click("text=Yes, record my voice")
    wait_for_pieces(page, server.store, submission, 3)
    page.click("text=Stop recording")
    wait_for_pieces(page, server.store, submission, 4)
    with server.store.read() as connection:
        (recorded,) = [
            one for one in recordings_of_study(connection, "loops-aloud") if one.submission_id == submission.id
        ]
        part = cut(content_of(connection, recorded), 500, 2500)
    assert part is not None
    page.goto("about:blank")
    found = page.evaluate(
        """async (text) => {
            const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
            const sound = await new OfflineAudioContext(1, 48000, 48000).decodeAudioData(bytes.slice().buffer);
            const samples = sound.getChannelData(0);
            const audio = new Audio(URL.createObjectURL(new Blob([bytes], { type: "audio/webm" })));
            await new Promise((resolve, reject) => { audio.oncanplaythrough = resolve; audio.onerror = reject; });
            audio.currentTime = 1;
            await new Promise((resolve) => { audio.onseeked = resolve; });
            const loudest = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
            return { decoded: sound.duration, said: audio.duration, at: audio.currentTime, loudest };
        }""",
        base64.b64encode(part).decode(),
    )
    assert 1.8 < found["decoded"] < 2.2
    assert 1.8 < found["said"] < 2.2
    assert found["at"] == pytest.approx(1, abs=0.1)
    assert found["loudest"] > 0.01  # it beeps each second
