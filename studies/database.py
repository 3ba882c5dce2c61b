"""The store: opening a database, checking its version, and transactions on it.

SQLite and PostgreSQL run the same code. Every write is one transaction in `Store.write()`, which on
SQLite begins IMMEDIATE, so that two writers queue instead of failing half-way.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from crowdloom.studies.errors import StoreError
from crowdloom.studies.tables import Table

SCHEMA_VERSION = "0001"
"""The newest migration; a test compares it with `migrations/`."""

BUSY_TIMEOUT_S = 30
_ADVISORY_LOCK = 7_236_551  # any constant: two processes that create the same PostgreSQL schema take turns


class Store:
    """A database that is open and of the right version; get one from `open_store`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writing = engine.execution_options(crowdloom_begin="BEGIN IMMEDIATE")
        # Threads of one process queue here rather than in SQLite's busy loop, which sleeps too long.
        self._turn: Any = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @property
    def url(self) -> str:
        """The address, password included, for a process that is to open the same store."""
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
        with _mapped(self.engine), self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def default_url() -> str:
    """`$CROWDLOOM_DATABASE`, or a SQLite file in the user's data directory."""
    if url := os.environ.get("CROWDLOOM_DATABASE"):
        return url
    from platformdirs import user_data_path

    return f"sqlite:///{user_data_path('crowdloom', ensure_exists=True) / 'crowdloom.db'}"


def open_store(url: str | None = None, *, create: bool = True) -> Store:
    """Open a database; an empty one gets the tables, unless `create` is false.

    `url` is a SQLAlchemy URL, `postgresql://…`, or the path of a SQLite file.
    Raises StoreError for a database that cannot be reached, is not crowdloom's, or is of another version.
    """
    engine = make_engine(url or default_url())
    try:
        with _mapped(engine):
            found = schema_version(engine)
            if found is None and create:
                _create(engine)
            elif found != SCHEMA_VERSION:
                raise StoreError(_advice(engine, found))
    except BaseException:
        engine.dispose()
        raise
    return Store(engine)


def make_engine(url: str) -> Engine:
    """An engine with our pragmas and no opinion on what the database holds. Raises StoreError for a bad URL."""
    if "://" not in url:
        url = f"sqlite:///{url}"
    try:
        address = make_url(url)
        if address.drivername in ("postgres", "postgresql"):
            address = address.set(drivername="postgresql+psycopg")
        if address.get_backend_name() not in ("sqlite", "postgresql"):
            raise ArgumentError(f"{address.get_backend_name()} is neither SQLite nor PostgreSQL")
    except ArgumentError as error:
        raise StoreError(
            f"--database {url!r} cannot be used: {error}; give sqlite:///FILE, postgresql://USER@HOST/NAME or a file"
        ) from error
    if address.get_backend_name() == "sqlite":
        path = Path(address.database or ":memory:")
        if str(path) != ":memory:" and not path.absolute().parent.is_dir():
            raise StoreError(f"the folder {path.absolute().parent} does not exist; create it, or name another database")
        engine = create_engine(address, connect_args={"timeout": BUSY_TIMEOUT_S}, pool_size=20, max_overflow=20)
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin)
        return engine
    return create_engine(address, pool_size=20, max_overflow=20, pool_pre_ping=True)


def schema_version(engine: Engine) -> str | None:
    """The version that a database says it has; None for an empty one. Raises StoreError for somebody else's."""
    with engine.connect() as connection:
        names = set(inspect(connection).get_table_names())
        if "alembic_version" in names:
            version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return None if version is None else str(version)
    if names:
        raise StoreError(
            f"{engine.url.render_as_string()} is a database of something else (it has a table {sorted(names)[0]!r}); "
            "name an empty one"
        )
    return None


def _create(engine: Engine) -> None:
    with engine.execution_options(crowdloom_begin="BEGIN IMMEDIATE").begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
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


def _advice(engine: Engine, found: str | None) -> str:
    where = engine.url.render_as_string()
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
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("crowdloom_begin", "BEGIN"))


@contextmanager
def _mapped(engine: Engine) -> Iterator[None]:
    """Say what the database's own error means, keeping it as the cause."""
    try:
        yield
    except (OperationalError, DatabaseError) as error:
        reason = str(error.orig).strip()
        if isinstance(error, OperationalError) or "not a database" in reason:
            advice = next(
                (advice for sign, advice in _SIGNS.items() if sign in reason), "check the address and the server"
            )
            raise StoreError(
                f"the database {engine.url.render_as_string()} failed: {reason}; {advice}; nothing of this was stored"
            ) from error
        raise


_SIGNS = {
    "full": "free some disk space and try again",
    "No space": "free some disk space and try again",
    "readonly": "make the file and its folder writable",
    "locked": "another program holds it; try again",
    "not a database": "the file is not SQLite's; name another one",
    "unable to open": "check that the file and its folder can be written",
}


def now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)


def new_token(bytes_: int = 12) -> str:
    """An opaque, random, URL-safe name of `bytes_` random bytes."""
    return secrets.token_urlsafe(bytes_)


def insert_new(connection: Connection, table: type[Table]) -> Any:
    """An INSERT for one or many rows that passes over those that are there already.

    SQLite and PostgreSQL spell `ON CONFLICT DO NOTHING` alike but SQLAlchemy has one construct for each.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()
