"""Whatever happens between the browser and the server: nothing is lost and nothing is stored twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Request, Route, expect

from tests.browser.conftest import Participation, Server, expect_trial, fill_trial, save


def kept(page: Page, participation: Participation) -> bool:
    """Whether the browser keeps an answer of this submission for later."""
    return bool(page.evaluate("token => localStorage.getItem(`crowdloom:/take/${token}`)", participation.token))


def test_reload_back_and_another_tab_show_the_current_trial(participation: Participation, page: Page) -> None:
    """One address shows what comes next, however the participant gets there."""
    page.goto(f"{participation.server.address}/nowhere")
    page.goto(f"{participation.address}?page=2")
    page.goto(participation.address)
    for number in (1, 2):
        expect_trial(page, number)
        fill_trial(page, top1=str(number))
        save(page)
    expect_trial(page, 3)
    page.reload()
    expect_trial(page, 3)
    page.go_back()
    expect_trial(page, 3)
    fill_trial(page, top1="3")
    save(page)
    expect_trial(page, 4)
    other = page.context.new_page()
    other.goto(participation.address)
    expect_trial(other, 4)
    assert [answer.answer["top1"] for answer in participation.answers()] == ["1", "2", "3"]


def test_a_closed_browser_resumes_in_a_new_one(
    participation: Participation, new_context: Callable[..., BrowserContext]
) -> None:
    """The link alone is enough, in a browser that has never seen the study."""
    before = new_context()
    page = before.new_page()
    page.goto(participation.address)
    fill_trial(page)
    save(page)
    expect_trial(page, 2)
    page.check("[name=top1][value='9']")
    before.close()
    page = new_context().new_page()
    page.goto(participation.address)
    expect_trial(page, 2)
    expect(page.locator(":checked")).to_have_count(0)
    assert len(participation.answers()) == 1


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_of_two_answers_the_first_stands(
    javascript: bool, participation: Participation, new_context: Callable[..., BrowserContext]
) -> None:
    """Two tabs, two answers to one trial: the second becomes an event, and its tab goes on to the next trial."""
    context = new_context(java_script_enabled=javascript)
    first, second = context.new_page(), context.new_page()
    for page, choice in ((first, "1"), (second, "2")):
        page.bring_to_front()  # Chromium draws a tab behind another one once a second
        page.goto(participation.address)
        fill_trial(page, top1=choice)
    first.bring_to_front()
    save(first)
    expect_trial(first, 2)
    second.bring_to_front()
    save(second)
    expect_trial(second, 2)
    assert [answer.answer["top1"] for answer in participation.answers()] == ["1"]
    assert [event["answer"]["top1"] for event in participation.events("second_answer")] == ["2"]


def test_a_double_click_posts_once(participation: Participation, page: Page) -> None:
    """An impatient participant sends one request."""
    posts: list[Request] = []
    page.on("request", lambda request: posts.append(request) if request.method == "POST" else None)
    page.goto(participation.address)
    fill_trial(page)
    page.dblclick("form[data-trial] button.primary")
    expect_trial(page, 2)
    assert len(posts) == 1
    assert len(participation.answers()) == 1


def test_a_killed_server_loses_nothing(participation: Participation, server: Server, page: Page) -> None:
    """SIGKILL while the participant answers: the answer waits in the browser and arrives after the restart."""
    page.goto(participation.address)
    expect_trial(page, 1)
    fill_trial(page, top1="4")
    server.kill()
    save(page)
    status = page.locator("[data-status]")
    expect(status).to_contain_text("Your answer is kept on this device and is being sent again")
    assert kept(page, participation)
    assert participation.answers() == []

    server.start()
    expect_trial(page, 2)
    assert not kept(page, participation)
    (answer,) = participation.answers()
    assert answer.answer["top1"] == "4"
    assert answer.timing["retries"] >= 1
    fill_trial(page, top1="5")
    save(page)
    expect_trial(page, 3)


def test_an_answer_outlives_its_page(participation: Participation, page: Page) -> None:
    """Sent where no server answers, page closed: the next visit sends it and goes on behind it."""
    page.goto(participation.address)
    fill_trial(page, top1="6")
    context = page.context
    participation.server.kill()  # a browser that pretends to be offline no longer does while it closes a page
    save(page)
    page.wait_for_selector(".status.kept")
    page.close()
    assert participation.answers() == []
    participation.server.start()
    page = context.new_page()
    page.goto(participation.address)
    expect_trial(page, 2)
    assert not kept(page, participation)
    assert [answer.answer["top1"] for answer in participation.answers()] == ["6"]


def test_an_answer_outlives_leaving_in_another_tab(participation: Participation, page: Page) -> None:
    """It waits in the browser, whose pages stay where they are, and is sent when the participant comes back."""
    page.goto(participation.address)
    fill_trial(page, top1="4")
    other = page.context.new_page()
    other.goto(f"{participation.address}/leave")
    other.click("button:text-is('Leave the study')")
    other.wait_for_selector("h1:text-is('You have left the study')")
    opened: list[Request] = []
    page.on("request", lambda request: opened.append(request) if request.is_navigation_request() else None)
    page.bring_to_front()
    save(page)
    page.wait_for_selector("h1:text-is('You have left the study')")
    page.wait_for_load_state("networkidle")
    assert len(opened) == 1
    assert kept(page, participation)
    assert participation.answers() == []
    page.click("text=Continue where you stopped")
    expect_trial(page, 2)
    assert not kept(page, participation)
    assert [answer.answer["top1"] for answer in participation.answers()] == ["4"]


def test_the_last_answer_comes_before_the_code(participation: Participation, page: Page) -> None:
    """Without a network nothing says that the study is complete; when it is back, the browser goes on at once."""
    page.goto(participation.address)
    for number in (1, 2, 3, 4):
        expect_trial(page, number)
        fill_trial(page)
        if number == 4:
            page.context.set_offline(True)
        save(page)
    page.wait_for_selector(".status.kept")
    assert len(participation.answers()) == 3
    assert participation.state().pseudonym not in page.content()
    page.context.set_offline(False)
    page.wait_for_selector("text=All images are done and saved")
    assert len(participation.answers()) == 4
    page.check("[value=Easy]")
    page.click("text=Finish")
    expect(page.locator("[data-code]")).to_have_text(participation.state().pseudonym)


def lose_the_reply(route: Route) -> None:
    """The server stores the answer, but its reply never arrives."""
    route.fetch()
    route.abort()


def a_proxy_is_overloaded(route: Route) -> None:
    """A proxy in front of the server gives up."""
    route.fulfill(status=503, content_type="text/html", body="Service Unavailable")


def a_hotel_wants_money(route: Route) -> None:
    """A captive portal answers in the server's place, and says that all is well."""
    route.fulfill(status=200, content_type="text/html", body="<h1>Welcome! Please sign in</h1>")


@pytest.mark.parametrize("trouble", [lose_the_reply, a_proxy_is_overloaded, a_hotel_wants_money])
def test_trouble_on_the_way(trouble: Callable[[Route], None], participation: Participation, page: Page) -> None:
    """Whatever comes back that is not our server's word: the answer is sent again, and stored once."""
    page.goto(participation.address)
    page.route("**/answer", trouble, times=1)
    fill_trial(page)
    save(page)
    expect_trial(page, 2)
    assert len(participation.answers()) == 1
    assert participation.events("second_answer") == []


def test_without_storage_the_page_keeps_the_answer(participation: Participation, page: Page) -> None:
    """Where the browser gives no storage, the page itself waits for the network, and says so."""
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"
    )
    page.goto(participation.address)
    fill_trial(page)
    page.context.set_offline(True)
    save(page)
    expect(page.locator("[data-status]")).to_contain_text("Please leave this page open")
    page.context.set_offline(False)
    expect_trial(page, 2)
    assert len(participation.answers()) == 1


def test_send_now_does_not_wait(
    participation: Participation, server: Server, new_context: Callable[..., BrowserContext]
) -> None:
    """After a long time without a server, the participant need not wait for the next attempt."""
    page = new_context().new_page()
    page.clock.install(time=0)
    page.goto(participation.address)
    fill_trial(page)
    page.clock.pause_at(60_000)
    server.kill()
    save(page)
    page.wait_for_selector(".status.kept")
    server.start()  # the page's clock stands still: no attempt comes by itself
    assert participation.answers() == []
    page.click("text=Send now")
    expect_trial(page, 2)
    assert len(participation.answers()) == 1
