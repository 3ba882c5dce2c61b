"""What tests do to the stand-in and learn from it, each verb an endpoint `/_control/VERB`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.prolific import submissions
from tests.prolific.faults import add_fault
from tests.prolific.state import Record, RefusedError, found

if TYPE_CHECKING:
    from tests.prolific.server import Server


def _add_participant(server: Server) -> str:
    return str(server.state.put("participant", {})["id"])


def _arrive(server: Server, study: str, participant: str, status: str = "ACTIVE") -> str:
    return submissions.join_url(server.state, submissions.arrive(server.state, study, participant, status))


def _complete(server: Server, submission: str, code: str) -> Record:
    return submissions.complete(server.state, submission, code)


def _leave(server: Server, submission: str, status: str) -> Record:
    return submissions.leave(server.state, submission, status)


def _settle(server: Server) -> int:
    return submissions.run_jobs(server.state, None)


def _fault(server: Server, operation: str, kind: str, times: int = 1) -> None:
    add_fault(server.state, operation, kind, times)


def _clear_faults(server: Server) -> int:
    faults = server.state.all("fault")
    for each in faults:
        server.state.delete("fault", each["id"])
    return sum(each["times"] for each in faults)


def _hanging(server: Server) -> int:
    return server.hanging


def _release(server: Server) -> None:
    server.release.set()
    server.release = threading.Event()


def _record(server: Server, kind: str, id: str) -> Record:  # noqa: A002 - as the records have it
    return found(server.state, kind, id)


def _records(server: Server, kind: str, **fields: Any) -> list[Record]:
    return server.state.all(kind, **fields)


def _put(server: Server, kind: str, record: Record) -> Record:
    return server.state.put(kind, record)


def _events(server: Server) -> list[Record]:
    """Every event with the request that brings it: body, headers and signature as of now."""
    keys = {each["workspace_id"]: each["value"] for each in server.state.all("secret")}
    return [_signed(event, keys.get(event["workspace"], "")) for event in server.state.all("event")]


def _signed(event: Record, secret: str) -> Record:
    body, timestamp = json.dumps(event["payload"]), str(int(time.time()))
    digest = hmac.new(secret.encode(), (timestamp + body).encode(), hashlib.sha256).digest()
    headers = {
        "Content-Type": "application/json",
        "X-Event-ID": event["id"],
        "X-Prolific-Request-Timestamp": timestamp,
        "X-Prolific-Request-Signature": base64.b64encode(digest).decode(),
    }
    return {**event, "headers": headers, "body": body}


def _deliver(server: Server) -> list[int]:
    """Send what was not sent yet to all confirmed subscriptions; the statuses that came back.

    Nothing is locked meanwhile: who is called may ask the API at once.
    """
    with server.state.transaction():
        subscriptions = server.state.all("subscription", is_enabled=True)
        waiting = [event for event in _events(server) if not event["sent"]]
        for event in waiting:
            kept = {name: event[name] for name in ("id", "payload", "workspace", "at")}
            server.state.put("event", {**kept, "sent": True})
    return [
        _post(one["target_url"], event["body"], event["headers"])
        for event in waiting
        for one in subscriptions
        if (one["event_type"], one["workspace_id"]) == (event["payload"]["event_type"], event["workspace"])
    ]


def _post(url: str, body: str, headers: dict[str, str]) -> int:
    parts = urlsplit(url)
    if parts.hostname not in ("127.0.0.1", "localhost"):
        raise RefusedError(400, 1, "events are delivered to this machine only")
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        connection.request("POST", f"{parts.path or '/'}?{parts.query}".rstrip("?"), body.encode(), headers)
        return connection.getresponse().status
    finally:
        connection.close()


VERBS: dict[str, Callable[..., Any]] = {
    "add_participant": _add_participant,
    "arrive": _arrive,
    "complete": _complete,
    "leave": _leave,
    "settle": _settle,
    "fault": _fault,
    "clear_faults": _clear_faults,
    "hanging": _hanging,
    "release": _release,
    "record": _record,
    "records": _records,
    "put": _put,
    "events": _events,
}
UNLOCKED: dict[str, Callable[..., Any]] = {"deliver": _deliver}
"""Verbs that see to their transactions themselves."""
