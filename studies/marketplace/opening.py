"""Opening the marketplace's database: a file or PostgreSQL, empty or ours."""

from __future__ import annotations

import os
import secrets
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, insert, inspect, select

from crowdloom.studies.database import Store, lock_schema, make_engine, now, use_wal, version_in
from crowdloom.studies.errors import StoreError
from crowdloom.studies.marketplace.system_qualifications import SYSTEM_TYPES
from crowdloom.studies.marketplace.tables import Marketplace, MarketTable, QualificationType

SCHEMA_VERSION = "1"


def default_url() -> str:
    """`$CROWDLOOM_MARKETPLACE`, or a SQLite file in the user's data directory."""
    if url := os.environ.get("CROWDLOOM_MARKETPLACE"):
        return url
    from platformdirs import user_data_path

    return str(user_data_path("crowdloom", ensure_exists=True) / "marketplace.db")


def open_database(url: str | None, *, create: bool) -> Store:
    """Open the database, which gets its tables where it is empty and `create` is true.

    Raises StoreError for one that cannot be reached, is something else, is empty, or is of another version.
    """
    store = Store(make_engine(default_url() if url is None else url))
    try:
        version = _version(store)
        where = store.engine.url.render_as_string()
        if version is None:
            if not create:
                raise StoreError(f"{where} is empty; `crowdloom marketplace` makes one")
            with store.write() as connection:
                _create(connection, now())
            if store.engine.dialect.name == "sqlite":
                Path(str(store.engine.url.database)).chmod(0o600)  # it holds requesters' secrets
        elif version != SCHEMA_VERSION:
            raise StoreError(
                f"{where} is a marketplace with schema {version}, and this crowdloom knows {SCHEMA_VERSION}; "
                "use the crowdloom that wrote it, nothing was changed"
            )
        use_wal(store.engine)
    except BaseException:
        store.close()
        raise
    return store


def _version(store: Store) -> str | None:
    version: str | None = version_in(
        store,
        {"marketplace", "hit", "assignment"},
        select(Marketplace.version),
        "the marketplace needs one of its own, name an empty one",
    )
    return version


def _create(connection: Connection, at: datetime) -> None:
    lock_schema(connection)
    if inspect(connection).has_table("marketplace"):
        return  # another process was faster
    MarketTable.metadata.create_all(connection, checkfirst=False)
    connection.execute(insert(Marketplace), {"id": 1, "version": SCHEMA_VERSION, "cookie_key": secrets.token_hex(32)})
    connection.execute(
        insert(QualificationType),
        [
            {
                "token": kind.token,
                "name": kind.name,
                "description": kind.description,
                "status": "Active",
                "auto_granted": False,
                "auto_granted_value": 1,
                "created_at": at,
            }
            for kind in SYSTEM_TYPES
        ],
    )
