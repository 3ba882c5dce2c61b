"""The style sheet of the pages, cut down to what one document uses: a question has 65,535 bytes in all."""

from __future__ import annotations

import re


def used_styles(css: str, document: str) -> str:
    """The rules of a style sheet whose classes all stand in a document, without comments and indentation.

    >>> used_styles(".a, .b { color: red } @media print { .c { x: y } }", '<p class="a">')
    '.a{color:red}'
    """
    words = set(re.findall(r"[\w-]+", document))
    plain = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    return _rules(plain, words)


def _rules(css: str, words: set[str]) -> str:
    kept, start = [], 0
    while (opens := css.find("{", start)) != -1:
        ends = _end(css, opens)
        prelude, body = css[start:opens].strip(), css[opens + 1 : ends].strip()
        start = ends + 1
        if prelude.startswith("@"):
            if inner := _rules(body, words):
                kept.append(f"{prelude}{{{inner}}}")
        elif selectors := [part for part in _split(prelude) if _is_used(part, words)]:
            kept.append(f"{','.join(selectors)}{{{_squeezed(body)}}}")
    return "\n".join(kept)


def _end(css: str, opens: int) -> int:
    """Where the block that opens here is closed."""
    depth = 0
    for at in range(opens, len(css)):
        depth += {"{": 1, "}": -1}.get(css[at], 0)
        if depth == 0:
            return at
    raise ValueError("the style sheet has a block that is not closed")


def _split(prelude: str) -> list[str]:
    """A list of selectors at its commas, those within :is() and its kin left alone."""
    parts, depth = [""], 0
    for sign in prelude:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def _is_used(selector: str, words: set[str]) -> bool:
    return all(name in words for name in re.findall(r"\.([A-Za-z][\w-]*)", re.sub(r":is\([^)]*\)", "", selector)))


def _squeezed(body: str) -> str:
    return re.sub(r"\s*([:;,{])\s*", r"\1", body).rstrip(";") if "(" not in body else re.sub(r"([:;]) ", r"\1", body)
