"""Numbers with their nouns, for what commands print."""

from __future__ import annotations


def count(number: int, noun: str) -> str:
    """A number and its noun.

    >>> count(1, "batch"), count(1200, "batch"), count(0, "item")
    ('1 batch', '1,200 batches', '0 items')
    """
    ending = "" if number == 1 else "es" if noun.endswith("ch") else "s"
    return f"{number:,} {noun}{ending}"
