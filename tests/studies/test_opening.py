"""Opening a store: what is refused, left alone and named, and that a failure leaves no trace."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, text

from crowdloom.studies.database import SCHEMA_VERSION, now, open_store
from crowdloom.studies.errors import StoreError
from crowdloom.studies.tables import (
    Study,
)
from tests.studies.test_database import add_study, count, digests


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
