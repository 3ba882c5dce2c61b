"""Prolific's webhooks: what is genuine and fresh is taken, everything else is refused and changes nothing."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crowdloom.studies.platforms.prolific_account import ProlificAccount
from crowdloom.studies.platforms.prolific_api import Api
from crowdloom.studies.platforms.prolific_hooks import Event, HookError, sign, verify_event
from tests.prolific import StandIn
from tests.prolific.examples import connect, hand_in, make_notice
from tests.prolific.scripted import Reply, scripted

SECRET = "a-secret-of-the-workspace"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SUBMISSION = {
    "event_type": "submission.status.change",
    "resource_id": "60d9aadeb86739de712faee0",
    "participant_id": "5f0000000000000000000009",
    "status": "AWAITING REVIEW",
}


def _request(
    payload: object = SUBMISSION, at: datetime = NOW, secret: str = SECRET, event: str = "evt-1"
) -> tuple[dict[str, str], bytes]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    timestamp = str(int(at.timestamp()))
    headers = {
        "X-Prolific-Request-Timestamp": timestamp,
        "X-Prolific-Request-Signature": sign(body, timestamp, secret),
        "X-Event-ID": event,
    }
    return headers, body


def test_signature_is_prolifics() -> None:
    """Base64 of HMAC-SHA256 over timestamp and body: a value calculated by openssl."""
    assert sign(b'{"a": 1}', "1640995200", "secret") == "NTvYG7YAZqT5NdQEgF/6unDsMOiSi5HdAtBuo1aTCNU="


def test_genuine_events_say_what_to_ask_about() -> None:
    """A submission's event names the submission, a study's the study, another kind neither."""
    headers, body = _request()
    assert verify_event(headers, body, SECRET, NOW) == Event(
        "evt-1", SUBMISSION["event_type"], submission=SUBMISSION["resource_id"], status="AWAITING REVIEW"
    )
    lower = {name.lower(): value for name, value in headers.items()}
    assert verify_event(lower, body, SECRET, NOW).submission == SUBMISSION["resource_id"]
    headers, body = _request({"event_type": "study.status.change", "resource_id": "abc", "status": "ACTIVE"})
    assert verify_event(headers, body, SECRET, NOW) == Event("evt-1", "study.status.change", "abc", status="ACTIVE")
    headers, body = _request({"event_type": "study.something.new"})
    assert verify_event(headers, body, SECRET, NOW) == Event("evt-1", "study.something.new")


def test_replayed_event_has_the_same_id() -> None:
    """The same request again is genuine within the window, and its id is by which it is known to have come before."""
    headers, body = _request()
    first = verify_event(headers, body, SECRET, NOW)
    assert verify_event(headers, body, SECRET, NOW + timedelta(minutes=4)) == first
    with pytest.raises(HookError, match="too long ago") as raised:
        verify_event(headers, body, SECRET, NOW + timedelta(minutes=5, seconds=1))
    assert raised.value.status == 401
    again, body = _request(at=NOW + timedelta(hours=3))  # Prolific's own second attempt is signed anew
    assert verify_event(again, body, SECRET, NOW + timedelta(hours=3)) == first


def test_late_and_early_events_are_refused() -> None:
    """Five minutes either way are the window."""
    headers, body = _request()
    for away in (timedelta(minutes=-5), timedelta(minutes=5)):
        assert verify_event(headers, body, SECRET, NOW + away).id == "evt-1"
        with pytest.raises(HookError, match="too long ago"):
            verify_event(headers, body, SECRET, NOW + away * 1.01)


@pytest.mark.parametrize(
    "change",
    [
        {"X-Prolific-Request-Signature": ""},
        {"X-Prolific-Request-Timestamp": ""},
        {"X-Prolific-Request-Signature": "AAAA"},
        {"X-Prolific-Request-Signature": "\udce4 not ascii ä"},
        {"X-Prolific-Request-Timestamp": "1764072001"},
        {"X-Prolific-Request-Timestamp": "yesterday"},
        {"X-Prolific-Request-Timestamp": "NaN"},
        {"X-Prolific-Request-Timestamp": "9" * 400},
    ],
)
def test_forged_headers_are_refused(change: dict[str, str]) -> None:
    """A signature or time that is missing, malformed or another is 401."""
    headers, body = _request()
    with pytest.raises(HookError) as raised:
        verify_event(headers | change, body, SECRET, NOW)
    assert raised.value.status == 401
    assert SECRET not in str(raised.value)


def test_forged_bodies_and_secrets_are_refused() -> None:
    """A body with one byte changed, another secret, and no secret at all are 401."""
    headers, body = _request()
    for given, raw, secret in (
        (headers, body.replace(b"AWAITING REVIEW", b"APPROVED"), SECRET),
        (headers, body + b" ", SECRET),
        (_request(secret="guessed")[0], body, SECRET),
        (_request(secret="")[0], body, ""),
    ):
        with pytest.raises(HookError) as raised:
            verify_event(given, raw, secret, NOW)
        assert raised.value.status == 401


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no json",
        b"\xff\xfe",
        b"[" * 5_000,
        b"[]",
        {"event_type": 7, "resource_id": "abc"},
        {"event_type": "submission.status.change"},
        {"event_type": "submission.status.change", "resource_id": "../users/me"},
        {"event_type": "study.status.change", "resource_id": ["abc"]},
    ],
)
def test_signed_nonsense_is_malformed(payload: object) -> None:
    """What is signed but cannot be read is 400."""
    headers, body = _request(payload)
    gc.collect()  # else something may be collected, and fail, at the bottom of the brackets
    with pytest.raises(HookError) as raised:
        verify_event(headers, body, SECRET, NOW)
    assert raised.value.status == 400


@pytest.mark.parametrize("event", ["", "x" * 101, "a b", "a\nb"])
def test_event_needs_an_id(event: str) -> None:
    """Without an id that can be kept, an event could not be known again: 400."""
    headers, body = _request(event=event)
    with pytest.raises(HookError, match="X-Event-ID") as raised:
        verify_event(headers, body, SECRET, NOW)
    assert raised.value.status == 400


@pytest.fixture
def prolific(test_data: Path) -> Iterator[StandIn]:
    """A stand-in with nothing on it."""
    with StandIn(test_data) as started:
        yield started


def test_subscribing_confirms_and_keeps_the_secret(prolific: StandIn) -> None:
    """Both kinds of events are subscribed and confirmed once; the workspace's secret is the same the second time."""
    account = connect(prolific)
    secret = account.subscribe("https://study.example/hooks/prolific")
    assert account.subscribe("https://study.example/hooks/prolific") == secret
    assert [(each["event_type"], each["is_enabled"]) for each in prolific.records("subscription")] == [
        ("submission.status.change", True),
        ("study.status.change", True),
    ]
    assert len(prolific.calls("create-secret")) == 1


def test_subscription_may_come_bare() -> None:
    """An answer with the one subscription, as the guide shows it, is confirmed like one in a list."""
    replies = [
        Reply(200, {"results": [{"id": "w1", "title": "lab"}]}),
        Reply(200, {"results": [{"id": "s1", "value": SECRET, "workspace_id": "w1"}]}),
        Reply(200, {"results": []}),
        *[
            reply
            for name in ("first-0a", "second-0b")
            for reply in (Reply(201, {"id": name}, {"X-Hook-Secret": f"of-{name}"}), Reply(200, {}))
        ],
    ]
    with scripted(replies) as server:
        account = ProlificAccount(Api(server.url, "another-token"), server.url)
        assert account.subscribe("https://study.example/hook") == SECRET
        assert [head.split()[1] for head in server.requests[3:]] == [
            "/api/v1/hooks/subscriptions/",
            "/api/v1/hooks/subscriptions/first-0a/",
            "/api/v1/hooks/subscriptions/",
            "/api/v1/hooks/subscriptions/second-0b/",
        ]


def test_events_that_are_delivered_are_genuine(prolific: StandIn) -> None:
    """What the stand-in sends over HTTP is verified; the same in another order means the same."""
    account = connect(prolific)
    with scripted([Reply(204, b"")]) as receiver:
        secret = account.subscribe(receiver.url + "/hook")
        study = account.create(make_notice()).remote_id
        account.open(study)
        _, session = hand_in(prolific, study)
        assert prolific.deliver() == [204, 204, 204]
        assert prolific.deliver() == []
        assert all("X-Event-ID: " in head for head in receiver.requests)
    events = [
        verify_event(each["headers"], each["body"].encode(), secret, datetime.now(UTC)) for each in prolific.events
    ]
    assert [(each.study, each.submission, each.status) for each in events] == [
        (study, None, "ACTIVE"),
        (None, session, "ACTIVE"),
        (None, session, "AWAITING REVIEW"),
    ]
    assert len({each.id for each in events}) == 3
    backwards = [
        verify_event(each["headers"], each["body"].encode(), secret, datetime.now(UTC))
        for each in reversed(prolific.events)
    ]
    assert backwards[::-1] == events
    assert account.submission(session).vendor_state == "AWAITING REVIEW", "what holds is what is asked for"
