"""Percentages as people write them: 85, 85.5, 85,5 or 85 %."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from crowdloom.tasks.protocol import Form

_SHOWN = 20  # characters of a wrong number that its message repeats


def chosen(form: Form, field: str) -> str | None:
    """The one value of a field; None where nothing was chosen or typed."""
    values = form.get(field, ())
    return values[0] if values and values[0] else None


def read_percent(form: Form, field: str, errors: dict[str, str], what: str) -> float | None:
    """The number between 0 and 100 in a field, which is `what`; None where it is empty.

    What is no such number adds a sentence to `errors`.

    >>> read_percent({"p": ["85,5 %"]}, "p", {}, "a probability")
    85.5
    """
    typed = (chosen(form, field) or "").strip()
    number = typed.removesuffix("%").strip().replace(",", ".")
    if not number:
        return None
    # Not all that Python takes for a number: people write no 1e1, no 1_0 and no nan.
    value = float(number) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", number) else math.nan
    if not 0 <= value <= 100:  # false for NaN too
        said = typed if len(typed) <= _SHOWN else f"{typed[:_SHOWN]}…"
        errors[field] = f"“{said}” is not {what}; enter a number between 0 and 100, such as 85."
        return None
    return int(value) if value == int(value) else value


def written_percent(percent: float) -> str:
    """The number with all its digits, in plain notation.

    >>> written_percent(0.00001)
    '0.00001'
    """
    return f"{Decimal(repr(percent)):f}"
