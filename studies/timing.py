"""What a trial's form says of time: the browser's own clock, and ours beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from crowdloom.studies.database import Store, now
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.participation import Assigned, read_progress
from crowdloom.studies.posting import SIMULATED
from crowdloom.studies.tables import Response, Submission
from crowdloom.tasks.protocol import AnswerError

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


def check_time(store: Store, design: DesignModel, submission: Assigned, position: int, rt_ms: int | None) -> None:
    """Raise AnswerError where an answer came sooner than the design lets it, which its page prevents by itself.

    The browser may say what it likes: by our own clock so much time must have passed since the answer before. Only
    simulated people, whose time is none, are taken at their word.
    """
    least = design.trials.minimum_seconds
    if not least:
        return
    soon = rt_ms is not None and rt_ms < 1000 * least
    if not soon and not submission.values.get(SIMULATED):
        with store.read() as connection:
            is_next = position == read_progress(connection, submission.token).answered
            soon = is_next and seconds_since_last(connection, submission.id) < least
    if soon:
        raise AnswerError({"progress": f"Please take at least {least:g} seconds before you go on."})


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
