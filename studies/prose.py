"""The plain text of a design (consent, instructions, thanks) as HTML, and where the templates of pages are."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

from markupsafe import Markup, escape

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


def prose(text: str) -> Markup:
    """Blank lines separate paragraphs, lines that start with "- " make a list; everything is escaped.

    >>> print(prose("Look at each image.\\n\\n- Take your time.\\n- There is no <right> answer."))
    <p>Look at each image.</p>
    <ul><li>Take your time.</li><li>There is no &lt;right&gt; answer.</li></ul>
    """
    blocks = [
        block
        for paragraph in re.split(r"\n\s*\n", text.strip())
        for is_list, lines in groupby(_joined(paragraph), key=lambda line: line.startswith("- "))
        for block in [_list(list(lines)) if is_list else _paragraph(list(lines))]
    ]
    return Markup("\n").join(blocks)


def _joined(paragraph: str) -> list[str]:
    """Its lines; an indented line goes on with the list entry above it."""
    lines: list[str] = []
    for line in paragraph.splitlines():
        if lines and lines[-1].startswith("- ") and line[:1].isspace() and not line.lstrip().startswith("- "):
            lines[-1] += " " + line.strip()
        elif line.strip():
            lines.append(line.strip())
    return lines


def _paragraph(lines: list[str]) -> Markup:
    return Markup("<p>{}</p>").format(" ".join(lines))


def _list(lines: list[str]) -> Markup:
    return Markup("<ul>{}</ul>").format(
        Markup("").join(Markup("<li>{}</li>").format(escape(line[2:].strip())) for line in lines)
    )
