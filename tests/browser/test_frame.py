"""Inside a platform's frame: no cookie is needed, none is set, and only platforms that frame may."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Response
from sqlalchemy import update

from crowdloom.studies.posting import publish
from crowdloom.studies.tables import Posting
from tests.browser.conftest import STUDY, Server


class _Host(BaseHTTPRequestHandler):
    """A page that shows whatever address stands in its query in a frame."""

    def do_GET(self) -> None:
        shown = parse_qs(urlsplit(self.path).query).get("show", ["about:blank"])[0]
        body = f"<!doctype html><title>A marketplace</title><iframe width=900 height=700 src='{shown}'></iframe>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    """Another site: `localhost` is not the `127.0.0.1` on which the study is served."""
    server = ThreadingHTTPServer(("localhost", 0), _Host)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}/?show="
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_study_in_a_frame_needs_no_cookie(server: Server, site: str, page: Page) -> None:
    """From consent to the second trial inside another site, with its headers in place and no cookie at all."""
    with server.store.write() as connection:
        posting = publish(connection, STUDY.name, "framing").token
        connection.execute(update(Posting).where(Posting.token == posting).values(state="open"))  # as `put_up` does
    ours = (f"{server.address}/join/", f"{server.address}/take/")
    pages: list[Response] = []
    page.on("response", lambda response: pages.append(response) if response.url.startswith(ours) else None)
    page.goto(f"{site}{server.address}/join/{posting}?worker=W1")
    frame = page.frame_locator("iframe")
    for number in range(2):
        frame.locator("[name=statement]").nth(number).check()
    frame.get_by_text("I agree and take part").click()
    frame.get_by_text("Next page").click()
    frame.get_by_text("Go on to the questions").click()
    frame.get_by_text("Those that 100 people would give").click()
    frame.get_by_text("Check my answers").click()
    frame.locator("[name=top1]").first.check()
    frame.locator("[name=top1_probability]").fill("70")
    frame.get_by_text("No alternative", exact=True).click()
    frame.get_by_text("Save and go on").click()
    frame.locator("h1:text-is('Image 2 of 4')").wait_for()

    assert page.context.cookies() == []
    assert len(pages) >= 8
    for response in pages:
        headers = response.all_headers()
        assert "set-cookie" not in headers
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors http://localhost:*" in headers["content-security-policy"]
        assert "script-src 'self'" in headers["content-security-policy"]
        assert server.address not in response.request.all_headers().get("referer", "")


def test_a_direct_link_refuses_to_be_framed(server: Server, posting: str, site: str, page: Page) -> None:
    """A platform that does not frame gives no other site the chance to."""
    answer = page.request.get(f"{server.address}/join/{posting}?participant=framed")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    with page.expect_console_message(lambda message: "frame-ancestors 'none'" in message.text):
        page.goto(f"{site}{server.address}/join/{posting}?participant=framed")
