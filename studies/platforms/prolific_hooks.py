"""Prolific's webhooks: whether an event is Prolific's own and fresh, and what it is about.

An event only tells when to ask: nothing in our store is set from it, so events that come twice, in another order or
never do no harm. `Event.id` is to be kept, so that one delivered again does not ask again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crowdloom.studies.errors import PlatformError

SUBMISSION, STUDY = "submission.status.change", "study.status.change"
KINDS = (SUBMISSION, STUDY)
"""The events that `subscribe` asks for."""
WINDOW = timedelta(minutes=5)
"""How far a request's time may be from ours, either way."""

_SIGNATURE, _TIMESTAMP, _ID = "X-Prolific-Request-Signature", "X-Prolific-Request-Timestamp", "X-Event-ID"


class HookError(PlatformError):
    """An event is not Prolific's, not fresh, or cannot be read; `status` is what to answer it with."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Event:
    """An event that is Prolific's: its id, its kind, and what to ask Prolific about."""

    id: str
    kind: str
    study: str | None = None
    """The listing that changed; None for every other kind."""
    submission: str | None = None
    """The submission that changed; None for every other kind."""
    status: str | None = None
    """The vendor's word for the new state, to be shown at most: what holds is what Prolific answers when asked."""


def sign(body: bytes, timestamp: str, secret: str) -> str:
    """The signature of a request: base64 of HMAC-SHA256 over the timestamp and the body's bytes."""
    return base64.b64encode(hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest()).decode()


def verify_event(headers: Mapping[str, str], raw_body: bytes, secret: str, now: datetime) -> Event:
    """The event in a request, once its signature and time are found to be right.

    `headers` may be spelled in any case; `now` has a zone. Raises HookError: 401 for a signature that is missing or
    wrong or a time outside the window, 400 for what is signed but cannot be read.
    """
    if not secret:
        raise HookError("no secret is set, so no event can be Prolific's; set PROLIFIC_WEBHOOK_SECRET", status=401)
    given = {name.lower(): value for name, value in headers.items()}
    signature, timestamp = given.get(_SIGNATURE.lower(), ""), given.get(_TIMESTAMP.lower(), "")
    if not signature or not timestamp:
        raise HookError(f"an event needs the headers {_SIGNATURE} and {_TIMESTAMP}", status=401)
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", timestamp, re.ASCII):
        raise HookError(f"{_TIMESTAMP} is no UNIX time", status=401)
    expected = sign(raw_body, timestamp, secret)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogateescape")):
        raise HookError("the event's signature is not Prolific's", status=401)
    if abs(now.timestamp() - float(timestamp)) > WINDOW.total_seconds():
        raise HookError("the event was sent too long ago, or by a clock that goes wrong", status=401)
    event_id = given.get(_ID.lower(), "")
    if not re.fullmatch(r"[A-Za-z0-9_.:-]{1,100}", event_id, re.ASCII):
        raise HookError(f"an event needs its id in the header {_ID}", status=400)
    return _read(event_id, raw_body)


def _read(event_id: str, raw_body: bytes) -> Event:
    try:
        body: Any = json.loads(raw_body)
    except (ValueError, RecursionError):
        body = None
    kind = body.get("event_type") if isinstance(body, dict) else None
    resource = body.get("resource_id") if isinstance(body, dict) else None
    status = body.get("status") if isinstance(body, dict) else None
    if not isinstance(kind, str) or not re.fullmatch(r"[a-z0-9_.-]{1,50}", kind, re.ASCII):
        raise HookError("the event does not say of which type it is", status=400)
    is_id = isinstance(resource, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", resource, re.ASCII)
    if kind in KINDS and not is_id:
        raise HookError("the event does not say what it is about", status=400)
    return Event(
        event_id,
        kind,
        study=resource if kind == STUDY else None,
        submission=resource if kind == SUBMISSION else None,
        status=status if isinstance(status, str) else None,
    )
