"""A whole study in a real browser: by mouse, by keyboard, without JavaScript; and the ways out of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from crowdloom.studies.tables import Event, Participant, Submission
from tests.browser.conftest import Participation, Server, expect_trial, fill_trial, save

CORRECT = "Those that 100 people would give"


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_by_mouse(javascript: bool, server: Server, posting: str, new_context: Callable[..., BrowserContext]) -> None:
    """Consent to receipt; the code is on no page before every answer is stored."""
    context = new_context(java_script_enabled=javascript, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{server.address}/join/{posting}")
    for statement in page.locator("[name=statement]").all():
        statement.check()
    page.click("text=I agree and take part")
    page.click("text=Next page")
    page.click("text=Go on to the questions")
    page.check(f"[value='{CORRECT}']")
    page.click("text=Check my answers")

    taken = Participation(server, page.url.rsplit("/", 1)[1])
    code = taken.state().pseudonym
    for number in range(1, 5):
        expect_trial(page, number)
        assert code not in page.content()
        fill_trial(page, top1=str(number), probability="65.5")
        save(page)
    page.wait_for_selector("text=All images are done and saved")
    assert code not in page.content()
    assert len(taken.answers()) == 4
    page.check("[value=Easy]")
    page.fill("textarea", "It was fun.")
    page.click("text=Finish")

    expect(page.locator("[data-code]")).to_have_text(code)
    expect(page.locator("[data-copy]")).to_be_visible(visible=javascript)
    if javascript:
        page.click("[data-copy]")
        expect(page.locator("[data-copied]")).to_have_text("Copied.")
        assert page.evaluate("navigator.clipboard.readText()") == code
    expect(page.locator(".receipt")).to_contain_text("0.50 GBP")
    assert [answer.answer["top1"] for answer in taken.answers()] == ["1", "2", "3", "4"]
    assert {answer.answer["top1_probability"] for answer in taken.answers()} == {65.5}
    assert [answer.repeat_index for answer in taken.answers()] == [0, 0, 0, 1]
    assert taken.state().state == "completed"
    assert taken.events("debrief")[0]["How hard was it?"] == "Easy"


def test_by_keyboard_alone(server: Server, posting: str, page: Page) -> None:
    """Tab, space, arrows and Enter are enough, and the focus can always be seen."""
    page.goto(f"{server.address}/join/{posting}")
    for _ in range(2):
        tab_to(page, "[name=statement]")
        page.keyboard.press("Space")
    tab_to(page, "[value=agree]")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Page 1 of 2")
    tab_to(page, "a.primary")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Page 2 of 2")
    tab_to(page, "button.primary")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Check my answers")
    tab_to(page, "[name=question-0]")
    page.keyboard.press("ArrowDown")
    tab_to(page, "button.primary")
    page.keyboard.press("Enter")
    for number in range(1, 5):
        expect_trial(page, number)
        tab_to(page, "[name=top1]")
        page.keyboard.press("Space")
        page.keyboard.press("ArrowRight")
        tab_to(page, "[name=top1_probability]")
        page.keyboard.type("90")
        tab_to(page, "[name=top2]")
        page.keyboard.press("ArrowUp")  # around to the last one, "No alternative"
        tab_to(page, "[name=impossible]")
        page.keyboard.press("Space")
        tab_to(page, "button.primary")
        page.keyboard.press("Enter")
    page.wait_for_selector("text=All images are done and saved")
    tab_to(page, "[name=question-0]")
    page.keyboard.press("Space")
    tab_to(page, "textarea")
    page.keyboard.type("By keyboard.")
    tab_to(page, "button.primary")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-code]")

    taken = Participation(server, page.url.rsplit("/", 1)[1])
    order = taken.state().class_order
    for answer in taken.answers():
        assert answer.answer == {
            "top1": order[1],
            "top1_probability": 90,
            "top2": None,
            "top2_probability": None,
            "impossible": [order[0]],
        }


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there, where it must be visible."""
    page.wait_for_load_state()  # before it, elements are found that have no style yet
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            outlined = """() => [document.activeElement, document.activeElement.closest("label")].some(
                (element) => element && getComputedStyle(element).outlineStyle === "solid")"""
            assert page.evaluate(outlined), f"the focus on {selector} cannot be seen"
            return
    pytest.fail(f"Tab does not lead to {selector}")


def test_refusing_consent_is_recorded(server: Server, posting: str, page: Page) -> None:
    """Who declines is thanked, gets no place and no questions, and may change their mind."""
    page.goto(f"{server.address}/join/{posting}?participant=decliner")
    page.click("text=I do not want to take part")
    page.wait_for_selector("h1:text-is('You do not take part')")
    with server.store.read() as connection:
        events = connection.execute(
            select(Event.kind, Submission.state, Submission.batch_id)
            .join(Submission, Submission.id == Event.submission_id)
            .join(Participant, Participant.id == Submission.participant_id)
            .where(Participant.platform_id == "decliner")
        ).all()
    assert [tuple(event) for event in events] == [("consent_refused", "refused", None)]

    page.click("text=Read the information again")
    page.wait_for_selector("text=I agree and take part")
    for statement in page.locator("[name=statement]").all():
        statement.check()
    page.click("text=I agree and take part")
    page.wait_for_selector("h1:text-is('Instructions')")


def test_leaving_and_coming_back(participation: Participation, page: Page) -> None:
    """Who leaves finds the way back to the trial where they stopped."""
    page.goto(participation.address)
    fill_trial(page)
    save(page)
    expect_trial(page, 2)
    page.click("text=Leave the study")
    page.click("button:text('Leave the study')")
    page.wait_for_selector("h1:text-is('You have left the study')")
    assert participation.state().state == "left"
    page.click("text=Continue where you stopped")
    expect_trial(page, 2)
    assert participation.state().state == "started"
