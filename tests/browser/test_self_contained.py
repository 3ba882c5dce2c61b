"""The self-contained question in a real browser, on a page that is not ours."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FrameLocator, Page, expect
from sqlalchemy import select
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from crowdloom.studies.database import open_store
from crowdloom.studies.design import Design
from crowdloom.studies.loading import load_design
from crowdloom.studies.marketplace import open_market
from crowdloom.studies.participation import ItemView
from crowdloom.studies.platforms.mturk import MTurk
from crowdloom.studies.platforms.protocol import Notice
from crowdloom.studies.self_contained import Parsed, batch_items, parse_assignment, question_for_batch
from crowdloom.studies.tables import Batch
from crowdloom.tasks import TASKS
from crowdloom.tasks.protocol import AnswerError, Trial
from tests.browser.conftest import STUDY
from tests.studies.marketplace.running import running

DESIGN = Design.model_validate(
    STUDY.model_dump(mode="json")
    | {"people": {"minutes": 2, "hold_minutes": 30, "reward": "0.50 USD"}, "bonus": None, "mturk": {"delivery": "html"}}
)


class Marketplace:
    """Shows the question as MTurk does, and keeps what is handed in, as its Answer XML."""

    def __init__(self, folder: Path, design: Design = DESIGN) -> None:
        self.design = design
        self.server = make_server("127.0.0.1", 0, self.answer, threaded=True)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self.posted: list[list[tuple[str, str]]] = []
        with closing(open_store(f"sqlite:///{folder / 'store.db'}")) as store:
            load_design(store, design, "", folder)
            with store.read() as connection:
                batch = connection.scalars(select(Batch.id)).one()
            self.items: list[ItemView] = batch_items(store, batch)
            self.html = question_for_batch(store, design, batch, {"submit_to": [self.address]})
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @Request.application
    def answer(self, request: Request) -> Response:
        """The question, or the receipt of what was handed in."""
        if request.method == "POST" and request.path == "/mturk/externalSubmit":
            self.posted.append(parse_qsl(request.get_data(as_text=True), keep_blank_values=True))
            return Response("<title>Received</title>", mimetype="text/html")
        return Response(self.html, mimetype="text/html")

    def visit(self, assignment: str, submit_to: str | None = None) -> str:
        """The address of the question, as the marketplace's frame opens it."""
        return (
            f"{self.address}/?assignmentId={assignment}&hitId=H1&workerId=A1&turkSubmitTo={submit_to or self.address}"
        )

    def read(self) -> Parsed:
        """What was handed in last."""
        answers = "".join(
            f"<Answer><QuestionIdentifier>{escape(name)}</QuestionIdentifier><FreeText>{escape(value)}</FreeText></Answer>"
            for name, value in self.posted[-1]
            if name != "assignmentId"
        )
        return parse_assignment(self.design, self.items, f"<QuestionFormAnswers>{answers}</QuestionFormAnswers>")


@pytest.fixture(scope="module")
def marketplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marketplace]:
    started = Marketplace(tmp_path_factory.mktemp("question"))
    yield started
    started.server.shutdown()
    started.server.server_close()


def press(page: Page | FrameLocator, text: str) -> None:
    """Press the button with this text."""
    page.get_by_role("button", name=text, exact=True).click()


def begin(page: Page | FrameLocator) -> None:
    """Consent, instructions and check, up to the first trial."""
    page.locator("[name=statement][value='0']").check()
    page.locator("[name=statement][value='1']").check()
    press(page, "I agree and take part")
    press(page, "Next page")
    press(page, "Go on to the questions")
    page.locator("[name=question-0][value='Those that 100 people would give']").check()
    press(page, "Check my answers")


def fill_trial(page: Page | FrameLocator, top1: str = "3", probability: str = "80", never: str = "7") -> None:
    """Fill in a good answer: one class, no alternative, one class that it is not."""
    page.locator(f"[name=top1][value='{top1}']").check()
    page.locator("[name=top1_probability]").fill(probability)
    page.locator("[name=top2][value=no-alternative]").check()
    page.locator(f"[name=impossible][value='{never}']").check()


def test_a_whole_study_is_handed_in_and_read(marketplace: Marketplace, page: Page) -> None:
    """Every answer arrives, with its time, in the order in which this person saw the trials."""
    page.goto(marketplace.visit("ASSIGNMENT1"))
    begin(page)
    for number in range(1, 5):
        expect(page.locator("h1")).to_have_text(f"Image {number} of 4")
        fill_trial(page, top1=str(number), probability=f"{60 + number}")
        page.wait_for_timeout(60)
        press(page, "Go on")
    page.check("[name=question-0][value=Easy]")
    page.fill("textarea", "All <well> & good")
    press(page, "Go on")
    press(page, "Hand in")
    expect(page).to_have_title("Received")
    assert dict(marketplace.posted[-1])["assignmentId"] == "ASSIGNMENT1"
    parsed = marketplace.read()
    assert parsed.is_complete
    assert [answer.answer["top1"] for answer in parsed.answers] == ["1", "2", "3", "4"]
    assert [answer.position for answer in parsed.answers] == [0, 1, 2, 3]
    assert [[answer.item_id, answer.repeat_index] for answer in parsed.answers] == parsed.item_order
    assert parsed.item_order[3] == [parsed.item_order[0][0], 1]
    assert all(60 <= (answer.rt_ms or 0) < 10_000 for answer in parsed.answers)
    assert all(answer.timing and answer.timing["first_input_ms"] for answer in parsed.answers)
    assert parsed.debrief["How hard was it?"] == "Easy"
    assert "All <well> & good" in parsed.debrief.values()


def test_on_the_marketplace(tmp_path: Path, page: Page) -> None:
    """Published by the account, previewed, accepted and answered in the worker site's frame, read from its XML."""
    with (
        closing(open_market(str(tmp_path / "market.db"))) as market,
        closing(open_store(f"sqlite:///{tmp_path / 'store.db'}")) as store,
        running(market) as address,
    ):
        environ = {"AWS_ENDPOINT_URL_MTURK": address, "AWS_ACCESS_KEY_ID": "lab", "AWS_SECRET_ACCESS_KEY": "any"}
        where = MTurk().where(environ)
        load_design(store, DESIGN, "", tmp_path)
        with store.read() as connection:
            batch = connection.scalars(select(Batch.id)).one()
        account = MTurk().connect(where, environ)
        html = question_for_batch(store, DESIGN, batch, where)
        listed = account.create(Notice("token", "posting", DESIGN.name, DESIGN, "https://none.example", 2, html=html))
        worker, invitation = market.add_worker()

        page.goto(f"{address}/enter/{invitation}")
        page.goto(str(listed.url))
        frame = page.frame_locator("iframe")
        expect(frame.locator("main")).to_contain_text("This is a preview")
        press(page, "Accept this HIT")
        begin(frame)
        for number in range(1, 5):
            expect(frame.locator("h1")).to_have_text(f"Image {number} of 4")
            fill_trial(frame, top1=str(number))
            press(frame, "Go on")
        frame.locator("[name=question-0][value=Hard]").check()
        press(frame, "Go on")
        press(frame, "Hand in")
        expect(page.locator("body")).to_contain_text("Submitted")

        (remote,) = account.submissions(listed.remote_id)
        assert remote.participant == worker
        parsed = parse_assignment(DESIGN, batch_items(store, batch), str(remote.answer))
    assert parsed.is_complete
    assert [answer.answer["top1"] for answer in parsed.answers] == ["1", "2", "3", "4"]
    assert parsed.debrief["How hard was it?"] == "Hard"


def test_what_is_missing_is_asked_for(marketplace: Marketplace, page: Page) -> None:
    """No step is left while something is missing or impossible; each sentence stands beside its field."""
    page.goto(marketplace.visit("ASSIGNMENT2"))
    press(page, "I agree and take part")
    expect(page.locator("#statement-error")).to_be_visible()
    begin(page)
    press(page, "Go on")
    for field in ("top1", "top1_probability", "top2"):
        expect(page.locator(f"#{field}-error")).to_be_visible()
    expect(page.locator(".summary")).to_be_focused()
    fill_trial(page, top1="3", probability="lots", never="3")
    press(page, "Go on")
    expect(page.locator(".error:visible")).to_have_count(2)
    expect(page.locator("#impossible-error")).to_contain_text("3 cannot be both")
    page.fill("[name=top1_probability]", "90 %")
    page.uncheck("[name=impossible][value='3']")
    press(page, "Go on")
    expect(page.locator("h1")).to_have_text("Image 2 of 4")


def test_a_reload_keeps_what_was_typed(marketplace: Marketplace, page: Page) -> None:
    """The same trial comes back, in the same order of classes, with what was filled in and its time."""
    page.goto(marketplace.visit("ASSIGNMENT3"))
    begin(page)
    fill_trial(page)
    press(page, "Go on")
    fill_trial(page, top1="5", probability="77")
    before = page.locator("[name=top1]").evaluate_all("all => all.map(control => control.value)")
    shown = page.locator("[data-stimulus]").get_attribute("src")
    page.wait_for_timeout(200)
    page.fill("[name=top1_probability]", "78")
    page.reload()
    expect(page.locator("h1")).to_have_text("Image 2 of 4")
    assert page.locator("[name=top1]").evaluate_all("all => all.map(control => control.value)") == before
    assert page.locator("[data-stimulus]").get_attribute("src") == shown
    expect(page.locator("[name=top1][value='5']")).to_be_checked()
    expect(page.locator("[name=top1_probability]")).to_have_value("78")
    press(page, "Go on")
    kept = page.evaluate("JSON.parse(localStorage[Object.keys(localStorage).find(k => k.endsWith('ASSIGNMENT3'))])")
    times = [answer["timing"]["rt_ms"] for name, answer in kept["answers"].items() if name.startswith("trial")]
    assert times[1] >= 200


def test_orders_differ_between_people(marketplace: Marketplace, page: Page) -> None:
    """Trials and classes are shuffled for each participant, and both orders are handed in."""
    seen = set()
    for person in range(4):
        page.goto(marketplace.visit(f"SHUFFLE{person}"))
        begin(page)
        seen.add(tuple(page.locator("[name=top1]").evaluate_all("all => all.map(control => control.value)")))
        last = page.locator("[name=top2]").last
        expect(last).to_have_value("no-alternative")
    assert len(seen) > 1
    assert all(sorted(order) == sorted(DESIGN.classes) for order in seen)


def test_who_fails_the_check_is_asked_to_return_the_work(marketplace: Marketplace, page: Page) -> None:
    """After as many wrong tries as the design allows there is no way on, a reload included."""
    page.goto(marketplace.visit("ASSIGNMENT4"))
    begin_wrongly = "[name=question-0][value='My own']"
    page.check("[name=statement][value='0']")
    page.check("[name=statement][value='1']")
    press(page, "I agree and take part")
    for _ in range(2):
        press(page, "Next page")
        press(page, "Go on to the questions")
        page.check(begin_wrongly)
        press(page, "Check my answers")
    expect(page.locator("main")).to_contain_text("Please return this work")
    page.reload()
    expect(page.locator("main")).to_contain_text("Please return this work")
    expect(page.get_by_role("button")).to_have_count(0)


def test_a_refusal_hands_nothing_in(marketplace: Marketplace, page: Page) -> None:
    """Who does not take part is told to return the work, and may still change their mind."""
    page.goto(marketplace.visit("ASSIGNMENT5"))
    press(page, "I do not want to take part")
    expect(page.locator("main")).to_contain_text("Please return this work")
    press(page, "I have changed my mind")
    expect(page.get_by_role("button", name="I agree and take part")).to_be_visible()


def test_a_preview_can_only_be_read(marketplace: Marketplace, page: Page) -> None:
    """Consent and instructions are shown; nothing can be answered."""
    page.goto(f"{marketplace.address}/?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=H1")
    expect(page.locator("main")).to_contain_text("This is a preview")
    expect(page.locator("main")).to_contain_text("The probabilities need not add up to 100.")
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.locator("input:enabled")).to_have_count(0)


@pytest.mark.parametrize(
    "attack",
    [
        "https://evil.example",
        "{own}.evil.example",
        "{own}@evil.example",
        "{own}/",
        "{own}/path",
        "//127.0.0.1",
        "javascript:alert(1)",
        "HTTP://127.0.0.1",
        "http://127。0。0。1",
    ],
)
def test_answers_go_to_the_marketplace_alone(marketplace: Marketplace, page: Page, attack: str) -> None:
    """With another address to hand in at, or one in disguise, the study does not begin."""
    page.goto(marketplace.visit("ASSIGNMENT6", attack.format(own=marketplace.address)))
    expect(page.locator("main")).to_contain_text("was not opened by its marketplace")
    expect(page.get_by_role("button")).to_have_count(0)


def test_localhost_is_this_machine_too(marketplace: Marketplace, page: Page) -> None:
    """A marketplace on this machine may be called by another of its names."""
    page.goto(marketplace.visit("ASSIGNMENT7", marketplace.address.replace("127.0.0.1", "localhost")))
    expect(page.get_by_role("button", name="I agree and take part")).to_be_visible()


FORMS: list[dict[str, list[str]]] = [
    {"top1": [first], "top1_probability": [typed], "top2": [second], "top2_probability": [other], "impossible": never}
    for first, typed in (("1", "80"), ("1", ""), ("2", " 7,5 % "), ("2", "101"), ("1", "-0"), ("1", "1e1"), ("1", ".5"))
    for second, other in (
        ("no-alternative", ""),
        ("2", "20"),
        ("3", ""),
        ("3", "nan"),
        ("3", "a very long answer to it"),
    )
    for never in ([], ["1", "2"])
]


def test_the_pages_rules_are_the_tasks(marketplace: Marketplace, page: Page) -> None:
    """For every form the page complains of the same fields, with the same sentences, as the task's own parser."""
    page.goto(marketplace.visit("ASSIGNMENT8"))
    rules = (Path(__file__).parents[2] / "templates" / "tasks" / "soft_label.check.js").read_text()
    page.evaluate(f"{rules}; window.checkAnswer = checkAnswer; 0")
    trial = Trial(DESIGN.classes, DESIGN.classes)
    task = TASKS["soft-label"]
    with pytest.raises(AnswerError) as empty:
        task.parse({}, trial)
    for form in FORMS:
        try:
            task.parse(form, trial)
            said: dict[str, str] = {}
        except AnswerError as error:
            said = error.errors
        missing = {name: text for name, text in empty.value.errors.items() if not "".join(form[name]).strip()}
        shown: dict[str, Any] = page.evaluate("form => checkAnswer(form)", form)
        assert missing | shown == said, json.dumps(form)


@pytest.mark.parametrize("width", [1280, 360])
def test_every_step_is_accessible(marketplace: Marketplace, page: Page, width: int) -> None:
    """No step has a violation that axe finds, nor is it wider than the window."""
    page.set_viewport_size({"width": width, "height": 800})

    def look() -> None:
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.goto(marketplace.visit(f"AXE{width}"))
    look()
    begin(page)
    press(page, "Go on")
    look()
    for _ in range(4):
        fill_trial(page)
        press(page, "Go on")
    look()
