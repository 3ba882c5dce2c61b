"""Prolific's webhooks over HTTP: whatever comes, nothing is set from it; what is Prolific's own brings about a look."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from crowdloom.studies.database import Store, now
from crowdloom.studies.platforms.prolific_hooks import SUBMISSION, sign
from crowdloom.studies.tables import HookEvent, Table
from crowdloom.studies.watching import Watch
from tests.studies.studies_for_tests import open_small

SECRET = "the-secret-of-the-workspace"


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server knows the secret."""
    monkeypatch.setenv("PROLIFIC_WEBHOOK_SECRET", SECRET)


def post(
    client: FlaskClient,
    event_id: str = "event-1",
    *,
    secret: str = SECRET,
    late: timedelta = timedelta(0),
    status: str = "APPROVED",
    tampered: bool = False,
) -> int:
    """Deliver an event as Prolific does; the answer's status."""
    body = {"event_type": SUBMISSION, "resource_id": "60aca280709ee40ec37d4885", "status": status}
    raw = json.dumps(body).encode()
    timestamp = str((now() - late).timestamp())
    headers = {
        "X-Prolific-Request-Signature": sign(raw, timestamp, secret),
        "X-Prolific-Request-Timestamp": timestamp,
        "X-Event-ID": event_id,
    }
    sent = raw.replace(b"APPROVED", b"REJECTED") if tampered else raw
    return client.post("/hooks/prolific", data=sent, headers=headers, content_type="application/json").status_code


def counts(store: Store) -> dict[str, int]:
    """How many rows each table has."""
    with store.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in Table.metadata.sorted_tables
        }


def test_an_event_is_taken_once_and_sets_nothing(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """Delivered again, and in whatever order, it is a success; only the note that it came is new, once."""
    open_small(store, tmp_path)
    before = counts(store)
    assert [post(client, event_id) for event_id in ("b", "a", "b", "b")] == [200] * 4
    after = counts(store)
    assert after.pop("hook_event") == 2
    assert after == {name: number for name, number in before.items() if name != "hook_event"}


@pytest.mark.parametrize(
    "how",
    [
        {"secret": "somebody-elses"},
        {"tampered": True},
        {"late": timedelta(minutes=6)},
        {"late": -timedelta(minutes=6)},
    ],
    ids=["forged", "changed on its way", "replayed later", "from the future"],
)
def test_what_is_not_prolifics_own_and_fresh_is_refused(
    store: Store, client: FlaskClient, how: dict[str, object]
) -> None:
    """401, and not even a note of it."""
    before = counts(store)
    assert post(client, **how) == 401  # type: ignore[arg-type]
    assert counts(store) == before


def test_without_a_secret_nothing_is_believed(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that was not told the secret takes no event, not even one that is signed with an empty one."""
    monkeypatch.delenv("PROLIFIC_WEBHOOK_SECRET")
    assert post(client, secret="") == 401


def test_the_secret_may_stand_in_a_file(client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `crowdloom watch --secret-file` writes it."""
    monkeypatch.delenv("PROLIFIC_WEBHOOK_SECRET")
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    monkeypatch.setenv("PROLIFIC_WEBHOOK_SECRET_FILE", str(tmp_path / "secret"))
    assert post(client) == 200


def test_what_is_signed_but_cannot_be_read_is_refused(store: Store, client: FlaskClient) -> None:
    """400, and not even a note of it."""
    timestamp = str(now().timestamp())
    headers = {
        "X-Prolific-Request-Signature": sign(b"[]", timestamp, SECRET),
        "X-Prolific-Request-Timestamp": timestamp,
        "X-Event-ID": "x",
    }
    assert client.post("/hooks/prolific", data=b"[]", headers=headers).status_code == 400
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(HookEvent)).scalar_one() == 0


def test_an_event_ends_the_wait_of_a_watch(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """`crowdloom watch` looks again within a second or two, and not only when its time is over."""
    open_small(store, tmp_path)
    watch = Watch(store, "small")
    list(watch.look())
    began = time.monotonic()
    timer = threading.Timer(0.2, post, (client,))
    timer.start()
    watch.wait(threading.Event(), 30)
    timer.join()
    assert time.monotonic() - began < 10
