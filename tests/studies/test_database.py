"""The store, on SQLite and on PostgreSQL: what it keeps, what it refuses, and that a failure leaves no trace."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from crowdloom.studies.database import SCHEMA_VERSION, Store, new_token, now, open_store
from crowdloom.studies.errors import StoreError
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


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, whose file's name has signs that addresses use."""
    if request.param == "sqlite":
        return str(tmp_path / "my study, 100%.db")
    return str(request.getfixturevalue("postgres_url"))


def test_a_store_is_opened_again(database: str) -> None:
    """What was stored is there when the same address, or the one that the store itself gives, is opened again."""
    store = open_store(database)
    add_study(store)
    store.close()
    for address in (database, store.url):
        again = open_store(address, create=False)
        assert count(again) == 1
        again.close()


def set_version(url: str, version: str) -> None:
    """Make a database say that it is of this version."""
    store = open_store(url)
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
    store.close()


def test_a_newer_database_is_refused(database: str) -> None:
    """The message says that crowdloom must be updated; nothing in the database changes."""
    set_version(database, "9999")
    path = Path(database)
    before = digests(path.parent) if path.is_file() else None
    with pytest.raises(StoreError, match=f"newer crowdloom .schema 9999, this one knows {SCHEMA_VERSION}.; update"):
        open_store(database)
    assert before == (digests(path.parent) if path.is_file() else None)


def test_an_older_database_is_refused(database: str) -> None:
    """The message names the command that upgrades it."""
    set_version(database, "0000")
    with pytest.raises(StoreError, match="older schema 0000; run `crowdloom upgrade`"):
        open_store(database)


def test_an_empty_database_is_not_made_unasked(database: str, tmp_path: Path) -> None:
    """Reading from a store that is not there says so and leaves no empty file behind."""
    with pytest.raises(StoreError, match="is empty; load a study into it first"):
        open_store(database, create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("table", ["invoices", "alembic_version"])
def test_somebody_elses_sqlite_file_is_left_alone(tmp_path: Path, table: str) -> None:
    """Another program's database is refused, and not one byte of it changes."""
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE {table} (version_num TEXT)")
    before = digests(tmp_path)
    with pytest.raises(StoreError, match=f"is a database of something else .it has a table '{table}'.; name an empty"):
        open_store(str(path))
    assert digests(tmp_path) == before


def test_somebody_elses_postgres_database_is_left_alone(postgres_url: str) -> None:
    """Another program's database is refused on PostgreSQL too."""
    from crowdloom.studies.database import make_engine

    engine = make_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE invoices (id int)"))
    with pytest.raises(StoreError, match=r"a database of something else \(it has a table 'invoices'\)"):
        open_store(postgres_url)
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all() == [
            "invoices"
        ]
    engine.dispose()


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    """A text file is refused, and stays as it is."""
    path = tmp_path / "notes.txt"
    path.write_text("These are my notes. " * 100)
    before = digests(tmp_path)
    with pytest.raises(StoreError, match="the file is not SQLite's; name another one"):
        open_store(str(path))
    assert digests(tmp_path) == before


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("{}/nowhere/store.db", "the folder .*/nowhere does not exist; create it"),
        ("{}", "unable to open database file; check that the file"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("mysql://anna:secret@localhost/studies", "is of another kind; give the path"),
        ("postgresql+psycopg2://anna:secret@localhost/studies", "is of another kind; give the path"),
        ("nonsense://", "is of another kind; give the path"),
        ("postgresql://anna:secret@localhost:many/studies", "is not an address; give the path"),
        ("postgresql://anna:secret@localhost:1/studies", "Connection refused.*check the address and the server"),
    ],
)
def test_a_bad_address_is_named(tmp_path: Path, url: str, sentence: str) -> None:
    """Each address that cannot be used gets its reason and what to give instead, never the password."""
    with pytest.raises(StoreError, match=sentence) as caught:
        open_store(url.format(tmp_path))
    assert "secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user of this machine can enter, as pytest's own cannot."""
    folder = Path(tempfile.mkdtemp(prefix="crowdloom-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_read_only_file_is_named_as_such(public_folder: Path) -> None:
    """Writing to a file without the right to do so says what to change, and the file stays as it is."""
    path = public_folder / "store.db"
    open_store(str(path)).close()
    path.chmod(0o444)
    before = digests(public_folder)
    context = multiprocessing.get_context("fork")  # a process that has all modules and may then drop its rights
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=write_as_nobody, args=(path, send))
    process.start()
    assert receive.poll(30)
    assert "make the file and its folder writable; nothing of this was stored" in receive.recv()
    process.join(30)
    assert digests(public_folder) == before


def write_as_nobody(path: Path, send: Any) -> None:
    """Try to write to the store as a user who may not; send the message."""
    if os.geteuid() == 0:
        os.setuid(65534)
    try:
        add_study(open_store(str(path)))
    except StoreError as error:
        send.send(str(error))


def test_a_full_disk_is_named_as_such(tmp_path: Path) -> None:
    """When SQLite finds no room, the transaction leaves no trace; with room again it succeeds."""
    store = open_store(str(tmp_path / "store.db"))
    add_study(store)
    store.close()
    pages = {"max": 0}
    event.listen(
        store.engine,
        "connect",
        lambda connection, _: connection.execute(f"PRAGMA max_page_count = {pages['max']}"),
    )
    with store.read() as connection:
        pages["max"] = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
    store.close()

    def fill() -> None:
        with store.write() as connection:
            for number in range(200):
                connection.execute(insert(Study).values(name=f"s{number}", token=f"t{number}", created_at=now()))

    with pytest.raises(StoreError, match="is full; free some disk space and try again; nothing of this was stored"):
        fill()
    assert count(store) == 1
    store.close()
    pages["max"] *= 10
    fill()
    assert count(store) == 201
    store.close()


def test_a_postgres_server_that_goes_away_is_named(postgres_url: str) -> None:
    """A connection that the server closes in a transaction is a StoreError, and the next transaction works."""
    store = open_store(postgres_url)

    def lose_the_connection() -> None:
        with store.write() as connection:
            connection.execute(insert(Study).values(name="pets", token="t", created_at=now()))
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
            with store.read() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
            connection.execute(text("SELECT 1"))

    with pytest.raises(StoreError, match="check the address and the server; nothing of this was stored"):
        lose_the_connection()
    assert count(store) == 0
    store.close()
