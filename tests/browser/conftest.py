"""Real Chromium against a real gunicorn, on one small study of digits that everybody here takes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import select

from crowdloom.studies.database import Store, open_store
from crowdloom.studies.design import Design
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.loading import load_design
from crowdloom.studies.participation import answer_check, finish_instructions, read_progress
from crowdloom.studies.posting import publish
from crowdloom.studies.tables import Event, Response, Submission
from tests.conftest import missing

WAIT_MS = 30_000  # for what a page comes to by itself: long, as other tests keep the machine busy
expect.set_options(timeout=WAIT_MS)
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

STUDY = Design.model_validate(
    {
        "name": "browser-digits",
        "title": "Which digit is it?",
        "task": "soft-label",
        "classes": [str(digit) for digit in range(10)],
        "consent": "You will look at four small images.\n\n- It is voluntary.\n- No names are stored.",
        "instructions": ["Imagine what 100 people would say.", "The probabilities need not add up to 100."],
        "contact": "lab@example.org",
        "items": {"source": "digits", "sample": 3},
        "batches": {"size": 3, "responses_per_item": 200, "repeats": [1]},
        "people": {"minutes": 2, "hold_minutes": 30, "reward": "0.50 GBP"},
        "bonus": {"rule": "agreement", "amount": "0.25 GBP", "share": 0.2},
        "eligibility": {"statements": ["I am at least 18 years old.", "I see well, with glasses or without."]},
        "comprehension": {
            "attempts": 2,
            "questions": [
                {
                    "question": "Whose answers do you give?",
                    "options": ["My own", "Those that 100 people would give"],
                    "correct": "Those that 100 people would give",
                }
            ],
        },
        "debrief": [
            {"question": "How hard was it?", "options": ["Easy", "Hard"], "required": True},
            {"question": "Is there anything else that you would like to say?"},
        ],
    }
)


class Server:
    """gunicorn over one database, always on the same port; it can be killed and started again."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Start, unless it runs, and wait until it takes connections."""
        if self._process is not None:
            return
        script = Path(__file__).parent / "framing_server.py"
        command = [sys.executable, str(script), "serve", "--database", self.store.url, "--port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said.startswith("Serving at http://"), "the server did not start"
        self.address = said.split()[2]
        self.port = int(self.address.rsplit(":", 1)[1])

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End all its processes at once, as a crash or a power cut does."""
        if self._process is not None:
            os.killpg(self._process.pid, how)
            self._process.communicate()
            self._process = None


@dataclass
class Participation:
    """One submission that stands before its first trial, and what the store knows of it."""

    server: Server
    token: str

    @property
    def address(self) -> str:
        """Where its participant goes on."""
        return f"{self.server.address}/take/{self.token}"

    def answers(self) -> list[Any]:
        """Its stored responses, in the order shown."""
        return self._rows(Response, Response.position)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What is stored of its events of one kind."""
        return [event.values for event in self._rows(Event, Event.id) if event.kind == kind]

    def state(self) -> Any:
        """Its row, with the state, the stage and the pseudonym that serves as its code."""
        with self.server.store.read() as connection:
            return connection.execute(select(Submission.__table__).where(Submission.token == self.token)).one()

    def _rows(self, table: Any, order: Any) -> list[Any]:
        with self.server.store.read() as connection:
            of_this = table.submission_id == self.state().id
            return list(connection.execute(select(table.__table__).where(of_this).order_by(order)))


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable[..., Browser]]:
    """Starts Chromium with further options; all that were started end with the tests."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        missing("no Chromium; install Debian's package chromium")
    with sync_playwright() as playwright:
        started: list[Browser] = []

        def start(*options: str) -> Browser:
            started.append(playwright.chromium.launch(executable_path=found, args=[*CHROMIUM_OPTIONS, *options]))
            return started[-1]

        yield start
        for browser in started:
            browser.close()


@pytest.fixture(scope="session")
def browser(launch: Callable[..., Browser]) -> Browser:
    """One Chromium for all tests."""
    return launch()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('browser') / 'store.db'}")
    load_design(store, STUDY, "", Path())
    server = Server(store)
    yield server
    server.kill(signal.SIGTERM)
    store.close()


@pytest.fixture
def server(running: Server) -> Server:
    """The server with the study; running, whatever the test before did to it."""
    running.start()
    return running


@pytest.fixture
def posting(server: Server) -> str:
    """The token of the study's direct link."""
    with server.store.write() as connection:
        return publish(connection, STUDY.name, "link").token


@pytest.fixture
def participation(server: Server, posting: str) -> Participation:
    """A new participant's submission, with consent, instructions and check behind them."""
    with server.store.write() as connection:
        token = join(connection, find_entry(connection, posting), uuid.uuid4().hex)
        finish_instructions(connection, read_progress(connection, token), STUDY)
        right = [question.correct for question in STUDY.comprehension.questions]
        answer_check(connection, read_progress(connection, token), STUDY, right)
    return Participation(server, token)


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Opens browser profiles: storage of their own, and any of Playwright's options."""
    opened: list[BrowserContext] = []

    def open_context(**options: Any) -> BrowserContext:
        context = browser.new_context(**options)
        context.set_default_timeout(WAIT_MS)
        opened.append(context)
        return context

    yield open_context
    for context in opened:
        context.close()


@pytest.fixture(scope="session")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """A profile that many tests share, since a new one costs half a second."""
    context = browser.new_context()
    context.set_default_timeout(WAIT_MS)
    context.new_page()  # keeps its process alive
    yield context
    context.close()


@pytest.fixture
def page(profile: BrowserContext) -> Iterator[Page]:
    """A new tab; every test has a submission of its own, so they share nothing but the process."""
    yield profile.new_page()
    profile.set_offline(False)
    profile.clear_cookies()  # a marketplace's, at the same host name as every other server here
    for tab in profile.pages[1:]:
        tab.close()


def fill_trial(page: Page, top1: str = "3", probability: str = "80", never: str = "7") -> None:
    """Fill in a good answer: one class, no alternative, one class that it is not."""
    page.check(f"[name=top1][value='{top1}']")
    page.fill("[name=top1_probability]", probability)
    page.check("[name=top2][value=no-alternative]")
    page.check(f"[name=impossible][value='{never}']")


def save(page: Page) -> None:
    """Press the button that saves the answer."""
    page.click("form[data-trial] button.primary")


def expect_trial(page: Page, number: int) -> None:
    """Wait for this trial's page, with its scripts."""
    page.wait_for_selector(f"h1:text-is('Image {number} of 4')")
    page.wait_for_load_state()
