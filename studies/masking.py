"""Texts for pages and for the job table, without the platforms' ids of people and of what they handed in."""

from __future__ import annotations

import re

MASK = "…"
_IDS = re.compile(
    r"\b(?=[A-Z0-9]*[0-9])(?=[A-Z0-9]*[A-Z])[A-Z0-9]{10,}\b"  # workers, assignments and HITs of the MTurk protocol
    r"|\b[0-9a-f]{24}\b"  # participants, submissions and studies of Prolific
)


def mask(text: str, known: frozenset[str] = frozenset()) -> str:
    """A text with whatever looks like a platform's id, or is `known` to be one, left out.

    >>> mask("Assignment 3X8F7E2KQPZ0 of A2EXAMPLEWORKER1 cannot be approved (InvalidState)")
    'Assignment … of … cannot be approved (InvalidState)'
    >>> mask("ann came by the link", frozenset({"ann"}))
    '… came by the link'
    """
    masked = _IDS.sub(MASK, text)
    if not known:
        return masked
    return re.sub(r"[\w-]+", lambda word: MASK if word[0] in known else word[0], masked)
