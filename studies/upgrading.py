"""Bringing a database to the newest schema, wholly or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, event
from sqlalchemy.exc import SQLAlchemyError

from crowdloom.studies.database import Store, default_url, lock_schema, make_engine, schema_version
from crowdloom.studies.errors import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade did."""

    address: str
    """The database, without its password."""
    before: str | None
    """The schema that it had; None for an empty database."""
    after: str

    @property
    def changed(self) -> bool:
        """Whether there was anything to do."""
        return self.before != self.after


def upgrade(url: str | None = None, migrations: Path = MIGRATIONS) -> Upgraded:
    """Run the migrations that a database lacks, in one transaction; an empty one gets the whole schema.

    Raises StoreError for a database that is not crowdloom's, is of a newer version, or has rows that a
    migration cannot carry over; it is then as it was.
    """
    engine = make_engine(url or default_url())
    if engine.dialect.name == "sqlite":
        # SQLite changes a table by building it anew and dropping the old one, which its rows' referrers would forbid.
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=OFF"))
    store = Store(engine)
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))  # % would begin a variable
    try:
        head = str(ScriptDirectory.from_config(config).get_current_head())
        before = schema_version(store)
        where = engine.url.render_as_string()
        if before is not None and before > head:
            raise StoreError(
                f"{where} was written by a newer crowdloom (schema {before}, this one knows {head}); "
                "update crowdloom, nothing was changed"
            )
        _migrate(store, config, where)
        return Upgraded(where, before, head)
    finally:
        store.close()


def _migrate(store: Store, config: Config, where: str) -> None:
    try:
        with store.write() as connection:
            lock_schema(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            _check_references(connection)
    except (SQLAlchemyError, CommandError) as error:
        raise StoreError(f"{where} cannot be upgraded: {error}; nothing was changed") from error


def _check_references(connection: Connection) -> None:
    """What SQLite was told not to check while tables were built anew."""
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise StoreError(
                f"the table {broken[0]} refers to rows of {broken[2]} that are not there; nothing was changed"
            )
