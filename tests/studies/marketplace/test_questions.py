"""Questions are somebody else's XML: what is shown, what is refused, and that nothing else is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from crowdloom.studies.marketplace.errors import RequestError
from crowdloom.studies.marketplace.questions import SCHEMAS, read_question
from tests.studies.marketplace.running import EXTERNAL, external_question, html_question


def test_both_kinds() -> None:
    """The address without its escapes, the HTML as it is, and the height."""
    question = read_question(external_question("https://lab.example.org/?a=1&b=2", 500))
    assert (question.url, question.html, question.height) == ("https://lab.example.org/?a=1&b=2", None, 500)
    page = read_question(html_question("<!doctype html><script>1 < 2 && 3</script>"))
    assert (page.url, page.html) == (None, "<!doctype html><script>1 < 2 && 3</script>")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/take", "http://localhost/x", "http://[::1]:80/"])
def test_this_machine_may_do_without_https(url: str) -> None:
    """A loopback address may be http, for a lab's own machine and for tests."""
    assert read_question(external_question(url)).url == url


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (external_question("http://lab.example.org/"), "must begin with https://"),
        (external_question("http://127.0.0.1.example.org/"), "must begin with https://"),
        (external_question("javascript:alert(1)"), "is not an address"),
        (external_question("https://"), "is not an address"),
        (external_question("https://[x/"), "is not an address"),
        (external_question(height=-1), "FrameHeight -1"),
        (external_question().replace("<FrameHeight>0</FrameHeight>", ""), "FrameHeight is missing"),
        (external_question().replace(EXTERNAL, "urn:other"), "neither ExternalQuestion nor HTMLQuestion"),
        (external_question().replace("&amp;", "&"), "parsing the XML"),
        (html_question(" "), "HTMLContent is empty"),
        (f'<QuestionForm xmlns="{SCHEMAS}2017-11-06/QuestionForm.xsd"/>', "does not show QuestionForm"),
        ("", "parsing the XML"),
    ],
)
def test_refused_questions(xml: str, reason: str) -> None:
    """Each fault of a question is said in its own words."""
    with pytest.raises(RequestError, match=reason):
        read_question(xml)


def test_no_file_is_read(tmp_path: Path) -> None:
    """An entity that names a file, or grows without end, is refused before anything is expanded."""
    (tmp_path / "secret").write_text("https://secret.example.org/", encoding="utf-8")
    for entity in (f'SYSTEM "{(tmp_path / "secret").as_uri()}"', '"&b;&b;"'):
        xml = f"<!DOCTYPE x [<!ENTITY b 'bb'><!ENTITY a {entity}>]>" + external_question().replace(
            "https://lab.example.org/study?a=1&amp;b=2", "&a;"
        )
        with pytest.raises(RequestError, match="document type"):
            read_question(xml)
