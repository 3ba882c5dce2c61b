"""The store, on SQLite and on PostgreSQL: what it keeps, what it refuses, and that a failure leaves no trace."""

from __future__ import annotations

import hashlib
import multiprocessing
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from crowdloom.studies.database import Store, new_token, now, open_store
from crowdloom.studies.tables import (
    Design,
    Event,
    Item,
    Job,
    Participant,
    Payment,
    Posting,
    Response,
    Study,
    Submission,
    Table,
)

ANSWER = {"top1": "Katze ä", "p": 0.1}


def add(store: Store, table: type[Table], **values: Any) -> int:
    """Add a row; its id."""
    with store.write() as connection:
        key: Any = table.__table__.c.id
        return int(connection.execute(insert(table).values(**values).returning(key)).scalar_one())


def add_study(store: Store, name: str = "pets") -> int:
    """Add a study; its id."""
    return add(store, Study, name=name, token=new_token(), created_at=now())


def add_response(store: Store) -> dict[str, Any]:
    """A study with one response and one event; the response as it was stored."""
    study = add_study(store)
    design = add(store, Design, study_id=study, version=1, sha256="0", task="t", source="", values={}, created_at=now())
    item = add(store, Item, study_id=study, key="a", content_sha256="0", token="i", attributes={})
    posting = add(
        store, Posting, design_id=design, platform="link", token="p", state="open", values={}, created_at=now()
    )
    person = add(store, Participant, pseudonym="x", platform="link", platform_id="anna", created_at=now())
    submission = add(
        store,
        Submission,
        token="s",
        pseudonym="y",
        posting_id=posting,
        participant_id=person,
        state="started",
        stage="trials",
        item_order=[],
        class_order=[],
        started_at=now(),
    )
    row = {
        "submission_id": submission,
        "item_id": item,
        "repeat_index": 0,
        "position": 0,
        "answer": ANSWER,
        "packed": b"\x00\xff",
        "timing": None,
        "answered_at": now(),
    }
    add(store, Response, **row)
    add(store, Event, submission_id=submission, kind="consent_given", values={}, at=now())
    return row


def count(store: Store, table: type[Table] = Study) -> int:
    """How many rows a table has."""
    with store.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def digests(folder: Path) -> dict[str, str]:
    """Every file of a folder with the digest of its bytes."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_sqlite_is_opened_for_safety_before_speed(sqlite_store: Store) -> None:
    """Every connection, pooled or not, has WAL, full synchronisation, foreign keys and a busy timeout."""
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    with sqlite_store.read() as one, sqlite_store.read() as other:
        for connection in (one, other):
            found = {pragma: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() for pragma in expected}
            assert found == expected


def test_a_sqlite_write_takes_the_lock_at_its_start(sqlite_store: Store) -> None:
    """A second program cannot begin to write while a transaction that has not written yet is open."""
    path = str(sqlite_store.engine.url.database)
    with sqlite_store.write(), closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT count(*) FROM study").fetchone() == (0,)  # reading goes on


def test_times_come_back_as_utc(store: Store) -> None:
    """A time of any zone comes back as the same moment, in UTC, to the microsecond."""
    written = datetime(2024, 3, 31, 2, 30, 0, 123_456, tzinfo=timezone(timedelta(hours=-7)))
    add(store, Study, name="pets", token="t", created_at=written)
    with store.read() as connection:
        read = connection.execute(select(Study.created_at)).scalar_one()
        later = connection.execute(select(Study.id).where(Study.created_at > written - timedelta(microseconds=1)))
        assert later.scalars().all() == connection.scalars(select(Study.id)).all()
    assert read == written
    assert read.tzinfo is UTC


def test_times_without_a_zone_are_refused(store: Store) -> None:
    """A naive time would be somebody's local time, so it is not stored."""
    with pytest.raises(StatementError, match="without a zone"):
        add(store, Study, name="pets", token="t", created_at=datetime(2024, 1, 1))  # noqa: DTZ001
    assert count(store) == 0


def test_an_answer_comes_back_as_given(store: Store) -> None:
    """JSON, bytes and missing values survive the round trip, and what is missing is NULL."""
    row = add_response(store)
    with store.read() as connection:
        found = connection.execute(select(Response)).mappings().one()
        assert {name: found[name] for name in row} == row
        assert connection.scalars(select(Response.id).where(Response.timing.is_(None))).all() == [found["id"]]


@pytest.mark.parametrize("table", ["response", "event"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET submission_id = submission_id", "DELETE FROM {}"])
def test_answers_and_events_are_only_ever_added(store: Store, table: str, statement: str) -> None:
    """The database itself refuses to change or delete a response or an event."""
    add_response(store)
    with pytest.raises(DBAPIError, match=f"{table} is append-only"), store.write() as connection:
        connection.execute(text(statement.format(table)))
    assert (count(store, Response), count(store, Event)) == (1, 1)


def test_one_answer_to_one_trial(store: Store) -> None:
    """A second row with the same submission, item and repeat index is refused; another repeat index is not."""
    row = add_response(store)
    with pytest.raises(IntegrityError):
        add(store, Response, **row)
    add(store, Response, **(row | {"repeat_index": 1}))
    assert count(store, Response) == 2


def test_a_row_cannot_refer_to_nothing(store: Store) -> None:
    """Foreign keys are enforced on both databases."""
    with pytest.raises(IntegrityError):
        add(
            store,
            Payment,
            submission_id=404,
            purpose="reward",
            amount=1,
            currency="EUR",
            state="pending",
            created_at=now(),
            updated_at=now(),
        )


def test_write_is_all_or_nothing(store: Store) -> None:
    """An exception in the middle of a transaction leaves nothing of it, and the store goes on working."""

    def fail_half_way() -> None:
        with store.write() as connection:
            for name in ("one", "two"):
                connection.execute(insert(Study).values(name=name, token=name, created_at=now()))
            raise KeyError("something else")

    with pytest.raises(KeyError, match="something else"):
        fail_half_way()
    assert count(store) == 0
    add_study(store)
    assert count(store) == 1


def add_one(store: Store, times: int) -> None:
    """Read a counter and write it back, one higher."""
    for _ in range(times):
        with store.write() as connection:
            attempts = connection.execute(select(Job.attempts).with_for_update()).scalar_one()
            connection.execute(text("UPDATE job SET attempts = :n"), {"n": attempts + 1})


def add_in_a_process(url: str, times: int) -> None:
    """`add_one` on the process's own connections."""
    store = open_store(url)
    add_one(store, times)
    store.close()


def add_counter(store: Store) -> None:
    """The row that `add_one` counts in."""
    add(store, Job, token="j", task="t", step="s", state="queued", input={}, time_limit_s=1, created_at=now())


def counted(store: Store) -> int:
    """Where the counter stands."""
    with store.read() as connection:
        return connection.execute(select(Job.attempts)).scalar_one()


def test_threads_that_write_at_once_lose_nothing(store: Store) -> None:
    """Eight threads that read a number and write it back, one higher, count every time."""
    add_counter(store)
    threads = [threading.Thread(target=add_one, args=(store, 10)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted(store) == 80


def test_processes_that_write_at_once_lose_nothing(store: Store) -> None:
    """Four processes that open the same store and count in the same row count every time."""
    add_counter(store)
    assert run_processes(4, add_in_a_process, store.url, 25) == [0, 0, 0, 0]
    assert counted(store) == 100


def test_processes_that_open_an_empty_database_at_once(
    request: pytest.FixtureRequest, tmp_path: Path, database: str
) -> None:
    """Six processes that all find no tables make them once, and all go on."""
    assert run_processes(6, open_and_close, database) == [0] * 6
    store = open_store(database)
    assert count(store) == 0
    store.close()


def open_and_close(url: str) -> None:
    """Open a store and close it."""
    open_store(url).close()


def run_processes(number: int, target: Callable[..., None], *arguments: Any) -> list[int | None]:
    """Run a function in so many processes at once; their exit codes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["crowdloom.studies.database"])
    processes = [context.Process(target=target, args=arguments) for _ in range(number)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    return [process.exitcode for process in processes]
