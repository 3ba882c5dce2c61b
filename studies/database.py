"""The store: opening a database, checking its version, and transactions on it.

SQLite and PostgreSQL run the same code. Every write is one transaction in `Store.write()`, which on
SQLite begins IMMEDIATE, so that two writers queue instead of failing half-way.
"""

from __future__ import annotations

import math
import os
import secrets
import sqlite3
import string
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Executable, create_engine, event, inspect, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.pool import ConnectionPoolEntry

from crowdloom.studies.errors import StoreError
from crowdloom.studies.tables import Table

SCHEMA_VERSION = "0006"
"""The newest migration; a test compares it with `migrations/`."""

BUSY_TIMEOUT_S = 30


class Store:
    """A database that is open and of the right version; get one from `open_store`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writing = engine.execution_options(crowdloom_begin="BEGIN IMMEDIATE")
        # On SQLite every transaction sees one state; PostgreSQL must be asked to.
        is_sqlite = engine.dialect.name == "sqlite"
        self._reading = engine if is_sqlite else engine.execution_options(isolation_level="REPEATABLE READ")
        # Threads of one process queue here rather than in SQLite's busy loop, which sleeps too long.
        self._turn: Any = threading.Lock() if is_sqlite else nullcontext()

    @property
    def url(self) -> str:
        """The address, password included, for a process that is to open the same store; of SQLite the path."""
        if self.engine.dialect.name == "sqlite":
            return str(Path(str(self.engine.url.database)).absolute())
        return self.engine.url.render_as_string(hide_password=False)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that is committed at the end of the block, or leaves no trace.

        Raises StoreError where the disk is full, the file read-only or the server gone.
        """
        with self._turn, _mapped(self.engine), self._writing.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads: one consistent state of the store."""
        with _mapped(self.engine), self._reading.begin() as connection:
            yield connection

    def wipe(self) -> None:
        """Leave nothing in the database's files of what was overwritten or deleted: free pages, dead rows, old logs.

        Raises StoreError where somebody else holds the database; what is in it is as it was. Backups, and the logs
        that a PostgreSQL server archives, are not reached from here.
        """
        statements = (
            ["PRAGMA secure_delete=ON", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"]
            if self.engine.dialect.name == "sqlite"
            else [f"VACUUM FULL {', '.join(_WITH_IDENTITIES)}"]
        )
        # None of these may stand in a transaction, which SQLAlchemy would begin.
        with self._turn, _mapped(self.engine), closing(self.engine.raw_connection()) as connection:
            if self.engine.dialect.name == "postgresql":
                connection.driver_connection.autocommit = True  # type: ignore[union-attr]
            try:
                for statement in statements:
                    connection.cursor().execute(statement)
            finally:
                connection.invalidate()  # the settings are this connection's alone

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


_WITH_IDENTITIES = ("participant", "remote_submission", "invitation", "payment", "posting", "recording")
"""The tables in which ids of people, and their voices, stand or stood."""


def default_url() -> str:
    """`$CROWDLOOM_DATABASE`, or a SQLite file in the user's data directory."""
    if url := os.environ.get("CROWDLOOM_DATABASE"):
        return url
    from platformdirs import user_data_path

    return str(user_data_path("crowdloom", ensure_exists=True) / "crowdloom.db")


def open_store(url: str | None = None, *, create: bool = True) -> Store:
    """Open a database; an empty one gets the tables, unless `create` is false.

    `url` is a SQLAlchemy URL, `postgresql://…`, or the path of a SQLite file.
    Raises StoreError for a database that cannot be reached, is not crowdloom's, or is of another version.
    """
    store = Store(make_engine(default_url() if url is None else url))
    try:
        found = schema_version(store)
        if found is None and create:
            _create(store)
        elif found != SCHEMA_VERSION:
            raise StoreError(_advice(store, found))
        use_wal(store.engine)
    except BaseException:
        store.close()
        raise
    return store


def make_engine(url: str) -> Engine:
    """An engine with our pragmas and no opinion on what the database holds. Raises StoreError for a bad URL."""
    address = _address(url)
    if address.get_backend_name() == "postgresql":
        return create_engine(address, pool_size=20, max_overflow=20, pool_pre_ping=True, hide_parameters=True)
    folder = Path(str(address.database)).absolute().parent
    if not folder.is_dir():
        raise StoreError(f"the folder {folder} does not exist; create it, or name another database")
    # Parameters are answers and tokens: they stay out of logs and messages.
    engine = create_engine(
        address, connect_args={"timeout": BUSY_TIMEOUT_S}, pool_size=20, max_overflow=20, hide_parameters=True
    )
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _address(url: str) -> URL:
    if "://" not in url:
        return URL.create("sqlite", database=url)  # a path, whatever signs it has
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"--database is not an address; {_ADDRESSES}") from error
    if address.drivername in ("postgres", "postgresql"):
        address = address.set(drivername="postgresql+psycopg")
    if address.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise StoreError(f"--database {address.render_as_string()} is of another kind; {_ADDRESSES}")
    if address.get_backend_name() == "sqlite" and address.database in (None, "", ":memory:"):
        raise StoreError(f"--database {address.render_as_string()} names no file, and answers must outlive the process")
    return address


_ADDRESSES = "give the path of a SQLite file, sqlite:///FILE or postgresql://USER@HOST/NAME"


def schema_version(store: Store) -> str | None:
    """The version that a database says it has; None for an empty one.

    Changes nothing, and creates no file. Raises StoreError for somebody else's database.
    """
    version = text("SELECT version_num FROM alembic_version")
    found = version_in(store, {"alembic_version", "study", "submission"}, version, "name an empty one")
    return None if found is None else str(found)


def version_in(store: Store, tables: set[str], query: Executable, advice: str) -> Any:
    """What `query` finds in a database that has these tables; None for an empty one, without making a file.

    Raises StoreError, with the advice, for a database of something else.
    """
    url = store.engine.url
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return None
    with store.read() as connection:
        names = set(inspect(connection).get_table_names())
        if not names:
            return None
        if tables <= names:
            return connection.execute(query).scalar()
    raise StoreError(
        f"{url.render_as_string()} is a database of something else (it has a table {sorted(names)[0]!r}); {advice}"
    )


def _create(store: Store) -> None:
    with store.write() as connection:
        lock_schema(connection)
        if inspect(connection).has_table("alembic_version"):
            return  # another process was faster
        Table.metadata.create_all(connection, checkfirst=False)
        # As Alembic would write it; importing Alembic here would slow down every start.
        connection.execute(
            text(
                "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
                "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
            )
        )
        connection.execute(text("INSERT INTO alembic_version VALUES (:v)"), {"v": SCHEMA_VERSION})


def lock_schema(connection: Connection) -> None:
    """Let processes that create or upgrade one database take turns (on SQLite all writers do so anyway)."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(7236551)"))  # any number, always the same


def _advice(store: Store, found: str | None) -> str:
    where = store.engine.url.render_as_string()
    if found is None:
        return f"{where} is empty; load a study into it first"
    if found > SCHEMA_VERSION:
        return (
            f"{where} was written by a newer crowdloom (schema {found}, this one knows {SCHEMA_VERSION}); "
            "update crowdloom, nothing was changed"
        )
    return f"{where} has the older schema {found}; run `crowdloom upgrade` (this crowdloom needs {SCHEMA_VERSION})"


def _set_pragmas(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_S * 1000}",
        "synchronous=FULL",
        "foreign_keys=ON",
        "recursive_triggers=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def use_wal(engine: Engine) -> None:
    """Readers and a writer at the same time. It is written into the file, so only once the file is known to be ours."""
    if engine.dialect.name != "sqlite":
        return
    until = time.monotonic() + BUSY_TIMEOUT_S
    # A pragma of this kind may not stand in a transaction, which SQLAlchemy would begin.
    with _mapped(engine), closing(engine.raw_connection()) as connection:
        while True:
            try:
                connection.cursor().execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                # Of several processes that open a new file at once, SQLite refuses some without waiting.
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(0.02)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("crowdloom_begin", "BEGIN"))


@contextmanager
def _mapped(engine: Engine) -> Iterator[None]:
    """Say what the database's own error means, keeping it as the cause."""
    try:
        yield
    except (DatabaseError, sqlite3.OperationalError) as error:
        reason = " ".join(str(error.orig if isinstance(error, DatabaseError) else error).split())
        advice = next((advice for sign, advice in _SIGNS.items() if sign in reason), None)
        if advice is None and isinstance(error, OperationalError) and engine.dialect.name == "postgresql":
            advice = "check the address and the server"
        if advice is None or isinstance(error, IntegrityError | ProgrammingError):
            raise  # a fault of ours
        raise StoreError(
            f"the database {engine.url.render_as_string()} failed: {reason}; {advice}; nothing of this was stored"
        ) from error


_SIGNS = {
    "is full": "free some disk space and try again",
    "No space": "free some disk space and try again",
    "disk I/O error": "check the disk and its free space",
    "readonly": "make the file and its folder writable",
    "locked": "another program holds it; try again",
    "not a database": "the file is not SQLite's; name another one",
    "malformed": "the file is damaged; restore a copy",
    "unable to open": "check that the file and its folder can be written",
}


def now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)


def new_token(bytes_: int = 12) -> str:
    """An opaque name of at least `bytes_` random bytes, for URLs and for people: letters and digits that differ."""
    length = math.ceil(bytes_ * 8 / math.log2(len(_LETTERS)))
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


_LETTERS = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))


def insert_new(connection: Connection, table: type[Table]) -> Any:
    """An INSERT for one or many rows that passes over those that are there already.

    SQLite and PostgreSQL spell `ON CONFLICT DO NOTHING` alike but SQLAlchemy has one construct for each.
    """
    return _insert_new(connection.dialect.name, table)


@lru_cache  # putting one together takes longer than running it
def _insert_new(dialect: str, table: type[Table]) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()
