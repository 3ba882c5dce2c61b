"""The full life of a study on each platform, with people in real Chromium and the researcher at the command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from crowdloom.studies.marketplace import open_market
from tests.browser.lives import answer, consent, exported, lab, take
from tests.prolific import StandIn
from tests.studies.marketplace.running import running

REASON = "Both images were answered without looking at them: each has the same digit with the same probability."

Contexts = Callable[..., BrowserContext]


def sign_in(contexts: Contexts, market: str, invitation: str) -> Page:
    """A worker of the marketplace, in a browser of their own."""
    page = contexts().new_page()
    page.goto(f"{market}/enter/{invitation}")
    return page


def accept(page: Page) -> None:
    """From the list of HITs over the preview into the work."""
    page.get_by_role("link", name="Preview").first.click()
    page.get_by_text("Accept this HIT").click()


@pytest.mark.slow
def test_on_the_marketplace(tmp_path: Path, new_context: Contexts) -> None:
    """Publish, preview, accept, answer, return, come back, reject, add places, pay, bonus, top-up, close, export."""
    market = open_market(str(tmp_path / "market.db"))
    with running(market) as address:
        environ = {"AWS_ENDPOINT_URL_MTURK": address, "AWS_ACCESS_KEY_ID": "AKIALIFE", "AWS_SECRET_ACCESS_KEY": "x"}
        with lab(tmp_path, environ) as made:
            assert "1.80 USD" in made.run("cost", "life", "--on", "mturk")  # 2 x (0.50 + 0.10) + 2 x (0.25 + 0.05)
            published = made.run("publish", "life", "--on", "mturk", "--address", made.address, "--yes")
            assert "is now open on mturk" in published
            (first, one), (second, two), (third, three) = (market.add_worker() for _ in range(3))

            page = sign_in(new_context, address, one)
            page.get_by_role("link", name="Preview").first.click()
            frame = page.frame_locator("iframe")
            expect(frame.get_by_text("This is a preview.")).to_be_visible()
            assert frame.locator("button").count() == 0
            page.get_by_text("Accept this HIT").click()
            consent(frame)
            answer(frame, 1)
            frame.locator("h1:text-is('Image 2 of 2')").wait_for()
            page.get_by_role("button", name="Return").click()
            page.get_by_text("You have returned the HIT.").wait_for()

            other = sign_in(new_context, address, two)
            accept(other)
            take(other.frame_locator("iframe"))
            other.frame_locator("iframe").get_by_role("button", name="Hand in").click()
            other.get_by_role("heading", name="Submitted").wait_for()

            page.goto(address)
            accept(page)
            answer(frame, 2)  # they go on where they stopped
            frame.get_by_role("button", name="Hand in").click()
            page.get_by_role("heading", name="Submitted").wait_for()

            assert Counter(kind for kind, _ in made.differences()) == {"not reviewed": 2}
            assert "2 filled" in made.run("status", "life")
            bad, good = made.codes()
            made.run("review", "life", "--reject", bad, "--reason", REASON)
            assert ("not reviewed", good) in made.differences()
            assert {kind for kind, _ in made.differences()} == {"not reviewed", "places lacking"}
            assert "2 -> 3 places" in made.run("add-places", "life", "--yes")

            last = sign_in(new_context, address, three)
            accept(last)
            take(last.frame_locator("iframe"))
            last.frame_locator("iframe").get_by_role("button", name="Hand in").click()
            last.get_by_role("heading", name="Submitted").wait_for()

            made.let_minutes_pass(9)
            assert "below the floor of 8.00 USD" in made.run("status", "life")
            assert "1 not reviewed" not in made.run("review", "life", "--approve-all")
            assert "2 payments confirmed" in made.run("pay", "life", "--yes")
            assert "0 payments confirmed" in made.run("pay", "life", "--yes")
            assert "2 payments confirmed" in made.run("bonus", "life", "--pay", "--yes")
            assert "payments confirmed" in made.run("bonus", "life", "--top-up", "--pay", "--yes")
            made.run("close", "life")
            assert made.differences() == []

            frames = exported(made)
            assert len(frames) == 4
            assert frames["participant"].nunique() == 2
            paid = Counter((payment.worker_id, payment.kind) for payment in market.payments())
            assert paid == {(who, "reward"): 1 for who in (second, third)} | {
                (who, "bonus"): 2 for who in (second, third)
            }
            assert first not in str(paid)
            page.goto(f"{address}/earnings")
            expect(page.locator("main")).to_contain_text(REASON)
            last.goto(f"{address}/earnings")
            expect(last.locator("main")).to_contain_text("$0.50")
            assert "3 participants are erased" in made.run("forget-identities", "life", "--yes")
    market.close()


@pytest.mark.slow
def test_without_a_server(tmp_path: Path, new_context: Contexts) -> None:
    """Self-contained HITs: published, answered on the marketplace alone, imported, reviewed, paid, exported."""
    market = open_market(str(tmp_path / "market.db"))
    with running(market) as address:
        environ = {"AWS_ENDPOINT_URL_MTURK": address, "AWS_ACCESS_KEY_ID": "AKIAHTML", "AWS_SECRET_ACCESS_KEY": "x"}
        with lab(tmp_path, environ, '[mturk]\ndelivery = "html"\n', image_size=16) as made:
            made.run("publish", "life", "--on", "mturk", "--yes")
            people = [market.add_worker() for _ in range(2)]
            for _, invitation in people:
                page = sign_in(new_context, address, invitation)
                accept(page)
                frame = page.frame_locator("iframe")
                for button in ("I agree and take part", "Begin"):
                    frame.get_by_role("button", name=button, exact=True).click()
                for number in (1, 2):
                    frame.locator(f"h1:text-is('Image {number} of 2')").wait_for()
                    frame.locator("[name=top1][value='3']").check()
                    frame.locator("[name=top1_probability]").fill("80")
                    frame.locator("[name=top2][value=no-alternative]").check()
                    frame.get_by_role("button", name="Go on", exact=True).click()
                frame.get_by_role("button", name="Hand in", exact=True).click()
                page.get_by_role("heading", name="Submitted").wait_for()
            assert made.codes() == []  # the one exception to saving first
            assert Counter(kind for kind, _ in made.differences()) == {"not reviewed": 2}
            assert "2 filled" in made.run("status", "life")
            made.run("review", "life", "--approve-all")
            assert "2 payments confirmed" in made.run("pay", "life", "--yes")
            made.run("close", "life")
            assert made.differences() == []
            frames = exported(made)
            assert len(frames) == 4
            assert set(frames["top1"].astype(str)) == {"3"}
            assert (frames["rt_ms"] > 0).all()
            assert all(market.paid(worker) == 50 for worker, _ in people)
    market.close()


@pytest.mark.slow
def test_who_could_not_hand_in_gets_a_listing_of_their_own(tmp_path: Path, new_context: Contexts) -> None:
    """An assignment given back after the last answer: only its person sees the new HIT, and is paid once."""
    market = open_market(str(tmp_path / "market.db"))
    with running(market) as address:
        environ = {"AWS_ENDPOINT_URL_MTURK": address, "AWS_ACCESS_KEY_ID": "AKIALOST", "AWS_SECRET_ACCESS_KEY": "x"}
        with lab(tmp_path, environ) as made:
            made.run("publish", "life", "--on", "mturk", "--address", made.address, "--yes")
            (worker, invitation), (_, stranger) = market.add_worker(), market.add_worker()
            page = sign_in(new_context, address, invitation)
            accept(page)
            take(page.frame_locator("iframe"))
            page.get_by_role("button", name="Return").click()  # instead of the button below it
            page.get_by_text("You have returned the HIT.").wait_for()
            made.run("close", "life")
            code = made.codes()[0]
            assert made.differences() == [("not handed in", code)]
            made.run("review", "life", "--approve-all")
            assert f"waiting   {code}" in made.run("pay", "life", "--yes")
            assert f"open for {code} alone" in made.run("add-places", "life", "--for", code, "--yes")
            other = sign_in(new_context, address, stranger)
            expect(other.locator("main")).to_contain_text("There is no HIT for you")
            page.goto(address)
            accept(page)
            page.frame_locator("iframe").get_by_role("button", name="Hand in").click()
            page.get_by_role("heading", name="Submitted").wait_for()
            assert "1 payment confirmed" in made.run("pay", "life", "--yes")
            assert made.differences() == []
            assert market.paid(worker) == 50
    market.close()


@pytest.mark.slow
def test_on_prolific(tmp_path: Path, test_data: Path, new_context: Contexts) -> None:
    """Draft, publish, pause, resume, answer, return there, reject, add places, approve, bonus, close, export."""
    with StandIn(test_data) as prolific, lab(tmp_path, prolific.environ) as made:
        draft = made.run("publish", "life", "--on", "prolific", "--address", made.address, "--draft", "--yes")
        study = prolific.studies()[0]["id"]
        assert study in draft
        assert prolific.study(study)["status"] == "UNPUBLISHED"
        assert "open on prolific" in made.run("publish", "life", "--on", "prolific", "--address", made.address)
        made.run("pause", "life")
        assert prolific.study(study)["status"] == "PAUSED"
        made.run("resume", "life")
        assert prolific.study(study)["status"] == "ACTIVE"

        def go(participant: str) -> Page:
            page = new_context().new_page()
            page.goto(prolific.start_url(study, participant))
            return page

        def finish(page: Page) -> None:
            page.get_by_role("link", name="Go back and finish").click()
            page.wait_for_url("**/submissions/complete**")

        gone, good, bad, last = (prolific.add_participant() for _ in range(4))
        page = go(gone)
        consent(page)
        answer(page, 1)
        page.locator("h1:text-is('Image 2 of 2')").wait_for()
        prolific.give_back(prolific.submissions(study)[0]["id"])
        made.run("reconcile", "life")
        assert "0 held" in made.run("status", "life")
        for participant in (good, bad):
            page = go(participant)
            take(page)
            finish(page)
        assert Counter(kind for kind, _ in made.differences()) == {"not reviewed": 2}
        too_short = made.run("review", "life", "--reject", made.codes()[1], "--reason", "Bad.", fails=True)
        assert "at least 100" in too_short
        made.run("review", "life", "--reject", made.codes()[1], "--reason", REASON, "--category", "LOW_EFFORT")
        assert [each["status"] for each in prolific.submissions(study)].count("REJECTED") == 1
        made.run("add-places", "life", "--yes")
        page = go(last)
        take(page)
        finish(page)

        made.let_minutes_pass(9)
        made.run("review", "life", "--approve-all")
        made.run("pay", "life", "--yes")
        prolific.settle()
        made.run("bonus", "life", "--pay", "--yes")
        prolific.settle()
        made.run("bonus", "life", "--top-up", "--pay", "--yes")
        prolific.settle()
        made.run("close", "life")
        assert made.differences() == []
        assert prolific.study(study)["status"] == "COMPLETED"
        for participant in (good, last):
            kinds = Counter(kind for kind, _ in prolific.paid(participant))
            assert kinds == {"reward": 1, "bonus": 2}
        assert prolific.paid(bad) == prolific.paid(gone) == []
        frames = exported(made)
        assert len(frames) == 4
        assert set(frames["standing"]) == {"accepted"}
        made.run("forget-identities", "life", "--yes")


@pytest.mark.slow
def test_by_the_direct_link(tmp_path: Path, new_context: Contexts) -> None:
    """Invite, answer, leave, come back, be led to the panel, review, pay by hand, bonus, close, export."""
    more = '[link]\ninvited_only = true\nredirect = "{}/static/icon.svg?who={{participant}}&code={{code}}"\n'
    with lab(tmp_path, {}, more.format("http://127.0.0.1:1")) as made:
        made.run("publish", "life", "--address", made.address)
        links = made.run("invite", "life", "--count", "3", "--address", made.address).split()
        page = new_context().new_page()
        page.goto(links[0].partition("?")[0])
        expect(page.locator("main")).to_contain_text("open to invited people")
        page.goto(links[0])
        consent(page)
        answer(page, 1)
        page.locator("h1:text-is('Image 2 of 2')").wait_for()
        page.get_by_role("link", name="Leave the study").click()
        page.get_by_role("button", name="Leave the study").click()
        page.goto(links[0])
        page.get_by_text("Continue where you stopped").click()
        answer(page, 2)
        back = page.get_by_role("link", name="Go back and finish")
        token = links[0].rpartition("=")[2]
        assert back.get_attribute("href") == f"http://127.0.0.1:1/static/icon.svg?who={token}&code={made.codes()[0]}"

        made.run("pause", "life")
        other = new_context().new_page()
        other.goto(links[1])
        expect(other.locator("main")).to_contain_text("This study is paused")
        made.run("resume", "life")
        other.goto(links[1])
        take(other)
        third = new_context().new_page()
        third.goto(links[2])
        expect(third.locator("main")).to_contain_text("all the answers it needs")

        made.run("review", "life", "--approve-all")
        assert "2 payments owed, 1.00 USD" in made.run("pay", "life")
        made.run("bonus", "life", "--pay", "--yes")
        listed = tmp_path / "pay.csv"
        assert "4 payments" in made.run("pay", "life", "--list", str(listed))
        assert f",{token},reward,0.50,USD" in listed.read_text()
        assert "4 payments recorded as paid" in made.run("pay", "life", "--by-hand", "--yes")
        assert "0 payments owed" in made.run("pay", "life")
        made.run("close", "life")
        assert made.differences() == []
        assert len(exported(made)) == 4
        assert "2 participants are erased" in made.run("forget-identities", "life", "--yes")
