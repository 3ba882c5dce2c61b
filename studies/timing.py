"""What a trial's form says of time: the browser's own clock, and ours beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from crowdloom.studies.database import now
from crowdloom.studies.tables import Response, Submission

_LONGEST = 20_000  # characters; beyond that it is not our page that sent it
_LONGEST_MS = 2_000_000_000  # some three weeks, and within a database integer


def read_timing(form: Mapping[str, str]) -> tuple[int | None, dict[str, Any] | None]:
    """The response time in milliseconds and the record to keep, from a posted form.

    The time is the browser's where it measured one, else the server's between showing and receiving.
    Nothing a browser sends can make an answer fail: what is not in order is left out.
    """
    record = _json(form.get("timing", ""))
    shown_at = _time(form.get("shown_at", ""))
    if shown_at is not None:
        record["shown_at"] = shown_at.isoformat()
    measured = _duration(record.get("rt_ms"))
    if measured is None and shown_at is not None:
        measured = _duration((now() - shown_at).total_seconds() * 1000)
    return measured, record or None


def seconds_since_last(connection: Connection, submission_id: int) -> float:
    """Seconds, by our clock, since the last answer of a submission, or since it began: no trial was shown before."""
    last, began = connection.execute(
        select(func.max(Response.answered_at), func.min(Submission.started_at))
        .select_from(Submission)
        .outerjoin(Response, Response.submission_id == Submission.id)
        .where(Submission.id == submission_id)
    ).one()
    return (now() - (last or began)).total_seconds()


def _json(written: str) -> dict[str, Any]:
    if not written or len(written) > _LONGEST:
        return {}
    try:
        value = json.loads(written, parse_constant=lambda _: None, parse_float=_finite)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _finite(written: str) -> float | None:
    """A number, unless it is one that JSON cannot hold (1e999)."""
    value = float(written)
    return value if math.isfinite(value) else None


def _time(written: str) -> datetime | None:
    try:
        value = datetime.fromisoformat(written)
    except ValueError:
        return None
    return value if value.tzinfo is not None else None


def _duration(value: object) -> int | None:
    """Whole milliseconds, where the value is a possible duration."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return round(value) if 0 <= value <= _LONGEST_MS else None  # false for NaN, and for what is no float any more
