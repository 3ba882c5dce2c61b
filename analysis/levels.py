"""Values of items' attributes beside those that a plan writes as text."""

from __future__ import annotations


class IsLevel:
    """Whether a value is the one that a plan writes as text; numbers are compared as numbers.

    >>> [IsLevel("0.50")(value) for value in (0.5, "0.5", "half", None)]
    [True, True, False, False]
    """

    def __init__(self, level: str) -> None:
        self.level = level
        try:
            self.number: float | None = float(level)
        except ValueError:
            self.number = None

    def __call__(self, value: object) -> bool:
        if self.number is None or isinstance(value, bool):
            return str(value) == self.level
        try:
            return float(value) == self.number  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return False
