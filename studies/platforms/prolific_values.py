"""Values as Prolific writes them: ids, amounts, times."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from crowdloom.studies.errors import PlatformRefusedError, PlatformUnsureError

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def check_id(given: str) -> str:
    """An id, which is to become a part of an address or of a table."""
    if not _ID.fullmatch(given):
        raise PlatformRefusedError(f"{given!r} is no id of Prolific's")
    return given


def decimal(minor: int) -> str:
    """An amount as Prolific's table takes it: 30 is 0.30.

    >>> [decimal(amount) for amount in (30, 5, 41, 1200)]
    ['0.30', '0.05', '0.41', '12.00']
    """
    return f"{minor // 100}.{minor % 100:02d}"


def number(value: Any, what: str) -> Decimal:
    """A number of an answer, exactly. Raises PlatformUnsureError for anything else."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal("NaN")
    if isinstance(value, bool) or not found.is_finite():
        raise PlatformUnsureError(f"Prolific gives {what} as {value!r}, which is no number")
    return found


def minor_units(value: Any, what: str) -> int:
    """An amount in minor units, which come as numbers that may have a point."""
    found = number(value, what)
    if found != found.to_integral_value():
        raise PlatformUnsureError(f"Prolific gives {what} as {value!r}, which is no whole number of cents")
    return int(found)


def time_of(value: Any) -> datetime | None:
    """A time in UTC; Prolific's times without a zone are in UTC."""
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
