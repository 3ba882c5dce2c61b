"""Numbers with their nouns, for what commands print."""

from __future__ import annotations


def count(number: int, noun: str) -> str:
    """A number and its noun.

    >>> count(1, "batch"), count(1200, "batch"), count(0, "item"), count(2, "epoch")
    ('1 batch', '1,200 batches', '0 items', '2 epochs')
    """
    ending = "" if number == 1 else "es" if noun.endswith("tch") else "s"
    return f"{number:,} {noun}{ending}"


def duration(seconds: float) -> str:
    """A time as one says it, in the unit that fits.

    >>> [duration(seconds) for seconds in (0.4, 75, 110, 900, 20_000, 300_000)]
    ['1 second', '75 seconds', '2 minutes', '15 minutes', '6 hours', '3 days']
    """
    for size, noun, most in ((1, "second", 100), (60, "minute", 100), (3600, "hour", 48)):
        if seconds < most * size:
            return count(max(1, round(seconds / size)), noun)
    return count(round(seconds / 86_400), "day")
