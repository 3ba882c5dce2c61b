"""Wrong answers: the page comes back with each error beside its field and everything typed still there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Participation, expect_trial, fill_trial, save

WRONG = [
    # what is typed or chosen on top of a good answer, the field with the error, words of the message
    ({"top1_probability": "lots"}, "top1_probability", "“lots” is not a probability"),
    ({"top1_probability": "101"}, "top1_probability", "“101” is not a probability"),
    ({"top1_probability": ""}, "top1_probability", "between 0 and 100"),
    ({"top2": "3", "top2_probability": "10"}, "top2", "must differ from the first"),
    ({"top2": "5"}, "top2_probability", "for the second category"),
    ({"top1": "7"}, "impossible", "7 cannot be both probable and definitely not"),
]


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_errors_stand_beside_their_fields(
    javascript: bool, participation: Participation, new_context: Callable[..., BrowserContext]
) -> None:
    """One wrong thing at a time: message, mark, description, link from the summary, and what was typed."""
    page = new_context(java_script_enabled=javascript).new_page()
    page.goto(participation.address)
    for wrong, field, words in WRONG:
        fill_trial(page)
        page.fill("[name=top2_probability]", "")
        for name, value in wrong.items():
            if name.endswith("probability"):
                page.fill(f"[name={name}]", value)
            else:
                page.check(f"[name={name}][value='{value}']")
        save(page)
        message = page.locator(f"#{field}-error", has_text=words)
        message.wait_for()
        expect(page.locator(".error:not([role])")).to_have_count(1)
        invalid = page.locator(f"[aria-invalid=true][aria-describedby~={field}-error]")
        expect(invalid).to_have_count(1)
        expect(page.locator("[data-summary]")).to_be_focused()
        assert page.title().startswith("Error: ")

        expect(page.locator("[name=top1]:checked")).to_have_value(wrong.get("top1", "3"))
        expect(page.locator("[name=top1_probability]")).to_have_value(wrong.get("top1_probability", "80"))
        expect(page.locator("[name=top2]:checked")).to_have_value(wrong.get("top2", "no-alternative"))
        expect(page.locator("[name=top2_probability]")).to_have_value(wrong.get("top2_probability", ""))
        expect(page.locator("[name=impossible]:checked")).to_have_value("7")

        page.click("[data-summary] a")
        assert page.evaluate("document.activeElement.name") == field
    assert participation.answers() == []
    page.goto(page.url)  # as a browser does that restores its tabs
    expect_trial(page, 1)
    fill_trial(page)
    save(page)
    expect_trial(page, 2)


def test_an_empty_form_names_every_question(participation: Participation, page: Page) -> None:
    """Three questions want an answer; the summary leads to each of them."""
    page.goto(participation.address)
    save(page)
    expect(page.locator("[data-summary] a")).to_have_count(3)
    for field in ("top1", "top1_probability", "top2"):
        expect(page.locator(f"#{field}-error")).to_be_visible()
    assert participation.answers() == []


def test_on_a_phone_a_link_leads_to_what_can_be_seen(participation: Participation, page: Page) -> None:
    """The picture stays at the top and covers neither the field, nor its error, nor the question above them."""
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(participation.address)
    save(page)
    page.wait_for_selector("[data-summary]")
    page.wait_for_load_state()
    lowest = "document.querySelector('.stimulus').getBoundingClientRect().bottom"
    for link in page.locator("[data-summary] a").all():
        link.click()
        question = page.locator(".wrong:has(:focus)")
        expect(question).to_have_count(1)
        tops = question.locator("legend, .legend, .error, :focus").evaluate_all(
            "found => found.map((one) => one.getBoundingClientRect().top)"
        )
        assert min(tops) >= page.evaluate(lowest), link.inner_text()
