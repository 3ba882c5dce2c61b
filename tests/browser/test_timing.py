"""What is measured while a participant answers, and what is fetched early."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import Participation, expect_trial, fill_trial, save


def test_both_clocks_are_recorded(participation: Participation, page: Page) -> None:
    """The browser's times and the server's agree, and lie in the order in which things happened."""
    began = datetime.now(UTC)
    page.goto(participation.address)
    page.wait_for_timeout(200)
    fill_trial(page)
    page.wait_for_timeout(100)
    save(page)
    expect_trial(page, 2)
    (answer,) = participation.answers()
    timing = answer.timing
    assert 200 <= timing["first_input_ms"] <= timing["rt_ms"] - 100
    assert abs(answer.rt_ms - timing["rt_ms"]) <= 1
    assert abs(timing["submitted"] - timing["opened"] - timing["rt_ms"]) < 50
    assert timing["retries"] == 0
    shown_at = datetime.fromisoformat(timing["shown_at"])
    assert began - timedelta(seconds=1) < shown_at < answer.answered_at
    assert answer.answered_at - shown_at >= timedelta(milliseconds=timing["rt_ms"] - 50)


def test_looking_away_is_recorded(participation: Participation, page: Page) -> None:
    """Another tab in front leaves its traces, in order."""
    page.goto(participation.address)
    # Playwright makes every tab believe that it has the focus; here it shall notice.
    page.context.new_cdp_session(page).send("Emulation.setFocusEmulationEnabled", {"enabled": False})
    fill_trial(page)
    page.context.new_page().bring_to_front()
    page.bring_to_front()
    save(page)
    expect_trial(page, 2)
    (answer,) = participation.answers()
    changes = answer.timing["focus"]
    assert [change for _, change in changes] == ["blur", "focus"]
    assert 0 < changes[0][0] <= changes[1][0] <= answer.timing["rt_ms"]


def test_time_goes_on_after_an_error(participation: Participation, page: Page) -> None:
    """An answer that came back with errors counts from when the image was first shown."""
    page.goto(participation.address)
    page.wait_for_timeout(400)
    page.check("[name=top1][value='3']")
    save(page)
    page.wait_for_selector("[data-summary]")
    fill_trial(page)
    save(page)
    expect_trial(page, 2)
    (answer,) = participation.answers()
    assert 400 <= answer.timing["first_input_ms"] < answer.timing["rt_ms"]
    assert answer.timing["submitted"] - answer.timing["opened"] >= answer.timing["rt_ms"] - 50


def test_the_next_image_is_there_before_its_trial(participation: Participation, page: Page) -> None:
    """It is fetched while the current one is judged, and not again afterwards."""
    fetched: list[Request] = []
    page.on("requestfinished", lambda request: fetched.append(request) if "/media/" in request.url else None)
    page.goto(participation.address)
    coming = page.locator("form[data-trial]").get_attribute("data-next-image")
    page.wait_for_function(f"performance.getEntriesByName(new URL('{coming}', location).href).length > 0")
    assert any(request.url.endswith(str(coming)) for request in fetched)
    fill_trial(page)
    save(page)
    expect_trial(page, 2)
    image = page.locator("[data-stimulus]")
    expect(image).to_have_attribute("src", str(coming))
    assert image.evaluate("image => performance.getEntriesByName(image.src)[0].transferSize") == 0
