"""The plain text of designs as HTML."""

from __future__ import annotations

import pytest

from crowdloom.studies.prose import prose


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One line\nand its end.", "<p>One line and its end.</p>"),
        ("First.\n \n\nSecond.", "<p>First.</p>\n<p>Second.</p>"),
        ("- one\n- two", "<ul><li>one</li><li>two</li></ul>"),
        ("Before:\n- one\n- two\nAfter.", "<p>Before:</p>\n<ul><li>one</li><li>two</li></ul>\n<p>After.</p>"),
        ("- a long\n  entry\n- two", "<ul><li>a long entry</li><li>two</li></ul>"),
        ("well - known -thing", "<p>well - known -thing</p>"),
        ("a\r\n\r\nb", "<p>a</p>\n<p>b</p>"),
        ("", ""),
    ],
)
def test_paragraphs_and_lists(text: str, html: str) -> None:
    """Blank lines separate paragraphs, lines that start with "- " make a list."""
    assert prose(text) == html


def test_everything_is_escaped() -> None:
    """A design's text can put no markup into a page."""
    assert prose("<script>\n\n- a & b <i>") == "<p>&lt;script&gt;</p>\n<ul><li>a &amp; b &lt;i&gt;</li></ul>"
